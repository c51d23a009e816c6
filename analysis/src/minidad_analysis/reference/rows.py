# SPDX-License-Identifier: BSD-3-Clause
"""Matrices as rows: AᵀD of many rows, or of few."""

from __future__ import annotations

import numpy as np

Rows = tuple[np.ndarray, np.ndarray]  # (A, D)


def product(rows: Rows) -> np.ndarray:
    result: np.ndarray = rows[0].T @ rows[1]
    return result


def stacked(parts: list[Rows]) -> Rows:
    return np.concatenate([a for a, _ in parts]), np.concatenate([d for _, d in parts])


def orthonormal(rows: np.ndarray, real: type = np.float32) -> np.ndarray:
    """From the top down; a row that depends on those above it, to 16 roundings of `real`, becomes zeros."""
    tolerance = max((16 * np.finfo(real).eps) ** 2, 64 * np.finfo(float).eps)
    basis = np.zeros_like(rows)
    for j, row in enumerate(rows):
        rest = row
        for _ in range(2):  # once more for what rounding leaves
            rest = rest - basis[:j].T @ (basis[:j] @ rest)
        if rest @ rest > tolerance * (row @ row):
            basis[j] = rest / np.linalg.norm(rest)
    return basis


def truncated(rows: Rows, width: int) -> tuple[Rows, np.ndarray]:
    """The best `width` rows, and all singular values."""
    left, values, right = np.linalg.svd(product(rows), full_matrices=False)
    few = min(width, len(values))
    return padded((left.T[:few], values[:few, None] * right[:few]), width), values


def padded(rows: Rows, width: int) -> Rows:
    """With rows of zeros below, or cut."""
    a, d = (np.zeros((width, part.shape[1])) for part in rows)
    few = min(width, len(rows[0]))
    a[:few], d[:few] = rows[0][:few], rows[1][:few]
    return a, d


def effective_rank(values: np.ndarray, norm_squared: float, eps: float) -> int:
    """The least r that leaves out no more than eps of the norm; one more than there are values if none does."""
    left_out = norm_squared - np.concatenate([[0.0], np.cumsum(values**2)])
    enough = np.flatnonzero(left_out <= eps**2 * norm_squared)
    return int(enough[0]) if len(enough) else len(values) + 1
