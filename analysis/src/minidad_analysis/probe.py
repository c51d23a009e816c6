# SPDX-License-Identifier: BSD-3-Clause
"""What the figures of a run's looks at its gradients share."""

from __future__ import annotations

import numpy as np

from .names import layer_labels
from .overview import POINTS, thinned
from .reader import NotInRun, Run

HOW = "train with probe.every > 0"


def needs_probe(run: Run, least: int = 1) -> None:
    """Raises NotInRun for runs without looks, or with fewer."""
    run.need("gradient_spectrum", HOW)
    looks = len(run.axes["probe_step"])
    if looks < least:
        said = "no look" if looks == 0 else "one look only"
        raise NotInRun(f"{run.path}: has {said} at its gradients, which makes no curve over steps")


def measure_index(run: Run, measure: str) -> int:
    """Its place along the axis `measure`."""
    places = np.flatnonzero(run.axes["measure"] == measure)
    if len(places) == 0:
        raise NotInRun(f"{run.path}: does not measure {measure}")
    return int(places[0])


def measured(run: Run, series: str, measure: str, points: int = POINTS) -> np.ndarray:
    """A measure over looks, thinned; `measure` is the last axis of the series."""
    which = measure_index(run, measure)
    return thinned(run.series[series], lambda block: block[..., which], points)


def gradients(run: Run) -> list[tuple[int, str]]:
    """(place, label) of the layers whose gradient is a product: norms and positions have no directions to count."""
    norm = measured(run, "gradient_measures", "norm")
    there = (np.nan_to_num(norm) > 0).any(axis=0)
    return [(i, label) for i, label in enumerate(layer_labels(run)) if there[i]]
