# SPDX-License-Identifier: BSD-3-Clause
"""What other programs get is what the run file holds: each format is read again, by another way than it was written."""

import csv
import json
import struct
import sys

import numpy as np
import pytest

from minidad_analysis import read_run
from minidad_analysis.__main__ import main
from minidad_analysis.export import tensorboard


def exported(command, to, run, output, *more):
    result = command("export", to, run, "-o", output, *more)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_csv_has_every_number(real_file, command, tmp_path):
    run = read_run(real_file)
    files = exported(command, "csv", real_file, tmp_path / "tables")
    assert len(files) == len({series.axes for series in run.series.values()})
    seen = set()
    for path in files:
        with open(path, newline="") as file:
            header, *rows = csv.reader(file)
        for column, name in enumerate(header):
            if name not in run.series:
                continue
            seen.add(name)
            values = np.array([float(row[column]) for row in rows])
            np.testing.assert_array_equal(values, run.series[name].values.ravel().astype(float))
            axes = run.series[name].axes
            assert tuple(header[: len(axes)]) == axes
            last = [str(run.axes[axis][-1]) for axis in axes]
            assert rows[-1][: len(axes)] == last
    assert seen == set(run.series)


def test_netcdf_opens_in_xarray(real_file, command, tmp_path):
    import xarray

    (path,) = exported(command, "nc", real_file, tmp_path / "run.nc")
    run = read_run(real_file)
    with xarray.open_dataset(path) as data:
        assert set(data.data_vars) == set(run.series)
        np.testing.assert_array_equal(data["loss"], run.series["loss"].values)
        assert data["seconds"].sel(phase="forward").dims == ("step", "rank")
        assert data.attrs["ranks"] == run.provenance["ranks"]


def test_netcdf_without_xarray_is_said(make_run, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "xarray", None)
    assert main(["export", "nc", str(make_run())]) == 2
    assert capsys.readouterr().err.startswith("minidad-analysis: netCDF needs xarray, and netCDF4 or h5netcdf: ")


def fields(message):
    """(number, value) of a protocol buffer: varints, fixed numbers as bytes, and whatever has a length."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        number, kind = divmod(varint(), 8)
        if kind == 0:
            yield number, varint()
            continue
        length = {1: 8, 5: 4}[kind] if kind != 2 else varint()
        yield number, message[at : at + length]
        at += length


def events(path):
    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        assert content[8:12] == tensorboard._checksum(content[:8])
        event = content[12 : 12 + length]
        assert content[12 + length : 16 + length] == tensorboard._checksum(event)
        yield dict(fields(event))
        content = content[16 + length :]


def test_tensorboard_has_the_curves(real_file, command, tmp_path):
    run = read_run(real_file)
    (path,) = exported(command, "tensorboard", real_file, tmp_path / "board")
    first, *others = events(tmp_path / "board" / path.split("/")[-1])
    assert first[3] == b"brain.Event:2"
    curves = {}
    for event in others:
        value = dict(fields(dict(fields(event[5]))[1]))
        curves.setdefault(value[1].decode(), []).append((event[2], struct.unpack("<f", value[2])[0]))
        assert struct.unpack("<d", event[1]) >= struct.unpack("<d", first[1])
    steps, losses = zip(*curves["train/loss"])
    np.testing.assert_array_equal(steps, run.axes["step"])
    np.testing.assert_allclose(losses, run.series["loss"].values, rtol=1e-6)
    assert len(curves["test/accuracy"]) == len(run.axes["epoch"])
    assert curves["test/accuracy"][-1][0] == run.axes["step"][-1]
    assert "rank_0.1/layer0" in curves


def test_checksum_is_castagnoli():
    """RFC 3720, B.4: 32 bytes of zeros have the CRC-32C aa 36 91 8a."""
    crc = 0x8A9136AA
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert tensorboard._checksum(bytes(32)) == struct.pack("<I", masked)


def test_trace_adds_up(make_run, command, tmp_path):
    run = read_run(make_run(ranks=3))
    (path,) = exported(command, "chrome-trace", run.path, tmp_path / "trace.json", "--steps", "15:30")
    trace = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    seconds = run.series["seconds"].values[1:]  # the records of steps 20 and 30
    for rank in range(3):
        blocks = [event for event in trace if event["ph"] == "X" and event["tid"] == rank]
        assert sum(event["dur"] for event in blocks) == pytest.approx(1e6 * seconds[:, rank].sum())
        ends = [event["ts"] + event["dur"] for event in blocks]
        assert all(event["ts"] >= end - 1e-3 for event, end in zip(blocks[1:], ends))
    assert {event["args"]["up to step"] for event in trace if event["ph"] == "X"} == {20, 30}


def test_what_cannot_be_exported_is_said(make_run, command, tmp_path):
    run = make_run()
    for steps, reason in (("7", "is not FIRST:LAST"), ("40:50", "has no record of steps 40:50, only of 10:30")):
        result = command("export", "chrome-trace", run, "--steps", steps)
        assert result.returncode == 2 and reason in result.stderr and len(result.stderr.splitlines()) == 1
    many = make_run("many.h5", steps=tuple(range(1, 4001)), ranks=20)
    result = command("export", "chrome-trace", many)
    assert result.returncode == 2 and "choose some with --steps" in result.stderr
    blocked = tmp_path / "file"
    blocked.write_text("")
    result = command("export", "csv", run, "-o", blocked / "folder")
    assert result.returncode == 2 and result.stderr.endswith("Not a directory\n")
