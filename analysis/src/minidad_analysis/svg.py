# SPDX-License-Identifier: BSD-3-Clause
"""Figures as SVG inside a page, with what a pointer that hovers over them is told."""

from __future__ import annotations

import io
import json
import re
from html import escape
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex

from .figure import BLUE, FAINT, GRID, INK, STYLE, Figure, told

POINT = 72  # points an inch: SVG's unit here
PAGE_COLOURS = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    GRID: "var(--grid)",
    BLUE: "var(--blue)",
}


def inline(figure: Figure, key: str) -> str:
    """An HTML figure; `key` tells its elements from those of all others in the page."""
    size = figure.drawing.get_size_inches()
    panels = [_panel(axes, i, size) for i, axes in enumerate(figure.drawing.axes)]
    width, height = (POINT * length for length in size)
    told_of = {
        "size": [round(width, 2), round(height, 2)],
        "panels": [panel for panel in panels if panel],
    }
    text = (
        f'<figure id="{key}" class="drawn"><h3>{escape(figure.title)}</h3>\n{_svg(figure, key)}\n'
        f'<script type="application/json">{_json(told_of)}</script>\n'
        f"<figcaption>{escape(figure.caption)}</figcaption></figure>\n"
    )
    for colour, variable in PAGE_COLOURS.items():
        text = text.replace(colour, variable)
    return text


def _svg(figure: Figure, key: str) -> str:
    text = io.StringIO()
    with rc_context({**STYLE, "svg.hashsalt": key}):
        FigureCanvasSVG(figure.drawing)
        figure.drawing.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(?<=<svg)(.*?) width="[^"]*"', r"\1", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r'(?<=<svg)(.*?) height="[^"]*"', r"\1", svg, count=1, flags=re.DOTALL)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(figure.title)}"', 1)
    svg = re.sub(r'((?<= )id="|href="#|url\(#)', rf"\g<1>{key}-", svg)
    return svg


def _panel(axes: Axes, index: int, size_inches: np.ndarray) -> dict[str, Any] | None:
    """Where axes are, what they measure, and what is in them; None: nothing is told of them."""
    artists = [*axes.lines, *axes.collections, *axes.patches, *axes.images]
    for number, artist in enumerate(artists):
        artist.set_gid(f"data{index}-{number}")
    lines = [_line(line) for line in axes.lines if not str(line.get_label()).startswith("_")]
    lines += [_series(label, colour, x, y) for label, colour, x, y in told(axes)]
    for container in axes.containers:  # error bars: their dots
        if hasattr(container, "lines") and not str(container.get_label()).startswith("_"):
            dots = container.lines[0]
            lines.append(_series(container.get_label(), dots.get_color(), *dots.get_data()))
    bars = [_bar(bar) for bar in axes.containers if hasattr(bar, "datavalues")]
    images = [_image(axes, image) for image in axes.images]
    if not (lines or bars or images):
        return None
    width, height = (POINT * size for size in size_inches)
    box = axes.get_position()
    return {
        "box": _short([box.x0 * width, (1 - box.y1) * height, box.x1 * width, (1 - box.y0) * height]),
        "x": [*_short(axes.get_xlim(), 8), axes.get_xscale() == "log", axes.get_xlabel()],
        "y": [*_short(axes.get_ylim(), 8), axes.get_yscale() == "log", axes.get_ylabel()],
        "axis": index,
        "lines": lines,
        "bars": bars,
        "images": images,
        "names": [tick.get_text() for tick in axes.get_yticklabels()] if _lie(bars) else [],
    }


def _line(line: Any) -> dict[str, Any]:
    return _series(line.get_label(), line.get_color(), *line.get_data())


def _series(label: Any, colour: Any, x: Any, y: Any) -> dict[str, Any]:
    return {"name": str(label), "colour": to_hex(colour), "x": _short(x, 7), "y": _short(y)}


def _bar(bar: Any) -> dict[str, Any]:
    lies = bar.orientation == "horizontal"
    middles = [
        patch.get_y() + patch.get_height() / 2 if lies else patch.get_x() + patch.get_width() / 2
        for patch in bar.patches
    ]
    return {
        "name": str(bar.get_label()),
        "colour": to_hex(bar.patches[0].get_facecolor()),
        "at": _short(middles),
        "value": _short(bar.datavalues),
        "lies": lies,
    }


def _lie(bars: list[dict[str, Any]]) -> bool:
    return bool(bars) and bool(bars[0]["lies"])


def _image(axes: Axes, image: Any) -> dict[str, Any]:
    """Values row by row, from the top down."""
    return {"extent": _short(image.get_extent()), "values": [_short(row, 3) for row in image.get_array()]}


def _short(values: Any, digits: int = 4) -> list[float | None]:
    """So many significant digits; None for what is no number."""
    return [
        float(f"{value:.{digits}g}") if np.isfinite(value) else None
        for value in np.ma.filled(np.ma.asarray(values, float), np.nan)
    ]


def _json(what: object) -> str:
    """That may stand inside a script element."""
    return json.dumps(what, separators=(",", ":")).replace("</", "<\\/")
