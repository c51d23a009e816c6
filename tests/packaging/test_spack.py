# SPDX-License-Identifier: BSD-3-Clause
"""The Spack recipe and its environments agree with CMake, the analysis package, the change log and their README."""

from __future__ import annotations

import ast
import itertools
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tomllib
import yaml
from spack_stand_in import AMD_TARGETS, CUDA_ARCHITECTURES, Prefix, Recipe, SkipTest, Spec, load, split

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
SPACK = SOURCE / "spack"
REPOSITORY = SPACK / "spack_repo/minidad"
PACKAGE = REPOSITORY / "packages/minidad/package.py"
ENVIRONMENTS = sorted(SPACK.glob("environments/*/spack.yaml"))
README = (SPACK / "README.md").read_text()
CMAKE = "\n".join(f.read_text() for f in [SOURCE / "CMakeLists.txt", *sorted(SOURCE.glob("cmake/*.cmake"))])
PROJECT = tomllib.loads((SOURCE / "analysis/pyproject.toml").read_text())["project"]
GPUS = {
    "none": {},
    "cuda": {"cuda": True, "cuda_arch": "90"},
    "rocm": {"rocm": True, "amdgpu_target": "gfx90a"},
}


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load(PACKAGE)


def all_specs(recipe: Recipe) -> Iterator[Spec]:
    """Every combination of the values of all variants, with each kind of GPU."""
    free = [name for name in recipe.variants if name not in ("cuda", "cuda_arch", "rocm", "amdgpu_target")]
    choices = [recipe.values[name] or (False, True) for name in free]
    for gpu in GPUS.values():
        for chosen in itertools.product(*choices):
            yield recipe.spec(**gpu, **dict(zip(free, chosen)))


def cmake_arguments(recipe: Recipe, spec: Spec, run_tests: bool = False) -> dict[str, str]:
    spec.prefixes = {"kokkos": SimpleNamespace(kokkos_cxx="/wrapper"), "hip": SimpleNamespace(hipcc="/hipcc")}
    arguments = recipe.package(recipe, spec, run_tests=run_tests).cmake_args()
    split_ones = [re.fullmatch(r"-D(\w+):\w+=(.+)", argument) for argument in arguments]
    assert all(split_ones), arguments
    names = [match[1] for match in split_ones if match]
    assert len(set(names)) == len(names), f"twice: {names}"
    return {match[1]: match[2] for match in split_ones if match}


# --- what CMake is told -------------------------------------------------------------------------------------------


def test_cmake_knows_every_argument(recipe: Recipe) -> None:
    found = set(re.findall(r"^option\((\w+)|^\s*set\((\w+)[^)]*\bCACHE\b", CMAKE, re.M))
    ours = {option or variable for option, variable in found}
    listed = subprocess.run(["cmake", "--help-variable-list"], check=True, capture_output=True, text=True).stdout
    builtin = [re.compile(re.escape(name).replace("<LANG>", "(C|CXX|CUDA|HIP)")) for name in listed.split()]
    strings = dict(re.findall(r"set_property\(CACHE (\w+) PROPERTY STRINGS ([^)]+)\)", CMAKE))
    for spec in all_specs(recipe):
        for run_tests in (False, True):
            for name, value in cmake_arguments(recipe, spec, run_tests).items():
                assert name in ours or any(b.fullmatch(name) for b in builtin), f"CMake has no variable {name}"
                assert value in strings.get(name, value).split(), f"{name} cannot be {value}"


@pytest.mark.parametrize(
    "variants, backend, compiler",
    [
        ({}, "OPENMP", None),
        ({"openmp": False}, "SERIAL", None),
        (GPUS["cuda"], "CUDA", "/wrapper"),
        (GPUS["rocm"], "HIP", "/hipcc"),
        ({**GPUS["cuda"], "openmp": False}, "CUDA", "/wrapper"),
    ],
)
def test_backend_and_compiler(recipe: Recipe, variants: dict[str, Any], backend: str, compiler: str | None) -> None:
    arguments = cmake_arguments(recipe, recipe.spec(**variants))
    assert arguments["MINIDAD_BACKEND"] == backend
    assert arguments.get("CMAKE_CXX_COMPILER") == compiler


@pytest.mark.parametrize("tests, run_tests, built", [(False, False, "OFF"), (True, False, "ON"), (False, True, "ON")])
def test_when_tests_are_built(recipe: Recipe, tests: bool, run_tests: bool, built: str) -> None:
    assert cmake_arguments(recipe, recipe.spec(tests=tests), run_tests)["MINIDAD_BUILD_TESTS"] == built


def test_scalars_are_those_of_cmake(recipe: Recipe) -> None:
    match = re.search(r"CACHE MINIDAD_REAL PROPERTY STRINGS ([^)]+)\)", CMAKE)
    assert match and sorted(recipe.values["real"]) == sorted(match[1].split())
    for real in recipe.values["real"]:
        assert cmake_arguments(recipe, recipe.spec(real=real))["MINIDAD_REAL"] == real


# --- what it depends on -------------------------------------------------------------------------------------------

PACKAGE_OF = {
    "Kokkos": "kokkos", "KokkosKernels": "kokkos-kernels", "MPI": "mpi", "HDF5": "hdf5", "BLAS": "blas",
    "LAPACK": "lapack", "ZLIB": "zlib-api", "fmt": "fmt", "CLI11": "cli11", "tomlplusplus": "tomlplusplus",
    "GTest": "googletest",
}  # fmt: skip


def test_every_library_that_cmake_looks_for(recipe: Recipe) -> None:
    wanted = {PACKAGE_OF[name] for name in re.findall(r"find_package\((\w+)", CMAKE)}
    assert wanted <= set(recipe.needs(recipe.spec(tests=True)))
    assert wanted - {"googletest"} <= set(recipe.needs(recipe.spec(), kinds=("link",)))
    assert wanted <= set(recipe.needs(recipe.spec(), kinds=("build", "link", "test")))


def test_lowest_version_of_cmake(recipe: Recipe) -> None:
    match = re.search(r"cmake_minimum_required\(VERSION ([\d.]+)\)", CMAKE)
    assert match and f"@{match[1]}:" in recipe.needs(recipe.spec())["cmake"]


@pytest.mark.parametrize("chosen, kinds", [({"tests": True}, ("build",)), ({}, ("test",))])
def test_python_modules_of_the_tests(recipe: Recipe, chosen: dict[str, Any], kinds: tuple[str, ...]) -> None:
    match = re.search(r'-c "import ([^"]+)"', CMAKE)
    assert match
    modules = {"yaml": "pyyaml"}  # for this file
    wanted = {f"py-{modules.get(m, m).lower()}" for m in [*match[1].split(", "), "yaml"]}
    assert wanted == {n for n in recipe.needs(recipe.spec(**chosen), kinds=kinds) if n.startswith("py-")}


def test_python_dependencies_are_those_of_the_analysis_package(recipe: Recipe) -> None:
    needed = recipe.needs(recipe.spec(python=True), kinds=("run",))
    wanted = dict(d.split(">=") for d in PROJECT["dependencies"])
    assert needed == {f"py-{name}": {f"@{version}:"} for name, version in wanted.items()} | {
        "python": {"@" + PROJECT["requires-python"].removeprefix(">=") + ":"}
    }
    assert recipe.needs(recipe.spec(), kinds=("run",)) == {}


def test_no_spec_asks_for_two_things_at_once(recipe: Recipe) -> None:
    for spec in all_specs(recipe):
        for name, words in recipe.needs(spec).items():
            on, off = ({w[1:] for w in words if w[0] == sign} for sign in "+~")
            assert not on & off, f"{name} with and without {on & off}"


def test_kokkos_has_the_backends_asked_for_and_no_others(recipe: Recipe) -> None:
    for spec in all_specs(recipe):
        kokkos = recipe.needs(spec)["kokkos"]
        for backend in ("cuda", "rocm", "openmp"):
            assert ("+" if spec.variants[backend] else "~") + backend in kokkos
        assert ("+serial" in kokkos) != spec.variants["openmp"]
        assert "cxxstd=20" in kokkos and "set(CMAKE_CXX_STANDARD 20)" in CMAKE


@pytest.mark.parametrize(
    "gpu, variant, names", [("cuda", "cuda_arch", CUDA_ARCHITECTURES), ("rocm", "amdgpu_target", AMD_TARGETS)]
)
def test_architectures_reach_kokkos(recipe: Recipe, gpu: str, variant: str, names: tuple[str, ...]) -> None:
    for name in names:
        kokkos = recipe.needs(recipe.spec(**{gpu: True, variant: name}))["kokkos"]
        assert {word for word in kokkos if word.startswith(variant)} == {f"{variant}={name}"}


def test_what_is_refused(recipe: Recipe) -> None:
    assert not any(recipe.refuses(spec) for spec in all_specs(recipe))
    assert recipe.refuses(recipe.spec(cuda=True))
    assert recipe.refuses(recipe.spec(rocm=True))
    assert recipe.refuses(recipe.spec(**GPUS["cuda"], **GPUS["rocm"]))


def test_rules_about_other_packages(recipe: Recipe) -> None:
    """Only Spack's solver can judge these; what they are about must be what the recipe depends on."""
    needed = recipe.needs(recipe.spec(**GPUS["cuda"]))
    rules = [r for r in recipe.requirements + recipe.conflicts if r[0].startswith("^")]
    assert {split(r[0])[0][1:] for r in rules} - {"openblas"} <= set(needed)
    assert ("^kokkos+wrapper", ["+cuda %gcc"]) in rules
    assert ("^kokkos+cmake_lang", []) in rules
    assert ("^openblas threads=openmp", ["+openmp ^[virtuals=blas] openblas"]) in rules


# --- what it installs and tests ------------------------------------------------------------------------------------


def test_installs_the_analysis_package(recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "analysis").mkdir()
    calls: list[tuple[str, tuple[str, ...]]] = []
    recipe = load(PACKAGE, pip=lambda *words: calls.append((os.getcwd(), words)))
    for python in (False, True):
        spec = recipe.spec(python=python)
        stage = SimpleNamespace(source_path=str(tmp_path))
        package = recipe.package(recipe, spec, stage=stage, prefix="/prefix")
        for method, when in recipe.after_install:
            if spec.all(when):
                method(package)
    ((folder, words),) = calls
    assert folder == str(tmp_path / "analysis")
    assert words[0] == "install" and words[-2:] == ("--prefix=/prefix", ".")
    assert (SOURCE / "analysis/pyproject.toml").is_file() and "minidad-analysis" in PROJECT["scripts"]


def test_check_leaves_out_a_test_that_exists(recipe: Recipe, tmp_path: Path) -> None:
    calls: list[tuple[str, ...]] = []
    recipe = load(PACKAGE, ctest=lambda *words: calls.append(words))
    recipe.package(recipe, recipe.spec(), build_directory=str(tmp_path)).check()
    ((*_, left_out),) = calls
    names = re.findall(r"^\s*minidad_add_pytest\((\w+)", (SOURCE / "tests/CMakeLists.txt").read_text(), re.M)
    assert [n for n in names if re.search(left_out, f"python.{n}")] == ["analysis"]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a package whose prefix has the program of this build and the decks of this checkout."""
    monkeypatch.chdir(tmp_path)
    prefix = tmp_path / "prefix"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "share/minidad").mkdir(parents=True)
    (prefix / "share/minidad/input").symlink_to(SOURCE / "input")

    def make(recipe: Recipe, program: str, **chosen: Any) -> Any:
        (prefix / "bin/minidad").symlink_to(program)
        spec = recipe.spec(**chosen)
        mpi = Path(os.environ["MPIEXEC"]).parent.parent
        spec.prefixes = {"mpi": SimpleNamespace(prefix=Prefix(str(mpi)))}
        return recipe.package(recipe, spec, prefix=Prefix(str(prefix)))

    return make


def test_stand_alone_test_passes(recipe: Recipe, installed: Any, tmp_path: Path) -> None:
    installed(recipe, os.environ["MINIDAD"]).test_two_ranks()
    assert (tmp_path / "runs/tiny.h5").is_file()
    assert "DESTINATION ${CMAKE_INSTALL_DATADIR}/minidad/input" in CMAKE


@pytest.mark.parametrize(
    "run, verify",
    [
        ("exit 3", "complete and undamaged"),
        ("echo on 2 ranks", "complete and undamaged"),
        ("echo 'on 1 ranks; Figure of Merit (FOM): 1.0'", "complete and undamaged"),
        ("echo 'on 2 ranks; Figure of Merit (FOM): 1.0'", "damaged"),
    ],
)
def test_stand_alone_test_can_fail(recipe: Recipe, installed: Any, tmp_path: Path, run: str, verify: str) -> None:
    program = tmp_path / "broken"
    program.write_text(f'#!/bin/sh\nif [ "$1" = run ]; then {run}; else echo {verify}; fi\n')
    program.chmod(0o755)
    with pytest.raises((AssertionError, RuntimeError)):
        installed(recipe, str(program)).test_two_ranks()


def test_imports_are_tested_where_they_are(recipe: Recipe) -> None:
    package = recipe.package(recipe, recipe.spec(python=True))
    package.test_imports()
    assert package.imports_were_tested
    with pytest.raises(SkipTest):
        recipe.package(recipe, recipe.spec()).test_imports()


# --- versions ------------------------------------------------------------------------------------------------------


def version_faults(versions: dict[str, dict[str, Any]], changelog: str, project: str) -> list[str]:
    """Where the recipe's versions, the change log's and CMake's disagree."""
    entries = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - (\S+)$", changelog, re.M)
    released = {version for version, date in entries if date != "unreleased"}
    numbered = {version for version in versions if version != "main"}
    faults = [f"the change log starts with {entries[0][0]}, not {project}"] if entries[0][0] != project else []
    faults += ["the recipe lacks main"] if "main" not in versions else []
    faults += [f"the recipe lacks {version}" for version in sorted(released - numbered)]
    faults += [f"{version} is not released" for version in sorted(numbered - released)]
    for version in sorted(numbered):
        checksum = versions[version].get("sha256", versions[version].get("commit", ""))
        faults += [] if re.fullmatch("[0-9a-f]{64}|[0-9a-f]{40}", checksum) else [f"{version} has no checksum"]
    return faults


def test_versions_agree(recipe: Recipe) -> None:
    match = re.search(r"^project\(minidad VERSION ([\d.]+)", CMAKE, re.M)
    assert match
    assert version_faults(recipe.versions, (SOURCE / "CHANGELOG.md").read_text(), match[1]) == []
    assert PROJECT["version"] == match[1]


TAGGED: dict[str, dict[str, Any]] = {"main": {}, "0.2.0": {"sha256": "0" * 64}, "0.1.0": {"sha256": "1" * 64}}
LOG = "## [0.3.0] - unreleased\n\n## [0.2.0] - 2027-01-31\n\n## [0.1.0] - 2026-12-24\n"


def test_versions_once_there_are_releases() -> None:
    assert version_faults(TAGGED, LOG, "0.3.0") == []
    assert version_faults({**TAGGED, "0.3.0": {"commit": "a" * 40}}, LOG, "0.3.0") == ["0.3.0 is not released"]
    assert version_faults({"main": {}, "0.1.0": TAGGED["0.1.0"]}, LOG, "0.3.0") == ["the recipe lacks 0.2.0"]
    assert version_faults({**TAGGED, "0.2.0": {}}, LOG, "0.3.0") == ["0.2.0 has no checksum"]
    assert version_faults(TAGGED, LOG, "0.2.0") == ["the change log starts with 0.3.0, not 0.2.0"]


# --- files ---------------------------------------------------------------------------------------------------------


def check_variants(recipe: Recipe, words: list[str]) -> None:
    """Whether the words of a spec of minidad are variants that exist, with values they can have."""
    chosen: dict[str, Any] = {}
    for word in words:
        if word[0] == "@":
            assert word[1:] in recipe.versions
        elif word[0] in "+~":
            assert recipe.variants.get(word[1:]) in (False, True), f"no variant {word[1:]}"
            chosen[word[1:]] = word[0] == "+"
        else:
            name, value = word.split("=")
            assert value in recipe.values[name], f"{name} cannot be {value}"
            chosen[name] = value
    assert not recipe.refuses(recipe.spec(**chosen))


def test_repository_is_where_the_index_says(recipe: Recipe) -> None:
    (path,) = yaml.safe_load((SOURCE / "spack-repo-index.yaml").read_text())["repo_index"]["paths"]
    assert SOURCE / path == REPOSITORY
    about = yaml.safe_load((REPOSITORY / "repo.yaml").read_text())["repo"]
    assert about == {"namespace": REPOSITORY.name, "api": "v2.0"}
    assert recipe.package.__name__ == PACKAGE.parent.name.capitalize()


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.parent.name)
def test_environment(recipe: Recipe, path: Path) -> None:
    environment = yaml.safe_load(path.read_text())["spack"]
    assert set(environment) == {"specs", "repos", "develop", "concretizer", "view"}
    assert {name: (path.parent / at).resolve() for name, at in environment["repos"].items()} == {"minidad": REPOSITORY}
    developed = environment["develop"]["minidad"]
    assert (path.parent / developed["path"]).resolve() == SOURCE.resolve()
    assert developed["spec"] == "minidad@main"
    (spec,) = environment["specs"]
    ours, *others = spec.split(" ^")
    name, version, *variants = split(ours)
    assert (name, version) == ("minidad", "@main")
    check_variants(recipe, variants)
    needed = recipe.needs(recipe.spec())
    for other in others:
        virtual = re.match(r"\[virtuals=(\w+)\] ", other)
        assert (virtual[1] if virtual else split(other)[0]) in needed


def test_readme_names_the_environments() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)?) \|", README.split("## Variants")[0], re.M)
    assert ENVIRONMENTS
    assert sorted(re.findall(r"\w+", " ".join(rows))) == [path.parent.name for path in ENVIRONMENTS]


def test_readme_names_the_variants(recipe: Recipe) -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)?) \| (\S+) \|", README.split("## Variants")[1], re.M)
    told = {name: default.strip("`") for names, default in rows for name in re.findall(r"\w+", names)}
    assert set(told) == set(recipe.variants)
    words = {True: "on", False: "off", "none": "off"}
    assert told == {name: words.get(default, default) for name, default in recipe.variants.items()}


def test_readme_specs_exist(recipe: Recipe) -> None:
    specs = re.findall(r"spack dev-build minidad(.*)$", README, re.M)
    assert specs
    for spec in specs:
        check_variants(recipe, split(spec))


def test_style() -> None:
    """As Spack's own checks want it: Python 3.6, lines of 99 characters, no import without use."""
    text = PACKAGE.read_text()
    tree = ast.parse(text, feature_version=(3, 6))
    assert [line for line in text.splitlines() if len(line) > 99 or line != line.rstrip() or "\t" in line] == []
    assert text.endswith("\n") and not text.endswith("\n\n")
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert imported - {"*"} <= used
    names = [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    assert len(set(names)) == len(names)
