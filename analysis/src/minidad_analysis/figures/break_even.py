# SPDX-License-Identifier: BSD-3-Clause
"""Predicted time of a step against bandwidth, and where it meets that of dSGD."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

import numpy as np

from ..cost import break_even, cost_of, dense_cost, mean_cost
from ..figure import Figure, axes_of, colours, dashes, legend, log_axis
from ..reader import NotInRun, Run
from ..seeds import groups_of
from ..table import human_bytes

NAME = "break_even"
MEANING = "predicted time of a step against bandwidth, and where it meets dSGD's"
BANDWIDTH = np.logspace(6, 11, 200)  # B/s: from a slow wide-area link to a node's best


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    groups = groups_of(runs)
    if all(cost_of(run).bytes == 0 for run in runs):
        raise NotInRun(f"{runs[0].path}: sends nothing, so bandwidth does not matter to it")
    drawing, axes = axes_of("bandwidth of a rank (B/s)", "time of a step (ms)")
    for i, (group, colour) in enumerate(zip(groups, colours(len(groups)))):
        cost, dense = mean_cost(group.runs), dense_cost(group.runs[0], runs)
        axes.plot(
            BANDWIDTH, 1e3 * cost.at(BANDWIDTH), color=colour, linestyle=dashes(i), label=group.full_label(groups)
        )
        meets = break_even(cost, dense.cost) if dense else 0.0
        if BANDWIDTH[0] < meets < BANDWIDTH[-1]:
            axes.plot([meets], [1e3 * cost.at(meets)], "o", color=colour, label="_break even")
    if len(groups) == 1 and dense and not dense.measured:
        axes.plot(BANDWIDTH, 1e3 * dense.cost.at(BANDWIDTH), color="#8a8a8a", linestyle=":", label="dsgd, predicted")
    axes.set_xscale("log")
    axes.set_yscale("log")
    log_axis(axes.xaxis)
    log_axis(axes.yaxis, "{x:g}")
    legend(axes, loc="upper right")
    yield Figure(
        "break-even",
        "Predicted time of a step against bandwidth",
        "Left of its dot an exchange is faster than dSGD. Computing as measured here, plus bytes over bandwidth.",
        drawing,
    )


def bandwidth_text(bandwidth: float) -> str:
    """In words, for tables."""
    if bandwidth == inf:
        return "any"
    if bandwidth == 0:
        return "none"
    return "any" if bandwidth > 1e15 else human_bytes(bandwidth) + "/s"
