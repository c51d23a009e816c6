# SPDX-License-Identifier: BSD-3-Clause
"""Whether a run file is whole, and whether what it says fits together."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np

from .overview import overview
from .reader import Run, RunFileError, read_run

# The seal (src/io/seal.hpp): a line in HDF5's user block with the file's length and a digest of all bytes behind it.
MARK = b"minidad seal 1"
BLOCK = 4096
PIECE = 1 << 22  # bytes read at once


def faults(path: str) -> list[str]:
    """A line for each; none: all is well."""
    try:
        run = read_run(path)
        return [*_seal(run), *_numbers(run)]
    except RunFileError as error:
        return [str(error).removeprefix(f"{path}: ")]


def digest(path: str) -> int:
    """Of all bytes behind the seal: the sum over 8-byte words, each scrambled with its place, modulo 2^64."""
    total = 0
    with open(path, "rb") as file:
        file.seek(BLOCK)
        place = 1
        while piece := file.read(PIECE):
            words = np.frombuffer(piece + bytes(-len(piece) % 8), "<u8")
            places = np.arange(place, place + len(words), dtype=np.uint64)
            mixed = _scramble(words + places * np.uint64(0x9E3779B97F4A7C15))
            total += int(mixed.sum(dtype=np.uint64))
            place += len(words)
    return total % 2**64


def _scramble(x: np.ndarray) -> np.ndarray:
    """Splitmix64's finaliser, as in src/core/digest.hpp."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: np.ndarray = x ^ (x >> np.uint64(31))
    return result


def _seal(run: Run) -> Iterator[str]:
    if tuple(map(int, run.version.split("."))) < (1, 2):
        return  # sealed since then
    with open(run.path, "rb") as file:
        said = file.read(BLOCK)
    if not said.startswith(MARK):
        yield "is not sealed: it was never finished, or another program has written it"
        return
    size = os.path.getsize(run.path)
    if said.rstrip(b"\0\n") != MARK + f" bytes {size} digest {digest(run.path):016x}".encode():
        yield "is damaged: its bytes are not those that were sealed"


def _numbers(run: Run) -> Iterator[str]:
    steps = run.axes["step"]
    if len(steps) == 0:
        yield "is empty: no step has been recorded"
        return
    for name in ("step", "epoch", "probe_step"):
        if (np.diff(run.axes.get(name, [])) <= 0).any():
            yield f"axis {name} does not rise"
    for name in ("seconds", "bytes_sent", "messages"):
        if any((block < 0).any() for _, block in run.series[name].blocks()):
            yield f"{name} is negative somewhere"
    for name in ("accuracy", "test_accuracy"):
        values = run.series[name].values
        if ((values < 0) | (values > 1)).any():
            yield f"{name} is outside of 0 ... 1"
    tested = run.series["test_accuracy"].values
    if len(tested) and tested[-1] != run.summary["test_accuracy"]:
        said = run.summary["test_accuracy"]
        yield f"the summary's test accuracy, {said}, is not that of the last epoch, {tested[-1]}"
    if run.summary.get("steps", steps[-1]) != steps[-1]:
        yield f"the summary has {run.summary['steps']} steps, the series end at {steps[-1]}"
    if run.provenance.get("restarts", "").strip():
        return  # on other ranks maybe, of which the series keep the most
    counted, said = overview(run).bytes_per_step, run.summary["bytes_per_step"]
    if abs(counted - said) > 1e-9 * max(1.0, said):
        yield f"the summary has {said} bytes a step, the channels sum up to {counted}"
