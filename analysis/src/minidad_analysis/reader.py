# SPDX-License-Identifier: BSD-3-Clause
"""Reads run files. src/io/schema.hpp says what they hold; schema.py follows it.

Opening a run reads what is small: axes, texts, numbers of the summary. Series stay in the file until they are asked
for, whole or block by block, so that a run file may be larger than memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING

# minidad replaces whole files instead of writing to one that others may have open, so readers need no locks, which
# many parallel file systems do not offer. HDF5 looks at this when it starts.
os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")

import h5py
import numpy as np

from . import schema
from .deck import Settings, settings_of
from .schema import PROVENANCE, SUMMARY

if TYPE_CHECKING:
    import xarray

BLOCK_BYTES = 32 << 20  # read at once, of a series that is read block by block


class RunFileError(Exception):
    """A file cannot be used as a run file. The text is one line and quotes the path."""


class NotInRun(RunFileError):
    """A run that is fine does not have what was asked for, and the text says what would give it."""


@dataclass(frozen=True)
class Series:
    """A quantity with time as first axis; `axes` names the dimensions."""

    path: str
    dataset: h5py.Dataset
    axes: tuple[str, ...]
    unit: str
    meaning: str

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.dataset.shape)

    @property
    def values(self) -> np.ndarray:
        """All of it, from the file."""
        with _told_in_one_line(self.path):
            return _values(self.dataset)

    def at(self, records: np.ndarray) -> np.ndarray:
        """These records only, in rising order."""
        with _told_in_one_line(self.path):
            found: np.ndarray = self.dataset[records]
            return found

    def blocks(self, multiple: int = 1) -> Iterator[tuple[int, np.ndarray]]:
        """(first record, values) of stretches of records that cover the series, each but the last a multiple of so many
        records, of about BLOCK_BYTES."""
        record = 8 * int(np.prod(self.shape[1:], dtype=np.int64))  # alike for all series of the same axes
        rows = max(1, BLOCK_BYTES // max(1, record) // multiple) * multiple
        for first in range(0, self.shape[0], rows):
            with _told_in_one_line(self.path):
                block = self.dataset[first : first + rows]
            yield first, block


@dataclass(frozen=True, eq=False)
class Run:
    """All that a run file holds. The summary is written last: an incomplete run has none.

    The file stays open while the run lives. A run that goes on replaces its file, which a Run does not see.
    """

    path: str
    complete: bool
    version: str  # of the schema
    series: dict[str, Series]
    axes: dict[str, np.ndarray]
    provenance: dict[str, str]
    summary: dict[str, float | int]
    tables: dict[str, np.ndarray] = field(default_factory=dict)  # "group/name", of what is neither series nor text

    @cached_property
    def settings(self) -> Settings:
        """The deck, section.key: value."""
        return settings_of(self.provenance["deck"])

    @property
    def method(self) -> str:
        """exchange.method, with a mark for the deterministic mode."""
        if "exchange.method" not in self.settings:
            raise RunFileError(f"{self.path}: the deck in it names no exchange.method")
        deterministic = self.settings.get("exchange.deterministic") == "true"
        return self.settings["exchange.method"] + (" (det.)" if deterministic else "")

    @property
    def ranks(self) -> int:
        return len(self.axes["rank"])

    def need(self, name: str, how: str) -> Series:
        """That series, or NotInRun, which says `how` to get it."""
        if name not in self.series:
            raise NotInRun(f"{self.path}: has no {name}: {how}")
        return self.series[name]

    def to_xarray(self) -> xarray.Dataset:
        """The series with labelled axes, in memory; provenance and summary become attributes."""
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
    """Opens a run file, or raises RunFileError.

    A run that was stopped, or still goes on, leaves a file with the suffix .tmp that is not
    complete; `allow_incomplete` accepts it.
    """
    with _told_in_one_line(str(path)):
        with open(path, "rb"):  # says better than HDF5 why a file cannot be opened
            pass
        file = h5py.File(path, "r")
        version, complete = _check_header(file, allow_incomplete)
        _check_presence(file, complete)
        run = Run(
            path=str(path),
            complete=complete,
            version=version,
            series=_series(file, str(path)),
            axes={name: _values(axis) for name, axis in _datasets(file) if _is_axis(axis)},
            provenance={name: str(_values(text)) for name, text in _datasets(file["provenance"])},
            summary={
                name: number[()].item()
                for name, number in (_datasets(file["summary"]) if complete else ())
                if number.shape == () and number.dtype.kind in "iuf"
            },
            tables=_tables(file),
        )
        _check_values(run)
        return run


@contextmanager
def _told_in_one_line(path: str) -> Iterator[None]:
    """Makes a RunFileError that begins with the path of whatever goes wrong with a file."""
    try:
        yield
    except RunFileError as error:
        raise type(error)(f"{path}: {error}") from None
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as error:  # h5py's
        raise RunFileError(f"{path}: {_reason(error)}") from error


def _check_header(file: h5py.File, allow_incomplete: bool) -> tuple[str, bool]:
    """Returns the schema's version, and whether the run is complete."""
    name = _text(file.attrs.get("schema_name", "none"))
    if name != schema.SCHEMA:
        raise RunFileError(f"not a run file of minidad: its schema is '{name}', not '{schema.SCHEMA}'")
    version = _text(file.attrs.get("schema_version", "none"))
    if version.split(".")[0] != schema.MAJOR_VERSION:
        raise RunFileError(f"schema version '{version}' is not understood, only {schema.MAJOR_VERSION}.x is")
    complete = bool(file.attrs.get("complete", 0) == 1)
    if not complete and not allow_incomplete:
        raise RunFileError("the run is not complete: it was stopped, or still goes on")
    return version, complete


def _check_presence(file: h5py.File, complete: bool) -> None:
    axes, series = schema.expected(file)
    names = [*axes, *series, *(f"provenance/{name}" for name in PROVENANCE)]
    if complete:
        names += [f"summary/{name}" for name in SUMMARY]
    for name in names:
        if not isinstance(file.get(name), h5py.Dataset):
            raise RunFileError(f"dataset '{name}' is missing")


def _series(file: h5py.File, path: str) -> dict[str, Series]:
    """The series of the schema, and those of later versions that have labelled axes."""
    _, known = schema.expected(file)
    series = {}
    for name, dataset in _datasets(file):
        axes = tuple(axis[0].name.lstrip("/") if len(axis) else "" for axis in dataset.dims)
        if name in known or (axes and all(axes) and not _is_axis(dataset)):
            unit, meaning = (_text(dataset.attrs.get(key, "")) for key in ("units", "long_name"))
            series[name] = Series(path, dataset, axes, unit, meaning)
    return series


def _tables(file: h5py.File) -> dict[str, np.ndarray]:
    """What groups beside provenance and summary hold."""
    return {
        f"{group_name}/{name}": _values(table)
        for group_name, group in file.items()
        if isinstance(group, h5py.Group) and group_name not in ("provenance", "summary")
        for name, table in _datasets(group)
    }


def _check_values(run: Run) -> None:
    for name in SUMMARY if run.complete else ():
        if name not in run.summary:
            raise RunFileError(f"dataset 'summary/{name}' is not a number")
    for name, (kind, axes) in schema.expected({**run.axes, **run.series})[1].items():
        one = run.series[name]
        if one.axes != axes:
            raise RunFileError(f"dataset '{name}' has the axes {one.axes} instead of {axes}")
        if one.dataset.dtype.kind != np.dtype(kind).kind:
            raise RunFileError(f"dataset '{name}' has the type {one.dataset.dtype}")
    for name, one in run.series.items():
        shape = tuple(len(run.axes[axis]) for axis in one.axes)
        if one.shape != shape:
            raise RunFileError(f"dataset '{name}' is {one.shape}, its axes are {shape}")


def _datasets(group: h5py.Group) -> list[tuple[str, h5py.Dataset]]:
    return [(name, item) for name, item in group.items() if isinstance(item, h5py.Dataset)]


def _is_axis(dataset: h5py.Dataset) -> bool:
    return bool(h5py.h5ds.is_scale(dataset.id))


def _values(dataset: h5py.Dataset) -> np.ndarray:
    """The whole dataset, texts as str."""
    values: np.ndarray = dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()]
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
