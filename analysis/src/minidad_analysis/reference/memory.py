# SPDX-License-Identifier: BSD-3-Clause
"""Error feedback of low rank: what was left out, as rows."""

from __future__ import annotations

import numpy as np

from .random import complement, normal_rows, revived
from .rows import Rows, orthonormal, stacked

FRESH = 8  # of the directions that a reduction starts from, those drawn anew


class RowMemory:
    """Given + kept before = sent + kept after, but for what a reduction to `rows` rows loses."""

    def __init__(self, rows: int, period: int, seed: int, real: type) -> None:
        self.rows, self.period, self.seed, self.real = rows, period, seed, real
        self.steps = 0
        self.kept: Rows | None = None

    def stack(self, given: Rows) -> Rows:
        """All that a step has to send."""
        if self.rows == 0:
            return given
        self.kept = stacked([self.kept, given]) if self.kept else given
        return self.kept

    def settle(self, sent: Rows) -> None:
        """Keeps the rest; AᵀD of (-A', D') is what was sent, taken away."""
        if self.rows == 0:
            return
        assert self.kept
        self.kept = stacked([self.kept, (-sent[0], sent[1])])
        self.steps += 1
        if self.steps % self.period == 0:
            self._reduce()

    def _reduce(self) -> None:
        """One and a half sweeps of an orthogonal iteration from the directions kept, some at their head drawn anew."""
        assert self.kept
        a, d = self.kept
        columns = min(self.rows, a.shape[1], d.shape[1])
        anew = min(FRESH, columns)
        known = min(columns - anew, len(a))
        p = np.zeros((columns, a.shape[1]))
        p[:anew] = normal_rows(self.seed, self.steps, (anew, a.shape[1]))
        p[anew : anew + known] = a[:known]
        p = revived(complement(self.seed), self.steps, p)
        q = orthonormal(p @ a.T @ d, self.real)
        p = orthonormal(q @ d.T @ a, self.real)
        self.kept = p, p @ a.T @ d
