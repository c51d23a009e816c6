# SPDX-License-Identifier: BSD-3-Clause
"""A running job in the terminal.

minidad replaces `RUN.tmp` as a whole each time it writes, so a look is a read of a file that does not change.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .names import layer_labels
from .overview import overview
from .probe import measure_index
from .reader import Run, RunFileError, read_run
from .table import human_bytes

BLOCKS = " ▁▂▃▄▅▆▇█"
WIDTH = 48  # of curves


def watch(path: str, every: float, once: bool) -> int:
    """Until the run is complete, or Ctrl-C."""
    redraw = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb" and "NO_COLOR" not in os.environ
    shown = None
    while True:
        run = look(path)
        if redraw:
            print("\033[H\033[J" + "\n".join(screen(run)), flush=True)
        elif (news := (run.complete, run.axes["step"][-1:].tolist())) != shown:
            print(one_line(run), flush=True)
            shown = news
        if run.complete or once:
            return 0
        time.sleep(every)


def look(path: str) -> Run:
    """The run where it is now: under its own name when complete, with .tmp before."""
    name = path.removesuffix(".tmp")
    live = Path(name + ".tmp")
    try:
        return read_run(live, allow_incomplete=True)
    except RunFileError:
        if live.exists():
            raise
    return read_run(name, allow_incomplete=True)  # also says what is wrong, if neither is there


def screen(run: Run) -> list[str]:
    """Lines of text."""
    lines = [f"{run.path}   {run.method} on {run.ranks} ranks   {_state(run)}"]
    if len(run.axes["step"]) == 0:
        return [*lines, "no step has been recorded yet"]
    seen = overview(run)
    lines += [
        _progress(run),
        "",
        f"loss      {sparkline(np.log(np.maximum(seen.loss, 1e-12)))}  {seen.loss[-1]:.4f} nat",
        f"accuracy  {sparkline(seen.accuracy)}  {100 * seen.accuracy[-1]:.2f} %" + _tested(run),
        f"bytes     {human_bytes(seen.bytes[-1])} sent by a rank, {human_bytes(seen.bytes_per_step)} a step",
    ]
    waits = run.axes["phase"] == "wait"
    share = seen.rank_seconds[:, waits].sum() / max(seen.rank_seconds.sum(), 1e-300)
    lines.append(
        f"time      {1e3 * seen.rank_seconds.sum(axis=1).max():.2f} ms a step, {100 * share:.0f} % of it waiting"
    )
    return lines + _spectra(run)


def one_line(run: Run) -> str:
    if len(run.axes["step"]) == 0:
        return "no step has been recorded yet"
    seen = overview(run)
    return (
        f"step {seen.step[-1]}  {_share(run)}loss {seen.loss[-1]:.4f}  accuracy {100 * seen.accuracy[-1]:.2f} %  "
        f"sent {human_bytes(seen.bytes[-1])}  {_state(run)}"
    )


def sparkline(values: Sequence[float] | np.ndarray, width: int = WIDTH) -> str:
    """A curve in a line of text, from its least value to its greatest."""
    values = np.asarray(values, float)
    if len(values) > width:
        values = np.array([part.mean() for part in np.array_split(values, width)])
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return ""
    low, span = finite.min(), np.ptp(finite) or 1.0
    return "".join(BLOCKS[1 + round(7 * (value - low) / span)] if np.isfinite(value) else " " for value in values)


def _state(run: Run) -> str:
    if run.complete:
        return "complete"
    return f"last written {_duration(_age(run))} ago"


def _age(run: Run) -> float:
    """Seconds since the file was written; another may have taken its place by now."""
    try:
        return max(0.0, time.time() - os.path.getmtime(run.path))
    except OSError:
        return 0.0


def _total(run: Run) -> int | None:
    return int(run.provenance["total_steps"]) if "total_steps" in run.provenance else None


def _share(run: Run) -> str:
    total = _total(run)
    return f"of {total}  " if total else ""


def _progress(run: Run) -> str:
    step, total = int(run.axes["step"][-1]), _total(run)
    started = run.provenance.get("start")
    elapsed = "" if started is None else f"   started {started}"
    if not total:
        return f"step {step}{elapsed}"
    filled = round(WIDTH * step / total)
    eta = "" if run.complete else f"   ETA {_duration(_seconds_left(run, total))}"
    return f"[{'=' * filled}{' ' * (WIDTH - filled)}] {100 * step / total:.0f} %  step {step} of {total}{eta}{elapsed}"


def _seconds_left(run: Run, total: int) -> float:
    """At the speed so far, less what has passed since the file was written."""
    seen = overview(run)
    left = seen.seconds[-1] / seen.steps * (total - int(run.axes["step"][-1]))
    return max(0.0, float(left) - _age(run))


def _tested(run: Run) -> str:
    tested = run.series["test_accuracy"].values
    return f", {100 * tested[-1]:.2f} % in the test after epoch {run.axes['epoch'][-1]}" if len(tested) else ""


def _spectra(run: Run) -> list[str]:
    """The last look at each layer's gradient: its singular values, of the largest, and how many are needed."""
    if "gradient_spectrum" not in run.series or len(run.axes["probe_step"]) == 0:
        return []
    last = np.array([len(run.axes["probe_step"]) - 1])
    spectrum = run.series["gradient_spectrum"].at(last)[0]
    rank = run.series["gradient_measures"].at(last)[0, :, measure_index(run, "rank_0.1")]
    labels = layer_labels(run)
    width = max(map(len, labels))
    lines = ["", f"singular values at step {run.axes['probe_step'][-1]}, logarithmic, of the largest"]
    for label, values, needed in zip(labels, spectrum, rank):
        relative = values / (values[0] if values[0] > 0 else 1.0)
        curve = sparkline(np.log10(np.maximum(relative, 1e-4)))
        lines.append(f"{label.ljust(width)}  {curve}  effective rank {needed:.0f}")
    return lines


def _duration(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
