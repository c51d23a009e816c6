# SPDX-License-Identifier: BSD-3-Clause
"""Effective, stable and entropy rank of the gradients over steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..figure import Figure, axes_of, colours, dashes, legend, smooth
from ..overview import ends, least, most, thinned
from ..probe import gradients, measure_index, needs_probe
from ..reader import Run

NAME = "ranks"
MEANING = "effective, stable and entropy rank over steps"

MEASURES = {
    "rank_0.1": (
        "Effective rank (0.1)",
        "Rows that hold all but 10 % of the gradient: what low_rank.width would have to be.",
    ),
    "stable_rank": (
        "Stable rank",
        "‖G‖² over its largest σ²: 1 where one direction is everything.",
    ),
    "entropy_rank": (
        "Entropy rank",
        "exp of the entropy of σ²: how many directions share the gradient evenly.",
    ),
}


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    for run in runs:
        needs_probe(run, least=2)
        everywhere = thinned(run.series["gradient_measures"])  # (point, layer, measure)
        low, high = (thinned(run.series["gradient_measures_local"], extreme) for extreme in (least, most))
        for measure, (title, caption) in MEASURES.items():
            which = measure_index(run, measure)
            band = low[:, :, which], high[:, :, which]
            yield _figure(run, measure, title, caption, everywhere[:, :, which], band)


def _figure(
    run: Run, measure: str, title: str, caption: str, values: np.ndarray, band: tuple[np.ndarray, np.ndarray]
) -> Figure:
    drawing, axes = axes_of("step", title.lower())
    steps = ends(run.axes["probe_step"])
    layers = gradients(run)
    for (i, label), colour in zip(layers, colours(len(layers))):
        low, high = (smooth(side[:, i]) for side in band)
        axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(steps, values[:, i], color=colour, linewidth=0.6, alpha=0.6, label=f"_{label}")
        axes.plot(steps, smooth(values[:, i]), color=colour, linestyle=dashes(i), linewidth=2, label=label)
    axes.set_ylim(bottom=0)
    legend(axes, above=True)
    name = measure.replace("_", "-").replace(".", "")
    return Figure(name, title, caption + " Bold: moving mean; bands: each rank's own rows.", drawing)
