# SPDX-License-Identifier: BSD-3-Clause
"""What a run file holds: the tables of src/io/schema.hpp, which this module follows."""

from __future__ import annotations

from collections.abc import Container

SCHEMA = "minidad-run"
MAJOR_VERSION = "1"  # a minor version only adds, so all of 1.x can be read

AXES = ("step", "epoch", "rank", "phase", "channel")

Table = dict[str, tuple[type, tuple[str, ...]]]  # name: (type, axes)

SERIES: Table = {
    "epoch_of_step": (int, ("step",)),
    "loss": (float, ("step",)),
    "accuracy": (float, ("step",)),
    "learning_rate": (float, ("step",)),
    "seconds": (float, ("step", "rank", "phase")),
    "bytes_sent": (float, ("step", "rank", "channel")),
    "messages": (int, ("step", "rank", "channel")),
    "test_loss": (float, ("epoch",)),
    "test_accuracy": (float, ("epoch",)),
    "training_seconds": (float, ("epoch",)),
}

# Since version 1.4.
NORM_SERIES: Table = {
    "gradient_norm": (float, ("step",)),
}

# Since version 1.5.
CONSENSUS_SERIES: Table = {
    "consensus_distance": (float, ("epoch",)),
}

# There together or not at all: since version 1.1 ...
LAYER_AXES = ("layer",)

FACTOR_SERIES: Table = {
    "factor_width": (float, ("step", "rank", "layer")),
    "certified_error": (float, ("step", "rank", "layer")),
}

# ... in runs with a probe ...
PROBE_AXES = ("probe_step", "layer", "value", "measure")

PROBE_SERIES: Table = {
    "gradient_spectrum": (float, ("probe_step", "layer", "value")),
    "input_spectrum": (float, ("probe_step", "layer", "value")),
    "delta_spectrum": (float, ("probe_step", "layer", "value")),
    "gradient_measures": (float, ("probe_step", "layer", "measure")),
    "gradient_angle": (float, ("probe_step", "layer")),
    "applied_error": (float, ("probe_step", "layer")),
    "gradient_spectrum_local": (float, ("probe_step", "rank", "layer", "value")),
    "input_spectrum_local": (float, ("probe_step", "rank", "layer", "value")),
    "delta_spectrum_local": (float, ("probe_step", "rank", "layer", "value")),
    "gradient_measures_local": (float, ("probe_step", "rank", "layer", "measure")),
    "gradient_angle_local": (float, ("probe_step", "rank", "layer")),
    "residual_norm_local": (float, ("probe_step", "rank", "layer")),
}

# ... that tells classes apart.
CLASS_AXES = ("class",)

CLASS_SERIES: Table = {
    "class_spectrum": (float, ("probe_step", "layer", "class", "value")),
    "class_measures": (float, ("probe_step", "layer", "class", "measure")),
}

# What this package leans on; whatever else /provenance and /summary hold is read too.
PROVENANCE = ("deck", "ranks")
SUMMARY = ("samples_per_second", "training_seconds", "bytes_per_step", "test_accuracy")


def expected(names: Container[str]) -> tuple[tuple[str, ...], Table]:
    """Axes and series that a file with these axes must have."""
    axes: tuple[str, ...] = AXES
    series = SERIES
    if "gradient_norm" in names:
        series = {**series, **NORM_SERIES}
    if "consensus_distance" in names:
        series = {**series, **CONSENSUS_SERIES}
    if "layer" in names:
        axes, series = axes + LAYER_AXES, {**series, **FACTOR_SERIES}
    if "probe_step" in names:
        axes, series = axes + PROBE_AXES, {**series, **PROBE_SERIES}
    if "class" in names:
        axes, series = axes + CLASS_AXES, {**series, **CLASS_SERIES}
    return axes, series
