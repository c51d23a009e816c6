# SPDX-License-Identifier: BSD-3-Clause
import re

import numpy as np
import pytest

from minidad_analysis import RunFileError, deck, read_run, table
from minidad_analysis.seeds import T_975, half_interval
from minidad_analysis.table import aligned, comparison

EXPECTED = """\
method                           ranks  seeds  test accuracy (%)  to dSGD (points)  sent per rank and step  dSGD / this  samples/s  training time (s)
dsgd                                 2      3       89.00 ± 2.48             +0.00                 7.45 MB           1x     1234.6                 20
rank_dad width=4 pattern=tree        2      2       88.75 ± 3.18             -0.25                86.40 kB        86.3x     1234.6               12.3
rank_dad width=8 pattern=oneway      2      1              89.50             +0.50               172.80 kB        43.1x     1234.6               12.3
dad                                  2      1              87.65             -1.35                 1.25 MB        5.96x     1234.6               12.3
dad                                 16      1              87.65             -1.35                 1.25 MB        5.96x     1234.6               12.3
dad (det.)                           2      1              87.65             -1.35                 1.25 MB        5.96x     1234.6               12.3
"""  # noqa: E501


def compared(runs) -> str:
    return aligned(comparison(runs)) + "\n"


@pytest.fixture
def seeds(make_run):
    """Several runs of some groups, not side by side."""
    dsgd = {"method": "dsgd", "bytes_per_step": 7454728.0}
    tree = {"method": "rank_dad", "pattern": "tree"}
    return [
        make_run("dsgd_1.h5", **dsgd, seed=1, test_accuracy=0.88, training_seconds=10.0),
        make_run("tree_1.h5", **tree, seed=1, test_accuracy=0.885, bytes_per_step=86300.0),
        make_run("dsgd_2.h5", **dsgd, seed=2, test_accuracy=0.90, training_seconds=20.0),
        make_run("wide.h5", method="rank_dad", width=8, test_accuracy=0.895, bytes_per_step=172800.0),
        make_run("tree_2.h5", **tree, seed=2, test_accuracy=0.89, bytes_per_step=86500.0),
        make_run("dsgd_3.h5", **dsgd, seed=3, test_accuracy=0.89, training_seconds=30.0),
        make_run("dad.h5"),
        make_run("dad_16.h5", ranks=16),
        make_run("deterministic.h5", deterministic=True),
    ]


def test_command_compares(seeds, command):
    result = command("compare", *seeds)
    assert (result.returncode, result.stdout, result.stderr) == (0, EXPECTED, "")


def test_command_takes_a_real_file(real_file, command):
    result = command("compare", real_file)
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 2


def test_command_writes_a_page(seeds, command, tmp_path):
    page = tmp_path / "folder" / "compare.html"
    result = command("compare", *seeds, "-o", page)
    assert (result.returncode, result.stdout, result.stderr) == (0, EXPECTED, "")
    text = page.read_text()
    assert 'id="all-pareto"' in text and "± 2.48" in text and "run0" not in text


def test_intervals_are_those_of_student():
    """Against the quantile by integration of the density: P(|t| < t_975) = 95 %."""
    from math import gamma, pi, sqrt

    for degrees, quantile in enumerate(T_975, start=1):
        scale = gamma((degrees + 1) / 2) / (sqrt(degrees * pi) * gamma(degrees / 2))
        t = np.linspace(0, quantile, 200_001)
        density = scale * (1 + t * t / degrees) ** (-(degrees + 1) / 2)
        inside = 2 * ((density[1:] + density[:-1]) / 2 * np.diff(t)).sum()
        assert inside == pytest.approx(0.95, abs=5e-5), degrees
    values = np.array([1.0, 2.0, 4.0])
    assert half_interval(values) == pytest.approx(4.303 * np.std(values, ddof=1) / sqrt(3))
    assert np.isnan(half_interval(values[:1]))


def test_command_compares_in_markdown(seeds, command):
    lines = command("compare", "--markdown", *seeds).stdout.splitlines()
    assert lines[2] == "| dsgd | 2 | 3 | 89.00 ± 2.48 | +0.00 | 7.45 MB | 1x | 1234.6 | 20 |"
    cells = [[cell.strip() for cell in line[2:-2].split(" | ")] for line in lines]
    assert [cells[0], *cells[2:]] == [re.split(" {2,}", line.strip()) for line in EXPECTED.splitlines()]


def test_seeds_need_no_toml_parser(seeds, monkeypatch):
    monkeypatch.setattr(deck, "tomllib", None)
    assert compared([read_run(path) for path in seeds]) == EXPECTED


def change_deck(old, new):
    def change(file):
        deck = file["provenance/deck"].asstr()[()]
        assert old in deck
        del file["provenance/deck"]
        file["provenance/deck"] = deck.replace(old, new)

    return change


@pytest.mark.parametrize("parser", [deck.tomllib, None])
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
    monkeypatch.setattr(deck, "tomllib", parser)
    changed = make_run("changed.h5", seed=2, change=change_deck(old, new))
    text = compared([read_run(make_run()), read_run(changed)])
    assert [re.split(" {2,}", line)[0] for line in text.splitlines()[1:]] == labels


def test_seeds_without_traffic_of_dsgd(make_run):
    dad = read_run(make_run("dad.h5"))
    alone = read_run(make_run("dsgd.h5", method="dsgd", ranks=1, bytes_per_step=0.0))
    for runs, gain in (([dad], "-"), ([dad, alone], "+0.00")):
        row = comparison(runs)[1]
        assert (row[4], row[6]) == (gain, "-")


def test_silent_exchange_has_no_ratio(make_run):
    dsgd = read_run(make_run("dsgd.h5", method="dsgd"))
    none = read_run(make_run("none.h5", method="none", bytes_per_step=0.0))
    assert [row[6] for row in comparison([dsgd, none])[1:]] == ["1x", "-"]


def test_seeds_refuse_an_incomplete_run(make_run):
    run = read_run(make_run(complete=False), allow_incomplete=True)
    with pytest.raises(RunFileError, match="run.h5: .*not complete"):
        comparison([run])


def test_seeds_refuse_what_is_counted_twice(make_run, command):
    one, two = make_run("one.h5"), make_run("two.h5")
    result = command("compare", one, two)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"minidad-analysis: {two}: has the settings and the seed of {one}\n"


@pytest.mark.parametrize("parser", [deck.tomllib, None])
@pytest.mark.parametrize("text", ["", "[exchange]\n", "exchange = 1\n", "[["])
def test_refuses_a_deck_without_method(make_run, monkeypatch, parser, text):
    def spoil(file):
        del file["provenance/deck"]
        file["provenance/deck"] = text

    monkeypatch.setattr(deck, "tomllib", parser)
    with pytest.raises(RunFileError, match="run.h5: .*exchange.method"):
        comparison([read_run(make_run(change=spoil))])


@pytest.mark.parametrize("parser", [deck.tomllib, None])
@pytest.mark.parametrize(
    "old, new, missing",
    [
        ("seed = 1", "", "training.seed"),
        ("method = 'dad'", "", "exchange.method"),
    ],
)
def test_seeds_refuse_an_unusable_deck(make_run, monkeypatch, parser, old, new, missing):
    monkeypatch.setattr(deck, "tomllib", parser)
    with pytest.raises(RunFileError, match=f"run.h5: the deck in it names no {missing}"):
        comparison([read_run(make_run(change=change_deck(old, new)))])


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
