# SPDX-License-Identifier: BSD-3-Clause
import h5py
import numpy as np
import pytest

from minidad_analysis import RunFileError, read_run
from minidad_analysis.schema import (
    AXES,
    CLASS_AXES,
    CLASS_SERIES,
    CONSENSUS_SERIES,
    FACTOR_SERIES,
    NORM_SERIES,
    PROBE_AXES,
    PROBE_SERIES,
    PROVENANCE,
    SERIES,
    SUMMARY,
)

ALL_AXES = {*AXES, *PROBE_AXES, *CLASS_AXES}
ALL_SERIES = {**SERIES, **NORM_SERIES, **CONSENSUS_SERIES, **FACTOR_SERIES, **PROBE_SERIES, **CLASS_SERIES}


def test_reads_all_that_was_written(make_run):
    path = make_run(ranks=3)
    run = read_run(path)
    assert run.path == str(path) and run.complete
    assert set(run.axes) == set(AXES) and set(run.series) == set(SERIES)
    assert list(run.axes["channel"])[1] == "layer0 allgatherv"
    seconds = run.series["seconds"]
    assert seconds.axes == ("step", "rank", "phase")
    assert np.array_equal(seconds.values, np.arange(72.0).reshape(3, 3, 8))
    assert (seconds.unit, seconds.meaning) == ("1", "meaning of seconds")
    assert run.provenance["ranks"] == "3"
    assert run.summary["test_accuracy"] == 0.8765
    assert run.summary["parameter_digest"] == 2**64 - 1  # all 64 bits


def test_reads_an_incomplete_run_when_told_to(make_run):
    path = make_run(complete=False)
    with pytest.raises(RunFileError, match="not complete"):
        read_run(path)
    run = read_run(path, allow_incomplete=True)
    assert not run.complete and run.summary == {} and len(run.series["loss"].values) == 3


def test_reads_what_a_later_minor_version_adds(make_run):
    def add(file: h5py.File) -> None:
        file["width"] = np.arange(5)
        file["width"].make_scale("width")
        file["spectrum"] = np.zeros((3, 5))
        for dimension, axis in zip(file["spectrum"].dims, ("step", "width")):
            dimension.attach_scale(file[axis])
        file["note"] = "neither axis nor series"

    run = read_run(make_run(version="1.7", change=add))
    assert run.series["spectrum"].axes == ("step", "width")
    assert run.to_xarray()["spectrum"].sizes == {"step": 3, "width": 5}


@pytest.mark.parametrize("per_class", [False, True])
def test_reads_what_a_probe_found(make_run, per_class):
    run = read_run(make_run(version="1.1", probe=True, per_class=per_class))
    assert set(run.series) == {
        *SERIES, *FACTOR_SERIES, *PROBE_SERIES, *(CLASS_SERIES if per_class else ()),
    }  # fmt: skip
    assert ("class" in run.axes) == per_class
    local = run.series["gradient_spectrum_local"]
    assert local.axes == ("probe_step", "rank", "layer", "value")
    assert np.array_equal(local.values, np.arange(32.0).reshape(2, 2, 2, 4))
    data = run.to_xarray()
    assert float(data["applied_error"].sel(probe_step=51, layer="layer1")) == 3
    if per_class:
        assert data["class_measures"].sel({"class": 3, "measure": "norm"}).shape == (2, 2)


@pytest.mark.parametrize("name", ["applied_error", "gradient_measures_local", "certified_error"])
def test_a_probe_leaves_all_or_nothing(make_run, name):
    with pytest.raises(RunFileError, match=f"'{name}' is missing"):
        read_run(make_run(version="1.1", probe=True, change=lambda file: file.pop(name)))


def test_what_a_probe_found_has_its_axes(make_run):
    def spoil(file: h5py.File) -> None:
        del file["applied_error"]
        file["applied_error"] = np.zeros((2, 2))
        for dimension, axis in zip(file["applied_error"].dims, ("layer", "probe_step")):
            dimension.attach_scale(file[axis])

    with pytest.raises(RunFileError, match="'applied_error' has the axes"):
        read_run(make_run(version="1.1", probe=True, change=spoil))


def test_to_xarray_labels_axes(make_run):
    runs = read_run(make_run()).to_xarray()
    one = runs["bytes_sent"].sel(step=20, rank=1, channel="layer1 allgatherv")
    assert float(one) == 11.0
    assert runs["loss"].attrs == {"units": "1", "long_name": "meaning of loss"}
    assert runs.attrs["version"] == "0.1.0" and runs.attrs["test_accuracy"] == 0.8765


# --- a file that minidad has written -------------------------------------------------------------


def test_real_file_follows_the_schema(real_file):
    run = read_run(real_file)
    assert run.complete
    assert set(run.axes) == ALL_AXES
    assert {name: one.axes for name, one in run.series.items()} == {
        name: axes for name, (_, axes) in ALL_SERIES.items()
    }
    assert all(one.unit and one.meaning for one in run.series.values())
    assert set(PROVENANCE) <= set(run.provenance) and set(SUMMARY) <= set(run.summary)


def test_real_file_is_plausible(real_file):
    run = read_run(real_file)
    values = {name: one.values for name, one in run.series.items()}
    assert all(len(one) > 0 for one in values.values())
    assert (np.diff(run.axes["step"]) > 0).all() and (np.diff(run.axes["epoch"]) > 0).all()
    assert len(run.axes["rank"]) == int(run.provenance["ranks"])
    assert np.isfinite(values["loss"]).all()
    for name in ("seconds", "bytes_sent", "messages"):
        assert (values[name] >= 0).all(), name
    for name in ("accuracy", "test_accuracy"):
        assert ((values[name] >= 0) & (values[name] <= 1)).all(), name
    assert run.summary["test_accuracy"] == values["test_accuracy"][-1]
    assert run.summary["steps"] == run.axes["step"][-1]
    assert (np.diff(values["gradient_spectrum"]) <= 0).all()
    assert (values["applied_error"] < 1e-5).all()  # of an exact exchange
    assert np.isnan(values["gradient_angle"][0]).all()


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray_opens_the_real_file(real_file, engine):
    import xarray

    run = read_run(real_file)
    with xarray.open_dataset(real_file, engine=engine) as data:
        assert data.attrs["complete"] == 1
        assert set(data.coords) == ALL_AXES
        for name in ALL_AXES:
            assert np.array_equal(data[name].values, run.axes[name]), name
        assert set(data.data_vars) == set(ALL_SERIES)
        for name, (_, axes) in ALL_SERIES.items():
            assert data[name].dims == axes
            np.testing.assert_array_equal(data[name].values, run.series[name].values, name)
