# SPDX-License-Identifier: BSD-3-Clause
"""The phases of each rank on a time line, for chrome://tracing and ui.perfetto.dev.

A record of the run file holds the sums over its steps: the time line shows each as one block of all its forward time,
then all its backward time, and so on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..overview import needs_steps
from ..reader import Run, RunFileError

MOST_EVENTS = 500_000  # what a viewer still shows


def export_chrome_trace(run: Run, to: Path | None, steps: str | None) -> Iterator[Path]:
    needs_steps(run)
    chosen = _records(run, steps)
    events = len(chosen) * run.ranks * len(run.axes["phase"])
    if events > MOST_EVENTS:
        raise RunFileError(
            f"{run.path}: would be {events:,} events, more than viewers show; choose some with --steps FIRST:LAST"
        )
    path = to or Path(run.path).with_suffix(".trace.json")
    with open(path, "w") as file:
        file.write('{"displayTimeUnit":"ms","traceEvents":[\n')
        lines = (json.dumps(event, separators=(",", ":")) for event in _events(run, chosen))
        file.write(",\n".join(lines))
        file.write("\n]}\n")
    yield path


def _records(run: Run, steps: str | None) -> np.ndarray:
    axis = run.axes["step"]
    if steps is None:
        return np.arange(len(axis))
    try:
        first, last = (int(part) for part in steps.split(":"))
    except ValueError:
        raise RunFileError(f"--steps {steps} is not FIRST:LAST, such as 100:200") from None
    chosen = np.flatnonzero((axis >= first) & (axis <= last))
    if len(chosen) == 0:
        raise RunFileError(f"{run.path}: has no record of steps {steps}, only of {axis[0]}:{axis[-1]}")
    return chosen


def _events(run: Run, chosen: np.ndarray) -> Iterator[dict[str, object]]:
    """Complete events ("X"), times in microseconds; a record begins on all ranks when the slowest is ready."""
    yield {"name": "process_name", "ph": "M", "pid": 0, "args": {"name": f"minidad {run.method}"}}
    for rank in range(run.ranks):
        yield {"name": "thread_name", "ph": "M", "pid": 0, "tid": rank, "args": {"name": f"rank {rank}"}}
    begin = 0.0
    loss = run.series["loss"].values
    phases = [str(phase) for phase in run.axes["phase"]]
    for record in chosen:
        seconds = run.series["seconds"].at(np.array([record]))[0]
        step = int(run.axes["step"][record])
        yield {"name": "loss", "ph": "C", "pid": 0, "ts": 1e6 * begin, "args": {"nat": float(loss[record])}}
        for rank, spent in enumerate(seconds):
            at = begin
            for phase, duration in zip(phases, spent.tolist()):
                if duration > 0:
                    yield {
                        "name": phase, "cat": "phase", "ph": "X", "pid": 0, "tid": rank, "ts": round(1e6 * at, 3),
                        "dur": round(1e6 * duration, 3), "args": {"up to step": step},
                    }  # fmt: skip
                at += duration
        begin += float(seconds.sum(axis=1).max())
