# SPDX-License-Identifier: BSD-3-Clause
"""Tables that spreadsheets, R and pandas read: one file for the series that have the same axes, one row for each of
their combinations."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

from ..reader import Run


def export_csv(run: Run, to: Path | None, steps: str | None) -> Iterator[Path]:
    """Into a folder: step.csv with loss and accuracy, step_rank_phase.csv with seconds, ..."""
    folder = to or Path(run.path).with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    for axes in dict.fromkeys(series.axes for series in run.series.values()):
        names = [name for name, series in run.series.items() if series.axes == axes]
        path = folder / f"{'_'.join(axes)}.csv"
        with open(path, "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*axes, *names])
            # Series with the same axes have blocks of the same length.
            others = [run.axes[axis].tolist() for axis in axes[1:]]
            times = run.axes[axes[0]].tolist()
            for blocks in zip(*(run.series[name].blocks() for name in names)):
                first = blocks[0][0]
                labels = itertools.product(times[first : first + len(blocks[0][1])], *others)
                columns = [block.ravel().tolist() for _, block in blocks]
                writer.writerows((*label, *values) for label, *values in zip(labels, *columns))
        yield path
