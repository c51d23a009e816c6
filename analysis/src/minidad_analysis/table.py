# SPDX-License-Identifier: BSD-3-Clause
"""Compares runs in a table, of plain text, in Markdown or in HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import isnan

from .reader import Run
from .seeds import groups_of, half_interval

HEADER = (
    "method",
    "ranks",
    "seeds",
    "test accuracy (%)",
    "to dSGD (points)",
    "sent per rank and step",
    "dSGD / this",
    "samples/s",
    "training time (s)",
)

Rows = Sequence[Sequence[str]]  # the first one is the header


def comparison(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """A header, and a line per group of runs that differ in their seed only: mean ± half the 95 % interval of the test
    accuracy, means of the rest, compared with the first group of dSGD."""
    groups = groups_of(runs)
    baseline = next((group for group in groups if group.method == "dsgd"), None)
    rows: list[tuple[str, ...]] = [HEADER]
    for group in groups:
        accuracy = 100 * group.of_all("test_accuracy")
        sent = group.mean("bytes_per_step")
        half = half_interval(accuracy)
        gain = ratio = "-"
        if baseline:
            points = accuracy.mean() - 100 * baseline.mean("test_accuracy")
            gain = f"{round(points, 2) + 0.0:+.2f}"  # never -0.00
            ratio = _times(baseline.mean("bytes_per_step"), sent)
        rows.append(
            (
                group.label(groups),
                group.runs[0].provenance["ranks"],
                str(len(group.runs)),
                f"{accuracy.mean():.2f}" + ("" if isnan(half) else f" ± {half:.2f}"),
                gain,
                human_bytes(sent),
                ratio,
                f"{group.mean('samples_per_second'):.1f}",
                f"{group.mean('training_seconds'):.3g}",
            )
        )
    return rows


def human_bytes(count: float) -> str:
    """Decimal units: 7454728 is 7.45 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.2f} {unit}"
        count /= 1000
    return f"{count:.2f} TB"


def _times(whole: float, part: float) -> str:
    """How many times part is in whole: 86.2x."""
    if not whole or not part:
        return "-"
    ratio = whole / part
    return f"{ratio:.3g}x" if ratio < 999.5 else f"{ratio:.0f}x"


def markdown(rows: Rows) -> str:
    """The first column to the left, numbers to the right."""
    header, *others = rows
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *others))


def aligned(rows: Rows) -> str:
    """Columns two blanks apart, the first one to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows)


def html(rows: Rows) -> str:
    header, *others = rows
    lines = [
        "<tr>" + "".join(f"<{cell}>{escape(text)}</{cell}>" for text in row) + "</tr>"
        for cell, row in [("th", header), *(("td", row) for row in others)]
    ]
    return f'<div class="table"><table>{"".join(lines)}</table></div>'
