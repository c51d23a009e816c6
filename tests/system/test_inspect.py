# SPDX-License-Identifier: BSD-3-Clause
"""inspect and diff, and files that mean harm: nothing is followed, nothing large allocated, one line says what is wrong."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

from conftest import MINIDAD
from test_restart import DECK, METHODS, name_of

BLOCK = 4096


def seal(path: Path) -> None:
    """As src/io/seal.cpp does it: the file may be hostile, its seal is good."""
    data = path.read_bytes()
    words = np.frombuffer(data[BLOCK:] + bytes(-len(data) % 8), dtype="<u8")
    with np.errstate(over="ignore"):
        x = words + np.arange(1, len(words) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        digest = int(np.sum(x ^ (x >> np.uint64(31)), dtype=np.uint64))
    line = f"minidad seal 1 bytes {len(data)} digest {digest:016x}\n".encode()
    path.write_bytes(line.ljust(BLOCK, b"\0") + data[BLOCK:])


@pytest.fixture
def runs(minidad, tmp_path: Path) -> Path:
    (tmp_path / "deck.toml").write_text(DECK)
    done = minidad("run", "deck.toml", *METHODS["power_dad"], "--set", "checkpoint.every=80", ranks=2)
    assert done.code == 0, done.err
    return tmp_path


def test_inspect_shows_what_run_files_and_checkpoints_hold(minidad, runs):
    out = minidad("inspect", "run.h5").out
    assert "schema    minidad-run 1." in out and "complete and undamaged" in out
    assert "loss" in out and "16 " in out and "summary/parameter_digest" in out
    out = minidad("inspect", name_of(80), ranks=2).out
    assert "schema    minidad-checkpoint 1." in out
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert (
        "float32  24 x 20" in lines["state/network/layer0/weight"]
        or "float64  24 x 20" in lines["state/network/layer0/weight"]
    )
    assert lines["state/trainer/steps"].split()[-1] == "80"
    data = (runs / name_of(80)).read_bytes()
    (runs / "broken.h5").write_bytes(data[: len(data) // 2])
    broken = minidad("inspect", "broken.h5")
    assert broken.code == 2 and "cut short" in broken.complaints[0]
    assert "No such file" in minidad("inspect", "nowhere.h5").complaints[0]


def test_diff_tells_what_differs(minidad, runs):
    assert minidad("diff", name_of(80), name_of(80)).code == 0
    later = minidad("diff", name_of(80), name_of(160))
    assert later.code == 1 and "state/trainer/steps: 1 of 1 values differ" in later.out
    (runs / "copy.h5").write_bytes((runs / "run.h5").read_bytes())
    with h5py.File(runs / "copy.h5", "r+") as file:
        file["loss"][3] *= 1 + 1e-9
        file["seconds"][0] += 1
    result = minidad("diff", "run.h5", "copy.h5")
    assert result.code == 1 and result.out.splitlines() == ["loss: 1 of 16 values differ, relatively by up to 1e-09"]
    assert minidad("diff", "run.h5", "copy.h5", "--tol", "1e-8").code == 0
    assert "seconds" in minidad("diff", "run.h5", "copy.h5", "--all").out
    with h5py.File(runs / "copy.h5", "r+") as file:
        del file["accuracy"]
    assert "accuracy: only in run.h5" in minidad("diff", "run.h5", "copy.h5").out
    assert minidad("diff", "run.h5", "deck.toml").code == 2


def rewrite(path: Path, change) -> None:
    """A copy of the state as h5py would write it, changed, sealed."""
    with h5py.File(path) as old:
        pieces, texts = {}, {}
        old["state"].visititems(lambda n, o: pieces.__setitem__(n, o[()]) if isinstance(o, h5py.Dataset) else None)
        old["provenance"].visititems(lambda n, o: texts.__setitem__(n, o[0]))
    hostile = path.with_name("hostile.h5")
    with h5py.File(hostile, "w", userblock_size=BLOCK) as file:
        file.attrs["schema_name"] = np.bytes_("minidad-checkpoint")
        file.attrs["schema_version"] = np.bytes_("1.0")
        for name, text in texts.items():
            file[f"provenance/{name}"] = np.array([text], dtype=f"S{len(text) + 1}")
        for name, values in pieces.items():
            file.create_dataset(f"state/{name}", data=values, chunks=values.shape, fletcher32=True)
        change(file)
    seal(hostile)


def replace(file: h5py.File, name: str, **options) -> None:
    del file[name]
    file.create_dataset(name, **options)


WEIGHT = "state/network/layer0/weight"
HUGE = 1 << 44


def external_storage(file):
    real = file[WEIGHT].dtype
    del file[WEIGHT]
    file.create_dataset(WEIGHT, shape=(24, 20), dtype=real, external=[("secret", 0, h5py.h5f.UNLIMITED)])


def external_link(file):
    del file["state/network"]
    file["state/network"] = h5py.ExternalLink("run.h5", "/")


def soft_link(file):
    file["elsewhere"] = file["state/network"]
    del file["state/network"]
    file["state/network"] = h5py.SoftLink("/elsewhere")


def loop(file):
    del file["state/network/layer0"]
    file["state/network/layer0"] = file["state"]


def virtual(file):
    layout = h5py.VirtualLayout(shape=(24, 20), dtype=file[WEIGHT].dtype)
    layout[:] = h5py.VirtualSource("run.h5", "loss", shape=(24, 20))
    del file[WEIGHT]
    file.create_virtual_dataset(WEIGHT, layout)


def many_rows(file):
    file["state/exchange/layer0/rows"][0] = 1 << 50


def negative_rows(file):
    file["state/exchange/layer0/rows"][1] = -1


HOSTILE = {
    "nothing is changed": (lambda f: None, None),
    "huge dimensions": (lambda f: replace(f, WEIGHT, shape=(HUGE, 20), chunks=(1 << 10, 20), dtype=f[WEIGHT].dtype, fletcher32=True), "not 24 x 20"),
    "wrong type": (lambda f: replace(f, WEIGHT, data=np.zeros((24, 20), "i2"), chunks=(24, 20), fletcher32=True), "type"),
    "text for numbers": (lambda f: replace(f, WEIGHT, data=np.zeros((24, 20), "S4"), chunks=(24, 20), fletcher32=True), "type"),
    "another filter": (lambda f: replace(f, WEIGHT, data=f[WEIGHT][()], chunks=(24, 20), compression="gzip"), "fletcher32"),
    "not in chunks": (lambda f: replace(f, WEIGHT, data=f[WEIGHT][()]), "fletcher32"),
    "external storage": (external_storage, "fletcher32"),
    "virtual": (virtual, "fletcher32"),
    "external link": (external_link, "link"),
    "soft link": (soft_link, "link"),
    "loop": (loop, "missing"),
    "missing group": (lambda f: f.__delitem__("state/optimiser"), "state/optimiser/velocity is missing"),
    "missing text": (lambda f: f.__delitem__("provenance/deck"), "deck is missing"),
    "too many rows": (many_rows, "rows"),
    "negative rows": (negative_rows, "rows"),
    "ranks": (lambda f: f["provenance/ranks"].__setitem__(0, b"7"), "not 7"),
    "no ranks": (lambda f: f["provenance/ranks"].__setitem__(0, b"x"), "ranks"),
    "huge text": (lambda f: replace(f, "provenance/run_id", shape=(1,), dtype=f"S{1 << 30}"), "not a text"),
    "steps": (lambda f: f["state/trainer/steps"].__setitem__(0, -5), "steps"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_checkpoints_are_refused(minidad, runs, kind):
    change, complaint = HOSTILE[kind]
    rewrite(runs / name_of(80), change)
    (runs / "secret").write_bytes(bytes(4096))
    assert minidad("verify", "hostile.h5").code == 0  # the seal says nothing about intent

    def limited():
        if (
            b"__asan_init" not in Path(MINIDAD).read_bytes()
        ):  # whose shadow memory alone asks for terabytes of addresses
            resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

    run = subprocess.run([MINIDAD, "run", "--restart", "hostile.h5", "--set", "output.file=new.h5"], cwd=runs,
                         capture_output=True, text=True, timeout=60, preexec_fn=limited)  # fmt: skip
    lines = [line for line in run.stderr.splitlines() if line.startswith("minidad: ")]
    if complaint is None:
        assert run.returncode == 0, run.stderr
        return
    assert run.returncode == 2 and len(lines) == 1, run.stderr
    assert complaint in lines[0] and "hostile.h5" in lines[0]
    assert not (runs / "new.h5").exists() and not (runs / "new.h5.tmp").exists()


def test_inspect_follows_no_links_and_ends_at_loops(minidad, runs):
    with h5py.File(runs / "odd.h5", "w") as file:
        file["numbers"] = np.arange(3)
        file["out"] = h5py.ExternalLink("run.h5", "/loss")
        file["soft"] = h5py.SoftLink("/numbers")
    result = minidad("inspect", "odd.h5")
    assert result.code == 0 and "numbers" in result.out and "soft" not in result.out and "out " not in result.out
    with h5py.File(runs / "odd.h5", "r+") as file:
        group = file.create_group("around")
        group["again"] = group
    result = minidad("inspect", "odd.h5")
    assert result.code == 2 and "loop of links" in result.complaints[0]
    with h5py.File(runs / "odd.h5", "w") as file:
        file.create_dataset("claim", shape=(HUGE, 20), chunks=(1, 20), dtype="f4")
        file["claim"][0] = 1
    result = minidad("inspect", "odd.h5")
    assert result.code == 2 and "more than are stored" in result.complaints[0]
