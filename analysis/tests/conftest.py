# SPDX-License-Identifier: BSD-3-Clause
"""Run files for the tests: small ones made here, and one that minidad itself has written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Callable

import h5py
import numpy as np
import pytest

import minidad_analysis
from minidad_analysis.schema import CLASS_SERIES, FACTOR_SERIES, PROBE_SERIES, SERIES

# Programs that tests start find the package too.
os.environ["PYTHONPATH"] = str(Path(minidad_analysis.__file__).parent.parent)

DECK = """\
[training]
batch = {batch}                               # rows of the global batch, all ranks together
seed = {seed}                                 # of weights, shuffling and synthetic data

[schedule]
kind = 'cosine'                          # how the rate changes: constant, step, cosine

[exchange]
method = '{method}'                      # what ranks send each other: dsgd, dad
deterministic = {deterministic}          # the same weight bits for any number of ranks (dad)

[low_rank]
width = {width}                                # rows (rank_dad) or columns a layer travels as
pattern = '{pattern}'                       # who gets whose few rows (rank_dad): oneway, root, tree

[probe]
width = 4                                # of the truncation and the subspace looked at

[output]
file = '{name}'                          # HDF5 file of the run
"""


MEASURES = [
    "rows", "norm", "rank_0.5", "rank_0.1", "rank_0.01", "stable_rank", "entropy_rank", "error", "energy",
]  # fmt: skip


def write_run(
    path: Path,
    *,
    schema: str = "minidad-run",
    version: str = "1.0",
    complete: bool = True,
    method: str = "dad",
    deterministic: bool = False,
    seed: int = 1,
    width: int = 4,
    pattern: str = "oneway",
    ranks: int = 2,
    batch: int = 64,
    steps: tuple[int, ...] = (10, 20, 30),
    samples_per_second: float = 1234.56,
    bytes_per_step: float = 1250000.0,
    test_accuracy: float = 0.8765,
    training_seconds: float = 12.34,
    probe: bool = False,
    per_class: bool = False,
    change: Callable[[h5py.File], None] = lambda file: None,
) -> Path:
    """Writes a run file as the schema has it, and lets `change` spoil or extend it."""
    axes = {
        "step": np.array(steps, int),
        "epoch": np.array([1, 2]) if steps else np.array([], int),
        "rank": np.arange(ranks),
        "phase": ["forward", "backward", "compress", "exchange", "wait", "update", "io", "probe"],
        "channel": ["control allreduce", "layer0 allgatherv", "layer1 allgatherv"],
    }
    series = dict(SERIES)
    if version != "1.0":
        axes["layer"] = ["layer0", "layer1"]
        series.update(FACTOR_SERIES)
    if probe:
        axes["probe_step"] = np.array([1, 51])
        axes["value"] = np.arange(4)
        axes["measure"] = MEASURES
        series.update(PROBE_SERIES)
    if per_class:
        axes["class"] = np.arange(5)
        series.update(CLASS_SERIES)
    with h5py.File(path, "w") as file:
        file.attrs.update(schema_name=schema, schema_version=version, complete=np.int32(complete))
        for name, values in axes.items():
            file[name] = values
            file[name].make_scale(name)
        for name, (kind, names) in series.items():
            shape = tuple(len(axes[axis]) for axis in names)
            file[name] = np.arange(np.prod(shape), dtype=kind).reshape(shape)
            file[name].attrs.update(units="1", long_name=f"meaning of {name}")
            for dimension, axis in zip(file[name].dims, names):
                dimension.attach_scale(file[axis])
        deck = DECK.format(
            method=method,
            deterministic=str(deterministic).lower(),
            seed=seed,
            width=width,
            batch=batch,
            pattern=pattern,
            name=path.name,
        )
        file.create_group("provenance").update(deck=deck, ranks=str(ranks), version="0.1.0")
        if complete:
            file.create_group("summary").update(
                samples_per_second=samples_per_second,
                training_seconds=training_seconds,
                bytes_per_step=bytes_per_step,
                test_accuracy=test_accuracy,
                parameter_digest=np.uint64(2**64 - 1),
            )
        change(file)
    return path


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """write_run into a file of this test."""

    def make(name: str = "run.h5", **how) -> Path:
        return write_run(tmp_path / name, **how)

    return make


@pytest.fixture(scope="session")
def real_file() -> Path:
    """A run file that minidad has written."""
    if "MINIDAD_RUN_FILE" not in os.environ:
        raise pytest.UsageError("set MINIDAD_RUN_FILE to a run file that minidad has written")
    return Path(os.environ["MINIDAD_RUN_FILE"])


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess]:
    """Runs the command line in a process of its own."""

    def run(*arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "minidad_analysis", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run
