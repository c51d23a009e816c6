# SPDX-License-Identifier: BSD-3-Clause
"""Executes docs/tutorial.md, block by block, and checks what it claims."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import h5py

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
TUTORIAL = SOURCE / "docs" / "tutorial.md"


def blocks() -> list[tuple[str, str]]:
    """(language, code), in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", TUTORIAL.read_text(), flags=re.DOTALL | re.MULTILINE)


def place_as_in_the_source(folder: Path) -> dict[str, str]:
    """A folder that looks like the source after a build, and an environment like that after `pip install ./analysis`."""
    (folder / "runs").mkdir()
    (folder / "input").symlink_to(SOURCE / "input")
    program = folder / "build" / "release" / "miniapp" / "minidad"
    program.parent.mkdir(parents=True)
    program.symlink_to(os.environ["MINIDAD"])
    script = folder / "bin" / "minidad-analysis"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m minidad_analysis "$@"\n')
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{script.parent}:{os.environ['PATH']}"}


def test_tutorial(tmp_path, monkeypatch, capsys):
    environment = place_as_in_the_source(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    shown = ""
    languages = []
    for language, code in blocks():
        languages.append(language)
        if language == "bash":
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", code], env=environment, capture_output=True, text=True, timeout=900
            )
            assert done.returncode == 0, done.stdout + done.stderr
            shown += done.stdout
        else:
            exec(compile(code, str(TUTORIAL), "exec"), names)
    shown += capsys.readouterr().out
    assert languages == ["bash", "bash", "python", "python", "bash", "python", "python"]

    # What the text says of them.
    assert names["late"] < 0.6 * names["early"] and names["late"] < 3
    assert names["loss"][-100:].mean() < 0.1
    assert names["local"].mean() < 0.7 * names["everywhere"].mean()
    assert "runs/tutorial_dad.html" in shown and "power_dad" in shown
    accuracy = {}
    for method in ("dad", "power_dad"):
        with h5py.File(f"runs/tutorial_{method}.h5") as file:
            accuracy[method] = file["summary/test_accuracy"][()]
    assert accuracy["dad"] > 0.89 and accuracy["power_dad"] > accuracy["dad"] - 0.01
    for page in ("runs/tutorial_dad.html", "runs/tutorial.html"):
        assert Path(page).read_text().count("<figure ") > 15
