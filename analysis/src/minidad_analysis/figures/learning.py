# SPDX-License-Identifier: BSD-3-Clause
"""Loss and accuracy against steps, bytes and time; runs that differ in their seed only as mean and interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..figure import TESTED, Figure, axes_of, colours, counts, dashes, legend, log_axis
from ..overview import needs_steps, overview
from ..reader import Run
from ..seeds import Group, groups_of, half_interval

NAME = "learning"
MEANING = "loss and accuracy against steps, bytes and time"

AGAINST = {
    "step": ("step", "Who learns most from a step? Exact exchanges lie on each other."),
    "bytes": ("sent by a rank (B)", "Who learns most from a byte? Further left is the same for less traffic."),
    "time": ("training time (s)", "Who is there first, on this machine with its network?"),
}
ALONE = "Where the line leaves the dots behind, the net learns by heart."
HOW_DRAWN = " Lines: training; dots: test."


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    curves = [run for run in runs if len(run.axes["step"]) > 1]
    if not curves:
        needs_steps(runs[0], least=2)
    groups = groups_of(curves)
    for quantity in ("loss", "accuracy"):
        for against in AGAINST:
            if against != "bytes" or any(overview(run).bytes[-1] > 0 for run in curves):
                yield _figure(groups, quantity, against)


def _figure(groups: Sequence[Group], quantity: str, against: str) -> Figure:
    label, caption = AGAINST[against]
    drawing, axes = axes_of(label, "loss (nat)" if quantity == "loss" else "accuracy (%)")
    several = False
    for i, (group, colour) in enumerate(zip(groups, colours(len(groups)))):
        x, y, half = _over_seeds([_training(run, quantity, against) for run in group.runs])
        if against == "bytes" and not x[-1] > 0:
            continue
        axes.plot(x, y, color=colour, linewidth=1, linestyle=dashes(i), label=group.full_label(groups))
        x, y, half = _over_seeds([_tests(run, quantity, against) for run in group.runs])
        several = several or len(group.runs) > 1
        if len(x):
            axes.errorbar(
                x, y, yerr=half if len(group.runs) > 1 else None, color=colour, capsize=2, elinewidth=1,
                linestyle="none", marker="o", markersize=4, label=group.full_label(groups) + TESTED,
            )  # fmt: skip
    if quantity == "loss":
        axes.set_yscale("log")
        log_axis(axes.yaxis, "{x:g}")
    if against == "bytes":
        axes.set_xscale("log")
        log_axis(axes.xaxis)
    elif against == "time":
        axes.xaxis.set_major_formatter(counts())
    legend(axes)
    return Figure(
        f"{quantity}-{against}",
        f"{quantity.capitalize()} against {'steps' if against == 'step' else against}",
        (caption if len(groups) > 1 else ALONE)
        + HOW_DRAWN
        + (" Bars: 95 % of the mean over seeds." if several else ""),
        drawing,
    )


def _training(run: Run, quantity: str, against: str) -> tuple[np.ndarray, np.ndarray]:
    seen = overview(run)
    return _axis(run, against), seen.loss if quantity == "loss" else 100 * seen.accuracy


def _tests(run: Run, quantity: str, against: str) -> tuple[np.ndarray, np.ndarray]:
    """Where along that axis the tests after each epoch were made, and what they found."""
    tested = run.series[f"test_{quantity}"].values * (100 if quantity == "accuracy" else 1)
    epoch_of_step = run.series["epoch_of_step"].values
    last = np.searchsorted(epoch_of_step, run.axes["epoch"], side="right") - 1
    there = last >= 0
    step = run.axes["step"][last[there]]
    return np.interp(step, overview(run).step, _axis(run, against)), tested[there]


def _axis(run: Run, against: str) -> np.ndarray:
    seen = overview(run)
    return {"step": seen.step, "bytes": seen.bytes, "time": seen.seconds}[against]


def _over_seeds(
    curves: Sequence[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, mean and half the interval of curves of runs that are equally long, but for those that were stopped."""
    length = min(len(x) for x, _ in curves)
    x = np.array([x[:length] for x, _ in curves]).mean(axis=0)
    y = np.array([y[:length] for _, y in curves])
    return x, y.mean(axis=0), half_interval(y)
