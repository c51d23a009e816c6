# SPDX-License-Identifier: BSD-3-Clause
"""Runs that should go well."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import time

import h5py
import numpy as np
import pytest
import xarray
from conftest import MINIDAD, SOURCE
from test_refusals import idx

SHORT = ("--progress", "none", "--set", "training.epochs=3", "--set", "output.file=out/run.h5")


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("method", ["dsgd", "dad", "edad", "rank_dad", "powersgd", "power_dad", "none"])
def test_a_run_leaves_a_complete_file_and_one_figure_of_merit(minidad, tiny, tmp_path, method, ranks):
    result = minidad("run", tiny, *SHORT, "--set", f"exchange.method={method}", ranks=ranks)
    assert result.code == 0, result.err
    assert not result.complaints
    # The expression by which Benchpark finds it.
    assert len(re.findall(r"Figure of Merit \(FOM\):\s+[0-9]+\.[0-9]*(?:e^[0-9]*)?", result.out)) == 1
    assert result.out.splitlines()[-1].startswith("Figure of Merit (FOM):")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["run.h5"]
    with h5py.File(tmp_path / "out" / "run.h5") as file:
        assert file.attrs["complete"] == 1
        assert file["provenance/ranks"].asstr()[()] == str(ranks)
        assert list(file["epoch"]) == [1, 2, 3]
        assert file["step"][-1] == file["summary/steps"][()] == 3 * 79
        assert np.all(np.diff(file["step"]) > 0)
        assert f"{file['summary/parameter_digest'][()]:016x}" == result.value("parameter digest")
        channels = [name.decode() for name in file["channel"][()]]
        sent = file["bytes_sent"][()].sum(axis=(0, 1))
        assert ranks == 1 or all(sent > 0)
        assert (method == "none") == all(channel.startswith("control") for channel in channels)
        exchanged = sum(s for s, channel in zip(sent, channels) if not channel.startswith("control"))
        assert exchanged / ranks / (3 * 79) == pytest.approx(file["summary/bytes_per_step"][()], rel=1e-12)
        apart = file["consensus_distance"][()]  # of the ranks' models
        assert (apart > 0).all() if method == "none" and ranks > 1 else (apart == 0).all()


def test_every_method_and_rank_count_learns_the_same(minidad, tiny):
    accuracies = []
    for ranks, method in [(1, "dsgd"), (2, "dsgd"), (2, "dad"), (3, "edad"), (4, "dad")]:
        result = minidad("run", tiny, "--progress", "none", "--set", f"exchange.method={method}", ranks=ranks)
        assert result.code == 0, result.err
        accuracies.append(float(result.out.split("test accuracy")[1].split()[0]))
    # The same mathematics, rounded differently: a handful of the 1000 test samples may change sides.
    assert max(accuracies) - min(accuracies) <= 1.0
    assert min(accuracies) > 70


@pytest.mark.parametrize("deck", sorted((SOURCE / "input").glob("*.toml")), ids=lambda deck: deck.stem)
def test_every_deck_can_be_checked(minidad, deck):
    result = minidad("check", deck, "--ranks", "2")
    assert result.code == 0, result.err
    assert "memory of the largest rank" in result.out


@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet20", "gru", "vit", "gpt"])
def test_every_model_trains(minidad, tmp_path, name):
    """A few steps of each model by its name, small, with the exchange that cuts most; then it goes on from them."""
    small = ["--progress", "none", "--set", f"model.name={name}", "--set", "training.batch=16", "--set", "training.epochs=2",
             "--set", "training.record_every=2", "--set", "exchange.method=power_dad", "--set", "low_rank.width=2",
             "--set", "optimiser.clip_norm=1", "--set", "checkpoint.every=3", "--set", "checkpoint.keep=9",
             "--set", "output.file=run.h5"]  # fmt: skip
    small += [] if name == "mlp" else ["--set", f"model.width={4 if name in ('cnn', 'resnet20') else 8}"]
    if name in ("vit", "gpt"):
        small += ["--set", "model.depth=1", "--set", "model.heads=2"]
    if name == "vit":
        small += ["--set", "model.patch=2"]
    deck = '[data]\nsource = "text"\ntrain_files = ["text"]\ncontext = 12\nstride = 9\n'
    (tmp_path / "text").write_bytes(b"A mini-app is small enough to be read, and large enough to be true. " * 15)
    if name != "gpt":
        deck = "[data]\nclasses = 3\nshift = 1\n"
        for part in ("train", "test"):
            (tmp_path / f"{part}-images").write_bytes(idx((70, 8, 8), bytes(i * i % 251 for i in range(70 * 64))))
            (tmp_path / f"{part}-labels").write_bytes(idx((70,), bytes(i % 3 for i in range(70))))
            deck += f'{part}_images = "{part}-images"\n{part}_labels = "{part}-labels"\n'
    (tmp_path / "deck.toml").write_text(deck)
    result = minidad("run", "deck.toml", *small, ranks=2)
    assert result.code == 0, result.err
    with h5py.File(tmp_path / "run.h5") as file:
        digest = file["summary/parameter_digest"][()]
        assert np.all(np.isfinite(file["loss"])) and np.all(file["gradient_norm"][()] > 0)
        assert name in file["provenance/deck"].asstr()[()]
        if name == "gpt":
            assert "split" not in file
        else:
            assert file["split/class_counts"][()].shape == (2, 3)
            assert file["split/class_counts"][()].sum() == 70
    (tmp_path / "run.h5").unlink()
    result = minidad("run", "deck.toml", *small, "--restart", "run.step000000000006.h5", ranks=2)
    assert result.code == 0, result.err
    with h5py.File(tmp_path / "run.h5") as file:
        assert file["summary/parameter_digest"][()] == digest


@pytest.mark.parametrize("split", ["skewed", "dirichlet"])
def test_an_uneven_split_is_kept_with_the_run(minidad, tiny, tmp_path, split):
    result = minidad("run", tiny, *SHORT, "--set", f"data.split={split}", "--set", "data.alpha=0.3", ranks=3)
    assert result.code == 0, result.err
    assert f"split by {split}" in result.out
    with h5py.File(tmp_path / "out" / "run.h5") as file:
        counts = file["split/class_counts"][()]
    assert counts.shape == (3, 5) and np.all(counts >= 0) and np.all(counts.sum(axis=1) > 0)
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert np.abs(shares - shares.mean(axis=0)).max() > 0.2  # no two ranks are alike


@pytest.mark.parametrize("method", ["dad", "edad"])
def test_deterministic_runs_end_with_the_same_bits_on_any_number_of_ranks(minidad, tiny, method):
    digests = set()
    for ranks in (1, 2, 3, 4, 7):  # 5000 samples in batches of 64: the last one is ragged
        result = minidad(
            "run", tiny, *SHORT, "--set", f"exchange.method={method}", "--set", "exchange.deterministic=true",
            "--set", "exchange.row_block=8", "--set", "output.overwrite=true", ranks=ranks,
        )  # fmt: skip
        assert result.code == 0, result.err
        digests.add(result.value("parameter digest"))
    assert len(digests) == 1


@pytest.mark.parametrize("ranks", [2, 5])
def test_classes_of_other_ranks_are_learned_through_the_exchange_only(minidad, tiny, ranks):
    def accuracy(split, method):
        result = minidad("run", tiny, "--progress", "none", "--set", f"data.split={split}",
                         "--set", f"exchange.method={method}", ranks=ranks)  # fmt: skip
        assert result.code == 0, result.err
        assert ("split by class" in result.out) == (split == "class")
        return float(result.out.split("test accuracy")[1].split()[0])

    assert accuracy("class", "dsgd") > 70  # tiny.toml states 77 % for the even deal
    assert accuracy("class", "dad") > 70
    # A model that has seen its own labels only is right on them at best. Every test label is one rank's own, so the
    # accuracies of all ranks' models add up to 100 % at most; a few lucky guesses beyond are let pass.
    alone = accuracy("class", "none")
    assert 0.5 * 100 / ranks < alone < 100 / ranks + 2
    # Alone with an even share of all classes, each rank learns them all, only from fewer samples.
    assert accuracy("iid", "none") > alone + 10


def test_without_exchange_every_model_meets_all_test_samples(minidad, tmp_path):
    """Two ranks know one class each. The test set holds the first class, then the second: each rank's stretch of it
    would be all its own, and the accuracy 100 %; on the whole test set each model is right on half. (Features are
    positive and the model is linear, so that what one class alone pushes up stays up for the other.)"""
    for part in ("train", "test"):
        labels = bytes(i // 20 for i in range(40))
        images = bytes(60 + 100 * label + i for label in labels for i in range(4))
        (tmp_path / f"{part}-images").write_bytes(struct.pack(">HBBIII", 0, 8, 3, 40, 2, 2) + images)
        (tmp_path / f"{part}-labels").write_bytes(struct.pack(">HBBI", 0, 8, 1, 40) + labels)
    paths = "".join(f'{part}_{what} = "{part}-{what}"\n' for part in ("train", "test") for what in ("images", "labels"))
    (tmp_path / "deck.toml").write_text(
        f'[data]\nclasses = 2\nsplit = "class"\ndeviation = 0.2\n{paths}[model]\nhidden = []\n'
        "[training]\nepochs = 100\nbatch = 8\n[schedule]\nrate = 0.1\n[output]\noverwrite = true\n"
    )
    for method, expected in (("none", "50.00 %"), ("dad", "100.00 %")):
        result = minidad("run", "deck.toml", "--set", f"exchange.method={method}", ranks=2)
        assert result.code == 0, result.err
        assert re.search(r"^test accuracy +(.*)", result.out, re.MULTILINE)[1] == expected


def test_a_finished_file_is_sealed(minidad, tiny, tmp_path):
    """verify() knows a finished file from one that has lost a bit, and xarray's engines read what it seals."""
    assert minidad("run", tiny, *SHORT, ranks=2).code == 0
    path = tmp_path / "out" / "run.h5"
    good = minidad("verify", path, ranks=2)
    assert good.code == 0 and good.out.count("complete and undamaged") == 1
    for engine in ("h5netcdf", "netcdf4"):
        with xarray.open_dataset(path, engine=engine) as data:
            assert data["epoch"].values.tolist() == [1, 2, 3]
    content = path.read_bytes()
    for place in (0, 4095, 4096, len(content) // 2, len(content) - 1):
        spoilt = bytearray(content)
        spoilt[place] ^= 4
        path.write_bytes(spoilt)
        bad = minidad("verify", path)
        assert bad.code == 2 and len(bad.complaints) == 1 and str(path) in bad.complaints[0]


def test_a_run_repeats_itself_and_follows_its_seed(minidad, tiny):
    def digest(*more):
        return minidad("run", tiny, *SHORT, *more, ranks=2).value("parameter digest")

    first = digest()
    assert digest() == first
    assert digest("--set", "training.seed=2") != first


def test_the_resolved_deck_in_the_file_is_a_deck(minidad, tiny, tmp_path):
    first = minidad("run", tiny, *SHORT)
    with h5py.File(tmp_path / "out" / "run.h5") as file:
        (tmp_path / "again.toml").write_text(file["provenance/deck"].asstr()[()])
    again = minidad("run", "again.toml", "--progress", "none")
    assert again.value("parameter digest") == first.value("parameter digest")


def test_a_run_never_replaces_a_file_unasked(minidad, tiny, tmp_path):
    (tmp_path / "precious.h5").write_text("data")
    result = minidad("run", tiny, "--set", "output.file=precious.h5", "--set", "output.overwrite=false", ranks=2)
    assert result.code == 2
    assert len(result.complaints) == 1 and "precious.h5" in result.complaints[0]
    assert (tmp_path / "precious.h5").read_text() == "data"


@pytest.mark.parametrize(("mode", "lines"), [("none", 0), ("plain", 3), ("bar", 3)])
def test_progress_is_shown_as_asked(minidad, tiny, mode, lines):
    result = minidad("run", tiny, *SHORT[2:], "--progress", mode)
    assert result.code == 0
    assert len(re.findall(r"epoch +\d+  test loss", result.out)) == lines


def test_check_trains_nothing_and_states_bytes(minidad, tiny, tmp_path):
    result = minidad("check", tiny, "--ranks", 4)
    assert result.code == 0, result.err
    assert list(tmp_path.iterdir()) == []
    parameters = 64 * 48 + 48 + 48 * 32 + 32 + 32 * 5 + 5
    real = 8 if "MINIDAD_REAL=double" in result.out or _scalar(minidad) == "double" else 4
    lines = [line.split() for line in result.out.splitlines() if re.match(r"#   (dsgd|e?dad|none) ", line)]
    table = {method: sent for _, method, sent, _ in lines}
    assert table["dsgd"] == f"{2 * 3 * parameters * real / 4:.0f}"
    assert table["none"] == "0"
    assert table["edad"] == f"{3 * real * 16 * (64 + 48 + 32 + 5)}"
    assert table["dad"] == f"{3 * real * 16 * (64 + 48 + 48 + 32 + 32 + 5)}"
    (tmp_path / "resolved.toml").write_text(result.out)  # the resolved deck is a deck, the rest are comments
    again = minidad("check", "resolved.toml", "--ranks", 4)
    assert again.out == _without_program_size(again.out, result.out)


def _scalar(minidad) -> str:
    return next(line.split()[1] for line in minidad("--version").out.splitlines() if line.startswith("scalar"))


def _without_program_size(new: str, old: str) -> str:
    """`old` with the two lines of `new` that depend on this process' own size."""
    size = ("#   the program itself", "#   in all")
    fresh = iter([line for line in new.splitlines() if line.startswith(size)])
    return "".join((next(fresh) if line.startswith(size) else line) + "\n" for line in old.splitlines())


@pytest.mark.parametrize("method", ["dad", "rank_dad", "powersgd", "power_dad"])
def test_check_foretells_peak_memory(minidad, tiny, method):
    """Within 20 %, for a job whose parameters, data and activations outweigh the program itself."""
    job = ("--set", "data.features=784", "--set", "data.train_samples=60000", "--set", "model.hidden=[1024, 1024]",
           "--set", "training.batch=4000", "--set", "training.epochs=1", "--set", f"exchange.method={method}",
           "--set", "low_rank.feedback=16", "--set", "low_rank.feedback_period=2")  # fmt: skip
    foretold = float(minidad("check", tiny, *job, "--ranks", 2).value("#   in all"))
    result = minidad("run", tiny, *job, "--progress", "none", ranks=2)
    assert result.code == 0, result.err
    measured = float(re.search(r"peak memory +([0-9.]+) MiB", result.out)[1])
    if "sanitize" not in minidad("--version").out:  # sanitizers multiply memory
        assert foretold == pytest.approx(measured, rel=0.2)


PROBED = ("--set", "probe.every=50", "--set", "probe.width=3")
MEASURES = ["rows", "norm", "rank_0.5", "rank_0.1", "rank_0.01", "stable_rank", "entropy_rank", "error", "energy"]


@pytest.mark.parametrize("ranks", [1, 3])
@pytest.mark.parametrize("method", ["dsgd", "edad"])
def test_a_probe_is_recorded_and_changes_nothing(minidad, tiny, tmp_path, method, ranks):
    job = (*SHORT, "--set", f"exchange.method={method}", "--set", "output.overwrite=true")
    plain = minidad("run", tiny, *job, ranks=ranks)
    with h5py.File(tmp_path / "out" / "run.h5") as file:
        assert not [
            name for name in file if name.startswith(("gradient_spectrum", "gradient_measures", "probe", "class"))
        ]
        sent = file["summary/bytes_per_step"][()]
    probed = minidad("run", tiny, *job, *PROBED, "--set", "probe.per_class=true", ranks=ranks)
    assert probed.code == 0, probed.err
    assert probed.value("parameter digest") == plain.value("parameter digest")
    with h5py.File(tmp_path / "out" / "run.h5") as file:
        assert file["summary/bytes_per_step"][()] == sent
        assert list(file["probe_step"]) == [1, 51, 101, 151, 201]
        assert list(file["layer"].asstr()) == ["layer0", "layer1", "layer2"]
        assert list(file["value"]) == list(range(32)) and list(file["class"]) == list(range(5))
        assert list(file["measure"].asstr()) == MEASURES
        for kind in ("gradient", "input", "delta"):
            assert file[f"{kind}_spectrum"].shape == (5, 3, 32)
            assert file[f"{kind}_spectrum_local"].shape == (5, ranks, 3, 32)
            for values in (file[f"{kind}_spectrum"][()], file[f"{kind}_spectrum_local"][()]):
                assert np.all(values >= 0) and np.all(np.diff(values) <= 0) and np.all(values[..., 0] > 0)
        measures, local = file["gradient_measures"][()], file["gradient_measures_local"][()]
        assert measures.shape == (5, 3, 9) and local.shape == (5, ranks, 3, 9)
        rows, norm, r_001, error, energy = (MEASURES.index(m) for m in ("rows", "norm", "rank_0.01", "error", "energy"))
        assert np.all(measures[..., rows] == 64) and np.all(local[..., rows].sum(axis=1) == 64)
        spectrum = file["gradient_spectrum"][()]
        # Of the last layer everything is kept: at most classes - 1 values that are not rounding.
        assert norm_of(spectrum[:, 2]) == pytest.approx(measures[:, 2, norm], rel=1e-6)
        assert np.all(measures[:, 2, r_001] <= 4)
        kept = norm_of(spectrum[..., :3]) ** 2 / measures[..., norm] ** 2
        assert measures[..., energy] == pytest.approx(kept, abs=1e-9)
        assert measures[..., energy] == pytest.approx(1 - measures[..., error] ** 2, abs=1e-12)
        for name in ("gradient_angle", "gradient_angle_local"):
            assert np.all(np.isnan(file[name][0])) and np.all((file[name][1:] >= 0) & (file[name][1:] < 1.5708))
        assert np.all(file["applied_error"][()] < 1e-5)
        classes = file["class_measures"][()]
        assert classes.shape == (5, 3, 5, 9) and file["class_spectrum"].shape == (5, 3, 5, 32)
        assert np.all(classes[..., rows].sum(axis=-1) == 64) and np.all(np.isfinite(classes))
        phase = list(file["phase"].asstr()).index("probe")
        assert np.all(file["seconds"][:, :, phase].sum(axis=0) > 0)
    for engine in ("h5netcdf", "netcdf4"):
        with xarray.open_dataset(tmp_path / "out" / "run.h5", engine=engine) as data:
            one = data["gradient_measures_local"].sel(probe_step=151, layer="layer1", measure="norm", rank=ranks - 1)
            assert float(one) == local[3, ranks - 1, 1, norm]
            assert data["class_spectrum"].sel({"class": 2}).dims == ("probe_step", "layer", "value")


@pytest.mark.parametrize(
    ("method", "more"),
    [("rank_dad", ("low_rank.solver=qr",)), ("power_dad", ()), ("rank_dad", ("low_rank.epsilon=0",)), ("dsgd", ())],
)  # fmt: skip
def test_widths_and_errors_are_recorded(minidad, tiny, tmp_path, method, more):
    """With a budget the width follows it; what feedback keeps is there when there is any."""
    budget = [f"exchange.method={method}", "low_rank.width=24", "low_rank.epsilon=0.5", "low_rank.min_compression=0",
              "low_rank.feedback=8", *more]  # fmt: skip
    result = minidad("run", tiny, *SHORT, *(w for one in budget for w in ("--set", one)), *PROBED, ranks=2)
    assert result.code == 0, result.err
    with h5py.File(tmp_path / "out" / "run.h5") as file:
        width, error = file["factor_width"][()], file["certified_error"][()]
        kept, applied = file["residual_norm_local"][()], file["applied_error"][()]
    assert width.shape == error.shape == (len(width), 2, 3)
    if method == "dsgd":
        assert np.all(np.isnan(width)) and np.all(np.isnan(error)) and np.all(kept == 0)
        return
    assert np.all((width >= 1) & (width <= 24)) and np.all(kept[1:] > 0)
    assert np.all(applied > 0)
    if "low_rank.epsilon=0" in more:
        assert np.all(width == 24) and np.all(np.isnan(error))
        return
    assert np.all((error <= 0.5) | (width >= 5))  # the last layer has 5 columns, and may need them all
    assert np.all(error[:, :, :2] <= 0.5) or method == "power_dad"
    assert len(np.unique(width)) > 2  # it moves


def norm_of(values):
    return np.sqrt((values**2).sum(axis=-1))


def test_check_counts_the_probe(minidad, tiny):
    def mib(*more):
        return float(minidad("check", tiny, "--ranks", 2, *more).value("#   probe"))

    assert mib() == 0 and mib(*PROBED) > 0
    assert mib(*PROBED, "--set", "model.hidden=[1024, 1024]") > 4  # a gradient at least


def test_version_names_every_part(minidad):
    result = minidad("--version", ranks=2)
    assert result.code == 0
    for part in ("minidad ", "compiler", "Kokkos", "BLAS", "MPI", "HDF5"):
        assert len([line for line in result.out.splitlines() if line.startswith(part)]) == 1


def test_help_explains_itself(minidad):
    for arguments in (["--help"], ["run", "--help"], ["check", "--help"], ["verify", "--help"]):
        result = minidad(*arguments, ranks=2)
        assert result.code == 0
        assert result.out.count("Usage:") == 1


def test_a_run_that_goes_on_can_be_watched(tiny, tmp_path):
    """Its records are in the file before the epoch ends, in one that is whole at any time."""
    job = subprocess.Popen(
        [os.environ["MPIEXEC"], "-n", "2", MINIDAD, "run", str(tiny), "--progress", "none", "--set", "training.epochs=1",
         "--set", "data.train_samples=400000", "--set", "model.hidden=[256, 128]",
         "--set", "output.show_seconds=0.05", "--set", "output.file=run.h5"],
        cwd=tmp_path, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    seen = set()
    while job.poll() is None:
        try:
            with h5py.File(tmp_path / "run.h5.tmp") as file:
                assert file["loss"].shape == file["step"].shape and file["provenance/total_steps"].asstr()[()] == "6250"
                seen.add((len(file["step"]), len(file["epoch"])))
        except FileNotFoundError:  # not there yet, or complete by now
            pass
        time.sleep(0.02)
    assert job.returncode == 0
    assert any(0 < steps < 625 and epochs == 0 for steps, epochs in seen), seen
    with h5py.File(tmp_path / "run.h5") as file:
        assert len(file["step"]) == 625 and (np.diff(file["step"]) == 10).all()
