# SPDX-License-Identifier: BSD-3-Clause
import random

import h5py
import numpy as np
import pytest

from minidad_analysis.verify import faults


def test_real_run_is_well(real_file, command):
    result = command("verify", real_file)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{real_file}: complete, undamaged")


def test_any_changed_byte_is_found(real_file, tmp_path):
    """Also one that HDF5 would read without complaint."""
    whole = bytearray(real_file.read_bytes())
    generator = random.Random(7)
    path = tmp_path / "run.h5"
    for place in [4096, len(whole) - 1, *(generator.randrange(4096, len(whole)) for _ in range(6))]:
        spoiled = bytearray(whole)
        spoiled[place] ^= 1 << generator.randrange(8)
        path.write_bytes(spoiled)
        assert faults(str(path)), place


def test_seal_is_needed(make_run):
    assert faults(str(make_run(version="1.2")))[0].startswith("is not sealed")


def good(file):
    """Numbers that fit together."""
    for name in ("accuracy", "test_accuracy"):
        file[name][...] = 0.5
    file["summary/test_accuracy"][...] = 0.5
    file["summary/steps"] = np.int64(30)
    file["summary/bytes_per_step"][...] = file["bytes_sent"][()][:, :, 1:].sum() / 2 / 30


def spoiled(name, value):
    def change(file):
        good(file)
        file[name][...] = value

    return change


@pytest.mark.parametrize(
    "change, reason",
    [
        (good, None),
        (spoiled("step", [10, 30, 20]), "axis step does not rise"),
        (spoiled("seconds", -1), "seconds is negative somewhere"),
        (spoiled("accuracy", 1.5), "accuracy is outside of 0 ... 1"),
        (spoiled("summary/test_accuracy", 0.25), "the summary's test accuracy, 0.25, is not that of the last epoch"),
        (spoiled("summary/steps", 31), "the summary has 31 steps, the series end at 30"),
        (spoiled("summary/bytes_per_step", 7.0), "the summary has 7.0 bytes a step, the channels sum up to"),
    ],
)
def test_numbers_must_agree(make_run, change, reason):
    found = faults(str(make_run(change=change)))
    assert found == [] if reason is None else any(line.startswith(reason) for line in found), found


def test_faults_are_told_with_their_file(make_run, command, tmp_path):
    bad, text = make_run(change=spoiled("seconds", -1)), tmp_path / "text.h5"
    text.write_text("no")
    result = command("verify", bad, text, make_run("good.h5", change=good))
    assert result.returncode == 2 and "good.h5: complete" in result.stdout
    assert f"{bad}: seconds is negative somewhere" in result.stderr
    assert f"{text}: not an HDF5 file" in result.stderr
    empty = command("verify", make_run("empty.h5", steps=()))
    assert empty.returncode == 2 and "is empty" in empty.stderr


def test_digest_is_that_of_the_program(real_file):
    """The seal that minidad wrote, computed here from all bytes behind it."""
    from minidad_analysis.verify import digest

    with open(real_file, "rb") as file:
        said = file.read(4096).rstrip(b"\0\n").decode()
    assert said.endswith(f"digest {digest(str(real_file)):016x}")
    assert h5py.File(real_file).userblock_size == 4096
