# SPDX-License-Identifier: BSD-3-Clause
"""PowerSGD (Vogels et al. 2019), and power_dad, the same on rows: ranks iterate together on their common gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .exchanges import Settings
from .memory import RowMemory
from .random import complement, layer_seed, revived
from .rows import Rows, orthonormal, product


class Power:
    """Of one layer, with what all ranks keep: P ← orth(Σ G_s Q), Q ← Σ G_sᵀ P, gradient P Qᵀ. Vectors are rows here."""

    def __init__(self, settings: Settings, ranks: int, layer: int, seed: int, real: type) -> None:
        self.settings, self.ranks, self.real = settings, ranks, real
        self.seed = layer_seed(seed, layer)
        memory = settings.feedback, settings.feedback_period, layer_seed(complement(seed), layer), real
        self.memory = [RowMemory(*memory) for _ in range(ranks)]
        self.errors: list[np.ndarray] = []
        self.start = np.zeros((0, 0))
        self.calls, self.next = 0, 1 if settings.epsilon > 0 else settings.width

    def __call__(self, shares: Sequence[Rows]) -> np.ndarray:
        parts = self._take(shares)
        cap = min(self.settings.width, *parts[0].shape)
        if self.calls == 0 or not self.settings.warm_start:
            self.start = np.zeros((cap, parts[0].shape[1]))
        self.start = revived(self.seed, self.calls, self.start)
        self.calls += 1
        p = q = np.zeros((0, 0))
        adding = min(self.next, cap)
        while adding > 0:
            p, q = self._more(parts, p, q, adding)
            adding = self._certify(parts, p, q, cap) if self.settings.epsilon > 0 else 0
        if self.settings.epsilon == 0:
            self.start = q
        self._settle(parts, p, q)
        return p.T @ q

    def _take(self, shares: Sequence[Rows]) -> list[np.ndarray]:
        """G_s of every rank, with what was kept."""
        if self.settings.method == "power_dad":
            return [product(memory.stack(rows)) for memory, rows in zip(self.memory, shares)]
        parts = [product(rows) for rows in shares]
        return [part + error for part, error in zip(parts, self.errors)] if self.errors else parts

    def _more(
        self, parts: list[np.ndarray], p: np.ndarray, q: np.ndarray, adding: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """With so many more columns, orthogonal to those that are there."""
        width = len(p)
        common: np.ndarray = sum(parts, np.zeros(()))
        start = self.start[width : width + adding]
        for _ in range(self.settings.sweeps):
            fresh = start @ common.T
            for _ in range(2 if width else 0):
                fresh = fresh - fresh @ p.T @ p
            fresh = orthonormal(fresh, self.real)
            start = fresh @ common
        return (np.concatenate([p, fresh]), np.concatenate([q, start])) if width else (fresh, start)

    def _certify(self, parts: list[np.ndarray], p: np.ndarray, q: np.ndarray, cap: int) -> int:
        """How many columns are still to be added for the bound E / sqrt(‖Q‖² + E²) to be within epsilon, E the sum of
        what each rank leaves out; sets where the next step begins, and with how many."""
        width = len(p)
        left_out = sum(np.sqrt(max(0.0, float((part**2).sum() - ((p @ part) ** 2).sum()))) for part in parts)
        _, values, right = np.linalg.svd(q, full_matrices=False)
        missing = float(left_out) ** 2
        allowed = self.settings.epsilon**2 * (missing + float((values**2).sum()))
        adding = 0 if missing <= allowed else min(cap - width, width // 4 + 1)
        self.next = width
        while self.next > 1 and missing + values[self.next - 1] ** 2 <= allowed:
            missing += values[self.next - 1] ** 2
            self.next -= 1
        if adding == 0:
            self.start = np.concatenate([values[:, None] * right, self.start[width:]])
        return adding

    def _settle(self, parts: list[np.ndarray], p: np.ndarray, q: np.ndarray) -> None:
        """Keeps what P Qᵀ has left out: of powersgd all of it, G_s - P Qᵀ/S; of power_dad the rows of G_s - P PᵀG_s."""
        if self.settings.method == "powersgd":
            if self.settings.dense_feedback:
                self.errors = [part - p.T @ q / self.ranks for part in parts]
            return
        for memory, part in zip(self.memory, parts):
            memory.settle((p, p @ part))
