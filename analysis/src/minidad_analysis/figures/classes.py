# SPDX-License-Identifier: BSD-3-Clause
"""Effective rank of each class' part of the gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.colors import Normalize

from ..figure import Figure, heat_map
from ..overview import MAP_POINTS, ends
from ..probe import gradients, measured, needs_probe
from ..reader import Run

NAME = "classes"
MEANING = "effective rank of each class' part of the gradients"


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    for run in runs:
        run.need("class_measures", "train with probe.every > 0 and probe.per_class = true")
        needs_probe(run, least=2)
        rank = measured(run, "class_measures", "rank_0.1", MAP_POINTS)
        steps = ends(run.axes["probe_step"], MAP_POINTS)
        for i, label in gradients(run):
            yield _figure(i, label, steps, rank[:, i])


def _figure(layer: int, label: str, steps: np.ndarray, rank: np.ndarray) -> Figure:
    drawing, _ = heat_map(steps, rank.T, 0, "class", "effective rank (0.1)", Normalize(0, np.nanmax(rank, initial=1)))
    return Figure(
        f"classes-layer{layer}",
        f"Effective rank by class, {label}",
        "Classes that stay bright are still being learned; dark ones have little left to say.",
        drawing,
    )
