# SPDX-License-Identifier: BSD-3-Clause
"""Runs of one deck on different numbers of ranks: strong and weak scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .names import matters, method_label
from .reader import NotInRun, Run

BATCH = "training.batch"


@dataclass(frozen=True)
class Sweep:
    """Of one method and deck, by rising ranks; several runs on as many ranks count with their best speed, as what slows
    a run down is seldom its own."""

    kind: str  # strong: same global batch; weak: same batch per rank
    label: str
    ranks: np.ndarray
    speed: np.ndarray  # samples/s

    @property
    def efficiency(self) -> np.ndarray:
        """Speed per rank, of that on the fewest ranks."""
        each = self.speed / self.ranks
        result: np.ndarray = each / each[0]
        return result


def sweeps_of(runs: Sequence[Run]) -> list[Sweep]:
    """All series of runs that differ in nothing but their ranks, and for weak scaling in the batch with them."""
    for run in runs:
        if not run.complete:
            raise NotInRun(f"{run.path}: the run is not complete, it has no speed")
    sweeps = []
    for kind, same in (("strong", _global_batch), ("weak", _batch_per_rank)):
        series: dict[tuple[object, ...], list[Run]] = {}
        for run in runs:
            series.setdefault((same(run), *sorted(_other(run).items())), []).append(run)
        chosen = [alike for alike in series.values() if len({run.ranks for run in alike}) > 1]
        sweeps += [_sweep(kind, alike, [other[0] for other in chosen]) for alike in chosen]
    if not sweeps:
        raise NotInRun(
            f"{runs[0].path}: scaling needs runs of one deck on different numbers of ranks, with the same global batch "
            "(strong) or the same batch per rank (weak)"
        )
    return sweeps


def scaling_rows(sweeps: Sequence[Sweep]) -> list[tuple[str, ...]]:
    """A table, header first."""
    rows: list[tuple[str, ...]] = [("scaling", "method", "ranks", "samples/s", "speed-up", "efficiency (%)")]
    for sweep in sweeps:
        for ranks, speed, efficiency in zip(sweep.ranks, sweep.speed, sweep.efficiency):
            rows.append(
                (
                    sweep.kind,
                    sweep.label,
                    str(ranks),
                    f"{speed:.1f}",
                    f"{speed / sweep.speed[0]:.2f}x",
                    f"{100 * efficiency:.1f}",
                )  # fmt: skip
            )
    return rows


def _sweep(kind: str, runs: Sequence[Run], firsts: Sequence[Run]) -> Sweep:
    """`firsts`: one run of each sweep, to say in what this one differs."""
    ranks = np.array(sorted({run.ranks for run in runs}))
    best = [max(run.summary["samples_per_second"] for run in runs if run.ranks == r) for r in ranks]

    def told(run: Run) -> dict[str, str]:
        """The batch is what a weak sweep varies, so it tells it from no other."""
        return _other(run) if kind == "weak" else run.settings

    label = method_label(runs[0].method, told(runs[0]), [told(run) for run in firsts if run.method == runs[0].method])
    return Sweep(kind, label, ranks, np.array(best, float))


def _other(run: Run) -> dict[str, str]:
    return {name: text for name, text in run.settings.items() if matters(name) and name != BATCH}


def _global_batch(run: Run) -> float:
    return float(run.settings.get(BATCH, 0))


def _batch_per_rank(run: Run) -> float:
    return _global_batch(run) / run.ranks
