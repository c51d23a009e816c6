# SPDX-License-Identifier: BSD-3-Clause
"""The exact exchanges, and what can be told to the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .rows import Rows, product, stacked


@dataclass(frozen=True)
class Settings:
    """Section low_rank of a deck, and the method."""

    method: str
    width: int = 4
    epsilon: float = 0
    solver: str = "block"
    pattern: str = "oneway"
    sweeps: int = 1
    oversampling: int = 4
    warm_start: bool = True
    drop_last: bool = True
    feedback: int = 0
    feedback_period: int = 8
    dense_feedback: bool = True


Exchange = Callable[[Sequence[Rows]], np.ndarray]


def dsgd(shares: Sequence[Rows]) -> np.ndarray:
    """Adds up gradients."""
    result: np.ndarray = sum((product(rows) for rows in shares), np.zeros(()))
    return result


def dad(shares: Sequence[Rows]) -> np.ndarray:
    """Gathers rows, and forms the gradient of all of them."""
    return product(stacked(list(shares)))


# phi' of each activation, from phi itself.
DERIVATIVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": np.ones_like,
    "relu": lambda a: (a > 0).astype(float),
    "tanh": lambda a: 1 - a**2,
}


def edad(
    inputs: Sequence[np.ndarray], last_delta: np.ndarray, weights: Sequence[np.ndarray], activations: Sequence[str]
) -> list[np.ndarray]:
    """Gathers inputs of all layers (rows of all ranks, here) and the deltas of the last: hidden deltas are formed anew,
    D_below = (D Wᵀ) * phi'(A). Returns the gradients of all layers."""
    gradients, delta = [], last_delta
    for layer in reversed(range(len(inputs))):
        gradients.append(inputs[layer].T @ delta)
        if layer > 0:
            delta = (delta @ weights[layer].T) * DERIVATIVES[activations[layer - 1]](inputs[layer])
    return gradients[::-1]


def make(settings: Settings, ranks: int, layer: int, seed: int, real: type = np.float32) -> Exchange:
    """One layer's exchange, with what it keeps from step to step. `real`: the scalar whose rounding it must mind."""
    from .power import Power
    from .rank_dad import RankDad

    if settings.method == "rank_dad":
        return RankDad(settings, ranks, layer, seed, real)
    if settings.method in ("powersgd", "power_dad"):
        return Power(settings, ranks, layer, seed, real)
    return {"dsgd": dsgd, "dad": dad}[settings.method]
