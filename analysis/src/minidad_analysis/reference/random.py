# SPDX-License-Identifier: BSD-3-Clause
"""The counter-based generator of src/core/random.hpp: a number is a function of its place, and of nothing else."""

from __future__ import annotations

import numpy as np

FACTORS = 5  # the stream that factors are drawn from
MASK = 0xFFFFFFFF


def philox(key: int, counter: tuple[np.ndarray | int, ...]) -> list[np.ndarray]:
    """Philox4x32-10 (Salmon et al. 2011): four words of 32 bits for each counter of four."""
    x0, x1, x2, x3 = (np.asarray(part, np.uint64) for part in counter)
    k0, k1 = key & MASK, key >> 32 & MASK
    low, half = np.uint64(MASK), np.uint64(32)
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * x0, np.uint64(0xCD9E8D57) * x2
        x0, x1, x2, x3 = (p1 >> half) ^ x1 ^ np.uint64(k0), p1 & low, (p0 >> half) ^ x3 ^ np.uint64(k1), p0 & low
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return [x0, x1, x2, x3]


def _words(seed: int, call: int, shape: tuple[int, int]) -> list[np.ndarray]:
    place = np.arange(shape[0] * shape[1], dtype=np.uint64).reshape(shape)
    return philox(seed, (place, call & MASK, call >> 32, FACTORS))


def _uniform(words: np.ndarray) -> np.ndarray:
    """In [0, 1), of 24 bits."""
    result: np.ndarray = (words >> np.uint64(8)).astype(float) / 2**24
    return result


def uniform_rows(seed: int, call: int, shape: tuple[int, int]) -> np.ndarray:
    return _uniform(_words(seed, call, shape)[0])


def normal_rows(seed: int, call: int, shape: tuple[int, int]) -> np.ndarray:
    """Standard normal, by Box and Muller."""
    first, second, *_ = _words(seed, call, shape)
    result: np.ndarray = np.sqrt(-2 * np.log(1 - _uniform(first))) * np.cos(2 * np.pi * _uniform(second))
    return result


def revived(seed: int, call: int, rows: np.ndarray) -> np.ndarray:
    """Rows of zeros begin anew."""
    return np.where(rows.any(axis=1, keepdims=True), rows, normal_rows(seed, call, rows.shape))


def layer_seed(seed: int, layer: int) -> int:
    return (seed ^ (0x9E3779B97F4A7C15 * (layer + 1))) % 2**64


def complement(seed: int) -> int:
    """~seed of 64 bits: another seed."""
    return seed ^ 0xFFFFFFFFFFFFFFFF
