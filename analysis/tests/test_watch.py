# SPDX-License-Identifier: BSD-3-Clause
import os
import pty
import re
import subprocess
import sys

import numpy as np
import pytest

from minidad_analysis import read_run
from minidad_analysis.watch import look, one_line, screen, sparkline


def total(file):
    file["provenance/total_steps"] = "120"


def test_screen_shows_what_counts(make_run):
    path = make_run("run.h5.tmp", complete=False, version="1.1", probe=True, change=total)
    text = "\n".join(screen(look(str(path).removesuffix(".tmp"))))
    for part in ("dad on 2 ranks", "25 %  step 30 of 120", "ETA", "loss", "accuracy", "sent by a rank", "waiting"):
        assert part in text, part
    assert "singular values at step 51" in text and text.count("effective rank") == 2
    assert "last written 0:0" in text


def test_eta_is_what_is_left_at_the_speed_so_far(make_run):
    path = make_run("run.h5.tmp", complete=False, change=total)
    run = look(str(path))
    seconds = run.series["seconds"].values.sum(axis=2).max(axis=1).sum()  # for 30 steps
    minutes, left = map(int, re.search(r"ETA (\d+):(\d+)", "\n".join(screen(run))).groups())
    assert 3 * seconds - 30 < 60 * minutes + left <= 3 * seconds


def test_run_without_steps_or_total(make_run):
    empty = read_run(make_run(complete=False, steps=()), allow_incomplete=True)
    assert "no step has been recorded yet" in screen(empty) and one_line(empty) == "no step has been recorded yet"
    older = read_run(make_run("older.h5", complete=False), allow_incomplete=True)
    assert "ETA" not in "\n".join(screen(older)) and one_line(older).startswith("step 30  loss")


def test_complete_run_ends_the_watch(make_run, command):
    result = command("watch", make_run())
    assert (result.returncode, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()  # no terminal: a plain line
    assert line.startswith("step 30  loss 2.0000") and line.endswith("complete")


def test_plain_lines_tell_news_only(make_run, tmp_path):
    """A line for each time that the file has more, until the run is complete under its own name."""
    live = make_run("run.h5.tmp", complete=False)
    program = subprocess.Popen(
        [sys.executable, "-m", "minidad_analysis", "watch", str(tmp_path / "run.h5"), "--every", "0.05"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdout.readline().startswith("step 30 ")
    make_run("next", complete=False, steps=(10, 20, 30, 40)).replace(live)
    assert program.stdout.readline().startswith("step 40 ")
    make_run("run.h5", steps=(10, 20, 30, 40, 50))
    live.unlink()
    lines = program.stdout.read().splitlines()
    assert len(lines) == 1 and lines[0].startswith("step 50 ") and lines[0].endswith("complete")
    assert program.wait() == 0


def test_run_that_is_complete_by_now(make_run):
    """The file was there when it was read."""
    path = make_run("run.h5.tmp", complete=False, change=total)
    run = look(str(path))
    path.unlink()
    assert "ETA" in "\n".join(screen(run))


def test_terminal_gets_a_screen(make_run):
    path = make_run()
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    done = subprocess.run(
        [sys.executable, "-m", "minidad_analysis", "watch", str(path)], stdout=follower, env=environment, timeout=60
    )
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    assert done.returncode == 0
    assert shown.startswith("\033[H\033[J") and "sent by a rank" in shown


def test_missing_run_is_said(command, tmp_path):
    result = command("watch", tmp_path / "run.h5", "--once")
    assert result.returncode == 2 and result.stderr.endswith("run.h5: No such file or directory\n")


@pytest.mark.parametrize(
    "values, line",
    [
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([1, np.nan, 2], "▁ █"),
        ([5, 5], "▁▁"),
        ([], ""),
        (np.arange(4800), None),
    ],
)
def test_sparkline(values, line):
    drawn = sparkline(values)
    assert drawn == line if line is not None else len(drawn) == 48 and drawn[0] == "▁" and drawn[-1] == "█"
