# SPDX-License-Identifier: BSD-3-Clause
"""Speed against ranks, with the ideal line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..figure import Figure, axes_of, colours, dashes, legend, log_axis
from ..reader import Run
from ..scale import Sweep, sweeps_of

NAME = "scaling"
MEANING = "weak and strong scaling: speed and efficiency against ranks, of several runs"

CAPTION = {
    "strong": "Same global batch on more ranks. On the dotted line twice the ranks are twice as fast.",
    "weak": "Same batch per rank. On the dotted line more ranks take nothing away from each other.",
}


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    sweeps = sweeps_of(runs)
    for kind in ("strong", "weak"):
        chosen = [sweep for sweep in sweeps if sweep.kind == kind]
        if chosen:
            yield _figure(kind, chosen, "speed")
            yield _figure(kind, chosen, "efficiency")


def _figure(kind: str, sweeps: Sequence[Sweep], what: str) -> Figure:
    drawing, axes = axes_of("ranks", "samples/s" if what == "speed" else "efficiency (%)")
    for i, (sweep, colour) in enumerate(zip(sweeps, colours(len(sweeps)))):
        y = sweep.speed if what == "speed" else 100 * sweep.efficiency
        axes.plot(sweep.ranks, y, color=colour, linestyle=dashes(i), marker="o", markersize=5, label=sweep.label)
        ideal = sweep.speed[0] * sweep.ranks / sweep.ranks[0] if what == "speed" else 100 + 0 * sweep.ranks
        axes.plot(sweep.ranks, ideal, color=colour, linestyle=":", linewidth=1, label="_ideal")
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted({int(r) for sweep in sweeps for r in sweep.ranks}))
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.minorticks_off()
    if what == "speed":
        axes.set_yscale("log")
        log_axis(axes.yaxis)
    else:
        axes.set_ylim(bottom=0)
    legend(axes)
    return Figure(f"{kind}-{what}", f"{kind.capitalize()} scaling, {what}", CAPTION[kind], drawing)
