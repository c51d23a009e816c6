# SPDX-License-Identifier: BSD-3-Clause
import pytest

from minidad_analysis import RunFileError, comparison, read_run, table

EXPECTED = """\
method      ranks  test accuracy (%)  samples/s  sent per rank and step  of dSGD
dsgd            2              87.65     1234.6                 7.45 MB        1
dad            16              87.65     1234.6                 1.25 MB    0.168
dad (det.)      2              87.65     1234.6                 1.25 MB    0.168
"""


@pytest.fixture
def three_runs(make_run):
    return [
        make_run("dsgd.h5", method="dsgd", bytes_per_step=7454728.0),
        make_run("dad.h5", ranks=16),
        make_run("deterministic.h5", deterministic=True),
    ]


def test_command_prints_the_table(three_runs, command):
    result = command("table", *three_runs)
    assert (result.returncode, result.stdout, result.stderr) == (0, EXPECTED, "")


def test_command_takes_a_real_file(real_file, command):
    result = command("table", real_file)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2


def test_table_needs_no_toml_parser(three_runs, monkeypatch):
    monkeypatch.setattr(table, "tomllib", None)
    assert comparison([read_run(path) for path in three_runs]) + "\n" == EXPECTED


def test_ratio_is_missing_without_traffic_of_dsgd(make_run):
    dad = read_run(make_run("dad.h5"))
    alone = read_run(make_run("dsgd.h5", method="dsgd", ranks=1, bytes_per_step=0.0))
    assert comparison([dad]).endswith(" -")
    assert [line[-3:] for line in comparison([dad, alone]).splitlines()[1:]] == ["  -", "  -"]


def test_refuses_an_incomplete_run(make_run):
    run = read_run(make_run(complete=False), allow_incomplete=True)
    with pytest.raises(RunFileError, match="run.h5: .*not complete"):
        comparison([run])


@pytest.mark.parametrize("parser", [table.tomllib, None])
@pytest.mark.parametrize("deck", ["", "[exchange]\n", "exchange = 1\n", "[["])
def test_refuses_a_deck_without_method(make_run, monkeypatch, parser, deck):
    def spoil(file):
        del file["provenance/deck"]
        file["provenance/deck"] = deck

    monkeypatch.setattr(table, "tomllib", parser)
    with pytest.raises(RunFileError, match="run.h5: .*exchange.method"):
        comparison([read_run(make_run(change=spoil))])


@pytest.mark.parametrize(
    "count, text",
    [
        (0, "0.00 B"),
        (999, "999.00 B"),
        (43481, "43.48 kB"),
        (2e9, "2.00 GB"),
        (5e15, "5000.00 TB"),
    ],
)
def test_human_bytes(count, text):
    assert table.human_bytes(count) == text
