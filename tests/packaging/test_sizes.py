# SPDX-License-Identifier: BSD-3-Clause
"""docs/sizes.md says of the decks what the program says, and what a run shows."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
MINIDAD = os.environ["MINIDAD"]
PAGE = (SOURCE / "docs/sizes.md").read_text()
RANKS = {"quick": 2, "current": 64, "exascale": 8192}


def table(first: str) -> dict[str, dict[str, str]]:
    """The table whose head begins with `first`: row name -> column name -> text."""
    lines = re.search(rf"^\| {first} \|.*\n\|[-|]+\n(?:\|.*\n?)+", PAGE, re.MULTILINE)[0].splitlines()
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}


def number(text: str) -> float:
    return float(re.match(r"[\d,.]+", text)[0].replace(",", ""))


def check(deck: str, *arguments: object) -> str:
    command = [MINIDAD, "check", f"input/{deck}.toml", *map(str, arguments)]
    return subprocess.run(command, cwd=SOURCE, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("size", RANKS)
def test_the_books_and_the_memory_are_those_of_the_program(size: str) -> None:
    said = check(size, "--ranks", RANKS[size])
    row = table("size")[size]
    assert number(row["parameters"]) == int(re.search(r"all parameters +(\d+)", said)[1])
    memory = float(re.search(r"in all +([\d.]+)", said)[1])
    assert number(row["memory of a rank"]) == pytest.approx(memory, rel=0.02, abs=10)  # the program itself differs
    batch = int(re.search(r"^batch = (\d+)", said, re.MULTILINE)[1])
    assert batch == number(row["rows a rank"]) * RANKS[size]
    for names, columns in table("exchange").items():
        column = next(text for title, text in columns.items() if title.startswith(size))
        for name in re.findall(r"`(\w+)`", names):
            assert number(column) == int(re.search(rf"^#   {name} +(\d+) ", said, re.MULTILINE)[1]), name


def test_the_quick_run_learns_what_the_page_says(tmp_path: Path) -> None:
    row = table("quick")["`dad`"]
    low, high = map(float, re.match(r"([\d.]+)-([\d.]+)", row["test accuracy (%)"]).groups())
    launch = [os.environ["MPIEXEC"], "-n", "2", MINIDAD, "run", str(SOURCE / "input/quick.toml"), "--progress", "none"]
    done = subprocess.run(
        [*launch, "--set", f"output.file={tmp_path}/quick.h5"], check=True, capture_output=True, text=True
    )
    assert len(re.findall(r"^Figure of Merit \(FOM\): [\d.]+$", done.stdout, re.MULTILINE)) == 1
    accuracy = float(re.search(r"^test accuracy +([\d.]+) %", done.stdout, re.MULTILINE)[1])
    assert low - 1 <= accuracy <= high + 1  # three seeds differ by two
    sent = int(re.search(r"^sent +(\d+) bytes", done.stdout, re.MULTILINE)[1])
    assert sent == number(table("exchange")["`dad`"]["quick, 2 ranks"])
