# SPDX-License-Identifier: BSD-3-Clause
"""What most figures begin with: a run's series over steps, thinned to as many points as a picture has room for.

One pass over the file, block by block, so that neither time nor memory grows with what the picture cannot show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from .reader import NotInRun, Run, Series

POINTS = 600  # of a curve: about one a pixel
MAP_POINTS = 240  # columns of a heat map

# Channels that carry no gradient: agreement of the ranks, and the probe.
NOT_EXCHANGE = ("control", "probe")

# Phases that a step spends on itself; what is left are waiting, writing files and looking at gradients.
COMPUTING = ("forward", "backward", "compress", "exchange", "update")


@dataclass(frozen=True)
class Overview:
    """Means over the records of each point; `step`, `bytes` and `seconds` are sums up to its end."""

    step: np.ndarray  # (point)
    loss: np.ndarray  # nat
    accuracy: np.ndarray  # fraction
    bytes: np.ndarray  # sent by the exchange since the start, mean over ranks
    seconds: np.ndarray  # since the start, of the slowest rank of each record
    phase_seconds: np.ndarray  # (point, phase), of a step, mean over ranks
    rank_seconds: np.ndarray  # (rank, phase), of a step, mean over steps
    channel_bytes: np.ndarray  # (channel), of a step, mean over ranks and steps
    steps: int  # that the records cover

    @property
    def bytes_per_step(self) -> float:
        return float(self.bytes[-1] / self.steps)


def exchange_channels(run: Run) -> np.ndarray:
    """Which channels carry what the exchange sends."""
    return np.array([name.split()[0] not in NOT_EXCHANGE for name in run.axes["channel"]], bool)


def needs_steps(run: Run, least: int = 1) -> None:
    """Raises NotInRun where fewer records are there than a picture needs."""
    there = len(run.axes["step"])
    if there == 0:
        raise NotInRun(f"{run.path}: is empty: no step has been recorded yet")
    if there < least:
        raise NotInRun(f"{run.path}: has one record only, which makes no curve over steps")


def thinned(
    series: Series,
    fold: Callable[[np.ndarray], np.ndarray] | None = None,
    points: int = POINTS,
) -> np.ndarray:
    """Means over equal stretches of records, at most so many; `fold` sees (records, ...) and keeps its first axis."""
    stretch = stretch_of(series.shape[0], points)
    parts = []
    for _, block in series.blocks(stretch):
        parts.append(_means(fold(block) if fold else block, stretch))
    return np.concatenate(parts)


def ends(values: np.ndarray, points: int = POINTS) -> np.ndarray:
    """Of an axis, its value at the end of each stretch that `thinned` makes a point of."""
    stretch = stretch_of(len(values), points)
    last = np.minimum(np.arange(stretch, len(values) + stretch, stretch), len(values)) - 1
    result: np.ndarray = values[last]
    return result


def stretch_of(records: int, points: int = POINTS) -> int:
    return max(1, -(-records // points))


_seen: WeakKeyDictionary[Run, Overview] = WeakKeyDictionary()


def overview(run: Run) -> Overview:
    """Of a run with at least one record; made once."""
    if run not in _seen:
        needs_steps(run)
        _seen[run] = _look_at(run)
    return _seen[run]


def _look_at(run: Run) -> Overview:
    step = run.axes["step"]
    # A record covers the steps since the one before it; a file may begin in the middle of a run.
    every = int(run.settings.get("training.record_every", step[0]))
    covered = np.diff(step, prepend=max(0, step[0] - every))
    steps = int(covered.sum())
    stretch = stretch_of(len(step))

    exchange = exchange_channels(run)
    channel_bytes = np.zeros(len(exchange))
    byte_parts = []
    for _, block in run.series["bytes_sent"].blocks(stretch):
        per_channel = block.mean(axis=1)
        channel_bytes += per_channel.sum(axis=0)
        byte_parts.append(_sums(per_channel[:, exchange].sum(axis=1), stretch))

    rank_seconds = np.zeros((run.ranks, len(run.axes["phase"])))
    phase_parts, elapsed_parts = [], []
    for _, block in run.series["seconds"].blocks(stretch):
        rank_seconds += block.sum(axis=0)
        phase_parts.append(_sums(block.mean(axis=1), stretch))
        elapsed_parts.append(_sums(block.sum(axis=2).max(axis=1), stretch))
    covered_by_point = _sums(covered.astype(float), stretch)

    return Overview(
        step=ends(step),
        loss=thinned(run.series["loss"]),
        accuracy=thinned(run.series["accuracy"]),
        bytes=np.cumsum(np.concatenate(byte_parts)),
        seconds=np.cumsum(np.concatenate(elapsed_parts)),
        phase_seconds=np.concatenate(phase_parts) / covered_by_point[:, None],
        rank_seconds=rank_seconds / steps,
        channel_bytes=channel_bytes / steps,
        steps=steps,
    )


# What is over ranks, the second axis of a block, without those that are absent after a restart (NaN).


def mean(block: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # all absent: NaN
        result: np.ndarray = np.nansum(block, axis=1) / np.isfinite(block).sum(axis=1)
    return result


def least(block: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.fmin.reduce(block, axis=1)
    return result


def most(block: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.fmax.reduce(block, axis=1)
    return result


def _sums(values: np.ndarray, stretch: int) -> np.ndarray:
    """Over each stretch of the first axis, the last one maybe shorter."""
    result: np.ndarray = np.add.reduceat(values, np.arange(0, len(values), stretch), axis=0)
    return result


def _means(values: np.ndarray, stretch: int) -> np.ndarray:
    sums = _sums(values.astype(float), stretch)
    count = np.diff(np.arange(0, len(values), stretch), append=len(values))
    result: np.ndarray = sums / count.reshape(-1, *[1] * (values.ndim - 1))
    return result
