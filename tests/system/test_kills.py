# SPDX-License-Identifier: BSD-3-Clause
"""Kills runs at every kind of bad moment, and lets them go on: nothing is lost but what came after the last checkpoint."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from conftest import MINIDAD, Result
from test_restart import DECK, expect_same_records, minidad_processes

KILLS = int(os.environ.get("MINIDAD_KILLS", "25"))
SEED = int(os.environ.get("MINIDAD_KILL_SEED", "20261126"))
EVERY = 10  # steps between checkpoints
SETTINGS = (
    "--set", "exchange.method=rank_dad", "--set", "low_rank.width=2", "--set", "low_rank.feedback=4",
    "--set", f"checkpoint.every={EVERY}", "--set", "checkpoint.keep=2", "--set", "training.record_every=5",
)  # fmt: skip


def launch(folder: Path, kill_at: int | None, kill_after: float | None, epochs: int) -> Result:
    environment = dict(os.environ)
    if kill_at is not None:
        environment.update(
            LD_PRELOAD=os.environ["MINIDAD_KILL_LIBRARY"],
            KILL_AT=str(kill_at),
            KILL_RANK=str(kill_at % 2),
            ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
        )
    run = subprocess.Popen(
        [os.environ["MPIEXEC"], "-n", "2", MINIDAD, "run", "deck.toml", *SETTINGS, "--restart", "latest",
         "--set", f"training.epochs={epochs}", "--progress", "plain"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    if kill_after is not None:
        time.sleep(kill_after)
        for pid in minidad_processes(folder):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    out, err = run.communicate(timeout=120)
    return Result(run.returncode, out, err)


def test_a_run_that_is_killed_again_and_again_ends_as_if_it_never_was(tmp_path):
    chance = random.Random(SEED)
    # 40 steps each, four checkpoints: twice what a quick machine has time for between two kills.
    epochs = 2 + 2 * KILLS
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "deck.toml").write_text(DECK)
    whole = launch(tmp_path / "whole", None, None, epochs)
    assert whole.code == 0, whole.err

    folder = tmp_path / "killed"
    kills = begun = saved = 0
    while True:
        by_time = chance.random() < 0.25
        kill_at = None if by_time else chance.randrange(0, 500)
        kill_after = chance.uniform(0.3, 0.7) if by_time else None
        if kills == KILLS:
            kill_at = kill_after = None
        result = launch(folder, kill_at, kill_after, epochs)
        assert not [c for c in result.complaints if "damaged" in c], result.err  # no partial file is ever met
        start = re.search(r"restart   from \S+\.step(\d+)\.h5", result.out)
        if start:
            step = int(start[1])
            assert step >= saved, f"a checkpoint is lost: {step} after {saved}"
            begun += 1
        elif "nothing is left to do" not in result.out:
            assert saved == 0 or "restart " not in result.out, result.out + result.err
        notes = re.findall(r"^checkpoint \S+\.step(\d+)\.h5$", result.out, flags=re.M)
        saved = max([saved, *map(int, notes)])
        if result.code == 0:
            break
        kills += 1
    print(f"{kills} kills, {begun} restarts, {saved} steps")
    assert kills == KILLS, "the run was over too soon to be a test"
    digest = whole.value("parameter digest")
    if "nothing is left to do" not in result.out:
        assert result.value("parameter digest") == digest
    expect_same_records(tmp_path / "whole" / "run.h5", folder / "run.h5")
    left = sorted(path.name for path in folder.iterdir() if ".step" not in path.name)
    assert left == ["deck.toml", "run.h5"]
    assert len([path for path in folder.iterdir() if ".step" in path.name]) == 2
