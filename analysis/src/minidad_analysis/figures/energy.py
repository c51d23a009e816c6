# SPDX-License-Identifier: BSD-3-Clause
"""How much of a gradient its first directions hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..figure import Figure, axes_of, dashes, legend
from ..probe import gradients, measure_index, needs_probe
from ..reader import Run

NAME = "energy"
MEANING = "energy of each layer's gradient in its first r directions"
MOMENTS = 4  # of a run that are shown: from its first look to its last


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    for run in runs:
        needs_probe(run)
        looks = run.axes["probe_step"]
        chosen = np.unique(np.linspace(0, len(looks) - 1, MOMENTS).round().astype(int))
        spectra = run.series["gradient_spectrum"].at(chosen)
        norms = run.series["gradient_measures"].at(chosen)[:, :, measure_index(run, "norm")]
        for i, label in gradients(run):
            yield _figure(i, label, looks[chosen], spectra[:, i], norms[:, i])


def _figure(layer: int, label: str, steps: np.ndarray, spectra: np.ndarray, norms: np.ndarray) -> Figure:
    drawing, axes = axes_of("r, directions kept", "energy kept (%)")
    places = np.arange(1, spectra.shape[1] + 1)
    shades = ("#B5D4E9", "#56B4E9", "#0072b2", "#D55E00")  # the last moment stands out
    for i, (step, spectrum, norm) in enumerate(zip(steps, spectra, norms)):
        if norm > 0:
            kept = 100 * np.cumsum(spectrum**2) / norm**2
            colour = shades[i - len(steps)]
            axes.plot(places, kept, color=colour, linestyle=dashes(i), label=f"step {step}")
    axes.set_ylim(top=101)
    axes.set_xlim(1, len(places))
    legend(axes, loc="lower right")
    return Figure(
        f"energy-layer{layer}",
        f"Energy by rank, {label}",
        "Share of ‖G‖² in the best approximation of rank r; steeper means cheaper to send.",
        drawing,
    )
