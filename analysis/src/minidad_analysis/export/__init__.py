# SPDX-License-Identifier: BSD-3-Clause
"""A run for other programs. Each exporter takes the run, where to write (None: beside the run) and which steps, and
yields the paths of what it has written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ..reader import Run
from .chrome_trace import export_chrome_trace
from .csv import export_csv
from .netcdf import export_netcdf
from .tensorboard import export_tensorboard

Exporter = Callable[[Run, "Path | None", "str | None"], Iterator[Path]]

EXPORTERS: dict[str, Exporter] = {
    "csv": export_csv,
    "nc": export_netcdf,
    "tensorboard": export_tensorboard,
    "chrome-trace": export_chrome_trace,
}
