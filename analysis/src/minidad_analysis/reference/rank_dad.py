# SPDX-License-Identifier: BSD-3-Clause
"""rank-dAD: every rank sends a few rows whose product is close to that of its own (Baker et al. 2021)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from .exchanges import Settings
from .memory import RowMemory
from .random import complement, layer_seed, normal_rows, uniform_rows
from .rows import Rows, effective_rank, orthonormal, padded, product, stacked, truncated


class BlockReducer:
    """Block power iteration: P ← orth(Aᵀ(D Q)), Q ← Dᵀ(A P), then turned so that singular values are in order."""

    def __init__(self, settings: Settings, seed: int, real: type) -> None:
        self.settings, self.seed, self.real = settings, seed, real
        self.calls = self.live = 0
        self.start = np.zeros((0, 0))

    def __call__(self, rows: Rows) -> tuple[Rows, np.ndarray]:
        a, d = rows
        columns = min(self.settings.width + self.settings.oversampling, a.shape[1], d.shape[1])
        live = self.live if self.settings.warm_start else 0
        fresh = normal_rows(self.seed, self.calls, (columns - live, d.shape[1]))
        q = np.concatenate([self.start[:live], fresh]) if live else fresh
        self.calls += 1
        for sweep in range(self.settings.sweeps):
            if sweep > 0:
                q = orthonormal(q, self.real)
            p = orthonormal(q @ d.T @ a, self.real)
            q = p @ a.T @ d
        left, values, right = np.linalg.svd(q, full_matrices=False)
        p, q = left.T @ p, values[:, None] * right
        self.start = q
        self.live = int((values > 4 * np.finfo(self.real).eps * values[0]).sum())
        return padded((p, q), self.settings.width), values


class AuthorReducer:
    """The published deflation, vector by vector, with its defects (src/compress/author_reducer.hpp)."""

    TOLERANCE = 1e-3

    def __init__(self, settings: Settings, seed: int, real: type) -> None:
        self.settings, self.seed = settings, seed
        self.calls = 0

    def __call__(self, rows: Rows) -> tuple[Rows, np.ndarray]:
        a, d = rows
        width = self.settings.width
        inputs, vectors, values = np.zeros((width, a.shape[1])), np.zeros((width, d.shape[1])), np.zeros(width)
        lost = []
        found = 0
        while found < width and (found == 0 or values[found - 1] > 0):
            x = uniform_rows(self.seed, self.calls, (1, d.shape[1]))[0]
            self.calls += 1
            for _ in range(self.settings.sweeps):
                following = x @ d.T @ a @ a.T @ d
                for value, vector in zip(values[:found], vectors[:found]):
                    following = following - value**2 * (vector @ x) * vector
                x = following / np.linalg.norm(following)
            u = x @ d.T @ a
            if np.linalg.norm(u) > 0:
                values[found] = np.linalg.norm(u)
                inputs[found], vectors[found] = u / values[found], x
            found += 1
            apart = np.linalg.norm(vectors[found - 1] - vectors[found - 2])
            if found > 2 and apart < self.TOLERANCE * np.linalg.norm(vectors[found - 2]):
                lost = [found - 2, found - 1]  # "a repetition": both go
                break
        deltas = values[:, None] * vectors
        deltas[lost] = 0
        if self.settings.drop_last and found > 0:
            deltas[found - 1] = 0
        return (inputs, deltas), np.linalg.norm(deltas, axis=1)


class Truncation:
    """The best there is: solvers "gram" and "qr"."""

    def __init__(self, settings: Settings, seed: int, real: type) -> None:
        self.width = settings.width

    def __call__(self, rows: Rows) -> tuple[Rows, np.ndarray]:
        return truncated(rows, self.width)


Reducer = Callable[[Rows], tuple[Rows, np.ndarray]]  # few rows, and the singular values that were found
SOLVERS: dict[str, Callable[[Settings, int, type], Reducer]] = {
    "gram": Truncation,
    "qr": Truncation,
    "block": BlockReducer,
    "author": AuthorReducer,
}


class Compressor:
    """A solver with an error budget and a memory."""

    def __init__(self, settings: Settings, seed: int, real: type) -> None:
        self.settings = settings
        self.memory = RowMemory(settings.feedback, settings.feedback_period, complement(seed), real)
        self.reduce = SOLVERS[settings.solver](settings, seed, real)

    def __call__(self, rows: Rows) -> Rows:
        rows = self.memory.stack(rows)
        few, values = self.reduce(rows)
        width = self.settings.width
        if self.settings.epsilon > 0:
            norm_squared = float((product(rows) ** 2).sum())
            width = min(width, effective_rank(values, norm_squared, self.settings.epsilon))
        few = few[0][:width], few[1][:width]
        self.memory.settle(few)
        return few


class RankDad:
    """Of one layer, with what all ranks keep."""

    def __init__(self, settings: Settings, ranks: int, layer: int, seed: int, real: type) -> None:
        own, merged = layer_seed(seed, layer), layer_seed(complement(seed), layer)
        self.settings, self.ranks = settings, ranks
        self.compress = [Compressor(settings, own, real) for _ in range(ranks)]
        merging = replace(
            settings, epsilon=0, feedback_period=1, solver="author" if settings.solver == "author" else "qr"
        )
        self.merge = [Compressor(merging, merged, real) for _ in range(ranks)]

    def __call__(self, shares: Sequence[Rows]) -> np.ndarray:
        few = [compress(rows) for compress, rows in zip(self.compress, shares)]
        if self.settings.pattern == "oneway":
            return product(stacked(few))
        return product(self._merged(0, few))

    def _merged(self, rank: int, few: list[Rows]) -> Rows:
        """What a rank hands up: its own rows, with those of the ranks below it in the tree."""
        if self.settings.pattern == "root":
            children = list(range(1, self.ranks)) if rank == 0 else []
        else:  # binomial
            lowest = rank & -rank if rank else self.ranks
            children = [rank + 2**i for i in range(self.ranks) if 2**i < lowest and rank + 2**i < self.ranks]
        if not children:
            return few[rank]
        return self.merge[rank](stacked([few[rank], *(self._merged(child, few) for child in children)]))
