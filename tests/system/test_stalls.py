# SPDX-License-Identifier: BSD-3-Clause
"""A rank that is stuck ends the job: one clear line, an exit code of its own, nobody left behind."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from conftest import launch

PROGRAM = os.environ["MINIDAD_FAILING_RANK"]  # its stall limit is 2 s


def expect_stall(folder, *arguments: str, says: str):
    start = time.monotonic()
    result = launch(["-n", "4", PROGRAM, *arguments], folder, timeout=60)
    assert result.code == 4, result.err
    assert len(result.complaints) == 1, result.err
    assert re.fullmatch(f"minidad: {says}", result.complaints[0])
    assert time.monotonic() - start >= 2
    assert not left_behind()


def left_behind() -> list[str]:
    """What is left of the program in the process table, a moment after mpirun has ended."""
    deadline = time.monotonic() + 5
    while (found := list(filter(is_program, Path("/proc").glob("[0-9]*")))) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def is_program(process: Path) -> bool:
    try:
        return (process / "exe").resolve() == Path(PROGRAM).resolve()
    except OSError:
        return False


@pytest.mark.parametrize("how", ["asleep", "stopped"])
@pytest.mark.parametrize(
    ("culprits", "speaker", "missing"),
    [(["3"], 0, "rank 3 is missing"), (["1", "3"], 0, "ranks 1, 3 are missing"), (["0"], 1, "rank 0 is missing")],
)
def test_ranks_that_do_not_come_are_named(tmp_path, how, culprits, speaker, missing):
    line = rf"rank {speaker}: stalled for 2\S* s in allreduce of layer0 to layer1: {missing}"
    expect_stall(tmp_path, how, *culprits, says=line)


def test_a_rank_that_does_not_finish_is_named(tmp_path):
    """Others may be through: what MPI has sent for the rank is up to MPI."""
    expect_stall(tmp_path, "started", "3", says=r"rank \d: stalled for 2\S* s in allreduce of \w.*: rank 3 is missing")


def test_ranks_that_wait_for_each_other_are_told_so(tmp_path):
    expect_stall(tmp_path, "crossed", says=r"rank 0: stalled for 2\S* s in receive of layer0: no rank is missing, .*")
