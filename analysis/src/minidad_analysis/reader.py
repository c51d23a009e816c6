# SPDX-License-Identifier: BSD-3-Clause
"""Reads run files. src/io/schema.hpp says what they hold; the tables here follow it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import h5py
import numpy as np

if TYPE_CHECKING:
    import xarray

SCHEMA = "minidad-run"
MAJOR_VERSION = "1"  # a minor version only adds, so all of 1.x can be read

AXES = ("step", "epoch", "rank", "phase", "channel")

Table = dict[str, tuple[type, tuple[str, ...]]]  # name: (type, axes)

SERIES: Table = {
    "epoch_of_step": (int, ("step",)),
    "loss": (float, ("step",)),
    "accuracy": (float, ("step",)),
    "learning_rate": (float, ("step",)),
    "seconds": (float, ("step", "rank", "phase")),
    "bytes_sent": (float, ("step", "rank", "channel")),
    "messages": (int, ("step", "rank", "channel")),
    "test_loss": (float, ("epoch",)),
    "test_accuracy": (float, ("epoch",)),
    "training_seconds": (float, ("epoch",)),
}

# Since version 1.4.
NORM_SERIES: Table = {
    "gradient_norm": (float, ("step",)),
}

# There together or not at all: since version 1.1 ...
LAYER_AXES = ("layer",)

FACTOR_SERIES: Table = {
    "factor_width": (float, ("step", "rank", "layer")),
    "certified_error": (float, ("step", "rank", "layer")),
}

# ... in runs with a probe ...
PROBE_AXES = ("probe_step", "layer", "value", "measure")

PROBE_SERIES: Table = {
    "gradient_spectrum": (float, ("probe_step", "layer", "value")),
    "input_spectrum": (float, ("probe_step", "layer", "value")),
    "delta_spectrum": (float, ("probe_step", "layer", "value")),
    "gradient_measures": (float, ("probe_step", "layer", "measure")),
    "gradient_angle": (float, ("probe_step", "layer")),
    "applied_error": (float, ("probe_step", "layer")),
    "gradient_spectrum_local": (float, ("probe_step", "rank", "layer", "value")),
    "input_spectrum_local": (float, ("probe_step", "rank", "layer", "value")),
    "delta_spectrum_local": (float, ("probe_step", "rank", "layer", "value")),
    "gradient_measures_local": (float, ("probe_step", "rank", "layer", "measure")),
    "gradient_angle_local": (float, ("probe_step", "rank", "layer")),
    "residual_norm_local": (float, ("probe_step", "rank", "layer")),
}

# ... that tells classes apart.
CLASS_AXES = ("class",)

CLASS_SERIES: Table = {
    "class_spectrum": (float, ("probe_step", "layer", "class", "value")),
    "class_measures": (float, ("probe_step", "layer", "class", "measure")),
}

# What this package leans on; whatever else /provenance and /summary hold is read too.
PROVENANCE = ("deck", "ranks")
SUMMARY = ("samples_per_second", "training_seconds", "bytes_per_step", "test_accuracy")


class RunFileError(Exception):
    """A file cannot be used as a run file. The text is one line and quotes the path."""


@dataclass(frozen=True)
class Series:
    """A quantity with time as first axis; `axes` names the dimensions of `values`."""

    values: np.ndarray
    axes: tuple[str, ...]
    unit: str
    meaning: str


@dataclass(frozen=True)
class Run:
    """All that a run file holds. The summary is written last: an incomplete run has none."""

    path: str
    complete: bool
    series: dict[str, Series]
    axes: dict[str, np.ndarray]
    provenance: dict[str, str]
    summary: dict[str, float | int]

    def to_xarray(self) -> xarray.Dataset:
        """The series with labelled axes; provenance and summary become attributes."""
        import xarray

        return xarray.Dataset(
            {
                name: (one.axes, one.values, {"units": one.unit, "long_name": one.meaning})
                for name, one in self.series.items()
            },
            coords=self.axes,
            attrs={**self.provenance, **self.summary},
        )


def read_run(path: str | PathLike[str], allow_incomplete: bool = False) -> Run:
    """Reads a run file, or raises RunFileError.

    A run that was stopped, or still goes on, leaves a file with the suffix .tmp that is not
    complete; `allow_incomplete` accepts it.
    """
    try:
        with open(path, "rb"):  # says better than HDF5 why a file cannot be opened
            pass
        with h5py.File(path, "r") as file:
            complete = _check_header(file, allow_incomplete)
            _check_presence(file, complete)
            run = Run(
                path=str(path),
                complete=complete,
                series=_series(file),
                axes={name: _values(axis) for name, axis in _datasets(file) if _is_axis(axis)},
                provenance={
                    name: str(_values(text)) for name, text in _datasets(file["provenance"])
                },
                summary={
                    name: number[()].item()
                    for name, number in (_datasets(file["summary"]) if complete else ())
                    if number.shape == () and number.dtype.kind in "iuf"
                },
            )
        _check_values(run)
        return run
    except RunFileError as error:
        raise RunFileError(f"{path}: {error}") from None
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:  # h5py's
        raise RunFileError(f"{path}: {_reason(error)}") from error


def _check_header(file: h5py.File, allow_incomplete: bool) -> bool:
    """Returns whether the run is complete."""
    schema = _text(file.attrs.get("schema_name", "none"))
    if schema != SCHEMA:
        raise RunFileError(f"not a run file of minidad: its schema is '{schema}', not '{SCHEMA}'")
    version = _text(file.attrs.get("schema_version", "none"))
    if version.split(".")[0] != MAJOR_VERSION:
        raise RunFileError(
            f"schema version '{version}' is not understood, only {MAJOR_VERSION}.x is"
        )
    complete = bool(file.attrs.get("complete", 0) == 1)
    if not complete and not allow_incomplete:
        raise RunFileError("the run is not complete: it was stopped, or still goes on")
    return complete


def _schema(names: Container[str]) -> tuple[tuple[str, ...], Table]:
    """Axes and series that a file with these axes must have."""
    axes, series = AXES, SERIES
    if "gradient_norm" in names:
        series = {**series, **NORM_SERIES}
    if "layer" in names:
        axes, series = axes + LAYER_AXES, {**series, **FACTOR_SERIES}
    if "probe_step" in names:
        axes, series = axes + PROBE_AXES, {**series, **PROBE_SERIES}
    if "class" in names:
        axes, series = axes + CLASS_AXES, {**series, **CLASS_SERIES}
    return axes, series


def _check_presence(file: h5py.File, complete: bool) -> None:
    axes, series = _schema(file)
    names = [*axes, *series, *(f"provenance/{name}" for name in PROVENANCE)]
    if complete:
        names += [f"summary/{name}" for name in SUMMARY]
    for name in names:
        if not isinstance(file.get(name), h5py.Dataset):
            raise RunFileError(f"dataset '{name}' is missing")


def _series(file: h5py.File) -> dict[str, Series]:
    """The series of the schema, and those of later versions that have labelled axes."""
    _, known = _schema(file)
    series = {}
    for name, dataset in _datasets(file):
        axes = tuple(axis[0].name.lstrip("/") if len(axis) else "" for axis in dataset.dims)
        if name in known or (axes and all(axes) and not _is_axis(dataset)):
            unit, meaning = (_text(dataset.attrs.get(key, "")) for key in ("units", "long_name"))
            series[name] = Series(_values(dataset), axes, unit, meaning)
    return series


def _check_values(run: Run) -> None:
    for name in SUMMARY if run.complete else ():
        if name not in run.summary:
            raise RunFileError(f"dataset 'summary/{name}' is not a number")
    for name, (kind, axes) in _schema(run.axes)[1].items():
        one = run.series[name]
        if one.axes != axes:
            raise RunFileError(f"dataset '{name}' has the axes {one.axes} instead of {axes}")
        if one.values.dtype.kind != np.dtype(kind).kind:
            raise RunFileError(f"dataset '{name}' has the type {one.values.dtype}")
    for name, one in run.series.items():
        shape = tuple(len(run.axes[axis]) for axis in one.axes)
        if one.values.shape != shape:
            raise RunFileError(f"dataset '{name}' is {one.values.shape}, its axes are {shape}")


def _datasets(group: h5py.Group) -> list[tuple[str, h5py.Dataset]]:
    return [(name, item) for name, item in group.items() if isinstance(item, h5py.Dataset)]


def _is_axis(dataset: h5py.Dataset) -> bool:
    return bool(h5py.h5ds.is_scale(dataset.id))


def _values(dataset: h5py.Dataset) -> np.ndarray:
    """The whole dataset, texts as str."""
    values: np.ndarray = (
        dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()]
    )
    return values


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = " ".join(str(error).split())
    if "signature not found" in text:
        return "not an HDF5 file"
    if "truncated file" in text:
        return "the file is truncated"
    return f"the file is damaged: {text}"
