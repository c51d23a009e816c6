# SPDX-License-Identifier: BSD-3-Clause
import subprocess
import sys

import pytest


def test_folder_is_listed(make_run, command, tmp_path):
    make_run("b.h5", method="dsgd")
    make_run("a.h5.tmp", complete=False)
    make_run("c.h5", steps=())
    (tmp_path / "notes.txt").write_text("no run")
    result = command("ls", tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    header, *lines = (line.split() for line in result.stdout.splitlines())
    assert [line[0].split("/")[-1] for line in lines] == ["a.h5.tmp", "b.h5", "c.h5"]
    assert lines[0][1:6] == ["not", "complete", "dad", "2", "30"]
    assert lines[1][1:7] == ["complete", "dsgd", "2", "30", "2.0000", "87.65"]
    assert lines[2][4] == "0"


@pytest.mark.parametrize("locking", ["TRUE", "FALSE", None])
def test_files_are_read_with_and_without_locks(make_run, command, monkeypatch, locking):
    """Many parallel file systems have none, so that is the default."""
    monkeypatch.delenv("HDF5_USE_FILE_LOCKING", raising=False)
    if locking:
        monkeypatch.setenv("HDF5_USE_FILE_LOCKING", locking)
    assert command("ls", make_run()).returncode == 0
    said = "import os, minidad_analysis; print(os.environ['HDF5_USE_FILE_LOCKING'])"
    shown = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True).stdout
    assert shown.strip() == (locking or "FALSE")


def test_readers_may_leave_early(make_run, tmp_path):
    """As `| head -1` does: no word of complaint."""
    for i in range(3):
        make_run(f"{i}.h5")
    program = subprocess.Popen(
        [sys.executable, "-m", "minidad_analysis", "ls", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    program.stdout.close()
    assert program.stderr.read() == b""
    assert program.wait() == 141


def test_what_is_no_run_is_named(make_run, command, tmp_path):
    make_run()
    (tmp_path / "bad.h5").write_text("no")
    result = command("ls", tmp_path)
    assert result.returncode == 2
    assert result.stderr == f"minidad-analysis: {tmp_path}/bad.h5: not an HDF5 file\n"
    assert len(result.stdout.splitlines()) == 2
