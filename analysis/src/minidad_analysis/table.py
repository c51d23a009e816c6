# SPDX-License-Identifier: BSD-3-Clause
"""Compares runs in a table, of plain text or in Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

try:
    import tomllib
except ImportError:  # before Python 3.11
    tomllib = None  # type: ignore[assignment]

from .reader import Run, RunFileError

HEADER = ("method", "ranks", "test accuracy (%)", "samples/s", "sent per rank and step", "of dSGD")
SEEDS_HEADER = (
    "method",
    "ranks",
    "seeds",
    "test accuracy (%)",
    "to dSGD (points)",
    "sent per rank and step",
    "dSGD / this",
    "training time (s)",
)

# What may differ between runs of a group; where the runs are written says nothing about them.
SEED = "training.seed"
NO_MATTER = (SEED, "output.file", "output.overwrite")

Settings = dict[str, str]  # section.key: value


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed only."""

    method: str
    settings: Settings
    runs: list[Run]

    def of_all(self, name: str) -> np.ndarray:
        """What the summaries of the runs say."""
        return np.array([run.summary[name] for run in self.runs], dtype=float)

    def mean(self, name: str) -> float:
        return float(self.of_all(name).mean())


def comparison(runs: Sequence[Run], markdown: bool = False) -> str:
    """A line per run. The last column compares what is sent with the first run of dSGD."""
    exchanges = [_exchange(run, _settings(run)) for run in runs]
    _check_complete(runs)
    sent = [run.summary["bytes_per_step"] for run in runs]
    baseline = next((s for s, method in zip(sent, exchanges) if method == "dsgd"), None)
    rows = [
        (
            method,
            run.provenance["ranks"],
            f"{100 * run.summary['test_accuracy']:.2f}",
            f"{run.summary['samples_per_second']:.1f}",
            human_bytes(s),
            f"{s / baseline:.3g}" if baseline else "-",
        )
        for run, s, method in zip(runs, sent, exchanges)
    ]
    return _printed([HEADER, *rows], markdown)


def comparison_over_seeds(runs: Sequence[Run], markdown: bool = False) -> str:
    """A line per group of runs that differ in their seed only, compared with the first of dSGD."""
    _check_complete(runs)
    groups = _groups(runs)
    baseline = next((group for group in groups if group.method == "dsgd"), None)
    rows = []
    for group in groups:
        accuracy = 100 * group.of_all("test_accuracy")
        sent = group.mean("bytes_per_step")
        deviation = f"{accuracy.std(ddof=1):.2f}" if len(accuracy) > 1 else "-"
        gain = ratio = "-"
        if baseline:
            points = accuracy.mean() - 100 * baseline.mean("test_accuracy")
            gain = f"{round(points, 2) + 0.0:+.2f}"  # never -0.00
            ratio = _times(baseline.mean("bytes_per_step"), sent)
        rows.append(
            (
                _label(group, groups),
                group.runs[0].provenance["ranks"],
                str(len(group.runs)),
                f"{accuracy.mean():.2f} ± {deviation}",
                gain,
                human_bytes(sent),
                ratio,
                f"{group.mean('training_seconds'):.1f}",
            )
        )
    return _printed([SEEDS_HEADER, *rows], markdown)


def human_bytes(count: float) -> str:
    """Decimal units: 7454728 is 7.45 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.2f} {unit}"
        count /= 1000
    return f"{count:.2f} TB"


def _check_complete(runs: Sequence[Run]) -> None:
    for run in runs:
        if not run.complete:
            raise RunFileError(f"{run.path}: the run is not complete, it has no results")


def _groups(runs: Sequence[Run]) -> list[Group]:
    """In the order of their first runs."""
    groups: dict[tuple[object, ...], Group] = {}
    seen: dict[tuple[object, ...], Run] = {}
    for run in runs:
        settings = _settings(run)
        method = _exchange(run, settings)
        if SEED not in settings:
            raise RunFileError(f"{run.path}: the deck in it names no {SEED}")
        seed = settings[SEED]
        settings = {name: text for name, text in settings.items() if name not in NO_MATTER}
        alike = (run.provenance["ranks"], *sorted(settings.items()))
        # Counted twice, a run would make the deviation too small.
        first = seen.setdefault((seed, alike), run)
        if first is not run:
            raise RunFileError(f"{run.path}: has the settings and the seed of {first.path}")
        groups.setdefault(alike, Group(method, settings, [])).runs.append(run)
    return list(groups.values())


def _label(group: Group, groups: Sequence[Group]) -> str:
    """The method, and the settings in which groups of this method differ."""
    others = [other.settings for other in groups if other.method == group.method]
    return " ".join(
        [group.method]
        + [
            f"{re.sub('^(exchange|low_rank)[.]', '', name)}={text}"
            for name, text in group.settings.items()
            if any(other.get(name) != text for other in others)
        ]
    )


def _times(whole: float, part: float) -> str:
    """How many times part is in whole: 86.2x."""
    if not whole or not part:
        return "-"
    ratio = whole / part
    return f"{ratio:.3g}x" if ratio < 999.5 else f"{ratio:.0f}x"


def _exchange(run: Run, settings: Settings) -> str:
    """exchange.method, with a mark for the deterministic mode."""
    if "exchange.method" not in settings:
        raise RunFileError(f"{run.path}: the deck in it names no exchange.method")
    deterministic = settings.get("exchange.deterministic") == "true"
    return settings["exchange.method"] + (" (det.)" if deterministic else "")


def _settings(run: Run) -> Settings:
    """The deck of a run, values as text; of a deck that is no TOML, nothing."""
    deck = run.provenance["deck"]
    if tomllib:
        try:
            sections = tomllib.loads(deck)
        except ValueError:
            return {}
        return {
            f"{section}.{name}": str(value).lower() if isinstance(value, bool) else str(value)
            for section, settings in sections.items()
            if isinstance(settings, dict)
            for name, value in settings.items()
        }
    # A resolved deck has one setting per line, so that patterns do without a TOML parser.
    settings = {}
    section = ""
    for line in deck.splitlines():
        if header := re.match(r"\[(\w+)\]", line):
            section = header[1]
        elif setting := re.match(r"(\w+) = ('.*?'|\".*?\"|\[.*?\]|[^\s#]+)", line):
            settings[f"{section}.{setting[1]}"] = setting[2].strip("'\"")
    return settings


def _printed(rows: Sequence[Sequence[str]], markdown: bool) -> str:
    return _markdown(rows) if markdown else _aligned(rows)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    """The first column to the left, numbers to the right."""
    header, *others = rows
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, rule, *others))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns two blanks apart, the first one to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )
