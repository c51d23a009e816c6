# SPDX-License-Identifier: BSD-3-Clause
"""The NumPy references against what this build's exchanges have made of the same rows, step by step."""

import dataclasses
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from minidad_analysis import reference
from minidad_analysis.reference.random import normal_rows, philox
from minidad_analysis.reference.rows import effective_rank, orthonormal, product, truncated

SEED = 1  # of the exchanges in tests/support/small_problem
LAYERS = 3
ACTIVATIONS = ("tanh", "relu", "identity")
CASES = [
    "dsgd", "dad", "edad", "gram", "qr", "qr_feedback", "qr_budget", "block", "block_cold_sweeps", "block_feedback",
    "block_budget_feedback", "author", "author_all", "root", "tree", "powersgd", "powersgd_forgetful", "power_dad",
    "power_dad_feedback", "power_dad_budget",
]  # fmt: skip


@pytest.fixture(scope="module", params=[2, 3])
def files(request):
    """The files of all ranks."""
    if "MINIDAD_REFERENCE_FOLDER" not in os.environ:
        raise pytest.UsageError("set MINIDAD_REFERENCE_FOLDER to what exchange.reference_cases_test has filled")
    folder = Path(os.environ["MINIDAD_REFERENCE_FOLDER"])
    opened = [h5py.File(folder / f"ranks{request.param}_rank{rank}.h5") for rank in range(request.param)]
    yield opened
    for file in opened:
        file.close()


def settings_of(group):
    values = {}
    for field in dataclasses.fields(reference.Settings):
        value = group[field.name][()]
        values[field.name] = (
            value.decode() if isinstance(value, bytes) else {"int": int, "bool": bool}.get(field.type, float)(value)
        )
    return reference.Settings(**values)


def real_of(files):
    return {"float": np.float32, "double": np.float64}[files[0]["real"].asstr()[()]]


def shares_of(files, place):
    return [(file[f"{place}/input"][()], file[f"{place}/delta"][()]) for file in files]


def test_all_cases_are_compared(files):
    assert sorted(CASES) == sorted(name for name in files[0] if name != "real")


@pytest.mark.parametrize("case", CASES)
def test_exchange(files, case):
    settings, real = settings_of(files[0][case]), real_of(files)
    # Sums of tens of terms, of factors that were themselves sums, through iterations that keep subspaces: some
    # hundred roundings (175 at most were seen, in double).
    tolerance = 500 * np.finfo(real).eps
    methods = [
        None if case == "edad" else reference.make(settings, len(files), layer, SEED, real) for layer in range(LAYERS)
    ]
    for step in range(len([name for name in files[0][case] if name.startswith("step")])):
        places = [f"{case}/step{step}/layer{layer}" for layer in range(LAYERS)]
        shares = [shares_of(files, place) for place in places]
        if case == "edad":
            gradients = reference.edad(
                [np.concatenate([a for a, _ in layer]) for layer in shares],
                np.concatenate([d for _, d in shares[-1]]),
                [files[0][f"{place}/weight"][()] for place in places],
                ACTIVATIONS,
            )
        else:
            gradients = [method(layer) for method, layer in zip(methods, shares)]
        for place, layer, expected in zip(places, shares, gradients):
            found = [file[f"{place}/gradient"][()] for file in files]
            assert all(np.array_equal(one, found[0]) for one in found), f"{place}: ranks differ"
            assert np.linalg.norm(found[0] - expected) <= tolerance * np.linalg.norm(expected), place
            bias = sum(d.sum(axis=0) for _, d in layer)
            np.testing.assert_allclose(files[0][f"{place}/bias_gradient"][0], bias, atol=tolerance * np.abs(bias).max())


def test_low_rank_is_no_exchange_in_disguise(files):
    """What is compared above differs from the exact gradient by far more than the tolerance."""
    for case in ("qr", "block", "author", "root", "tree", "powersgd", "power_dad"):
        place = f"{case}/step0/layer0"
        exact = reference.dsgd(shares_of(files, place))
        assert np.linalg.norm(files[0][f"{place}/gradient"][()] - exact) > 0.02 * np.linalg.norm(exact)


def test_philox_is_that_of_the_paper():
    """Random123's known answers, kat_vectors: philox4x32 10."""
    zeros = philox(0, (0, 0, 0, 0))
    assert [int(word) for word in zeros] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    ones = philox(2**64 - 1, (2**32 - 1,) * 4)
    assert [int(word) for word in ones] == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]
    numbers = normal_rows(7, 0, (100, 100))
    assert abs(numbers.mean()) < 0.05 and abs(numbers.std() - 1) < 0.03


def test_rows():
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(9, 6)), generator.normal(size=(9, 5))
    few, values = truncated(rows, 2)
    np.testing.assert_allclose(values, np.linalg.svd(product(rows), compute_uv=False))
    error = np.linalg.norm(product(rows) - product(few))
    assert error == pytest.approx(np.sqrt((values[2:] ** 2).sum()))
    assert effective_rank(values, float((values**2).sum()), error / np.linalg.norm(values) + 1e-9) == 2
    assert effective_rank(values[:1], float((values**2).sum()), 1e-3) == 2  # more than is listed
    basis = orthonormal(np.concatenate([few[0], few[0][:1]]))
    np.testing.assert_allclose(basis @ basis.T, np.diag([1, 1, 0]), atol=1e-12)


def test_error_feedback_keeps_what_is_left_out():
    """Given + kept before = sent + kept after, exactly, where nothing is reduced away."""
    generator = np.random.default_rng(4)
    settings = reference.Settings("rank_dad", width=1, solver="qr", feedback=4, feedback_period=100)
    exchange = reference.make(settings, 2, 0, SEED)
    given = sent = np.zeros(())
    for _ in range(5):
        shares = [(generator.normal(size=(3, 6)), generator.normal(size=(3, 5))) for _ in range(2)]
        given = given + reference.dsgd(shares)
        sent = sent + exchange(shares)
    kept = sum(product(compress.memory.kept) for compress in exchange.compress)
    np.testing.assert_allclose(sent + kept, given, atol=1e-12)
