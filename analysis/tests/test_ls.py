# SPDX-License-Identifier: BSD-3-Clause


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


def test_what_is_no_run_is_named(make_run, command, tmp_path):
    make_run()
    (tmp_path / "bad.h5").write_text("no")
    result = command("ls", tmp_path)
    assert result.returncode == 2
    assert result.stderr == f"minidad-analysis: {tmp_path}/bad.h5: not an HDF5 file\n"
    assert len(result.stdout.splitlines()) == 2
