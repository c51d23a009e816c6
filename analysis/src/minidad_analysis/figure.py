# SPDX-License-Identifier: BSD-3-Clause
"""What all figures share: size, type, colours, and how they are kept."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import EngFormatter, Formatter, LogLocator, NullFormatter

# Okabe & Ito's colours, which the colour-blind tell apart; without black, which a dark page swallows, and with yellow,
# which a white one does, last. Lines also differ by their dashes, for prints in grey.
COLOURS = ("#0072b2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#B5A800")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
HEAT = "cividis"

# Colours that a page exchanges for its own, in light and dark; on paper they are what they say.
INK, FAINT, GRID, BLUE = "#1a1b1c", "#6a6b6c", "#d9dadb", "#0072b2"

WIDTH, HEIGHT = 4.8, 3.0  # inches: a phone shows a figure of 460 points at about its own size
LEFT, RIGHT, TOP, BOTTOM = 0.74, 0.16, 0.14, 0.52  # inches around the axes

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "sans-serif"],
    "font.size": 9.5,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "lines.linewidth": 1.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.handlelength": 2.2,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "minidad",  # the same figure is the same text
    "path.simplify": True,
}


@dataclass(frozen=True)
class Figure:
    """A drawing with what it shows, and one line that says what to see in it."""

    name: str
    title: str
    caption: str
    drawing: Drawing

    def save(self, path: Path, dots_per_inch: int = 200) -> None:
        """With title and caption, on white, in the format that the path's suffix names. Once: the drawing grows."""
        with rc_context(STYLE):
            lines = textwrap.wrap(self.caption, 76)
            height = self.drawing.get_figheight()
            margin = 0.3 + 0.17 * len(lines)
            grown = height + margin
            for axes in self.drawing.axes:
                box = axes.get_position()
                axes.set_position(
                    (
                        box.x0,
                        (box.y0 * height + margin - 0.3) / grown,
                        box.width,
                        box.height * height / grown,
                    )
                )
            self.drawing.set_figheight(grown)
            self.drawing.text(0.02, 1 - 0.08 / grown, self.title, va="top", weight="bold")
            self.drawing.text(0.02, 0.06 / grown, "\n".join(lines), va="bottom", fontsize=8, color=FAINT)
            FigureCanvasAgg(self.drawing)
            self.drawing.savefig(path, dpi=dots_per_inch, facecolor="white")


def axes_of(
    x_label: str,
    y_label: str,
    height: float = HEIGHT,
    left: float = LEFT,
    right: float = RIGHT,
    top: float = TOP,
) -> tuple[Drawing, Axes]:
    """A drawing with one pair of axes, whose margins are the same in all of them."""
    drawing = Drawing(figsize=(WIDTH, height))
    axes = drawing.add_axes(
        (
            left / WIDTH,
            BOTTOM / height,
            (WIDTH - left - right) / WIDTH,
            (height - top - BOTTOM) / height,
        )
    )
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.locator_params(axis="x", nbins=6)  # 17500 and its like need room
    return drawing, axes


def colours(count: int) -> list[str]:
    """Different ones; more than there are of COLOURS go from blue to yellow, as layers go from input to output."""
    if count <= len(COLOURS):
        return list(COLOURS[:count])
    ramp = colormaps["viridis"](np.linspace(0.05, 0.9, count))
    return ["#" + "".join(f"{round(255 * part):02x}" for part in colour[:3]) for colour in ramp]


def dashes(index: int) -> Any:
    return DASHES[index % len(DASHES)]


TESTED = ", test"  # ends the label of what is told by its dots


def legend(axes: Axes, most: int = 8, above: bool = False, **where: Any) -> None:
    """Of the labelled lines; of many, some from the first to the last. `above`: axes make room for more than three."""
    both = [pair for pair in zip(*axes.get_legend_handles_labels()) if not pair[1].endswith(TESTED)]
    if not both:
        return
    handles, labels = (list(part) for part in zip(*both))
    if len(handles) > most:
        chosen = np.unique(np.linspace(0, len(handles) - 1, most).round().astype(int))
        handles, labels = [handles[i] for i in chosen], [labels[i] for i in chosen]
    if above and len(handles) > 3:
        rows = -(-len(handles) // 2)
        low, high = axes.get_ylim()
        axes.set_ylim(low, high + 0.075 * rows * (high - low))
        where = {"loc": "upper center", "ncol": 2, "fontsize": 8}
    axes.legend(handles, labels, **{"loc": "best", **where})


def counts(unit: str = "") -> Formatter:
    """Ticks as 20 k, 1.5 M."""
    return EngFormatter(unit, sep=" " if unit else "")


def log_axis(axis: Axis, text: str | None = None) -> None:
    """Ticks of a logarithmic axis whose data are drawn: enough of them also where it spans less than a decade."""
    low, high = axis.get_view_interval()
    decades = np.log10(high / low)
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,)))
    axis.set_major_formatter(text or counts())
    axis.set_minor_formatter(NullFormatter())


def smooth(values: np.ndarray) -> np.ndarray:
    """Means over a window of a twelfth of the points around each, shorter at the ends, of what is a number."""
    half = len(values) // 24
    at = np.arange(len(values))
    first, last = np.maximum(at - half, 0), np.minimum(at + half + 1, len(values))
    sums, numbers = (np.concatenate([[0.0], np.cumsum(part)]) for part in (np.nan_to_num(values), np.isfinite(values)))
    with np.errstate(invalid="ignore"):  # none: NaN
        result: np.ndarray = (sums[last] - sums[first]) / (numbers[last] - numbers[first])
    return result


# What a pointer is told of a picture beyond its labelled lines, bars and images: (label, colour, x, y).
Told = tuple[str, str, np.ndarray, np.ndarray]
_told: WeakKeyDictionary[Axes, list[Told]] = WeakKeyDictionary()


def tell(axes: Axes, label: str, colour: str, x: np.ndarray, y: np.ndarray) -> None:
    """Of an area, say, whose outline is not its value."""
    _told.setdefault(axes, []).append((label, colour, x, y))


def told(axes: Axes) -> list[Told]:
    return _told.get(axes, [])


def heat_map(
    steps: np.ndarray, values: np.ndarray, first: int, y_label: str, bar_label: str, norm: Normalize
) -> tuple[Drawing, Axes]:
    """values (place, step) in colours, places from the top down beginning with `first`; steps are evenly spaced."""
    drawing, axes = axes_of("step", y_label, right=0.86)
    before = (steps[-1] - steps[0]) / (len(steps) - 1)
    image = axes.imshow(
        values, aspect="auto", interpolation="nearest", norm=norm, cmap=HEAT,
        extent=(steps[0] - before, steps[-1], first + len(values) - 0.5, first - 0.5),
    )  # fmt: skip
    axes.grid(False)
    box = axes.get_position()
    bar = drawing.add_axes((box.x1 + 0.02, box.y0, 0.025, box.height))
    drawing.colorbar(image, cax=bar, label=bar_label)
    return drawing, axes
