# SPDX-License-Identifier: BSD-3-Clause
"""The installed tree, as its users meet it: the program, and a project of their own on the library."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
BUILD = Path(os.environ["MINIDAD_BUILD"])
CMAKE = os.environ["CMAKE"]


def run(*command: object, folder: Path, code: int = 0) -> str:
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    run(CMAKE, "--install", BUILD, "--prefix", folder, folder=folder)
    return folder


def configure(source: Path, prefix: Path, folder: Path, *options: str, code: int = 0) -> str:
    return run(CMAKE, "-G", "Ninja", "-S", source, "-B", folder, f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release",
               *options, folder=folder.parent, code=code)  # fmt: skip


def test_the_program_runs_from_where_it_is_installed(prefix: Path, tmp_path: Path) -> None:
    text = run(os.environ["MPIEXEC"], "-n", 2, prefix / "bin/minidad", "run", prefix / "share/minidad/input/tiny.toml",
               "--set", "training.epochs=1", "--set", "output.file=run.h5", folder=tmp_path)  # fmt: skip
    assert "Figure of Merit (FOM):" in text
    assert (tmp_path / "run.h5").is_file()


def test_decks_manual_and_completion_are_installed(prefix: Path) -> None:
    for path in ("man/man1/minidad.1", "bash-completion/completions/minidad"):
        assert (prefix / "share" / path).read_text() == (SOURCE / "share" / path).read_text()
    installed = {path.name for path in (prefix / "share/minidad/input").iterdir()}
    assert installed == {path.name for path in (SOURCE / "input").iterdir()}


def test_installed_headers_stand_alone_and_need_neither_mpi_nor_hdf5(prefix: Path, tmp_path: Path) -> None:
    root = prefix / "include/minidad"
    headers = sorted(path.relative_to(root) for path in root.rglob("*.hpp"))
    assert len(headers) > 80
    for header in headers:
        includes = re.findall(r'#include [<"]([^>"]+)', (root / header).read_text())
        assert not [name for name in includes if re.match(r"mpi|hdf5|H5|Kokkos(Blas|Batched)", name)], header
        for name in includes:
            if "/" in name and (SOURCE / "src" / name).is_file():
                assert (root / name).is_file(), f"{header} includes {name}, which is not installed"
    source = tmp_path / "source"
    source.mkdir()
    for header in headers:
        (source / (str(header).replace("/", "_") + ".cpp")).write_text(f'#include "{header}"\n')
    (source / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\nproject(headers LANGUAGES C CXX)\nfind_package(minidad REQUIRED)\n"
        "file(GLOB sources *.cpp)\nadd_library(headers STATIC ${sources})\n"
        "set_target_properties(headers PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)\n"
        "target_link_libraries(headers PRIVATE minidad::minidad)\n"
        "target_compile_options(headers PRIVATE -fsyntax-only -Wall -Wextra -Wpedantic -Werror)\n"
    )
    configure(source, prefix, tmp_path / "build")
    database = run("ninja", "-C", tmp_path / "build", "-t", "commands", folder=tmp_path)
    compiles = [line for line in database.splitlines() if " -c " in line]
    assert compiles
    for command in compiles:
        run("sh", "-c", command, folder=tmp_path / "build")


def test_a_project_of_its_own_adds_an_exchange(prefix: Path, tmp_path: Path) -> None:
    configure(SOURCE / "examples/stretches", prefix, tmp_path / "build")
    run(CMAKE, "--build", tmp_path / "build", folder=tmp_path)
    deck = prefix / "share/minidad/input/tiny.toml"
    mpiexec = (os.environ["MPIEXEC"], "-n", 2)
    text = run(*mpiexec, tmp_path / "build/stretches", deck, folder=tmp_path)
    accuracy, sent = re.search(r"test accuracy ([\d.]+) %, sent (\d+) bytes", text).groups()  # type: ignore[union-attr]
    check = run(prefix / "bin/minidad", "check", deck, "--ranks", 2, folder=tmp_path)
    dsgd = re.search(r"#   dsgd +(\d+)", check).group(1)  # type: ignore[union-attr]
    # A quarter of the gradient in each step, and once a record a number or two about the run.
    assert int(dsgd) / 4 <= int(sent) < int(dsgd) / 4 + 64
    assert float(accuracy) > 70  # dsgd: 77 %; five classes: 20 % by chance
    assert "usage: stretches DECK" in run(*mpiexec, tmp_path / "build/stretches", folder=tmp_path, code=2)


def test_what_does_not_fit_is_refused_in_words(prefix: Path, tmp_path: Path) -> None:
    project = "cmake_minimum_required(VERSION 3.22)\nproject(user LANGUAGES {})\nfind_package(minidad {} REQUIRED)\n"
    for name, languages, version, complaint in (
        ("languages", "CXX", "", "LANGUAGES C CXX"),
        ("version", "C CXX", "99.0", "99.0"),
    ):
        source = tmp_path / name
        source.mkdir()
        (source / "CMakeLists.txt").write_text(project.format(languages, version))
        assert complaint in configure(source, prefix, tmp_path / f"build_{name}", code=1)
    # Another Kokkos than the one that the libraries were compiled with.
    other = tmp_path / "other"
    other.mkdir()
    (other / "KokkosConfig.cmake").write_text("set(Kokkos_DEVICES SERIAL)\n")
    (other / "KokkosConfigVersion.cmake").write_text(
        "set(PACKAGE_VERSION 4.4.0)\nset(PACKAGE_VERSION_COMPATIBLE TRUE)\n"
    )
    source = tmp_path / "version"
    (source / "CMakeLists.txt").write_text(project.format("C CXX", ""))
    complaint = configure(source, prefix, tmp_path / "build_kokkos", f"-DKokkos_DIR={other}", code=1)
    assert "minidad was built with Kokkos" in " ".join(complaint.split())
