# SPDX-License-Identifier: BSD-3-Clause
"""What describes the program's options says what the program says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
MINIDAD = os.environ["MINIDAD"]
QUIET = {**os.environ, "OMP_PROC_BIND": "false", "KOKKOS_DISABLE_WARNINGS": "1"}


@pytest.mark.parametrize(
    "path", ["docs/options.md", "share/man/man1/minidad.1", "share/bash-completion/completions/minidad"]
)
def test_the_reference_is_that_of_this_program(path: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, SOURCE / "scripts/write_reference.py", MINIDAD, tmp_path], check=True)
    assert (tmp_path / path).read_text() == (SOURCE / path).read_text(), (
        f"{path} is not up to date: run scripts/write_reference.py build/release/miniapp/minidad"
    )


def test_the_settings_are_those_of_a_resolved_deck(tmp_path: Path) -> None:
    """`minidad settings` against `minidad check`, which reads and prints decks by itself."""
    listed = subprocess.run([MINIDAD, "settings"], check=True, capture_output=True, text=True, env=QUIET).stdout
    (tmp_path / "empty.toml").write_text("")
    check = [MINIDAD, "check", "empty.toml", "--set", "data.source=synthetic"]  # which needs no files
    deck = subprocess.run(check, check=True, capture_output=True, text=True, env=QUIET, cwd=tmp_path).stdout
    section, printed = "", {}
    for line in deck.splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            section = heading.group(1)
        elif entry := re.match(r"(\w+) = (.*?) +# ", line):
            printed[f"{section}.{entry.group(1)}"] = entry.group(2)
    printed["data.source"] = "'idx'"
    assert {key: value for key, _, value, _, _ in (line.split("\t") for line in listed.splitlines())} == printed


def complete(line: str, folder: Path) -> list[str]:
    """What bash offers when TAB is pressed at the end of `line`."""
    script = """
        source "$1"
        COMP_LINE=$2 COMP_POINT=${#2}
        read -ra words <<<"${2//=/ = }"  # as COMP_WORDBREAKS parts them
        COMP_WORDS=("${words[@]}")
        if [[ $2 == *' ' ]]; then COMP_WORDS+=(""); fi
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _minidad
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = SOURCE / "share/bash-completion/completions/minidad"
    done = subprocess.run(["bash", "-c", script, "bash", path, line], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0 and not re.sub(r".*compopt.*\n?", "", done.stderr), done.stderr
    return [word for word in done.stdout.splitlines() if word]


def test_completion(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text("")
    (tmp_path / "run.h5").write_text("")
    assert complete("minidad ch", tmp_path) == ["check"]
    assert {"run", "check", "settings", "inspect", "diff", "verify", "--version"} <= set(complete("minidad ", tmp_path))
    assert complete("minidad run sm", tmp_path) == ["small.toml"]
    assert complete("minidad verify r", tmp_path) == ["run.h5"]
    assert set(complete("minidad run small.toml --", tmp_path)) >= {"--set", "--restart", "--progress", "--time-limit"}
    assert complete("minidad check small.toml --ra", tmp_path) == ["--ranks"]
    assert complete("minidad run small.toml --progress p", tmp_path) == ["plain"]
    assert complete("minidad run small.toml --set exchange.me", tmp_path) == ["exchange.method="]
    assert complete("minidad run small.toml --set exchange.method=power", tmp_path) == ["powersgd", "power_dad"]
    assert complete("minidad run small.toml --set data.flip=", tmp_path) == ["true", "false"]
    assert complete("minidad run --restart la", tmp_path) == ["latest"]
