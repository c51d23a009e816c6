# SPDX-License-Identifier: BSD-3-Clause
"""Bytes by layer and collective."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..figure import BOTTOM, Figure, axes_of, colours, counts, legend
from ..names import layer_labels
from ..overview import overview
from ..reader import Run

NAME = "traffic"
MEANING = "bytes a rank sends, by layer and collective"


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    for run in runs:
        yield _figure(run)


def _figure(run: Run) -> Figure:
    seen = overview(run)
    channels = [name.split(maxsplit=1) for name in run.axes["channel"]]
    parts = list(dict.fromkeys(part for part, *_ in channels))
    collectives = list(dict.fromkeys(" ".join(rest) for _, *rest in channels))
    said = {label.split()[0]: label for label in layer_labels(run)}
    sent = np.zeros((len(collectives), len(parts)))
    for (part, *rest), count in zip(channels, seen.channel_bytes):
        sent[collectives.index(" ".join(rest)), parts.index(part)] += count
    top = 0.4  # room for the legend
    height = top + BOTTOM + 0.26 * max(3, len(parts))
    drawing, axes = axes_of("bytes sent per rank and step (B)", "", height=height, left=1.55, top=top)
    for i, colour in enumerate(colours(len(collectives))):
        before = sent[:i].sum(axis=0)
        axes.barh(range(len(parts)), sent[i], left=before, color=colour, height=0.7, label=collectives[i])
    axes.set_yticks(range(len(parts)), [said.get(part, part) for part in parts], fontsize=8.5)
    axes.set_ylim(len(parts) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter(counts())
    legend(axes, loc="lower right", bbox_to_anchor=(1, 1), ncol=len(collectives))
    return Figure(
        "bytes-by-layer",
        "Bytes by layer and collective",
        "Which layers the network is for, and in which collective; control and probe are not the exchange's.",
        drawing,
    )
