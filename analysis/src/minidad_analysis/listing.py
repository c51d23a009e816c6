# SPDX-License-Identifier: BSD-3-Clause
"""A line for each run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from .reader import Run, RunFileError, read_run
from .table import human_bytes

HEADER: tuple[str, ...] = (
    "file",
    "state",
    "method",
    "ranks",
    "steps",
    "loss",
    "test accuracy (%)",
    "sent per rank and step",
    "start",
)


def listing(paths: Sequence[str]) -> tuple[list[tuple[str, ...]], list[str]]:
    """Rows, header first; and what is wrong with those that are no runs. Folders are searched for .h5 and .h5.tmp."""
    rows, refused = [HEADER], list[str]()
    for path in _files(paths):
        try:
            rows.append(_row(read_run(path, allow_incomplete=True)))
        except RunFileError as error:
            refused.append(str(error))
    return rows, refused


def _files(paths: Sequence[str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*.h5*") if p.suffix == ".h5" or p.name.endswith(".h5.tmp"))
        else:
            yield path


def _row(run: Run) -> tuple[str, ...]:
    steps = run.axes["step"]
    losses = run.series["loss"]
    return (
        run.path,
        "complete" if run.complete else "not complete",
        run.method,
        str(run.ranks),
        str(steps[-1] if len(steps) else 0),
        f"{losses.values[-1]:.4f}" if len(steps) else "-",
        f"{100 * run.summary['test_accuracy']:.2f}" if run.complete else "-",
        human_bytes(run.summary["bytes_per_step"]) if run.complete else "-",
        run.provenance.get("start", "-"),
    )
