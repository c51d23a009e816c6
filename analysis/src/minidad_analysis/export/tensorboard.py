# SPDX-License-Identifier: BSD-3-Clause
"""TensorBoard's event files: records (TFRecord) of small protocol buffers, written without either library.

https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from ..overview import needs_steps, overview
from ..reader import Run


def export_tensorboard(run: Run, to: Path | None, steps: str | None) -> Iterator[Path]:
    """Into a folder, as TensorBoard wants it: loss, accuracy, rates, bytes, times, and measures of each layer."""
    needs_steps(run)
    folder = to or Path(run.path).with_suffix("").with_name(f"{Path(run.path).stem}_tensorboard")
    folder.mkdir(parents=True, exist_ok=True)
    start = _start(run)
    path = folder / f"events.out.tfevents.{int(start)}.minidad"
    with open(path, "wb") as file:
        file.write(_record(_event(start, version="brain.Event:2")))
        for step, name, value, seconds in _scalars(run):
            file.write(_record(_event(start + seconds, step=step, scalar=(name, value))))
    yield path


def _start(run: Run) -> float:
    """Seconds since 1970."""
    text = run.provenance.get("start", "1970-01-01T00:00:00Z")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


def _scalars(run: Run) -> Iterator[tuple[int, str, float, float]]:
    """(step, name, value, seconds since the start), in the order of steps for each name."""
    seen = overview(run)

    def curve(name: str, steps: np.ndarray, values: np.ndarray) -> Iterator[tuple[int, str, float, float]]:
        seconds = np.interp(steps, seen.step, seen.seconds)
        for step, value, second in zip(steps.tolist(), values.tolist(), seconds.tolist()):
            if np.isfinite(value):
                yield step, name, value, second

    for name in ("loss", "accuracy", "learning_rate", "gradient_norm"):
        if name in run.series:
            yield from curve(f"train/{name}", run.axes["step"], run.series[name].values)
    yield from curve("train/bytes_sent_by_a_rank", seen.step, seen.bytes)
    for phase, seconds in zip(run.axes["phase"], seen.phase_seconds.T):
        yield from curve(f"seconds_a_step/{phase}", seen.step, seconds)
    last = np.searchsorted(run.series["epoch_of_step"].values, run.axes["epoch"], side="right") - 1
    for name in ("test_loss", "test_accuracy"):
        yield from curve(f"test/{name[5:]}", run.axes["step"][last], run.series[name].values)
    if "gradient_measures" in run.series:
        measures = run.series["gradient_measures"].values
        for i, layer in enumerate(run.axes["layer"]):
            for j, measure in enumerate(run.axes["measure"]):
                yield from curve(f"{measure}/{layer}", run.axes["probe_step"], measures[:, i, j])


def _event(wall_time: float, step: int = 0, version: str = "", scalar: tuple[str, float] | None = None) -> bytes:
    """Event: 1 wall_time double, 2 step int64, 3 file_version string, 5 summary."""
    message = b"\x09" + struct.pack("<d", wall_time) + b"\x10" + _varint(step)
    if version:
        message += _bytes(3, version.encode())
    if scalar:  # Summary: 1 value, each 1 tag string, 2 simple_value float
        name, number = scalar
        value = _bytes(1, name.encode()) + b"\x15" + struct.pack("<f", number)
        message += _bytes(5, _bytes(1, value))
    return message


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def _record(content: bytes) -> bytes:
    """TFRecord: length, its checksum, content, its checksum."""
    length = struct.pack("<Q", len(content))
    return length + _checksum(length) + content + _checksum(content)


def _checksum(content: bytes) -> bytes:
    """CRC-32C (Castagnoli), rotated and shifted so that it may itself be in a record."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _crc_table() -> list[int]:
    table = []
    for crc in range(256):
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


CRC_TABLE = _crc_table()
