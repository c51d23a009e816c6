# SPDX-License-Identifier: BSD-3-Clause
"""netCDF, with the axes as coordinates and where the run comes from as attributes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..reader import Run, RunFileError


def export_netcdf(run: Run, to: Path | None, steps: str | None) -> Iterator[Path]:
    path = to or Path(run.path).with_suffix(".nc")
    try:
        run.to_xarray().to_netcdf(path)
    except ImportError as error:
        raise RunFileError(f"netCDF needs xarray, and netCDF4 or h5netcdf: {error}") from None
    except ValueError as error:  # xarray's word for the same
        if "IO backends" in str(error) or "engine" in str(error):
            raise RunFileError("netCDF needs netCDF4 or h5netcdf beside xarray") from None
        raise
    yield path
