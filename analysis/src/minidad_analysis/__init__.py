# SPDX-License-Identifier: BSD-3-Clause
"""Reads and compares the run files of minidad."""

from .reader import Run, RunFileError, Series, read_run
from .table import comparison, comparison_over_seeds

__all__ = [
    "Run",
    "RunFileError",
    "Series",
    "comparison",
    "comparison_over_seeds",
    "read_run",
]
