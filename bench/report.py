#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The report of a large run: time and memory of `minidad-analysis report` on a file of 2 GB, as a run of 64 ranks with
24 layers would leave it. Bars: 20 s, 1 GB.

    usage: report.py [FILE]        the file is kept where one is named, and made only once
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

SOURCE = Path(__file__).parent.parent / "analysis" / "src"
sys.path.insert(0, str(SOURCE))
from minidad_analysis import schema  # noqa: E402

STEPS, LOOKS, RANKS, LAYERS, VALUES = 24_000, 800, 64, 24, 32
MEASURES = ["rows", "norm", "rank_0.5", "rank_0.1", "rank_0.01", "stable_rank", "entropy_rank", "error", "energy"]
DECK = "[data]\nsource = 'synthetic'\n[training]\nseed = 1\nrecord_every = 10\n[exchange]\nmethod = 'rank_dad'\n"


def axes() -> dict[str, object]:
    return {
        "step": 10 * np.arange(1, STEPS + 1),
        "epoch": np.arange(1, 25),
        "probe_step": 1 + 300 * np.arange(LOOKS),
        "rank": np.arange(RANKS),
        "phase": ["forward", "backward", "compress", "exchange", "wait", "update", "io", "probe"],
        "channel": ["control allreduce", *(f"layer{i} allgatherv" for i in range(LAYERS))],
        "layer": [f"layer{i}" for i in range(LAYERS)],
        "value": np.arange(VALUES),
        "measure": MEASURES,
    }


def write(path: Path) -> None:
    """Numbers at random, in chunks as minidad's."""
    generator = np.random.default_rng(1)
    labels = axes()
    series = {**schema.SERIES, **schema.NORM_SERIES, **schema.FACTOR_SERIES, **schema.PROBE_SERIES}
    with h5py.File(path, "w") as file:
        file.attrs.update(schema_name=schema.SCHEMA, schema_version="1.4", complete=np.int32(1))
        for name, values in labels.items():
            file[name] = values
            file[name].make_scale(name)
        for name, (kind, names) in series.items():
            shape = tuple(len(labels[axis]) for axis in names)
            record = 8 * int(np.prod(shape[1:]))
            chunk = max(1, min(1024, (1 << 20) // record))
            most = (None, *shape[1:])
            data = file.create_dataset(name, shape, kind, maxshape=most, chunks=(chunk, *shape[1:]))
            data.attrs.update(units="1", long_name=name)
            for dimension, axis in zip(data.dims, names):
                dimension.attach_scale(file[axis])
            for first in range(0, shape[0], chunk):
                block = generator.random((min(chunk, shape[0] - first), *shape[1:]))
                if "spectrum" in name:
                    block = -np.sort(-block, axis=-1)
                data[first : first + len(block)] = block if kind is float else 1 + (9 * block).astype(int)
        file["epoch_of_step"][...] = 1 + np.arange(STEPS) // 1000
        file.create_group("provenance").update(deck=DECK, ranks=str(RANKS), real="float", start="2026-01-01T00:00:00Z")
        file.create_group("summary").update(
            samples_per_second=1e6, training_seconds=1e3, bytes_per_step=1e6, test_accuracy=0.9, parameters=10**9
        )


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "large.h5"
        if not path.exists():
            write(path)
        page = Path(folder) / "large.html"
        begin = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "minidad_analysis", "report", str(path), "-o", str(page)],
            env={**os.environ, "PYTHONPATH": str(SOURCE)}, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        seconds = time.monotonic() - begin
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        figures = page.read_text().count("<figure ")
        print(f"file        {path.stat().st_size / 1e9:.2f} GB")
        print(f"report      {page.stat().st_size / 1e6:.1f} MB, {figures} figures")
        print(f"time        {seconds:.1f} s (bar: 20)")
        print(f"memory      {peak / 1e9:.2f} GB at most (bar: 1)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
