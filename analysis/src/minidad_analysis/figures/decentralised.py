# SPDX-License-Identifier: BSD-3-Clause
"""Runs whose ranks hold different models: how far apart they are, and who hears whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import MaxNLocator

from ..figure import COLOURS, FAINT, INK, Figure, axes_of, log_axis
from ..reader import NotInRun, Run

NAME = "decentralised"
MEANING = "consensus distance and topology of decentralised runs"
HOW = "its ranks hold one model"
GRAPHS = 4  # that are drawn, of those that follow each other


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    for run in runs:
        distance = run.need("consensus_distance", HOW).values
        if not (distance > 0).any():
            raise NotInRun(f"{run.path}: has no consensus distance: {HOW}")
        if len(distance) < 2:
            raise NotInRun(f"{run.path}: has one epoch only, which makes no curve")
        yield _distance(run.axes["epoch"], distance)
        graphs = run.tables.get("topology/mixing")
        if graphs is not None:
            for i, mixing in enumerate(graphs[:GRAPHS]):
                yield _topology(i, len(graphs), mixing)


def second_eigenvalue(mixing: np.ndarray) -> float:
    """|λ₂| of a mixing matrix: what is left, each step, of the ranks' disagreement."""
    values = np.sort(np.abs(np.linalg.eigvals(mixing)))[::-1]
    return float(values[1]) if len(values) > 1 else 0.0


def _distance(epochs: np.ndarray, distance: np.ndarray) -> Figure:
    drawing, axes = axes_of("epoch", "consensus distance")
    axes.plot(epochs, distance, color=COLOURS[0], marker="o", markersize=4, label="consensus distance")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_yscale("log")
    log_axis(axes.yaxis, "{x:g}")
    return Figure(
        "consensus-distance",
        "Consensus distance",
        "How far the ranks' models are from their mean, of its length: rising, they drift apart; falling, they agree.",
        drawing,
    )


def _topology(index: int, count: int, mixing: np.ndarray) -> Figure:
    ranks = len(mixing)
    drawing = Drawing(figsize=(4.8, 4.2))
    axes = drawing.add_axes((0.02, 0.02, 0.96, 0.96))
    angle = np.pi / 2 - 2 * np.pi * np.arange(ranks) / ranks
    at = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    heard = mixing * (1 - np.eye(ranks))  # of others
    for to, source in np.argwhere(heard):
        axes.annotate(
            "", at[to], at[source],
            arrowprops={
                "arrowstyle": "-|>", "color": COLOURS[0], "shrinkA": 9, "shrinkB": 9,
                "linewidth": 0.4 + 1.6 * heard[to, source] / heard.max(), "connectionstyle": "arc3,rad=0.08",
            },
        )  # fmt: skip
    axes.plot(*at.T, "o", color=COLOURS[1], markersize=13 if ranks <= 32 else 6, linestyle="none", label="_ranks")
    if ranks <= 32:
        for rank, (x, y) in enumerate(at):
            axes.text(x, y, str(rank), ha="center", va="center", fontsize=7.5, color=INK)
    axes.set_xlim(-1.2, 1.2)
    axes.set_ylim(-1.2, 1.2)
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.text(1.18, -1.18, f"|λ₂| = {second_eigenvalue(mixing):.3f}", ha="right", color=FAINT)
    return Figure(
        f"topology-{index}",
        f"Who sends to whom, graph {index + 1} of {count}" if count > 1 else "Who sends to whom",
        "Arrows point to who listens, thicker for more weight. |λ₂| is what stays of disagreement each step.",
        drawing,
    )
