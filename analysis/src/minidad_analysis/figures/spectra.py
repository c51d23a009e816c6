# SPDX-License-Identifier: BSD-3-Clause
"""Singular values of each layer's gradient over steps, as heat maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.colors import LogNorm

from ..figure import Figure, heat_map
from ..overview import MAP_POINTS, ends, thinned
from ..probe import gradients, measured, needs_probe
from ..reader import Run

NAME = "spectra"
MEANING = "singular values of each layer's gradient over steps"
FLOOR = 1e-3  # of the largest one: what is below is noise in a minibatch


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    for run in runs:
        needs_probe(run, least=2)
        spectrum = thinned(run.series["gradient_spectrum"], points=MAP_POINTS)
        rank = measured(run, "gradient_measures", "rank_0.1", MAP_POINTS)
        steps = ends(run.axes["probe_step"], MAP_POINTS)
        for i, label in gradients(run):
            yield _figure(i, label, steps, spectrum[:, i], rank[:, i])


def _figure(layer: int, label: str, steps: np.ndarray, spectrum: np.ndarray, rank: np.ndarray) -> Figure:
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.clip(spectrum / spectrum[:, :1], FLOOR, 1).T
    drawing, axes = heat_map(steps, relative, 1, "place of the singular value", "of the largest", LogNorm(FLOOR, 1))
    inside = np.where(rank <= len(relative), rank, np.nan)
    axes.plot(steps, inside, color="white", linewidth=1.6, label="effective rank (0.1)")
    return Figure(
        f"spectrum-layer{layer}",
        f"Singular values, {label}",
        "Fewer bright rows: the gradient lives in fewer directions. White: how many hold all but 10 % of its length.",
        drawing,
    )
