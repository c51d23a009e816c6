# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong with a file is said in one line, with exit code 2 and without a traceback."""

import pytest

from minidad_analysis.__main__ import KINDS
from minidad_analysis.schema import AXES, SERIES


def refusal(result) -> str:
    assert result.returncode == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("minidad-analysis: ")
    return line


def without(name):
    def remove(file):
        del file[name]

    return remove


def replaced(name, value):
    def replace(file):
        del file[name]
        file[name] = value

    return replace


def as_type(name, kind, rows=None):
    """The same dataset with another type, or with the first rows only."""

    def change(file):
        old = file[name]
        values, scales = old[()], [axis[0] for axis in old.dims]
        del file[name]
        file[name] = values.astype(kind)[:rows]
        for dimension, scale in zip(file[name].dims, scales):
            dimension.attach_scale(scale)

    return change


READERS = (
    ("ls",),
    ("report",),
    ("plot", "learning"),
    ("compare",),
    ("watch", "--once"),
    ("scaling",),
    ("export", "csv"),
    ("verify",),
)


@pytest.mark.parametrize("what", READERS, ids=lambda what: what[0])
def test_every_command_refuses_what_is_no_run(make_run, real_file, tmp_path, command, what):
    text, cut = tmp_path / "text.h5", tmp_path / "cut.h5"
    text.write_text("no HDF5")
    cut.write_bytes(real_file.read_bytes()[:100_000])
    for path, reason in (
        (text, "not an HDF5 file"),
        (cut, "truncated"),
        (tmp_path / "nothing.h5", "No such file or directory"),
        (make_run("newer.h5", version="2.0"), "schema version '2.0' is not understood"),
        (make_run("other.h5", schema="minidad-checkpoint"), "not a run file of minidad"),
    ):
        result = command(*what, path)
        (line,) = result.stderr.splitlines()
        assert result.returncode == 2 and line.startswith("minidad-analysis: ")
        assert str(path) in line and reason in line


@pytest.mark.parametrize("kind", KINDS)
def test_plots_of_runs_without_steps_or_groups(make_run, command, tmp_path, kind):
    empty = make_run("empty.h5", steps=())
    line = refusal(command("plot", kind, empty, "-o", tmp_path))
    assert str(empty) in line
    one = command("plot", kind, make_run("one.h5", steps=(10,)), "-o", tmp_path)
    if kind in ("break_even", "traffic", "time"):  # which have no axis of steps
        assert one.returncode == 0, one.stderr
    else:
        refusal(one)


@pytest.mark.parametrize("what", [("report",), ("export", "tensorboard"), ("export", "chrome-trace"), ("verify",)])
def test_empty_runs_are_refused(make_run, command, what):
    assert "no step has been recorded" in refusal(command(*what, make_run(steps=())))


@pytest.mark.parametrize("content, reason", [(b"", "not an HDF5 file"), (b"no HDF5\n" * 100, "not an HDF5 file")])
def test_not_hdf5(tmp_path, command, content, reason):
    path = tmp_path / "run.h5"
    path.write_bytes(content)
    assert refusal(command("compare", path)).endswith(f"{path}: {reason}")


def test_missing_file_and_folder(tmp_path, command):
    path = tmp_path / "run.h5"
    assert refusal(command("compare", path)).endswith(f"{path}: No such file or directory")
    assert refusal(command("compare", tmp_path)).endswith(f"{tmp_path}: Is a directory")


@pytest.mark.parametrize("keep", [7, 8, 50, 96, 800, 2048, 0.3, 0.9, -1])
def test_truncated(real_file, tmp_path, command, keep):
    path = tmp_path / "run.h5"
    whole = real_file.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    line = refusal(command("compare", path))
    assert str(path) in line
    assert keep in (7, 8) or "truncated" in line, line


@pytest.mark.parametrize(
    "how, reason",
    [
        ({"schema": "minidad-checkpoint"}, "not a run file of minidad"),
        ({"change": lambda file: file.attrs.clear()}, "not a run file of minidad"),
        ({"version": "2.0"}, "schema version '2.0' is not understood, only 1.x is"),
        ({"version": "10.0"}, "schema version '10.0' is not understood, only 1.x is"),
        ({"version": ""}, "schema version '' is not understood, only 1.x is"),
        ({"complete": False}, "the run is not complete"),
        ({"change": without("provenance")}, "dataset 'provenance/deck' is missing"),
        ({"change": without("summary")}, "dataset 'summary/samples_per_second' is missing"),
        (
            {"change": without("summary/test_accuracy")},
            "dataset 'summary/test_accuracy' is missing",
        ),
        ({"change": replaced("loss", [1.0, 2.0, 3.0])}, "dataset 'loss' has the axes"),
        ({"change": as_type("loss", float, rows=2)}, "dataset 'loss' is (2,), its axes are (3,)"),
        ({"change": as_type("messages", float)}, "dataset 'messages' has the type float64"),
        (
            {"change": replaced("summary/test_accuracy", "good")},
            "'summary/test_accuracy' is not a",
        ),
        ({"change": replaced("summary", 1)}, "dataset 'summary/samples_per_second' is missing"),
    ],
)
def test_wrong_content(make_run, command, how, reason):
    path = make_run(**how)
    line = refusal(command("compare", path))
    assert f"{path}: " in line and reason in line


@pytest.mark.parametrize("name", [*AXES, *SERIES])
def test_missing_dataset(make_run, command, name):
    line = refusal(command("compare", make_run(change=without(name))))
    assert line.endswith(f"dataset '{name}' is missing")


def test_wrong_command_line(command):
    assert "RUN" in refusal(command("compare"))
    assert "COMMAND" in refusal(command())
