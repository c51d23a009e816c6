# SPDX-License-Identifier: BSD-3-Clause
"""Compares runs in a table of plain text."""

from __future__ import annotations

import re
from collections.abc import Sequence

try:
    import tomllib
except ImportError:  # before Python 3.11
    tomllib = None  # type: ignore[assignment]

from .reader import Run, RunFileError

HEADER = ("method", "ranks", "test accuracy (%)", "samples/s", "sent per rank and step", "of dSGD")


def comparison(runs: Sequence[Run]) -> str:
    """A line per run. The last column compares what is sent with the first run of dSGD."""
    exchanges = [_exchange(run) for run in runs]
    for run in runs:
        if not run.complete:
            raise RunFileError(f"{run.path}: the run is not complete, it has no results")
    sent = [run.summary["bytes_per_step"] for run in runs]
    baseline = next((s for s, (method, _) in zip(sent, exchanges) if method == "dsgd"), None)
    rows = [
        (
            f"{method} (det.)" if deterministic else method,
            run.provenance["ranks"],
            f"{100 * run.summary['test_accuracy']:.2f}",
            f"{run.summary['samples_per_second']:.1f}",
            human_bytes(s),
            f"{s / baseline:.3g}" if baseline else "-",
        )
        for run, s, (method, deterministic) in zip(runs, sent, exchanges)
    ]
    return _aligned([HEADER, *rows])


def human_bytes(count: float) -> str:
    """Decimal units: 7454728 is 7.45 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.2f} {unit}"
        count /= 1000
    return f"{count:.2f} TB"


def _exchange(run: Run) -> tuple[str, bool]:
    """exchange.method and exchange.deterministic of the deck."""
    deck = run.provenance["deck"]
    try:
        if tomllib:
            exchange = tomllib.loads(deck)["exchange"]
            return str(exchange["method"]), bool(exchange.get("deterministic"))
        # A resolved deck has one setting per line, so that patterns do without a TOML parser.
        section = deck.split("[exchange]\n")[1].split("\n[")[0]
        settings = dict(re.findall(r"^(\w+) = ['\"]?(\w+)", section, re.MULTILINE))
        return settings["method"], settings.get("deterministic") == "true"
    except (AttributeError, LookupError, TypeError, ValueError):
        raise RunFileError(f"{run.path}: the deck in it names no exchange.method") from None


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns two blanks apart, the first one to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )
