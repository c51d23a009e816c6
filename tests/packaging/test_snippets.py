# SPDX-License-Identifier: BSD-3-Clause
"""What pages tell readers to type: programs, decks, settings, options, presets and scripts exist. Decks are checked and
Python is executed; docs/tutorial.md has a test of its own, which executes all of it."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
MINIDAD = os.environ["MINIDAD"]
PAGES = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *sorted((SOURCE / "docs").glob("*.md"))]
PAGES += [SOURCE / folder / "README.md" for folder in ("analysis", "spack")]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def text_of(page: Path) -> str:
    return FENCED.sub("", page.read_text())


def blocks(language: str) -> list[tuple[str, str]]:
    """(page, code) of what is between fences."""
    return [(page.name, code) for page in PAGES for name, code in FENCED.findall(page.read_text()) if name == language]


def commands() -> list[list[str]]:
    """What is typed, a word each, without what only launches it. Programs are known by their names."""
    lines = [line for page in PAGES for line in re.findall(r"^ {4}(.*)$", text_of(page), re.MULTILINE)]
    lines += [line for _, code in blocks("bash") for line in code.replace("\\\n", " ").splitlines()]
    found = []
    for line in lines:
        line = re.sub(r"\$\(\(([\d* ]+)RANKS\)\)", lambda m: str(eval(m[1] + "64")), line)
        shell = shlex.shlex(line, posix=True, punctuation_chars=";&")
        shell.whitespace_split = True
        try:
            typed = list(shell)
        except ValueError:  # prose, or a table
            continue
        for separates, part in itertools.groupby(typed, key=lambda word: word in (";", "&&")):
            words = [] if separates else list(part)
            while words and re.match(r"[A-Z_]+=|mpirun$|srun$|sbatch$|-[nN]$|--ntasks|--gpus|\d+$", words[0]):
                words.pop(0)
            if words:
                found.append(words)
    return found


def of_program(name: str) -> list[list[str]]:
    return [words[1:] for words in commands() if Path(words[0]).name == name]


@cache
def help_of(*command: str) -> str:
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, cwd=SOURCE / "analysis/src")
    assert done.returncode == 0, done.stderr
    return done.stdout


def expect_options(words: list[str], help_text: str) -> None:
    for word in words:
        if word.startswith("--"):
            assert re.search(rf"{word.split('=')[0]}\b", help_text), f"{' '.join(words)}: no option {word}"


def test_minidad_is_called_as_it_wants_to_be(tmp_path: Path) -> None:
    (tmp_path / "input").symlink_to(SOURCE / "input")
    calls = [words for words in of_program("minidad") if words and not re.match(r"[\d<]", words[0])]
    assert len(calls) >= 12
    for verb, *words in calls:
        expect_options([word.strip("[") for word in words], help_of(MINIDAD, verb))
        if verb not in ("run", "check"):
            continue
        sets = [part for i, word in enumerate(words) if word == "--set" for part in ("--set", words[i + 1])]
        decks = [word for word in words if word.endswith(".toml")] or ["deck.toml"]
        deck = SOURCE / "input/tiny.toml" if decks[0] == "deck.toml" else decks[0]
        ranks = [part for i, word in enumerate(words) if word == "--ranks" for part in ("--ranks", words[i + 1])]
        done = subprocess.run([MINIDAD, "check", deck, *sets, *ranks], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}: {done.stderr}"


def test_the_analysis_is_called_as_it_wants_to_be() -> None:
    calls = of_program("minidad-analysis")
    assert len(calls) >= 4
    for verb, *words in calls:
        expect_options(words, help_of(sys.executable, "-m", "minidad_analysis", verb))


def test_presets_options_scripts_and_environments_exist() -> None:
    presets = set(re.findall(r'"name": "(\w+)"', (SOURCE / "CMakePresets.json").read_text()))
    options = (SOURCE / "CMakeLists.txt").read_text()
    for words in of_program("cmake") + of_program("ctest"):
        for i, word in enumerate(words):
            assert word != "--preset" or words[i + 1] in presets, words
            if match := re.match(r"-D(MINIDAD_\w+)=", word):
                assert match[1] in options, words
    scripts = [words for words in commands() if re.match(r"(\./)?scripts/", words[0])]
    assert len(scripts) >= 5
    for words in scripts:
        assert os.access(SOURCE / words[0], os.X_OK), words
        for word in words[1:]:
            assert not word.endswith(".toml") or word == "deck.toml" or (SOURCE / word).exists(), words
    for words in of_program("spack"):
        assert words[0] != "-e" or (SOURCE / words[1] / "spack.yaml").exists(), words


@pytest.mark.parametrize(("page", "code"), blocks("toml"), ids=[page for page, _ in blocks("toml")])
def test_decks_in_pages_are_decks(tmp_path: Path, page: str, code: str) -> None:
    (tmp_path / "deck.toml").write_text(code)
    done = subprocess.run([MINIDAD, "check", "deck.toml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_python_in_pages_runs(tmp_path: Path) -> None:
    done = subprocess.run(
        [os.environ["MPIEXEC"], "-n", "2", MINIDAD, "run", str(SOURCE / "input/tiny.toml"), "--progress", "none",
         "--set", "exchange.method=dad", "--set", "training.epochs=1", "--set", "probe.every=20",
         "--set", "output.file=runs/dad.h5"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    environment = os.environ | {"PYTHONPATH": str(SOURCE / "analysis/src"), "MPLBACKEND": "agg"}
    codes = [code for page, code in blocks("python") if page != "tutorial.md"]
    assert codes
    for code in codes:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
