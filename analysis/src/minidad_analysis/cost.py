# SPDX-License-Identifier: BSD-3-Clause
"""When fewer bytes pay: the time of a step as computing plus bytes over bandwidth.

T(B) = C + n / B, where C are the seconds that a step computes (all phases but waiting, files and the probe; mean over
steps, of the slowest rank), n the bytes that a rank sends, and B the bandwidth each rank has to send with. Latency is
left out, and nothing is hidden behind computing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from .names import matters
from .overview import COMPUTING, overview
from .reader import Run


@dataclass(frozen=True)
class Cost:
    """Of one step of a rank."""

    seconds: float  # C, computing
    bytes: float  # n

    def at(self, bandwidth: Any) -> Any:
        """Seconds of a step, at that bandwidth or those, in B/s."""
        return self.seconds + self.bytes / bandwidth


def cost_of(run: Run) -> Cost:
    seen = overview(run)
    computing = np.isin(run.axes["phase"], COMPUTING)
    return Cost(float(seen.rank_seconds[:, computing].sum(axis=1).max()), seen.bytes_per_step)


def mean_cost(runs: Sequence[Run]) -> Cost:
    """Of runs that differ in their seed only."""
    costs = [cost_of(run) for run in runs]
    return Cost(*(float(np.mean(part)) for part in zip(*((one.seconds, one.bytes) for one in costs))))


@dataclass(frozen=True)
class Dense:
    """What a step of dSGD costs."""

    cost: Cost
    measured: bool


def dense_cost(run: Run, runs: Sequence[Run]) -> Dense | None:
    """That of the runs of dSGD among `runs` that train the same on as many ranks; else what `run` would cost with it:
    it would send 2 (S-1)/S times the bytes of all parameters, and compute what `run` does without compressing. None:
    not known, as nothing says how many parameters there are."""
    dsgd = [other for other in runs if other.method == "dsgd" and _task(other) == _task(run)]
    if dsgd:
        return Dense(mean_cost(dsgd), measured=True)
    if "parameters" not in run.summary:
        return None
    scalar = 8 if run.provenance.get("real") == "double" else 4
    sent = 2 * (run.ranks - 1) / run.ranks * scalar * run.summary["parameters"]
    compress = overview(run).rank_seconds[:, run.axes["phase"] == "compress"].sum(axis=1).max()
    return Dense(Cost(cost_of(run).seconds - float(compress), sent), measured=False)


def _task(run: Run) -> tuple[object, ...]:
    """What is trained, on how many ranks, whatever they exchange."""
    others = ("exchange", "low_rank", "probe")
    told = {name: text for name, text in run.settings.items() if matters(name) and name.split(".")[0] not in others}
    return (run.ranks, *sorted(told.items()))


def break_even(cost: Cost, dense: Cost) -> float:
    """The bandwidth in B/s below which `cost` is less than `dense`: 0, never; inf, always."""
    saved, more = dense.bytes - cost.bytes, cost.seconds - dense.seconds
    if saved <= 0:
        return inf if saved == 0 and more < 0 else 0.0
    return saved / more if more > 0 else inf
