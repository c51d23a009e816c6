# SPDX-License-Identifier: BSD-3-Clause
"""The arrows between the folders of src/ point down, and each library is spoken to in one place."""

from __future__ import annotations

import re

import pytest
from conftest import SOURCE

MAY_USE = {
    "core": set(),
    "linalg": {"core"},
    "comm": {"core"},
    "nn": {"linalg", "core"},
    "data": {"io", "linalg", "core"},
    "compress": {"linalg", "core"},
    "exchange": {"nn", "compress", "comm", "linalg", "core"},
    "io": {"comm", "core"},
    "train": {"exchange", "data", "io", "nn", "compress", "comm", "linalg", "core"},
    "config": {"train", "exchange", "data", "io", "nn", "compress", "comm", "linalg", "core"},
}

CONFINED = {  # header: the folders that may include it
    "mpi.h": {"comm"},
    "hdf5.h": {"io"},
    "hdf5_hl.h": {"io"},
    "KokkosBlas3_gemm.hpp": {"linalg"},
    "zlib.h": {"data"},
    "toml++/toml.h": {"config"},
    "comm/communicator_impl.hpp": {"comm"},
    "comm/mpi_handle.hpp": {"io"},
}


def sources(folder):
    return [path for path in sorted((SOURCE / folder).rglob("*")) if path.suffix in (".hpp", ".cpp")]


def includes(path):
    return re.findall(r'^#include [<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE)


def test_every_folder_is_known_and_described():
    folders = {path.name for path in (SOURCE / "src").iterdir() if path.is_dir()}
    assert folders == set(MAY_USE)
    for folder in folders:
        assert (SOURCE / "src" / folder / "README.md").is_file()


@pytest.mark.parametrize("folder", MAY_USE)
def test_a_folder_includes_only_what_it_may(folder):
    for path in sources(f"src/{folder}"):
        for header in includes(path):
            owner = header.split("/")[0]
            if "/" in header and owner in MAY_USE:
                assert owner == folder or owner in MAY_USE[folder], f"{path} includes {header}"


def test_libraries_are_spoken_to_in_one_place():
    for folder in ("src", "miniapp", "bench"):
        for path in sources(folder):
            for header in includes(path):
                assert path.parent.name in CONFINED.get(header, {path.parent.name}), f"{path} includes {header}"
            if path.parent.name != "comm":
                assert not re.search(r"\bMPI_[A-Z][a-z]", path.read_text()), f"{path} speaks MPI"
            if path.parent.name != "io":
                assert not re.search(r"\bH5[A-Z][a-z]+\d?\(", path.read_text()), f"{path} speaks HDF5"


def test_only_one_header_asks_for_kokkos_version():
    for path in sources("src"):
        if path.name != "kokkos_compat.hpp":
            assert "KOKKOS_VERSION" not in path.read_text(), path
