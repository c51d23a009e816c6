# SPDX-License-Identifier: BSD-3-Clause
"""One self-contained page about one run or several: numbers, figures, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from matplotlib import rc_context

from .cost import break_even, dense_cost, mean_cost
from .figure import STYLE
from .figures import EACH, TOGETHER, Artist
from .figures.break_even import bandwidth_text
from .names import run_labels
from .overview import needs_steps, overview
from .reader import NotInRun, Run
from .seeds import groups_of
from .svg import inline
from .table import Rows, comparison, html, human_bytes

GBIT = 1e9 / 8  # B/s

# Nothing that the page holds may ask for anything outside of it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def write_report(runs: Sequence[Run], path: Path, details: bool = True) -> None:
    """`details`: with a section for each run, not only what compares them."""
    for run in runs:
        needs_steps(run)
    text = "".join(_page(runs, details))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _page(runs: Sequence[Run], details: bool) -> Iterator[str]:
    labels = run_labels(runs)
    title = f"{', '.join(dict.fromkeys(run.method for run in runs))} on {_ranks(runs)} with minidad"
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>\n{_resource('report.css')}</style></head>\n<body>\n"
    )
    yield f"<h1>{escape(title)}</h1>\n{_lead(runs)}"
    yield (
        '<p class="faint hint">Hover over a figure, or tap it, for values; drag to look closer, double-click to go '
        "back.</p>\n"
    )
    if details and len(runs) > 1:
        links = "".join(f'<a href="#run{i}">{escape(label)}</a>' for i, label in enumerate(labels))
        yield f"<nav>{links}</nav>\n"
    if len(runs) > 1:
        if all(run.complete for run in runs):
            yield f"<h2>Comparison</h2>\n{html(comparison(runs))}"
    else:
        yield _cards(runs[0])
    yield "<h2>Learning, bytes and time</h2>\n"
    yield from _figures(TOGETHER, runs, "all")
    yield f"<h2>Where fewer bytes pay</h2>\n{_break_even(runs)}"
    for i, (run, label) in enumerate(zip(runs, labels)):
        if details:
            yield from _section(run, label, i, alone=len(runs) == 1)
    yield f"<script>\n{_resource('report.js')}</script>\n</body></html>\n"


def _resource(name: str) -> str:
    return (files(__package__) / "page" / name).read_text(encoding="utf-8")


def _ranks(runs: Sequence[Run]) -> str:
    counts = sorted({run.ranks for run in runs})
    return ", ".join(map(str, counts)) + (" rank" if counts == [1] else " ranks")


def _lead(runs: Sequence[Run]) -> str:
    first = runs[0].settings
    what = ", ".join(f"{name.split('.')[0]} {first[name]}" for name in ("model.name", "data.source") if name in first)
    dates = sorted({run.provenance["start"][:10] for run in runs if "start" in run.provenance})
    span = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}" if dates else ""
    live = [run for run in runs if not run.complete]
    note = f" {len(live)} of {len(runs)} not complete: stopped, or still going on." if live else ""
    return f'<p class="faint">{escape(", ".join(part for part in (what, span) if part))}.{note}</p>\n'


def _cards(run: Run) -> str:
    seen = overview(run)
    dense = dense_cost(run, [run])
    cards = []
    if run.complete:
        cards.append((f"{100 * run.summary['test_accuracy']:.2f} %", "test accuracy"))
        if "test_loss" in run.summary:
            cards.append((f"{run.summary['test_loss']:.4f} nat", "test loss"))
        cards.append((f"{run.summary['samples_per_second']:,.0f}", "samples/s (figure of merit)"))
        cards.append((f"{run.summary['training_seconds']:,.1f} s", "training time"))
    else:
        cards.append((f"{seen.loss[-1]:.4f} nat", "training loss so far"))
    cards.append((human_bytes(seen.bytes_per_step), "sent per rank and step"))
    if dense and seen.bytes_per_step > 0 and run.method != "dsgd":
        cards.append((f"{dense.cost.bytes / seen.bytes_per_step:,.3g} x", "fewer bytes than dSGD"))
    cards.append((f"{seen.step[-1]:,}", "steps"))
    if "parameters" in run.summary:
        cards.append((f"{run.summary['parameters']:,}", "parameters"))
    boxes = "".join(f'<div class="card"><b>{escape(a)}</b><span>{escape(b)}</span></div>' for a, b in cards)
    return f'<div class="cards">{boxes}</div>\n'


def _break_even(runs: Sequence[Run]) -> str:
    return (
        "<p>A step takes what it computes, as measured here, plus bytes over bandwidth; latency and overlap are left "
        "out. dSGD is that of its runs of the same deck and ranks among these, or else predicted (*): all parameters "
        "to send, and the same computing but for compression.</p>\n" + html(break_even_rows(runs))
    )


def break_even_rows(runs: Sequence[Run]) -> Rows:
    """A table, header first: what a step costs, up to where it beats dSGD, and how it does at some bandwidths."""
    speeds = (1, 10, 100)
    rows = [("method", "ranks", "computing (ms)", "sent per step", "beats dSGD up to",
             *(f"speed to dSGD at {speed} Gbit/s" for speed in speeds))]  # fmt: skip
    groups = groups_of(runs)
    for group in groups:
        cost, dense = mean_cost(group.runs), dense_cost(group.runs[0], runs)
        mark = "" if dense is None or dense.measured else " *"
        gains = [f"{dense.cost.at(speed * GBIT) / cost.at(speed * GBIT):.2f} x" if dense else "-" for speed in speeds]
        rows.append(
            (
                group.label(groups),
                str(group.runs[0].ranks),
                f"{1e3 * cost.seconds:.3f}",
                human_bytes(cost.bytes),
                "-" if dense is None or group.method == "dsgd" else bandwidth_text(break_even(cost, dense.cost)) + mark,
                *gains,
            )
        )
    return rows


def _section(run: Run, label: str, index: int, alone: bool) -> Iterator[str]:
    if not alone:
        yield f'<h2 id="run{index}">{escape(label)}</h2>\n{_cards(run)}'
    else:
        yield "<h2>Inside the run</h2>\n"
    yield from _figures(EACH, [run], f"run{index}")
    facts = {"schema": run.version, **run.provenance}
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(text.strip())}</td></tr>"
        for name, text in facts.items()
        if name not in ("deck", "model") and text.strip()
    )
    yield (
        f"<details{' open' if alone else ''}><summary>Provenance of {escape(Path(run.path).name)}</summary>\n"
        f'<div class="table"><table class="facts">{rows}</table></div>\n'
    )
    for name in ("model", "deck"):
        if run.provenance.get(name, "").strip():
            yield f"<h3>{name}</h3><pre>{escape(run.provenance[name])}</pre>\n"
    yield "</details>\n"


def _figures(artists: Sequence[Artist], runs: Sequence[Run], key: str) -> Iterator[str]:
    missing = []
    yield '<div class="figures">\n'
    with rc_context(STYLE):
        for artist in artists:
            try:
                for figure in artist.draw(runs):
                    yield inline(figure, f"{key}-{figure.name}")
            except NotInRun as reason:
                if artist.NAME not in ("scaling", "pareto"):  # of many runs: not missed in a report of few
                    missing.append(str(reason))
    yield "</div>\n"
    if missing:
        items = "".join(f"<li>{escape(reason)}</li>" for reason in missing)
        yield f'<details class="note"><summary>Not drawn</summary><ul>{items}</ul></details>\n'
