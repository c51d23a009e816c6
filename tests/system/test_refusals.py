# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong is refused: one clear line, the right exit code on every rank, no hang, nothing half-written."""

from __future__ import annotations

import gzip
import os
import struct

import pytest

from conftest import MINIDAD, launch


def idx(sizes, content: bytes) -> bytes:
    return struct.pack(">HBB", 0, 8, len(sizes)) + struct.pack(f">{len(sizes)}I", *sizes) + content


@pytest.fixture
def images(tmp_path):
    """A good data set of 40 images of 2 x 2 with two classes, and a deck that uses it."""
    for part in ("train", "test"):
        (tmp_path / f"{part}-images").write_bytes(gzip.compress(idx((40, 2, 2), bytes(range(160)))))
        (tmp_path / f"{part}-labels").write_bytes(idx((40,), bytes(i % 2 for i in range(40))))
    deck = "[data]\nclasses = 2\n"
    for part in ("train", "test"):
        deck += f'{part}_images = "{part}-images"\n{part}_labels = "{part}-labels"\n'
    deck += "[model]\nhidden = [4]\n[training]\nepochs = 1\nbatch = 8\n"
    (tmp_path / "deck.toml").write_text(deck)
    return tmp_path


def expect_refusal(result, *parts: str, code: int = 2):
    assert result.code == code, result.err
    assert len(result.complaints) == 1, result.err
    for part in parts:
        assert part in result.complaints[0]
    assert "FOM" not in result.out


def test_the_good_data_set_is_good(minidad, images):
    assert minidad("run", "deck.toml", ranks=3).code == 0


@pytest.mark.parametrize("ranks", [1, 3])
@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (lambda d: (d / "train-images").unlink(), ["train-images", "No such file"]),
        (lambda d: (d / "test-labels").unlink(), ["test-labels", "No such file"]),
        (lambda d: (d / "train-images").write_bytes((d / "train-images").read_bytes()[:-30]), ["train-images"]),
        (lambda d: (d / "train-labels").write_bytes(b"garbage, not IDX"), ["train-labels", "not an IDX file"]),
        (lambda d: (d / "train-labels").write_bytes(idx((40,), bytes([7] * 40))), ["label 7 of item 0", "classes = 2"]),
        (lambda d: (d / "train-labels").write_bytes(idx((39,), bytes(39))), ["40 images", "39 labels"]),
        (lambda d: (d / "test-images").write_bytes(idx((40, 3, 3), bytes(360))), ["2x2x1 of 2 classes, test samples 3x3x1"]),
        (lambda d: (d / "train-images").write_bytes(gzip.compress(idx((2**31, 2**10, 2**5), b""))),
         ["train-images", "cannot hold"]),
    ],
)  # fmt: skip
def test_bad_data(minidad, images, spoil, parts, ranks):
    spoil(images)
    expect_refusal(minidad("run", "deck.toml", ranks=ranks), *parts)
    assert not list(images.glob("*.h5*"))


@pytest.mark.parametrize("ranks", [1, 2])
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["run", "nowhere.toml"], ["nowhere.toml", "No such file"]),
        (["run", "deck.toml", "--set", "training.bacth=4"], ["training.bacth", "did you mean 'training.batch'?"]),
        (["run", "deck.toml", "--set", "training.batch=many"], ["training.batch", "whole number"]),
        (["run", "deck.toml", "--set", "training.batch=41"], ["training.batch = 41", "40 training samples"]),
        (["run", "deck.toml", "--set", "output.file=/proc/nothing/run.h5"], ["/proc/nothing"]),
        (["run", "deck.toml", "--set", "exchange.deterministic=true"], ["exchange.method = \"dad\""]),
        (["run", "deck.toml", "--set", "low_rank.width=0"], ["low_rank.width = 0", ">= 1"]),
        (["run", "deck.toml", "--set", "low_rank.epsilon=1.5"], ["low_rank.epsilon = 1.5"]),
        (["run", "deck.toml", "--set", "low_rank.solver=svd"], ["low_rank.solver", "gram, qr, block, author"]),
        (["run", "deck.toml", "--set", "low_rank.pattern=rot"], ["did you mean 'root'?"]),
        (["run", "deck.toml", "--set", "low_rank.feedbak=3"], ["did you mean 'low_rank.feedback'?"]),
        (["run", "deck.toml", "--set", "exchange.method=powersgd", "--set", "low_rank.epsilon=0.1"],
         ["low_rank.epsilon", "power_dad"]),
        (["run", "deck.toml", "--set", "exchange.method=rank_dad", "--set", "low_rank.epsilon=0.1", "--set",
          "low_rank.pattern=tree"], ["low_rank.epsilon", "oneway"]),
        (["run", "deck.toml", "--set", "exchange.method=rank_dad", "--set", "low_rank.solver=author", "--set",
          "low_rank.feedback=4"], ["author", "low_rank.feedback"]),
        (["run", "deck.toml", "--set", "exchange.method=rank_dad", "--set", "exchange.deterministic=true"],
         ["exchange.deterministic", "rank_dad"]),
        (["run", "deck.toml", "--set", "probe.every=never"], ["probe.every", "whole number"]),
        (["run", "deck.toml", "--set", "probe.width=0"], ["probe.width = 0", ">= 1"]),
        (["run", "deck.toml", "--set", "probe.per_class=true"], ["probe.per_class needs probe.every"]),
        (["run", "deck.toml", "--frobnicate"], ["--frobnicate", "--help"]),
        (["run", "deck.toml", "--kokkos-frobnicate"], ["--kokkos-frobnicate"]),
        (["run", "deck.toml", "--progress", "dance"], ["--progress"]),
        (["verify", "nowhere.h5"], ["nowhere.h5", "No such file"]),
        (["verify", "."], ["not a file"]),
        (["verify", "deck.toml"], ["deck.toml", "not sealed"]),
        (["verify"], ["file is required"]),
        (["run"], ["deck is required"]),
        (["walk", "deck.toml"], []),
        ([], []),
    ],
)  # fmt: skip
def test_bad_commands(minidad, images, arguments, parts, ranks):
    expect_refusal(minidad(*arguments, ranks=ranks), *parts)
    assert not list(images.glob("*.h5*"))


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_network_beyond_memory(minidad, images, ranks):
    result = minidad("run", "deck.toml", "--set", "model.hidden=[10000000, 10000000]", ranks=ranks)  # 400 TB
    expect_refusal(result, "out of memory", code=3)
    result = minidad("run", "deck.toml", "--set", "model.hidden=[2000000000, 2000000000]", ranks=ranks)
    expect_refusal(result, "model.hidden", "beyond any machine")
    assert not list(images.glob("*.h5*"))


@pytest.mark.parametrize(
    ("layers", "parts"),
    [
        ('"conv 4 kernel=3", "flatten", "dense classes"', ["line 1", "conv 4 kernel=3", "3x3 does not fit into 2x2x1"]),
        ('"tokens", "attention heads=2", "flatten", "dense 2"', ["line 2", "2 heads do not divide the width 1 of 4x1"]),
        ('"flatten", "dense 0"', ["line 2", "the width is 0"]),
        ('"flatten", "dance 3"', ["line 2", "layer 'dance' is unknown", "dense"]),
        ('"gru 4", "last", "dense 2"', ["line 1", "it reads a sequence, but 2x2x1 is an image"]),
        ('"residual", "conv 3 kernel=1", "end", "flatten", "dense 2"', ["line 1", "2x2x1 into 2x2x3"]),
        ('"flatten", "dense 5"', ["ends in 5", "2 classes"]),
    ],
)  # fmt: skip
def test_layers_that_do_not_fit(minidad, images, layers, parts):
    result = minidad("check", "deck.toml", "--set", "model.name=layers", "--set", f"model.layers=[{layers}]")
    expect_refusal(result, *parts)


def test_bad_deck_names_its_line(minidad, images):
    with open(images / "deck.toml", "a") as deck:
        deck.write("epoch = 3\n")
    expect_refusal(minidad("check", "deck.toml"), "deck.toml:12", "did you mean 'training.epochs'?")


def test_more_ranks_than_rows(minidad, images):
    result = minidad("run", "deck.toml", "--set", "training.batch=2", ranks=3)
    expect_refusal(result, "3 ranks cannot share training.batch = 2")


@pytest.mark.parametrize("command", [["run"], ["check", "--ranks", 3]])
def test_more_ranks_than_classes(minidad, images, command):
    verb, *more = command
    result = minidad(verb, "deck.toml", *more, "--set", "data.split=class", ranks=3)
    expect_refusal(result, "3 ranks cannot share data.classes = 2", "data.split")


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("idx", "a label in 5 ... 9, the share of rank 1"),  # the labels are 0 and 1
        ("synthetic", "no training sample has a label in"),  # 8 samples do not happen to fall into all 8 groups
    ],
)
def test_a_rank_without_a_sample_of_its_classes(minidad, images, source, part):
    result = minidad("run", "deck.toml", "--set", "data.split=class", "--set", "data.classes=40",
                     "--set", f"data.source={source}", "--set", "data.train_samples=8", ranks=8)  # fmt: skip
    expect_refusal(result, "data.split", part)
    assert not list(images.glob("*.h5*"))


def test_more_ranks_than_blocks(minidad, images):
    result = minidad("run", "deck.toml", "--set", "exchange.method=dad", "--set", "exchange.deterministic=true",
                     "--set", "exchange.row_block=4", ranks=3)  # fmt: skip
    expect_refusal(result, "3 ranks cannot share 2 blocks")


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_probe_out_of_proportion(minidad, tiny, tmp_path, command):
    many = ("--set", "training.batch=3000", "--set", "probe.every=1")
    result = minidad(command, tiny, *many, "--set", "model.hidden=[4000]", ranks=2)
    expect_refusal(result, "probe.every = 1", "layer 0", "3000 x 3000", "training.batch")
    assert minidad("check", tiny, *many).code == 0  # rows alone do not matter
    expect_refusal(minidad("check", tiny, *many, "--set", "probe.per_class=true"), "probe.per_class = false")
    assert not list(tmp_path.iterdir())


def test_ranks_with_different_settings(images):
    result = launch(["-n", "1", MINIDAD, "run", "deck.toml", ":", "-n", "1", MINIDAD, "run", "deck.toml",
                     "--set", "training.seed=9"], images)  # fmt: skip
    expect_refusal(result, "different settings")


def test_a_rank_that_throws_alone_ends_the_job(tmp_path):
    result = launch(["-n", "3", os.environ["MINIDAD_FAILING_RANK"], "alone"], tmp_path, timeout=60)
    expect_refusal(result, "rank 2: the disk caught fire", code=3)


def test_ranks_that_agree_on_a_failure_end_in_order(tmp_path):
    result = launch(["-n", "3", os.environ["MINIDAD_FAILING_RANK"], "agreed"], tmp_path, timeout=60)
    expect_refusal(result, "rank 2: the disk caught fire", code=3)
    assert "MPI_ABORT" not in result.err


def test_a_full_disk_ends_the_run_and_leaves_no_result(images):
    """The file, which has 42 KiB when it is empty, may not grow beyond 64 and the write fails: what a full disk looks like
    to the process."""
    shell = f"trap '' XFSZ; ulimit -f 64; exec {MINIDAD} run deck.toml --set training.epochs=400 --set training.record_every=1"
    result = launch(["-n", "1", "bash", "-c", shell], images)
    assert result.code == 3, result.err
    assert len(result.complaints) == 1
    assert not (images / "run.h5").exists()
