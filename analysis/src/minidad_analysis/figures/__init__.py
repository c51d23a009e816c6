# SPDX-License-Identifier: BSD-3-Clause
"""The figures, one module each: draw(runs) yields them, or raises NotInRun where the runs lack what they show.

A new figure is a module with NAME, MEANING and draw, listed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, cast

from ..figure import Figure
from ..reader import Run
from . import (
    break_even,
    classes,
    decentralised,
    energy,
    learning,
    pareto,
    ranks,
    residuals,
    scaling,
    spectra,
    time,
    traffic,
)


class Artist(Protocol):
    NAME: str
    MEANING: str

    def draw(self, runs: Sequence[Run]) -> Iterator[Figure]: ...


# Of several runs together, and of each run by itself; in the order of a report.
TOGETHER = cast("tuple[Artist, ...]", (learning, pareto, break_even, scaling))
EACH = cast("tuple[Artist, ...]", (spectra, ranks, energy, classes, residuals, traffic, time, decentralised))
ARTISTS = {artist.NAME: artist for artist in (*TOGETHER, *EACH)}
