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
from dataclasses import dataclass
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


@dataclass
class Outcome:
    """What a run file says of one training."""

    exchange: str
    width: str
    parameters: int
    steps: int
    ranks: int
    bytes_per_step: float
    samples_per_second: float
    loss: list[float]  # after each epoch, on the test samples
    accuracy: list[float]
    seconds: list[float]

    @classmethod
    def of(cls, model: str, exchange: str) -> Outcome:
        with h5py.File(run_file(model, exchange)) as file:
            summary, deck = file["summary"], file["provenance/deck"].asstr()[()]
            return cls(
                exchange=exchange,
                width="" if exchange == "dsgd" else setting(deck, "low_rank", "width"),
                parameters=int(summary["parameters"][()]),
                steps=int(summary["steps"][()]),
                ranks=int(file["provenance/ranks"].asstr()[()]),
                bytes_per_step=summary["bytes_per_step"][()],
                samples_per_second=summary["samples_per_second"][()],
                loss=list(file["test_loss"]),
                accuracy=list(100 * file["test_accuracy"][()]),
                seconds=list(file["training_seconds"]),
            )

    def result(self, model: str) -> float:
        return self.loss[-1] if model == "gpt" else self.accuracy[-1]

    def row(self, model: str, base: Outcome) -> str:
        cells = [
            self.exchange,
            self.width,
            f"{self.loss[-1]:.4f}",
            f"{self.accuracy[-1]:.2f} %",
            f"{self.result(model) - base.result(model):+.3f}",
            f"{self.bytes_per_step:,.0f}",
            f"{base.bytes_per_step / self.bytes_per_step:.1f}",
            f"{self.samples_per_second:,.0f}",
            f"{self.seconds[-1]:.0f} s",
        ]
        return "| " + " | ".join(cells) + " |"

    def curve(self, model: str) -> str:
        accuracies = ["" if model == "gpt" else f" ({a:.1f} %)" for a in self.accuracy]
        points = (f"{l:.3f}{a} at {s:.0f} s" for l, a, s in zip(self.loss, accuracies, self.seconds))
        return f"- {self.exchange}: " + ", ".join(points)


def describe(model: str, exchanges: list[str]) -> str:
    outcomes = [Outcome.of(model, exchange) for exchange in exchanges]
    base = outcomes[0]
    unit, of_loss = ("nats", " a byte") if model == "gpt" else ("points", " (accuracy)")
    head = ["exchange", "width", "test loss", "test accuracy", f"against dsgd, {unit}", "bytes a rank and step",
            "fewer by", "samples/s", "time"]  # fmt: skip
    lines = [
        f"## {model}",
        "",
        f"`input/{model}.toml`: {base.parameters:,} parameters, {base.steps:,} steps on {base.ranks} ranks; "
        f"bar: {BARS[model]}.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *(outcome.row(model, base) for outcome in outcomes),
        "",
        f"After each epoch, test loss in nats{of_loss} at seconds of training:",
        "",
        *(outcome.curve(model) for outcome in outcomes),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--program", type=Path, default=ROOT / "build/release/miniapp/minidad")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("models", nargs="*", choices=[*MODELS, []], metavar="MODEL")
    arguments = parser.parse_args()
    if not arguments.report:
        for model in arguments.models or MODELS:
            for exchange in EXCHANGES:
                print(f"{model} with {exchange}", flush=True)
                train(model, exchange, arguments.ranks, arguments.program)
    text = [
        "# Training\n",
        "Written by `scripts/train_models.py` from the run files of `input/`'s decks: one thread a rank, everything",
        "else as the deck says. `fewer by` is dsgd's bytes over those of the exchange.\n",
    ]
    for model in MODELS:
        known = [exchange for exchange in EXCHANGES if run_file(model, exchange).exists()]
        if "dsgd" in known:
            text.append(describe(model, known))
    (ROOT / "docs/training.md").write_text("\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
