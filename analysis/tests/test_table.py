# SPDX-License-Identifier: BSD-3-Clause
import re

import pytest

from minidad_analysis import RunFileError, comparison, comparison_over_seeds, read_run, table

EXPECTED = """\
method      ranks  test accuracy (%)  samples/s  sent per rank and step  of dSGD
dsgd            2              87.65     1234.6                 7.45 MB        1
dad            16              87.65     1234.6                 1.25 MB    0.168
dad (det.)      2              87.65     1234.6                 1.25 MB    0.168
"""

IN_MARKDOWN = """\
| method | ranks | test accuracy (%) | samples/s | sent per rank and step | of dSGD |
| --- | ---: | ---: | ---: | ---: | ---: |
| dsgd | 2 | 87.65 | 1234.6 | 7.45 MB | 1 |
| dad | 16 | 87.65 | 1234.6 | 1.25 MB | 0.168 |
| dad (det.) | 2 | 87.65 | 1234.6 | 1.25 MB | 0.168 |
"""

OVER_SEEDS = """\
method                           ranks  seeds  test accuracy (%)  to dSGD (points)  sent per rank and step  dSGD / this  training time (s)
dsgd                                 2      3       89.00 ± 1.00             +0.00                 7.45 MB           1x               20.0
rank_dad width=4 pattern=tree        2      2       88.75 ± 0.35             -0.25                86.40 kB        86.3x               12.3
rank_dad width=8 pattern=oneway      2      1          89.50 ± -             +0.50               172.80 kB        43.1x               12.3
dad                                  2      1          87.65 ± -             -1.35                 1.25 MB        5.96x               12.3
dad                                 16      1          87.65 ± -             -1.35                 1.25 MB        5.96x               12.3
dad (det.)                           2      1          87.65 ± -             -1.35                 1.25 MB        5.96x               12.3
"""  # noqa: E501


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


def test_command_prints_markdown(three_runs, command):
    result = command("table", "--markdown", *three_runs)
    assert (result.returncode, result.stdout, result.stderr) == (0, IN_MARKDOWN, "")


@pytest.fixture
def seeds(make_run):
    """Several runs of some groups, not side by side."""
    dsgd = {"method": "dsgd", "bytes_per_step": 7454728.0}
    tree = {"method": "rank_dad", "pattern": "tree"}
    return [
        make_run("dsgd_1.h5", **dsgd, seed=1, test_accuracy=0.88, training_seconds=10.0),
        make_run("tree_1.h5", **tree, seed=1, test_accuracy=0.885, bytes_per_step=86300.0),
        make_run("dsgd_2.h5", **dsgd, seed=2, test_accuracy=0.90, training_seconds=20.0),
        make_run(
            "wide.h5", method="rank_dad", width=8, test_accuracy=0.895, bytes_per_step=172800.0
        ),
        make_run("tree_2.h5", **tree, seed=2, test_accuracy=0.89, bytes_per_step=86500.0),
        make_run("dsgd_3.h5", **dsgd, seed=3, test_accuracy=0.89, training_seconds=30.0),
        make_run("dad.h5"),
        make_run("dad_16.h5", ranks=16),
        make_run("deterministic.h5", deterministic=True),
    ]


def test_command_compares_over_seeds(seeds, command):
    result = command("table", "--over-seeds", *seeds)
    assert (result.returncode, result.stdout, result.stderr) == (0, OVER_SEEDS, "")


def test_command_compares_over_seeds_in_markdown(seeds, command):
    lines = command("table", "--over-seeds", "--markdown", *seeds).stdout.splitlines()
    assert lines[2] == "| dsgd | 2 | 3 | 89.00 ± 1.00 | +0.00 | 7.45 MB | 1x | 20.0 |"
    cells = [[cell.strip() for cell in line[2:-2].split(" | ")] for line in lines]
    assert [cells[0], *cells[2:]] == [
        re.split(" {2,}", line.strip()) for line in OVER_SEEDS.splitlines()
    ]


def test_seeds_need_no_toml_parser(seeds, monkeypatch):
    monkeypatch.setattr(table, "tomllib", None)
    assert comparison_over_seeds([read_run(path) for path in seeds]) + "\n" == OVER_SEEDS


def change_deck(old, new):
    def change(file):
        deck = file["provenance/deck"].asstr()[()]
        assert old in deck
        del file["provenance/deck"]
        file["provenance/deck"] = deck.replace(old, new)

    return change


@pytest.mark.parametrize("parser", [table.tomllib, None])
@pytest.mark.parametrize(
    "old, new, labels",
    [
        ("batch = 64", "batch = 32", ["dad training.batch=64", "dad training.batch=32"]),
        ("[probe]\nwidth = 4", "[probe]\nwidth = 1", ["dad probe.width=4", "dad probe.width=1"]),
        ("[probe]\nwidth = 4", "", ["dad probe.width=4", "dad"]),  # of an earlier version
        ("'cosine' ", '"a # b" ', ["dad schedule.kind=cosine", "dad schedule.kind=a # b"]),
        ("false", "false\noverwrite = [1, 2]", ["dad", "dad overwrite=[1, 2]"]),
        ("[output]", "[output]\noverwrite = true", ["dad"]),
    ],
)
def test_labels_name_what_differs(make_run, monkeypatch, parser, old, new, labels):
    monkeypatch.setattr(table, "tomllib", parser)
    changed = make_run("changed.h5", seed=2, change=change_deck(old, new))
    text = comparison_over_seeds([read_run(make_run()), read_run(changed)])
    assert [re.split(" {2,}", line)[0] for line in text.splitlines()[1:]] == labels


def test_seeds_without_traffic_of_dsgd(make_run):
    dad = read_run(make_run("dad.h5"))
    alone = read_run(make_run("dsgd.h5", method="dsgd", ranks=1, bytes_per_step=0.0))
    for runs, gain in (([dad], "-"), ([dad, alone], "+0.00")):
        cells = comparison_over_seeds(runs).splitlines()[1].split()
        assert (cells[6], cells[-2]) == (gain, "-")


def test_silent_exchange_has_no_ratio(make_run):
    dsgd = read_run(make_run("dsgd.h5", method="dsgd"))
    none = read_run(make_run("none.h5", method="none", bytes_per_step=0.0))
    lines = comparison_over_seeds([dsgd, none]).splitlines()
    assert [line.split()[-2] for line in lines[1:]] == ["1x", "-"]


def test_seeds_refuse_an_incomplete_run(make_run):
    run = read_run(make_run(complete=False), allow_incomplete=True)
    with pytest.raises(RunFileError, match="run.h5: .*not complete"):
        comparison_over_seeds([run])


def test_seeds_refuse_what_is_counted_twice(make_run, command):
    one, two = make_run("one.h5"), make_run("two.h5")
    result = command("table", "--over-seeds", one, two)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"minidad-analysis: {two}: has the settings and the seed of {one}\n"


@pytest.mark.parametrize("parser", [table.tomllib, None])
@pytest.mark.parametrize(
    "old, new, missing",
    [
        ("seed = 1", "", "training.seed"),
        ("method = 'dad'", "", "exchange.method"),
    ],
)
def test_seeds_refuse_an_unusable_deck(make_run, monkeypatch, parser, old, new, missing):
    monkeypatch.setattr(table, "tomllib", parser)
    with pytest.raises(RunFileError, match=f"run.h5: the deck in it names no {missing}"):
        comparison_over_seeds([read_run(make_run(change=change_deck(old, new)))])


@pytest.mark.parametrize(
    "whole, part, text",
    [(0, 1, "-"), (1, 0, "-"), (1, 1, "1x"), (999.6, 1, "1000x"), (12345, 1, "12345x")],
)
def test_times(whole, part, text):
    assert table._times(whole, part) == text


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
