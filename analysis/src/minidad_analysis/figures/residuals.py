# SPDX-License-Identifier: BSD-3-Clause
"""What exchanges leave out, what they keep for later, and what they certify."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..figure import Figure, axes_of, colours, dashes, legend
from ..names import layer_labels
from ..overview import ends, least, mean, most, needs_steps, thinned
from ..probe import needs_probe
from ..reader import NotInRun, Run

NAME = "residuals"
MEANING = "residuals kept by error feedback, errors made and certified, widths that travelled"


def draw(runs: Sequence[Run]) -> Iterator[Figure]:
    for run in runs:
        figures = [*_of_probe(run), *_of_steps(run)]
        if not figures:
            raise NotInRun(
                f"{run.path}: has no residuals or errors: its exchange is exact, or nothing looked (probe.every)"
            )
        yield from figures


def _of_probe(run: Run) -> Iterator[Figure]:
    if "applied_error" not in run.series:
        return
    needs_probe(run, least=2)
    kept = run.series["residual_norm_local"]
    residual = thinned(kept, mean)
    steps = ends(run.axes["probe_step"])
    if np.nanmax(residual, initial=0) > 0:
        yield _figure(
            run, "residual-norm", "Residual kept by error feedback", "‖residual‖, mean of ranks",
            "Levels off: what is left out in a step is sent later. Grows: it never is. Band: over ranks.",
            steps, residual, (thinned(kept, least), thinned(kept, most)),
        )  # fmt: skip
    error = thinned(run.series["applied_error"])
    if np.nanmax(error, initial=0) > 1e-4:  # rounding is no error of the exchange
        yield _figure(
            run, "applied-error", "Error of what was applied", "‖G - Ĝ‖ / ‖G‖",
            "What the step's gradient lost in the exchange; with feedback it may exceed 1, as old errors come too.",
            steps, error,
        )  # fmt: skip


def _of_steps(run: Run) -> Iterator[Figure]:
    if "factor_width" not in run.series:
        return
    needs_steps(run, least=2)
    steps = ends(run.axes["step"])

    width = thinned(run.series["factor_width"], most)
    if np.isfinite(width).any() and np.nanmin(width) < np.nanmax(width):  # with an error budget
        yield _figure(
            run, "width", "Rows that travelled", "rows or columns of a layer",
            "With an error budget the width follows what the gradient needs, up to low_rank.width.",
            steps, width,
        )  # fmt: skip
    certified = thinned(run.series["certified_error"], most)
    if np.isfinite(certified).any():
        yield _figure(
            run, "certified-error", "Certified error", "upper bound of ‖G - Ĝ‖ / ‖G‖",
            "Stays below low_rank.epsilon, unless low_rank.width is reached first.",
            steps, certified,
        )  # fmt: skip


def _figure(
    run: Run,
    name: str,
    title: str,
    y_label: str,
    caption: str,
    steps: np.ndarray,
    values: np.ndarray,
    band: tuple[np.ndarray, np.ndarray] | None = None,
) -> Figure:
    drawing, axes = axes_of("step", y_label)
    layers = [(i, label) for i, label in enumerate(layer_labels(run)) if (np.nan_to_num(values[:, i]) > 0).any()]
    for (i, label), colour in zip(layers, colours(len(layers))):
        if band:
            axes.fill_between(steps, band[0][:, i], band[1][:, i], color=colour, alpha=0.15, linewidth=0)
        axes.plot(steps, values[:, i], color=colour, linestyle=dashes(i), label=label)
    axes.set_ylim(bottom=0)
    legend(axes, above=True)
    return Figure(name, title, caption, drawing)
