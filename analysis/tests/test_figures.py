# SPDX-License-Identifier: BSD-3-Clause
"""Every figure, of a run that minidad has written, and of made-up runs whose picture is known."""

import subprocess
import tracemalloc

import h5py
import numpy as np
import pytest
from matplotlib import rc_context

from minidad_analysis import NotInRun, overview, read_run, reader
from minidad_analysis.__main__ import KINDS
from minidad_analysis.cost import Cost, break_even, cost_of, dense_cost
from minidad_analysis.figure import STYLE, smooth
from minidad_analysis.figures import ARTISTS
from minidad_analysis.figures.decentralised import second_eigenvalue
from minidad_analysis.figures.pareto import pareto_front
from minidad_analysis.figures.time import imbalance
from minidad_analysis.overview import thinned

OF_MANY = ("pareto", "scaling")
OF_ONE_RUN = [name for name in KINDS if name not in (*OF_MANY, "residuals", "decentralised")]


def drawn(name, *runs):
    with rc_context(STYLE):
        return list(ARTISTS[name].draw(list(runs)))


def decentralised(file: h5py.File) -> None:
    """What a run with models that differ would add: three ranks on a ring."""
    file["consensus_distance"] = np.array([1.0, 0.1])
    file["consensus_distance"].dims[0].attach_scale(file["epoch"])
    ring = np.array([[0.5, 0, 0.5], [0.5, 0.5, 0], [0, 0.5, 0.5]])
    file.create_group("topology")["mixing"] = ring[None]


def residual(file: h5py.File) -> None:
    file["residual_norm_local"][...] = 1 + np.arange(8.0).reshape(2, 2, 2)


@pytest.fixture
def run_for(make_run, real_file):
    """A run, or runs, that have what a kind of figure shows."""

    def make(name):
        if name == "pareto":
            return [
                read_run(make_run("a.h5")),
                read_run(make_run("b.h5", method="dsgd", bytes_per_step=9e6, test_accuracy=0.9)),
            ]
        if name == "scaling":
            return [read_run(make_run(f"{n}.h5", ranks=n, samples_per_second=90.0 * n)) for n in (1, 2, 4)]
        if name == "residuals":
            return [read_run(make_run(version="1.1", probe=True, change=residual))]
        if name == "decentralised":
            return [read_run(make_run(ranks=3, change=decentralised))]
        return [read_run(real_file)]

    return make


def test_the_command_line_knows_all_kinds():
    assert set(KINDS) == set(ARTISTS)


@pytest.mark.parametrize("name", KINDS)
def test_figures_say_what_they_show(run_for, name):
    figures = drawn(name, *run_for(name))
    assert figures
    assert len({figure.name for figure in figures}) == len(figures)
    for figure in figures:
        assert figure.title and "\n" not in figure.caption
        assert 30 < len(figure.caption) < 150, figure.caption
        main = figure.drawing.axes[0]
        if not figure.name.startswith("topology"):
            assert main.get_xlabel(), figure.name
            assert main.get_ylabel() or figure.name == "bytes-by-layer", figure.name
        if "loss" in figure.name:
            assert main.get_ylabel() == "loss (nat)"
        if "time-" in figure.name:
            assert "(ms)" in main.get_ylabel()


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_command_keeps_pictures(real_file, command, tmp_path, format):
    result = command("plot", "ranks", real_file, "-o", tmp_path / "pictures", "--format", format)
    assert (result.returncode, result.stderr) == (0, "")
    begin = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[format]
    for line in result.stdout.splitlines():
        with open(line, "rb") as picture:
            assert picture.read(5).startswith(begin)
    assert len(result.stdout.splitlines()) == 3


def test_curves_are_those_of_the_file(real_file):
    """600 points and fewer are drawn as they are."""
    run = read_run(real_file)
    (figure,) = [one for one in drawn("learning", run) if one.name == "loss-bytes"]
    line, dots = figure.drawing.axes[0].lines[:2]
    exchange = [not name.startswith(("control", "probe")) for name in run.axes["channel"]]
    sent = run.series["bytes_sent"].values.mean(axis=1)[:, exchange].sum(axis=1).cumsum()
    np.testing.assert_allclose(line.get_xdata(), sent)
    np.testing.assert_allclose(line.get_ydata(), run.series["loss"].values)
    np.testing.assert_allclose(dots.get_ydata(), run.series["test_loss"].values)
    assert dots.get_xdata()[-1] == pytest.approx(sent[-1])
    assert overview.overview(run).bytes_per_step == pytest.approx(run.summary["bytes_per_step"])


def test_heat_map_is_relative_to_the_largest(real_file):
    run = read_run(real_file)
    figure = drawn("spectra", run)[0]
    (image,) = figure.drawing.axes[0].images
    spectrum = run.series["gradient_spectrum"].values[:, 0]
    expected = np.clip(spectrum / spectrum[:, :1], 1e-3, 1).T
    np.testing.assert_allclose(np.asarray(image.get_array()), expected)


def test_layers_without_a_product_are_left_out(make_run):
    """Such as norms: their gradient has no directions to count."""

    def norm_only(file):
        file["gradient_measures"][:, 1] = 0
        file["provenance/model"] = "layer0: conv 8 kernel=3 pad=1 relu, 28x28 -> 28x28x8\nlayer1: layernorm\n"

    run = read_run(make_run(version="1.1", probe=True, per_class=True, change=norm_only))
    for kind in ("spectra", "energy", "classes"):
        (figure,) = drawn(kind, run)
        assert figure.name.endswith("layer0") and figure.title.endswith(", layer0 conv 8 relu")
    for figure in drawn("ranks", run):
        assert [text.get_text() for text in figure.drawing.axes[0].get_legend().get_texts()] == ["layer0 conv 8 relu"]


def test_energy_is_that_of_the_truncation(real_file):
    """Which the run has measured itself, for one rank."""
    run = read_run(real_file)
    width = int(run.settings["probe.width"])
    measured = run.series["gradient_measures"].values[:, :, list(run.axes["measure"]).index("energy")]
    for layer, figure in enumerate(drawn("energy", run)):
        lines = figure.drawing.axes[0].lines
        assert len(lines) == 4
        for look, line in zip((0, -1), (lines[0], lines[-1])):
            assert line.get_ydata()[width - 1] == pytest.approx(100 * measured[look, layer], abs=1e-6)


def test_thinned_series_are_means(make_run):
    steps = tuple(range(1, 2002))
    run = read_run(make_run(steps=steps))
    loss = run.series["loss"].values
    curve = thinned(run.series["loss"])
    assert len(curve) <= overview.POINTS
    assert curve[0] == loss[:4].mean() and curve[-1] == loss[2000:].mean()
    ends = overview.ends(run.axes["step"])
    assert len(ends) == len(curve) and ends[0] == 4 and ends[-1] == 2001


def test_overview_reads_by_slices(make_run, monkeypatch):
    """Memory does not grow with the file: of 31 MB no more than a few blocks are there at once."""
    monkeypatch.setattr(reader, "BLOCK_BYTES", 1 << 20)
    run = read_run(make_run(steps=tuple(range(1, 6001)), ranks=30))
    size = sum(8 * np.prod(series.shape) for series in run.series.values())
    assert size > 20e6
    tracemalloc.start()
    overview.overview(run)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8e6


def test_overview_sums_up_what_was_counted(make_run):
    run = read_run(make_run())
    seen = overview.overview(run)
    sent = run.series["bytes_sent"].values  # (step, rank, channel); the first channel is control's
    np.testing.assert_allclose(seen.channel_bytes, sent.sum(axis=0).mean(axis=0) / 30)
    assert seen.bytes[-1] == pytest.approx(sent[:, :, 1:].sum() / 2)
    seconds = run.series["seconds"].values
    assert seen.seconds[-1] == pytest.approx(seconds.sum(axis=2).max(axis=1).sum())
    np.testing.assert_allclose(seen.rank_seconds, seconds.sum(axis=0) / 30)


def test_smooth_keeps_straight_lines():
    line = np.arange(100.0)
    np.testing.assert_allclose(smooth(line)[10:-10], line[10:-10])
    line[50] = np.nan
    assert np.isfinite(smooth(line)).all() and np.isnan(smooth(np.full(3, np.nan))).all()


def test_front_has_what_nothing_beats():
    cost = np.array([3.0, 1.0, 2.0, 4.0, 1.0])
    gain = np.array([0.9, 0.5, 0.4, 0.9, 0.6])
    assert pareto_front(cost, gain).tolist() == [4, 0]


def test_break_even_is_where_times_meet():
    dense, few = Cost(0.010, 8e6), Cost(0.012, 2e6)
    bandwidth = break_even(few, dense)
    assert few.at(bandwidth) == pytest.approx(dense.at(bandwidth))
    assert break_even(Cost(0.009, 2e6), dense) == float("inf")
    assert break_even(Cost(0.012, 9e6), dense) == 0


def test_dense_cost_is_predicted_from_parameters(make_run):
    def with_parameters(file):
        file["summary/parameters"] = np.int64(1000)

    run = read_run(make_run(ranks=4, change=with_parameters))
    dense = dense_cost(run, [run])
    assert not dense.measured and dense.cost.bytes == 2 * 3 / 4 * 4 * 1000
    assert dense.cost.seconds < cost_of(run).seconds  # which compresses
    elsewhere = read_run(make_run("two.h5", method="dsgd", ranks=2))
    assert not dense_cost(run, [run, elsewhere]).measured
    dsgd = read_run(make_run("dsgd.h5", method="dsgd", ranks=4, seed=2))
    assert dense_cost(run, [run, elsewhere, dsgd]).measured
    assert dense_cost(read_run(make_run("older.h5")), []) is None


def test_imbalance_is_of_computing(make_run):
    def seconds(file):
        file["seconds"][...] = 0
        file["seconds"][:, 0, 0], file["seconds"][:, 1, 0] = 3, 1
        file["seconds"][:, 1, 4] = 2  # the quicker one waits

    assert imbalance(read_run(make_run(change=seconds))) == pytest.approx(0.5)


def test_second_eigenvalue():
    assert second_eigenvalue(np.full((4, 4), 0.25)) == pytest.approx(0, abs=1e-12)
    assert second_eigenvalue(np.eye(3)) == 1
    assert second_eigenvalue(np.eye(1)) == 0


def test_scaling_of_ideal_runs(run_for, command, make_run):
    runs = run_for("scaling")
    result = command("scaling", *(run.path for run in runs))
    assert result.returncode == 0, result.stderr
    assert [line.split()[-3:] for line in result.stdout.splitlines()[1:]] == [
        ["90.0", "1.00x", "100.0"], ["180.0", "2.00x", "100.0"], ["360.0", "4.00x", "100.0"],
    ]  # fmt: skip
    weak = [make_run(f"weak{n}.h5", ranks=n, batch=32 * n, samples_per_second=100.0 * n**0.5) for n in (1, 4)]
    lines = command("scaling", "--markdown", *weak).stdout.splitlines()
    other = [make_run(f"dsgd{n}.h5", method="dsgd", ranks=n, batch=32 * n) for n in (1, 4)]
    labels = [line.split()[1] for line in command("scaling", *weak, *other).stdout.splitlines()[1:]]
    assert labels == ["dad", "dad", "dsgd", "dsgd"]
    assert lines[2:] == ["| weak | dad | 1 | 100.0 | 1.00x | 100.0 |", "| weak | dad | 4 | 200.0 | 2.00x | 50.0 |"]


def test_what_is_not_there_is_said(make_run):
    plain = read_run(make_run())
    for name in ("spectra", "ranks", "energy", "classes", "residuals", "decentralised", "pareto", "scaling"):
        with pytest.raises(NotInRun, match="run.h5: "):
            drawn(name, plain)
    one_step = read_run(make_run("one.h5", steps=(10,)))
    with pytest.raises(NotInRun, match="one record only"):
        drawn("learning", one_step)
    assert [figure.name for figure in drawn("time", one_step)] == ["time-by-rank"]
    with pytest.raises(NotInRun, match="no step has been recorded"):
        drawn("time", read_run(make_run("none.h5", steps=())))


def test_importing_the_command_line_is_quick(command):
    """What does not draw does not load matplotlib."""
    import os
    import sys

    code = "import sys, minidad_analysis.__main__; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ).returncode == 0
