# SPDX-License-Identifier: BSD-3-Clause
"""Runs the program as its users do: in a folder of its own, under mpirun."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
MINIDAD = os.environ["MINIDAD"]


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def complaints(self) -> list[str]:
        """What minidad itself says on stderr; mpirun adds words of its own."""
        return [line for line in self.err.splitlines() if line.startswith("minidad: ")]

    def value(self, label: str) -> str:
        """The last word of the line that starts with `label`."""
        lines = [line for line in self.out.splitlines() if line.startswith(label)]
        assert len(lines) == 1, f"'{label}' should start one line of:\n{self.out}\n{self.err}"
        return lines[0].split()[-1]


def launch(command: list[str], folder: Path, timeout: float = 100) -> Result:
    done = subprocess.run(
        [os.environ["MPIEXEC"], *command], cwd=folder, capture_output=True, text=True, timeout=timeout
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def minidad(tmp_path: Path) -> Callable[..., Result]:
    """minidad("run", deck, ..., ranks=2)"""

    def call(*arguments: object, ranks: int = 1) -> Result:
        return launch(["-n", str(ranks), MINIDAD, *map(str, arguments)], tmp_path)

    return call


@pytest.fixture
def tiny() -> Path:
    return SOURCE / "input" / "tiny.toml"
