# SPDX-License-Identifier: BSD-3-Clause
"""Where the time of a step goes: by phase, by rank, over steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes

from ..figure import Figure, axes_of, tell
from ..overview import Overview, needs_steps, overview
from ..reader import NotInRun, Run

NAME = "time"
MEANING = "time of a step by phase, on each rank and over steps"

# Computing in blues and greens, moving in warm colours, the rest in grey: the same in all pictures.
PHASE_COLOURS = {
    "forward": "#56B4E9",
    "backward": "#0072b2",
    "compress": "#CC79A7",
    "exchange": "#E69F00",
    "wait": "#D55E00",
    "update": "#009E73",
    "io": "#8a8a8a",
    "probe": "#c9c9c9",
}


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    for run in runs:
        seen = overview(run)
        yield _by_rank(run, seen)
        try:
            needs_steps(run, least=2)
        except NotInRun:  # one record has its bars, and no curve
            continue
        yield _over_steps(run, seen)


def imbalance(run: Run) -> float:
    """How much longer the slowest rank computes than the mean rank: 0.1 is 10 %. Waiting evens it out."""
    waits = np.isin(run.axes["phase"], ("wait",))
    busy = overview(run).rank_seconds[:, ~waits].sum(axis=1)
    busy = busy[busy > 0]
    return float(busy.max() / busy.mean() - 1) if len(busy) else 0.0


def _legend(axes: Axes) -> None:
    """In the order in which phases are stacked."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1)


def _by_rank(run: Run, seen: Overview) -> Figure:
    drawing, axes = axes_of("rank", "time of a step (ms)", right=1.0)
    bottom = np.zeros(run.ranks)
    for phase, seconds in zip(run.axes["phase"], 1e3 * seen.rank_seconds.T):
        if seconds.max() > 2 * seen.rank_seconds.sum(axis=1).max():  # 0.2 %
            colour = PHASE_COLOURS.get(phase, "#8a8a8a")
            axes.bar(
                run.axes["rank"], seconds, bottom=bottom, color=colour, label=phase,
                width=0.75 if run.ranks <= 64 else 1.0,
            )  # fmt: skip
        bottom += seconds
    if run.ranks <= 16:
        axes.set_xticks(run.axes["rank"])
    axes.set_xlim(-0.6, run.ranks - 0.4)
    axes.grid(axis="x", visible=False)
    _legend(axes)
    return Figure(
        "time-by-rank",
        "Time of a step, by rank",
        "Warm colours move bytes or wait. The slowest rank computes "
        f"{100 * imbalance(run):.1f} % longer than the mean.",
        drawing,
    )


def _over_steps(run: Run, seen: Overview) -> Figure:
    drawing, axes = axes_of("step", "time of a step (ms)", right=1.0)
    shown = [
        i for i, seconds in enumerate(seen.phase_seconds.T)
        if seconds.sum() > 0.002 * seen.phase_seconds.sum()
    ]  # fmt: skip
    phases = [str(run.axes["phase"][i]) for i in shown]
    seconds = 1e3 * seen.phase_seconds[:, shown].T
    tints = [PHASE_COLOURS.get(phase, "#8a8a8a") for phase in phases]
    areas = axes.stackplot(seen.step, seconds, colors=tints, linewidth=0)
    for area, phase, tint, values in zip(areas, phases, tints, seconds):
        area.set_label(phase)
        tell(axes, phase, tint, seen.step, values)
    # A pause of the machine would press everything else down.
    whole = 1e3 * seen.phase_seconds.sum(axis=1)
    axes.set_ylim(0, min(whole.max(), 2 * np.percentile(whole, 98)) * 1.05)
    axes.set_xlim(seen.step[0], seen.step[-1])
    _legend(axes)
    return Figure(
        "time-over-steps",
        "Time of a step, over steps",
        "Mean of ranks. Steady is good; a rising share of waiting says that the ranks drift apart.",
        drawing,
    )
