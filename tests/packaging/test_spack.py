# SPDX-License-Identifier: BSD-3-Clause
"""Executes the Spack recipes with stand-ins for Spack, and holds what they say against the rest of the project."""

from __future__ import annotations

import ast
import contextlib
import itertools
import os
import re
import sys
import types
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
REPOSITORY = SOURCE / "spack/spack_repo/minidad"
RECIPES = sorted(REPOSITORY.glob("packages/*/package.py"))
ENVIRONMENTS = sorted(SOURCE.glob("spack/environments/*/spack.yaml"))


class Said(list):
    """What a recipe told one of Spack's directives: (directive, arguments, keywords) in order."""

    def of(self, directive: str) -> list[tuple[tuple, dict]]:
        return [(arguments, keywords) for name, arguments, keywords in self if name == directive]

    @property
    def variants(self) -> set[str]:
        return {arguments[0] for arguments, _ in self.of("variant")}

    def versions(self) -> list[str]:
        return [arguments[0] for arguments, _ in self.of("version")]


class Spec:
    """A spec with the given variants; it has every dependency that it is asked for."""

    def __init__(self, variants: dict[str, Any]) -> None:
        self.variants = variants
        self.hipcc, self.kokkos_cxx = "hipcc", "nvcc_wrapper"

    def satisfies(self, text: str) -> bool:
        assert re.fullmatch(r"[+~]\w+", text), f"the stand-in does not understand '{text}'"
        return bool(self.variants[text[1:]]) == (text[0] == "+")

    def __getitem__(self, name: str) -> Spec:
        return self


class Package:
    """What both recipes inherit from."""

    def __init__(self, variants: dict[str, Any]) -> None:
        self.spec = Spec(variants)

    def __getitem__(self, name: str) -> Spec:
        return self.spec

    def define(self, name: str, value: Any) -> str:
        return f"-D{name}={value}"

    def define_from_variant(self, name: str, variant: str) -> str:
        return self.define(name, self.spec.variants[variant])


def execute(recipe: Path) -> tuple[type, Said]:
    said = Said()

    def directive(name: str) -> Any:
        return lambda *arguments, **keywords: said.append((name, arguments, keywords))

    @contextlib.contextmanager
    def when(condition: str) -> Iterator[None]:
        said.append(("when", (condition,), {}))
        yield

    modules = {name: types.ModuleType(name) for name in ("spack", "spack.package")}
    for name in ("variant", "version", "depends_on", "conflicts", "requires", "license", "maintainers", "extends"):
        setattr(modules["spack.package"], name, directive(name))
    for name, value in (("when", when), ("Executable", None), ("join_path", os.path.join)):
        setattr(modules["spack.package"], name, value)
    for system, name in (
        ("cmake", "CMakePackage"),
        ("cuda", "CudaPackage"),
        ("rocm", "ROCmPackage"),
        ("python", "PythonPackage"),
    ):
        module = types.ModuleType(f"spack_repo.builtin.build_systems.{system}")
        attributes = {"cuda_arch_values": ("80", "90"), "amdgpu_targets": ("gfx90a", "gfx942")}
        setattr(module, name, type(name, (Package,), attributes if name in ("CudaPackage", "ROCmPackage") else {}))
        modules[module.__name__] = module
        for parent in ("spack_repo", "spack_repo.builtin", "spack_repo.builtin.build_systems"):
            modules[parent] = types.ModuleType(parent)
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        scope: dict[str, Any] = {}
        exec(compile(recipe.read_text(), str(recipe), "exec"), scope)
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    # As Spack derives a class name from the name of a folder.
    return scope["".join(word.capitalize() for word in recipe.parent.name.split("_"))], said


def minidad() -> tuple[type, Said]:
    return execute(REPOSITORY / "packages/minidad/package.py")


def all_variants() -> Iterator[dict[str, Any]]:
    _, said = minidad()
    flags = sorted((said.variants | {"cuda", "rocm"}) - {"real"})
    for values in itertools.product((False, True), repeat=len(flags)):
        variants = dict(zip(flags, values))
        if not (variants["cuda"] and variants["rocm"]):
            for real in ("float", "double"):
                yield {**variants, "real": real}


def cmake_options() -> dict[str, list[str]]:
    """The options of the project, with the words that they accept where those are listed."""
    text = (SOURCE / "CMakeLists.txt").read_text()
    options: dict[str, list[str]] = {name: [] for name in re.findall(r"option\((MINIDAD_\w+)", text)}
    options.update({name: [] for name in re.findall(r"set\((MINIDAD_\w+) \S+ CACHE", text)})
    for name, words in re.findall(r"set_property\(CACHE (MINIDAD_\w+) PROPERTY STRINGS ([^)]+)\)", text):
        options[name] = words.split()
    return options


def test_what_is_passed_to_cmake_exists_there() -> None:
    package, _ = minidad()
    options = cmake_options()
    assert len(options) >= 6
    passed = set()
    for variants in all_variants():
        for argument in package(variants).cmake_args():
            name, value = re.fullmatch(r"-D(\w+)=(.*)", argument).groups()  # type: ignore[union-attr]
            passed.add(name)
            if not name.startswith("CMAKE_"):
                assert name in options, f"{name} is no option of minidad"
                assert not options[name] or value in options[name], argument
    assert passed >= set(options), f"the recipe leaves open {set(options) - passed}"


def test_gpus_choose_back_end_and_compiler() -> None:
    package, _ = minidad()
    for variants in all_variants():
        arguments = package(variants).cmake_args()
        compiler = [argument for argument in arguments if argument.startswith("-DCMAKE_CXX_COMPILER=")]
        if variants["cuda"]:
            assert "-DMINIDAD_BACKEND=CUDA" in arguments and compiler == ["-DCMAKE_CXX_COMPILER=nvcc_wrapper"]
        elif variants["rocm"]:
            assert "-DMINIDAD_BACKEND=HIP" in arguments and compiler == ["-DCMAKE_CXX_COMPILER=hipcc"]
        else:
            assert f"-DMINIDAD_BACKEND={'OPENMP' if variants['openmp'] else 'SERIAL'}" in arguments and not compiler


def test_architectures_are_handed_on_to_kokkos() -> None:
    _, said = minidad()
    handed_on = {(arguments[0], keywords.get("when")) for arguments, keywords in said.of("depends_on")}
    for gpu in ("+cuda cuda_arch=80", "+cuda cuda_arch=90", "+rocm amdgpu_target=gfx90a", "+rocm amdgpu_target=gfx942"):
        assert (f"kokkos {gpu}", gpu) in handed_on
    refused = {(arguments[0], keywords["when"]) for arguments, keywords in said.of("conflicts")}
    assert {("+cuda", "cuda_arch=none"), ("+rocm", "amdgpu_target=none"), ("+cuda", "+rocm")} <= refused


def test_versions_agree_with_cmake_and_changelog() -> None:
    project = re.search(r"project\(minidad VERSION ([\d.]+)", (SOURCE / "CMakeLists.txt").read_text()).group(1)  # type: ignore[union-attr]
    log = re.findall(r"^## \[([\d.]+)\] - (\S+)", (SOURCE / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert log[0][0] == project
    released = [version for version, date in log if date != "unreleased"]
    python = re.search(r'^version = "([\d.]+)"', (SOURCE / "analysis/pyproject.toml").read_text(), re.MULTILINE)
    assert python and python.group(1) == project
    assert f"version: {project}" in (SOURCE / "CITATION.cff").read_text()
    for recipe in RECIPES:
        package, said = execute(recipe)
        assert said.versions() == ["main", *released], recipe
        for _, keywords in said.of("version")[1:]:
            assert re.fullmatch(r"[0-9a-f]{64}", keywords["sha256"])
        assert package.__doc__ and said.of("license") == [(("BSD-3-Clause",), {})]


def test_python_requirements_agree_with_the_package() -> None:
    text = (SOURCE / "analysis/pyproject.toml").read_text()
    wanted = dict(re.findall(r'"(\w+)>=([\d.]+)"', re.search(r"^dependencies = .*", text, re.MULTILINE).group(0)))  # type: ignore[union-attr]
    wanted = {f"py-{name}": version for name, version in wanted.items()}
    wanted["python"] = re.search(r'requires-python = ">=([\d.]+)"', text).group(1)  # type: ignore[union-attr]
    wanted["py-setuptools"] = re.search(r"setuptools>=([\d.]+)", text).group(1)  # type: ignore[union-attr]
    _, said = execute(REPOSITORY / "packages/py_minidad_analysis/package.py")
    asked = dict(re.fullmatch(r"([\w-]+)@([\d.]+):", arguments[0]).groups() for arguments, _ in said.of("depends_on"))  # type: ignore[union-attr, misc]
    assert asked == wanted


def test_the_stand_alone_test_runs_an_installed_deck_under_mpi() -> None:
    text = (REPOSITORY / "packages/minidad/package.py").read_text()
    assert "mpiexec" in text and "def test_tiny_deck(self):" in text
    assert (SOURCE / "input/tiny.toml").is_file() and 'join("tiny.toml")' in text


def test_the_repository_is_found_from_the_root() -> None:
    index = yaml.safe_load((SOURCE / "spack-repo-index.yaml").read_text())
    assert [SOURCE / path for path in index["repo_index"]["paths"]] == [REPOSITORY]
    repository = yaml.safe_load((REPOSITORY / "repo.yaml").read_text())["repo"]
    assert repository == {"namespace": "minidad", "api": "v2.0"}
    assert REPOSITORY.parent.name == "spack_repo" and REPOSITORY.name == repository["namespace"]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda path: path.parent.name)
def test_environments_name_what_exists(environment: Path) -> None:
    content = yaml.safe_load(environment.read_text())["spack"]
    assert [(environment.parent / path).resolve() for path in content["repos"].values()] == [REPOSITORY]
    names = {recipe.parent.name.replace("_", "-") for recipe in RECIPES}
    assert set(content["develop"]) == names
    for name, develop in content["develop"].items():
        assert develop["spec"] == f"{name}@main"
        assert (environment.parent / develop["path"]).resolve() == SOURCE.resolve()
    _, said = minidad()
    known = said.variants | {"cuda", "rocm"}
    (spec,) = [spec for spec in content["specs"] if spec.startswith("minidad@main")]
    assert set(re.findall(r"[+~](\w+)", spec)) <= known
    assert set(re.findall(r"(\w+)=", spec)) <= known | {"cuda_arch", "amdgpu_target"}
    if "packages" in content:  # GPU: all packages for the same one
        gpu = content["packages"]["all"]["variants"]
        assert re.fullmatch(r"\+(cuda cuda_arch=\d+|rocm amdgpu_target=gfx\w+)", gpu) and gpu in spec


def test_the_page_has_every_variant_and_environment() -> None:
    page = (SOURCE / "spack/README.md").read_text()
    _, said = minidad()
    for word in said.variants | {"cuda", "rocm"} | {path.parent.name for path in ENVIRONMENTS}:
        assert f"`{word}`" in page, word
    table = re.findall(r"^\| `([^|]+)` \| (?:on|off|`\w+`) \|", page, re.MULTILINE)
    rows = {word.strip(" `") for row in table for word in row.split(",")}
    assert rows == said.variants | {"cuda", "rocm", "cuda_arch", "amdgpu_target"}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.parent.name)
def test_style(recipe: Path) -> None:
    text = recipe.read_text()
    assert text.startswith("# SPDX-License-Identifier: BSD-3-Clause\n")
    tree = ast.parse(text, feature_version=(3, 6))
    for number, line in enumerate(text.splitlines(), 1):
        assert len(line) <= 99 and line == line.rstrip() and "\t" not in line, f"{recipe}:{number}"
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                assert alias.name == "*" or (alias.asname or alias.name) in names, f"{alias.name} is not used"
