# SPDX-License-Identifier: BSD-3-Clause
"""Checkpoints: written, read by everybody's tools, gone on from on any number of ranks, and refused when they are wrong."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray

from conftest import MINIDAD, SOURCE, launch

DECK = """
[data]
source = "synthetic"
features = 24
classes = 4
train_samples = 640
test_samples = 100
mean = 0.5
deviation = 0.289
[model]
hidden = [20, 12]
[training]
epochs = 4
batch = 16
[schedule]
rate = 0.05
"""
STEPS = 160
# Runs that end when somebody asks them to: however many steps they take until then, they must not diverge, as one at the
# deck's rate has done after some ten thousand.
SMALL_RATE = ("--set", "schedule.rate=1e-5")
LONG = ("--set", "training.epochs=100000", *SMALL_RATE)

FEEDBACK = ("--set", "low_rank.width=2", "--set", "low_rank.feedback=4", "--set", "low_rank.min_compression=0")
METHODS = {
    "dsgd": ("--set", "exchange.method=dsgd"),
    "edad": ("--set", "exchange.method=edad"),
    "rank_dad": ("--set", "exchange.method=rank_dad", *FEEDBACK),
    "tree": ("--set", "exchange.method=rank_dad", "--set", "low_rank.pattern=tree", *FEEDBACK),
    "power_dad": ("--set", "exchange.method=power_dad", *FEEDBACK),
    "powersgd": ("--set", "exchange.method=powersgd", *FEEDBACK),
}


def expect_same_records(one: Path, other: Path, records: slice = slice(None)) -> None:
    """All series but those of time, and of control traffic: a restart has some of its own."""
    with h5py.File(one) as a, h5py.File(other) as b:
        assert list(a["channel"]) == list(b["channel"])
        exchanged = [i for i, name in enumerate(a["channel"]) if not name.startswith(b"control")]
        for name in a:
            if not isinstance(a[name], h5py.Dataset) or a[name].dtype == object or "seconds" in name:
                continue
            x, y = a[name][()], b[name][()]
            if name in ("bytes_sent", "messages"):
                x, y = x[..., exchanged], y[..., exchanged]
            assert x.shape == y.shape, name
            if name == "bytes_sent":
                np.testing.assert_allclose(x, y, rtol=1e-12)  # sums of fractions of bytes, carried over
            elif name in ("loss",):
                np.testing.assert_allclose(x, y, rtol=1e-14)  # a record's sum, cut where the run was
            else:
                np.testing.assert_array_equal(x, y, err_msg=name)


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    (tmp_path / "deck.toml").write_text(DECK)
    return tmp_path


def minidad_processes(folder: Path) -> list[int]:
    """Those that work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text() == "minidad\n" and (process / "cwd").resolve() == folder.resolve():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("run.step*.h5"))


def name_of(step: int) -> str:
    return f"run.step{step:012}.h5"


@pytest.mark.parametrize("method", METHODS)
def test_a_restart_ends_with_the_bits_and_the_records_of_the_whole_run(minidad, deck, method):
    whole = minidad("run", "deck.toml", *METHODS[method], "--set", "checkpoint.every=35",
                    "--set", "checkpoint.keep=9", "--set", "probe.every=50", ranks=2)  # fmt: skip
    assert whole.code == 0, whole.err
    assert checkpoints(deck) == [name_of(step) for step in (35, 70, 105, 140, STEPS)]
    shutil.copy(deck / "run.h5", deck / "whole.h5")
    again = minidad("run", "--restart", name_of(70), ranks=2)  # within an epoch, the deck from the file
    assert again.code == 0, again.err
    assert again.value("parameter digest") == whole.value("parameter digest")
    expect_same_records(deck / "whole.h5", deck / "run.h5")
    with h5py.File(deck / "run.h5") as file:
        assert "from step 70 of 2 ranks" in file["provenance/restarts"].asstr()[()]
    assert minidad("verify", "run.h5").code == 0
    assert all(minidad("verify", name).code == 0 for name in checkpoints(deck))
    more = minidad("run", "--restart", "latest", ranks=2)
    assert more.code == 0 and "nothing is left to do" in more.out


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("before", "after"), [(2, 3), (3, 1)])
def test_a_restart_on_other_ranks_goes_on_and_keeps_the_records(minidad, deck, method, before, after):
    arguments = (*METHODS[method], "--set", "checkpoint.every=80")
    whole = minidad("run", "deck.toml", *arguments, ranks=before)
    assert whole.code == 0, whole.err
    shutil.copy(deck / "run.h5", deck / "whole.h5")
    again = minidad("run", "--restart", name_of(80), ranks=after)
    assert again.code == 0, again.err
    assert f"written by {before} ranks" in again.out
    with h5py.File(deck / "whole.h5") as a, h5py.File(deck / "run.h5") as b:
        assert list(a["step"]) == list(b["step"])
        np.testing.assert_array_equal(a["loss"][:8], b["loss"][:8])
        # The same samples in the same steps. Exact methods differ by rounding, others by what they leave out.
        np.testing.assert_allclose(a["loss"][8:], b["loss"][8:], rtol=1e-4 if method in ("dsgd", "edad") else 0.5)
        most = max(before, after)
        assert list(b["rank"]) == list(range(most))
        seconds, width = b["seconds"][()], b["factor_width"][()]
        absent = (slice(None, 8), slice(before, None)) if before < most else (slice(8, None), slice(after, None))
        assert np.all(seconds[absent] == 0) and np.all(np.isnan(width[absent]))
        assert np.all(seconds[:8, :before].sum(axis=2) > 0) and np.all(seconds[8:, :after].sum(axis=2) > 0)
        np.testing.assert_array_equal(seconds[:8, :before], a["seconds"][:8])


def test_deterministic_runs_go_on_to_the_same_bits_on_any_number_of_ranks(minidad, deck):
    whole = minidad("run", "deck.toml", "--set", "exchange.method=edad", "--set", "exchange.deterministic=true",
                    "--set", "exchange.row_block=4", "--set", "checkpoint.every=50", "--set", "checkpoint.keep=9",
                    ranks=2)  # fmt: skip
    assert whole.code == 0, whole.err
    for ranks in (3, 1, 4):
        again = minidad("run", "--restart", name_of(50), "--set", f"output.file=on{ranks}.h5", ranks=ranks)
        assert again.value("parameter digest") == whole.value("parameter digest")


def test_everybody_reads_a_checkpoint(minidad, deck):
    done = minidad("run", "deck.toml", *METHODS["power_dad"], "--set", "checkpoint.every=80", "--set", "probe.every=40",
                   ranks=2)  # fmt: skip
    assert done.code == 0, done.err
    path = deck / name_of(80)
    for tool, name in ((["h5ls", "-r"], "/state/network/layer0/weight"), (["h5dump"], 'DATASET "velocity"')):
        result = subprocess.run(
            [*tool, path], capture_output=True, text=True
        )  # h5dump reads, and so checks, all values
        assert result.returncode == 0 and name in result.stdout
    names = []
    with h5py.File(path) as file:
        assert file.attrs["schema_name"] == b"minidad-checkpoint"
        file["state"].visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in names:
            one = file["state"][name]
            assert one.fletcher32 and one.chunks
            one[()]
        assert b"power_dad" in file["provenance/deck"][0]
        assert file["state/network/layer0/weight"].shape == (24, 20)
        assert file["state/trainer/steps"][0] == 80
        spectrum = file["state/probe/gradient_spectrum"][()]
        assert np.all(np.isfinite(spectrum)) and spectrum.max() > 0
    assert len(names) > 30
    for engine in ("h5netcdf", "netcdf4"):
        for group in ("/provenance", "/state/trainer", "/state/network/layer1", "/state/exchange/layer0"):
            with xarray.open_dataset(path, engine=engine, group=group) as data:
                data.load()
                assert len(data) > 0


def test_signals_time_and_a_file_ask_for_a_checkpoint(minidad, deck):
    result = minidad("run", "deck.toml", *LONG, "--progress", "plain", "--time-limit", "00:00:01", ranks=2)
    assert result.code == 75, result.err
    steps = int(re.search(r"stopped after step (\d+) of \d+ by the time limit", result.out)[1])
    assert steps > 0 and checkpoints(deck) == [name_of(steps)]
    with h5py.File(deck / "run.h5.tmp") as file:  # whole, though the run is not complete
        assert file.attrs["complete"] == 0 and list(file["step"]) == list(range(10, steps + 1, 10))

    for signum in (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        run = subprocess.Popen([MINIDAD, "run", "--restart", "latest"], cwd=deck, stdout=subprocess.PIPE, text=True)
        (deck / "checkpoint_now").touch()
        while (deck / "checkpoint_now").exists():  # however slow the machine is
            assert run.poll() is None
            time.sleep(0.05)
        assert (between := checkpoints(deck)[-1]) > name_of(steps)
        run.send_signal(signum)
        out, _ = run.communicate(timeout=60)
        assert run.returncode == 75
        steps = int(re.search(rf"stopped after step (\d+) of \d+ by {signum.name}", out)[1])
        assert name_of(steps) >= between and checkpoints(deck)[-1] == name_of(steps)


def test_what_cannot_go_on_is_refused(minidad, deck):
    assert minidad("run", "deck.toml", "--set", "checkpoint.every=80", ranks=2).code == 0
    file = name_of(80)

    def refused(*arguments, ranks=2):
        result = minidad("run", *arguments, ranks=ranks)
        assert result.code == 2 and len(result.complaints) == 1, result.err
        return result.complaints[0]

    assert "deck" in refused()
    assert "nowhere.h5: No such file" in refused("--restart", "nowhere.h5")
    assert "not sealed" in refused("--restart", "deck.toml")
    assert "not a minidad-checkpoint file" in refused("--restart", "run.h5")
    text = refused("--restart", file, "--set", "model.hidden=[20]", "--set", "training.batch=8")
    assert "model.hidden was [20, 12], now [20]" in text and "training.batch was 16, now 8" in text
    assert "not a duration" in refused("--restart", file, "--time-limit", "soon")
    assert "there is no checkpoint in" in refused("--restart", "/")
    assert "cannot be made" in refused(
        "deck.toml", "--set", "output.file=x.h5", "--set", "checkpoint.folder=/proc/none"
    )
    assert "nothing can be written" in refused(
        "deck.toml", "--set", "output.file=x.h5", "--set", "checkpoint.folder=/proc"
    )
    assert "training.epochs = 1 are 40 steps" in refused("--restart", file, "--set", "training.epochs=1")
    changed = minidad("run", "--restart", file, "--set", "schedule.rate=0.02", "--set", "exchange.method=powersgd",
                      "--set", "optimiser.method=adamw", "--set", "output.file=other.h5", ranks=2)  # fmt: skip
    assert changed.code == 0, changed.err
    assert (
        "changed   schedule.rate: 0.05 -> 0.02" in changed.out
        and "anew      state of: exchange, optimiser" in changed.out
    )
    assert any("a new one begins here" in line for line in changed.complaints)
    assert "other traffic channels" in refused("--restart", file, "--set", "exchange.method=edad")


def test_models_that_are_not_replicas_need_their_ranks(minidad, deck):
    assert (
        minidad("run", "deck.toml", "--set", "exchange.method=none", "--set", "checkpoint.every=80", ranks=2).code == 0
    )
    result = minidad("run", "--restart", name_of(80), ranks=3)
    assert result.code == 2 and "must go on with 2 ranks, not 3" in result.complaints[0]
    assert minidad("run", "--restart", name_of(80), ranks=2).code == 0


def test_a_damaged_checkpoint_is_named_and_an_older_one_used(minidad, deck):
    whole = minidad("run", "deck.toml", "--set", "checkpoint.every=40", ranks=2)
    newest, older = checkpoints(deck)[-1], checkpoints(deck)[-2]
    content = bytearray((deck / newest).read_bytes())
    content[len(content) // 2] ^= 1
    (deck / newest).write_bytes(content)
    again = minidad("run", "deck.toml", "--set", "checkpoint.every=40", "--set", "output.overwrite=true",
                    "--restart", "latest", ranks=2)  # fmt: skip
    assert again.code == 0, again.err
    assert len(again.complaints) == 1 and newest in again.complaints[0] and "damaged" in again.complaints[0]
    assert older in again.out and (deck / (newest + ".damaged")).exists()
    assert again.value("parameter digest") == whole.value("parameter digest")


def test_divergence_ends_the_run_with_evidence_or_rolls_back(minidad, deck):
    hot = ("--set", "schedule.rate=40", "--set", "checkpoint.every=40")
    result = minidad("run", "deck.toml", *hot, ranks=2)
    assert result.code == 5 and len(result.complaints) == 1, result.err
    step = int(re.search(r"step (\d+): .*evidence", result.complaints[0])[1])
    evidence = deck / f"run.evidence.step{step - 1:012}.h5"
    assert evidence.exists() and minidad("verify", evidence.name).code == 0
    assert not (deck / "run.h5").exists()
    again = minidad("run", "deck.toml", *hot, "--set", "failure.policy=rollback", "--set", "failure.rollback_rate=0.01",
                    ranks=2)  # fmt: skip
    assert again.code == 0, again.err
    assert again.out.count("rollback  1 of 3") == 1


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(minidad, deck):
    assert minidad("run", "deck.toml", "--set", "checkpoint.every=80", "--set", "checkpoint.folder=kept").code == 0
    before = {path.name: path.read_bytes() for path in (deck / "kept").iterdir()}
    (deck / "kept" / (name_of(100) + ".tmp") / "in").mkdir(parents=True)  # where the next one would be written
    result = minidad("run", "deck.toml", "--restart", "kept/" + name_of(80), "--set", "checkpoint.every=20",
                     "--set", "checkpoint.folder=kept", ranks=2)  # fmt: skip
    assert result.code == 3 and len(result.complaints) == 1, result.err
    assert "checkpoint" in result.complaints[0] and name_of(100) in result.complaints[0]
    assert (deck / "kept" / name_of(80)).read_bytes() == before[name_of(80)]


@pytest.mark.parametrize("script", ["job.slurm", "job.flux"])
def test_job_scripts_requeue_until_the_run_is_complete(deck, script):
    """With a launcher and a queue that only note what they are asked."""
    tools = deck / "bin"
    tools.mkdir()
    launch = f'shift_to() {{ while [ "$1" != "{MINIDAD}" ]; do shift; done; exec {os.environ["MPIEXEC"]} -n 2 "$@"; }}'
    fakes = {
        "srun": f'#!/bin/bash\n{launch}\nshift_to "$@"\n',
        "scontrol": '#!/bin/bash\necho "$@" >> asked\n',
        "flux": f'#!/bin/bash\n{launch}\nif [ "$1" = run ]; then shift_to "$@"; fi\necho "$@" >> asked\n',
    }
    for name, text in fakes.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    environment = dict(os.environ, PATH=f"{tools}:{os.environ['PATH']}", MINIDAD=MINIDAD, SLURM_JOB_ID="42")
    job = [str(SOURCE / "scripts" / script), "deck.toml", "--set", "training.epochs=300", *SMALL_RATE]
    first = subprocess.Popen(job, cwd=deck, env=environment, stdout=subprocess.PIPE, text=True)
    while not list(deck.glob("*.tmp")):
        time.sleep(0.05)
    for pid in minidad_processes(deck):
        os.kill(pid, signal.SIGUSR1)
    out, _ = first.communicate(timeout=60)
    assert first.returncode == 75, out
    asked = (deck / "asked").read_text()
    assert asked == "requeue 42\n" if script == "job.slurm" else asked.startswith("batch ") and "deck.toml" in asked
    second = subprocess.run(job, cwd=deck, env=environment, capture_output=True, text=True, timeout=60)
    assert second.returncode == 0 and "restart   from" in second.stdout, second.stderr
    assert (deck / "asked").read_text() == asked and (deck / "run.h5").exists()


def test_a_full_disk_stops_a_checkpoint_and_keeps_the_one_before(deck):
    """No file may grow beyond 800 KiB: the run file has room, a checkpoint of a MiB and a half has none."""
    whole = [MINIDAD, "run", "deck.toml", "--set", "checkpoint.every=80", "--set", "model.hidden=[400, 400]"]
    assert subprocess.run(whole, cwd=deck, capture_output=True).returncode == 0
    before = {name: (deck / name).read_bytes() for name in checkpoints(deck)}
    shell = f"trap '' XFSZ; ulimit -f 800; exec {MINIDAD} run --restart {name_of(80)} --set checkpoint.every=40"
    result = launch(["-n", "2", "bash", "-c", shell], deck)
    assert result.code == 3 and len(result.complaints) == 1, result.err
    assert "checkpoint" in result.complaints[0] and name_of(120) in result.complaints[0]
    assert (deck / name_of(80)).read_bytes() == before[name_of(80)]
    assert not list(deck.glob("run.step*.tmp"))
    assert subprocess.run([MINIDAD, "run", "--restart", name_of(80)], cwd=deck, capture_output=True).returncode == 0


def test_a_run_file_is_whole_while_it_is_written_and_after_a_kill(deck):
    run = subprocess.Popen(
        [os.environ["MPIEXEC"], "-n", "2", MINIDAD, "run", "deck.toml", *LONG],
        cwd=deck, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    growing = deck / "run.h5.tmp"
    while not growing.exists():
        time.sleep(0.02)

    def steps_in_it() -> int:
        with h5py.File(growing) as file:
            steps = file["step"][()]
            assert np.all(np.diff(steps) == 10) and len(file["loss"]) == len(steps)
            assert np.all(np.isfinite(file["loss"][()]))
            return len(steps)

    seen = [steps_in_it()]
    while seen[-1] < seen[0] + 100:
        seen.append(steps_in_it())
    assert seen == sorted(seen)
    for pid in minidad_processes(deck):
        os.kill(pid, signal.SIGKILL)
    run.wait(timeout=60)
    assert steps_in_it() >= seen[-1]


def test_a_rank_that_is_stuck_is_named_and_the_checkpoint_before_is_there(minidad, deck):
    run = subprocess.Popen(
        [os.environ["MPIEXEC"], "-n", "3", MINIDAD, "run", "deck.toml", *LONG, "--set", "data.train_samples=640000",
         "--set", "checkpoint.every=20000", "--set", "failure.stall_seconds=2"],
        cwd=deck, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not checkpoints(deck):  # the next time that all write together, where nobody is watched, is far away
        time.sleep(0.05)
    ranks = {}
    for pid in minidad_processes(deck):
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        ranks.update({int(v.split(b"=")[1]): pid for v in environment if v.startswith(b"OMPI_COMM_WORLD_RANK=")})
    os.kill(ranks[1], signal.SIGSTOP)
    _, err = run.communicate(timeout=60)
    complaints = [line for line in err.splitlines() if line.startswith("minidad: ")]
    assert run.returncode == 4 and len(complaints) == 1, err
    assert re.match(r"minidad: rank 0: stalled for 2\S* s in \w+ of \w+.*: rank 1 is missing", complaints[0])
    again = minidad("run", "--restart", "latest", "--time-limit", "1", ranks=3)
    assert again.code == 75 and f"restart   from ./{name_of(20000)}" in again.out, again.out + again.err


def test_a_file_of_an_earlier_version_is_gone_on_with(minidad, deck):
    """What it does not have is NaN for the time before."""
    assert minidad("run", "deck.toml", "--set", "checkpoint.every=40", ranks=2).code == 0
    with h5py.File(deck / "run.h5", "r+") as file:
        del file["consensus_distance"]
        file.attrs["schema_version"] = "1.4"
    again = minidad("run", "--restart", name_of(80), ranks=2)
    assert again.code == 0, again.err
    with h5py.File(deck / "run.h5") as file:
        np.testing.assert_array_equal(file["epoch"], [1, 2, 3, 4])
        np.testing.assert_array_equal(file["consensus_distance"], [np.nan, np.nan, 0, 0])
        assert (file["test_loss"][()] > 0).all()
