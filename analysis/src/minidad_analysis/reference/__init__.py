# SPDX-License-Identifier: BSD-3-Clause
"""What minidad's exchanges compute, in plain NumPy and in double: for reading, and for tests to compare with.

A layer's share of a rank is a pair (A, D): A (rows, in), D (rows, out), and its part of the gradient is AᵀD. An
exchange takes the shares of all ranks and returns the gradient (in, out) that all of them get.
"""

from .exchanges import Settings, dad, dsgd, edad, make
from .power import Power
from .rank_dad import RankDad

__all__ = ["Power", "RankDad", "Settings", "dad", "dsgd", "edad", "make"]
