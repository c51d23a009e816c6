# SPDX-License-Identifier: BSD-3-Clause
"""Accuracy against bytes, a point per group of runs that differ in their seed only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

import numpy as np

from ..figure import Figure, axes_of, colours, legend, log_axis
from ..reader import NotInRun, Run
from ..seeds import groups_of, half_interval

NAME = "pareto"
MEANING = "test accuracy against bytes, of several runs"
MARKERS = "osD^vP*X<>"


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    complete = [run for run in runs if run.complete]  # others have no accuracy yet
    groups = [group for group in groups_of(complete) if group.mean("bytes_per_step") > 0]
    if len(groups) < 2:
        raise NotInRun(f"{runs[0].path}: a comparison of accuracy and bytes needs two runs that send, or more")
    drawing, axes = axes_of("sent per rank and step (B)", "test accuracy (%)")
    sent = np.array([group.mean("bytes_per_step") for group in groups])
    accuracy = np.array([100 * group.mean("test_accuracy") for group in groups])
    best = pareto_front(sent, accuracy)
    axes.plot(sent[best], accuracy[best], color="#8a8a8a", linewidth=1, linestyle=":", label="_front")
    for i, (group, colour) in enumerate(zip(groups, colours(len(groups)))):
        half = half_interval(100 * group.of_all("test_accuracy"))
        axes.errorbar(
            sent[i], accuracy[i], yerr=None if isnan(half) else half, color=colour, capsize=3,
            marker=MARKERS[i % len(MARKERS)], markersize=7, linestyle="none", label=group.full_label(groups),
        )  # fmt: skip
    axes.set_xscale("log")
    axes.margins(0.12)
    log_axis(axes.xaxis)
    legend(axes, most=10)
    yield Figure(
        "pareto",
        "Final accuracy against bytes of a step",
        "Up and left is better; on the dotted line nothing is both. Bars: 95 % interval of the mean over seeds.",
        drawing,
    )


def pareto_front(cost: np.ndarray, gain: np.ndarray) -> np.ndarray:
    """Indices, by rising cost, of what nothing cheaper equals in gain."""
    order = np.lexsort((-gain, cost))
    best = -np.inf
    front = []
    for i in order:
        if gain[i] > best:
            front.append(i)
            best = gain[i]
    return np.array(front, int)
