# SPDX-License-Identifier: BSD-3-Clause
"""Reads, draws and compares the run files of minidad."""

from .reader import NotInRun, Run, RunFileError, Series, read_run

__all__ = ["NotInRun", "Run", "RunFileError", "Series", "read_run"]
