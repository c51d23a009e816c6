# SPDX-License-Identifier: BSD-3-Clause
"""What runs and layers are called in tables and pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from .reader import Run

SEED = "training.seed"


def matters(name: str) -> bool:
    """Whether a setting tells runs apart: neither the seed, nor where and how often something is written."""
    return name != SEED and name.split(".")[0] not in ("output", "checkpoint", "failure")


def run_labels(runs: Sequence[Run]) -> list[str]:
    """The method, with the settings in which runs of this method differ; what is still the same gets its file."""
    labels = [
        method_label(run.method, run.settings, [one.settings for one in runs if one.method == run.method])
        for run in runs
    ]
    ranks = {run.ranks for run in runs}
    if len(ranks) > 1:
        labels = [f"{label} on {run.ranks}" for label, run in zip(labels, runs)]
    return [label if labels.count(label) == 1 else f"{label} {Path(run.path).stem}" for label, run in zip(labels, runs)]


def method_label(method: str, settings: dict[str, str], alike: Sequence[dict[str, str]]) -> str:
    """rank_dad width=8: with what tells it from others of the method."""
    return " ".join(
        [method]
        + [
            f"{re.sub('^(exchange|low_rank)[.]', '', name)}={text}"
            for name, text in settings.items()
            if matters(name) and any(other.get(name) != text for other in alike)
        ]
    )


def layer_labels(run: Run) -> list[str]:
    """layer0 gru 128, from what the run says of its model, without finer points; else the bare name."""
    said = {}
    for line in run.provenance.get("model", "").splitlines():
        name, colon, rest = line.partition(": ")
        if colon:
            words = re.split("[,(]", rest)[0].split()
            said[name] = " ".join(word for word in words if "=" not in word)
    return [f"{name} {said[name]}" if name in said else name for name in run.axes.get("layer", [])]
