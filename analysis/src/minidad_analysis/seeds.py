# SPDX-License-Identifier: BSD-3-Clause
"""Runs that differ in their seed only, and what can be said of their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .deck import Settings
from .names import SEED, matters, method_label
from .reader import Run, RunFileError

# Student's t, 97.5 %, for 1, 2, ... degrees of freedom; beyond the last one, that of the normal distribution is near.
T_975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
NORMAL_975 = 1.960


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed only."""

    method: str
    settings: Settings
    runs: list[Run]

    def of_all(self, name: str) -> np.ndarray:
        """What the summaries of the runs say."""
        for run in self.runs:
            if not run.complete:
                raise RunFileError(f"{run.path}: the run is not complete, it has no results")
        return np.array([run.summary[name] for run in self.runs], dtype=float)

    def mean(self, name: str) -> float:
        return float(self.of_all(name).mean())

    def label(self, groups: Sequence[Group]) -> str:
        """The method, and the settings in which groups of this method differ."""
        alike = [other.settings for other in groups if other.method == self.method]
        return method_label(self.method, self.settings, alike)

    def full_label(self, groups: Sequence[Group]) -> str:
        """With the ranks, where they differ."""
        differ = len({group.runs[0].ranks for group in groups}) > 1
        return self.label(groups) + (f" on {self.runs[0].ranks}" if differ else "")


def groups_of(runs: Sequence[Run]) -> list[Group]:
    """In the order of their first runs."""
    groups: dict[tuple[object, ...], Group] = {}
    seen: dict[tuple[object, ...], Run] = {}
    for run in runs:
        settings = run.settings
        method = run.method
        if SEED not in settings:
            raise RunFileError(f"{run.path}: the deck in it names no {SEED}")
        seed = settings[SEED]
        settings = {name: text for name, text in settings.items() if matters(name)}
        alike = (run.provenance["ranks"], *sorted(settings.items()))
        # Counted twice, a run would make the deviation too small.
        first = seen.setdefault((seed, alike), run)
        if first is not run:
            raise RunFileError(f"{run.path}: has the settings and the seed of {first.path}")
        groups.setdefault(alike, Group(method, settings, [])).runs.append(run)
    return list(groups.values())


def half_interval(values: np.ndarray) -> np.ndarray:
    """Half the 95 % confidence interval (Student) of the mean over the first axis; NaN for a single value."""
    n = len(values)
    if n < 2:
        return np.full(values.shape[1:], np.nan)
    t = T_975[n - 2] if n - 2 < len(T_975) else NORMAL_975
    result: np.ndarray = t * values.std(ddof=1, axis=0) / n**0.5
    return result
