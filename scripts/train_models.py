#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Trains the models of input/ with several exchanges and writes docs/training.md from their run files.

usage: train_models.py [--ranks 2] [--program FILE] [--report] [MODEL ...]
       --report: only write, from the run files that are there
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import h5py

ROOT = Path(__file__).resolve().parent.parent
MODELS = ("cnn", "gru", "vit", "gpt")
EXCHANGES = ("dsgd", "rank_dad", "power_dad")
BARS = {"cnn": "accuracy >= 91 %", "gru": "accuracy >= 88 %", "vit": "accuracy >= 86 %", "gpt": "loss < 1.9 nats"}


def run_file(model: str, exchange: str) -> Path:
    return ROOT / "runs" / f"train_{model}_{exchange}.h5"


def train(model: str, exchange: str, ranks: int, program: Path) -> None:
    """One run, one thread a rank; what it prints goes to a file beside its run file."""
    file = run_file(model, exchange)
    file.parent.mkdir(exist_ok=True)
    command = f"source scripts/mpi_environment.sh; OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 mpirun -n {ranks} {program}"
    command += f" run input/{model}.toml --progress plain --set exchange.method={exchange}"
    command += f" --set output.file={file} --set output.overwrite=true"
    with open(file.with_suffix(".log"), "w") as log:
        subprocess.run(["bash", "-c", command], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=True)


def setting(deck: str, section: str, key: str) -> str:
    """A value of a resolved deck, as it is written there."""
    inside = deck.split(f"[{section}]\n", 1)[1]
    line = next(line for line in inside.splitlines() if line.startswith(f"{key} = "))
    return line.split("=", 1)[1].split("#")[0].strip().strip("'\"")


def describe(model: str, exchanges: list[str]) -> str:
    rows, curve = [], []
    base = None
    for exchange in exchanges:
        with h5py.File(run_file(model, exchange)) as file:
            summary, deck = file["summary"], file["provenance/deck"][()].decode()
            loss, accuracy = file["test_loss"][:], file["test_accuracy"][:]
            seconds = file["training_seconds"][:]
            result = loss[-1] if model == "gpt" else 100 * accuracy[-1]
            bytes_per_step = summary["bytes_per_step"][()]
            base = base or (result, bytes_per_step)
            width = "" if exchange == "dsgd" else setting(deck, "low_rank", "width")
            rows.append(
                f"| {exchange} | {width} | {loss[-1]:.4f} | {100 * accuracy[-1]:.2f} % | {result - base[0]:+.3f} | "
                f"{bytes_per_step:,.0f} | {base[1] / bytes_per_step:.1f} | {summary['samples_per_second'][()]:,.0f} | "
                f"{seconds[-1]:.0f} s |"
            )
            curve.append((exchange, loss, accuracy, seconds))
            parameters, steps = int(summary["parameters"][()]), int(summary["steps"][()])
            ranks = int(file["provenance/ranks"][()].decode()) if file["provenance/ranks"].dtype.kind in "OS" else int(file["provenance/ranks"][()])
    text = [f"## {model}", ""]
    text += [f"`input/{model}.toml`: {parameters:,} parameters, {steps:,} steps on {ranks} ranks; bar: {BARS[model]}.", ""]
    unit = "nats" if model == "gpt" else "points"
    text += [
        f"| exchange | width | test loss | test accuracy | against dsgd, {unit} | bytes a rank and step | fewer by | samples/s | time |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        "After each epoch, test loss in nats" + (" a byte" if model == "gpt" else " (accuracy)") + " at seconds of training:",
        "",
    ]
    for exchange, loss, accuracy, seconds in curve:
        points = (
            f"{l:.3f}" + ("" if model == "gpt" else f" ({100 * a:.1f} %)") + f" at {s:.0f} s"
            for l, a, s in zip(loss, accuracy, seconds)
        )
        text.append(f"- {exchange}: " + ", ".join(points))
    return "\n".join(text) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--program", type=Path, default=ROOT / "build/release/miniapp/minidad")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("models", nargs="*", default=MODELS, choices=MODELS, metavar="MODEL")
    arguments = parser.parse_args()
    if not arguments.report:
        for model in arguments.models:
            for exchange in EXCHANGES:
                print(f"{model} with {exchange}", flush=True)
                train(model, exchange, arguments.ranks, arguments.program)
    text = [
        "# Training\n",
        "Written by `scripts/train_models.py` from the run files of `input/`'s decks: one thread a rank, everything else as",
        "the deck says. `fewer by` is dsgd's bytes over those of the exchange.\n",
    ]
    for model in MODELS:
        known = [exchange for exchange in EXCHANGES if run_file(model, exchange).exists()]
        if "dsgd" in known:
            text.append(describe(model, known))
    (ROOT / "docs/training.md").write_text("\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
