# SPDX-License-Identifier: BSD-3-Clause
"""Stands in for Spack: the directives and helpers that package.py uses, as records that a test can ask.

Specs are sets of words. "+cuda", "~cuda" and "real=double" are known; what asks about other packages ("^...") or the
compiler ("%...") needs Spack's solver and is refused.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CUDA_ARCHITECTURES = ("80", "90", "90a")  # some of those that Spack has
AMD_TARGETS = ("gfx90a", "gfx90a:xnack+", "gfx942")


@dataclass
class Recipe:
    """What the directives of a package.py have said."""

    package: Any = None
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    variants: dict[str, Any] = field(default_factory=dict)  # name -> default
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dependencies: list[tuple[str, list[str], tuple[str, ...]]] = field(default_factory=list)  # spec, when, types
    conflicts: list[tuple[str, list[str]]] = field(default_factory=list)
    requirements: list[tuple[str, list[str]]] = field(default_factory=list)
    after_install: list[tuple[Callable[[Any], None], list[str]]] = field(default_factory=list)

    def spec(self, **chosen: Any) -> Spec:
        return Spec({**self.variants, **chosen})

    def refuses(self, spec: Spec) -> bool:
        return any(spec.satisfies(c) and spec.all(when) for c, when in self.conflicts if not foreign([c, *when]))

    def needs(self, spec: Spec, *, kinds: tuple[str, ...] = ("build", "link", "run")) -> dict[str, set[str]]:
        """What each dependency of `spec` is asked to have."""
        asked: dict[str, set[str]] = {}
        for dependency, when, types_ in self.dependencies:
            if spec.all(when) and set(kinds) & set(types_):
                name, *words = split(dependency)
                asked.setdefault(name, set()).update(words)
        return asked


def foreign(specs: list[str]) -> bool:
    """Whether one of `specs` speaks of another package or of the compiler."""
    return any("^" in spec or "%" in spec for spec in specs)


def split(spec: str) -> list[str]:
    """The words of a spec: "kokkos@4:+cuda cuda_arch=90" -> kokkos, @4:, +cuda, cuda_arch=90."""
    words: list[str] = []
    for part in spec.split():
        word = ""
        for letter in part:
            if letter in "+~@" and "=" not in word:
                words.append(word)
                word = ""
            word += letter
        words.append(word)
    return [word for word in words if word]


class Spec:
    """A concrete spec: a value for every variant."""

    def __init__(self, variants: dict[str, Any], prefixes: dict[str, Any] | None = None):
        self.variants = variants
        self.prefixes = prefixes or {}

    def __getitem__(self, name: str) -> Any:
        return self.prefixes[name]

    def satisfies(self, asked: str) -> bool:
        if foreign([asked]):
            raise NotImplementedError(f"the stand-in of Spack cannot tell '{asked}'")
        return all(self._has(word) for word in split(asked))

    def all(self, asked: list[str]) -> bool:
        return all(self.satisfies(a) for a in asked)

    def _has(self, word: str) -> bool:
        if word[0] in "+~":
            return self.variants[word[1:]] is (word[0] == "+")
        name, value = word.split("=")
        return bool(self.variants[name] == value)


class Prefix(str):
    def __getattr__(self, name: str) -> Prefix:
        return Prefix(os.path.join(self, name))


class Executable:
    """As Spack's: raises when the program fails, returns what it prints when asked to."""

    def __init__(self, program: str):
        self.program = program

    def __call__(
        self, *arguments: str, output: Any = None, error: Any = None, extra_env: dict[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            [self.program, *arguments],
            env={**os.environ, **(extra_env or {})},
            text=True,
            timeout=100,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if done.returncode:
            raise RuntimeError(f"{self.program} {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout


def which(*names: str, path: list[str] | None = None, required: bool = False) -> Executable | None:
    found = [f for name in names if (f := shutil.which(name, path=os.pathsep.join(path) if path else None))]
    if required and not found:
        raise RuntimeError(f"none of {names} was found")
    return Executable(found[0]) if found else None


@contextlib.contextmanager
def working_dir(folder: str) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def as_cmake(name: str, value: Any) -> str:
    return f"-D{name}:BOOL={'ON' if value else 'OFF'}" if isinstance(value, bool) else f"-D{name}:STRING={value}"


class SkipTest(Exception):
    pass


class CMakePackage:
    """A package at hand: its spec, and what is around it."""

    run_tests = False

    def __init__(self, recipe: Recipe, spec: Spec, run_tests: bool = False, **around: Any):
        self.recipe, self.spec, self.run_tests = recipe, spec, run_tests
        self.__dict__.update(around)

    def __getitem__(self, name: str) -> Any:
        return self.spec[name]

    define = staticmethod(as_cmake)

    def define_from_variant(self, name: str, variant: str) -> str:
        return as_cmake(name, self.spec.variants[variant])


class PythonExtension:
    def test_imports(self) -> None:
        self.imports_were_tested = True


class PythonPipBuilder:
    @staticmethod
    def std_args(package: Any) -> list[str]:
        return ["install", "--no-deps", "--no-build-isolation", "--no-index"]


def load(path: Path, **more: Any) -> Recipe:
    """Executes a package.py. `more` are names that Spack puts into its module when it builds."""
    recipe = Recipe()
    conditions: list[str] = []

    def under(when: str | None) -> list[str]:
        return [*conditions, when] if when else list(conditions)

    def version(name: str, **options: Any) -> None:
        recipe.versions[name] = options

    def variant(name: str, *, default: Any, description: str, values: Any = (), **_: Any) -> None:
        assert description
        recipe.variants[name] = default
        recipe.values[name] = tuple(values)

    def depends_on(spec: str, *, when: str | None = None, type: Any = ("build", "link")) -> None:
        recipe.dependencies.append((spec, under(when), (type,) if isinstance(type, str) else type))

    def extends(spec: str, *, when: str | None = None) -> None:
        depends_on(spec, when=when, type=("build", "run"))

    def conflicts(spec: str, *, when: str | None = None, msg: str | None = None) -> None:
        recipe.conflicts.append((spec, under(when)))

    def requires(spec: str, *, when: str | None = None, msg: str | None = None) -> None:
        recipe.requirements.append((spec, under(when)))

    @contextlib.contextmanager
    def when(condition: str) -> Iterator[None]:
        conditions.append(condition)
        yield
        conditions.pop()

    def run_after(phase: str, *, when: str | None = None) -> Callable[[Any], Any]:
        assert phase == "install"

        def register(method: Any) -> Any:
            recipe.after_install.append((method, under(when)))
            return method

        return register

    for gpu, arch, names in (("cuda", "cuda_arch", CUDA_ARCHITECTURES), ("rocm", "amdgpu_target", AMD_TARGETS)):
        variant(gpu, default=False, description=gpu)
        variant(arch, default="none", values=names, description=arch)

    class CudaPackage:
        cuda_arch_values = CUDA_ARCHITECTURES

    class ROCmPackage:
        amdgpu_targets = AMD_TARGETS

    systems = "spack_repo.builtin.build_systems"
    directives = {f.__name__: f for f in (version, variant, depends_on, extends, conflicts, requires, when, run_after)}
    contents: dict[str, dict[str, Any]] = {
        "spack": {},
        "spack.package": {
            **directives,
            "license": lambda *a, **k: None,
            "which": which,
            "working_dir": working_dir,
            "join_path": os.path.join,
            "Executable": Executable,
            "SkipTest": SkipTest,
        },
        "spack_repo": {},
        "spack_repo.builtin": {},
        systems: {},
        f"{systems}.cmake": {"CMakePackage": CMakePackage},
        f"{systems}.cuda": {"CudaPackage": CudaPackage},
        f"{systems}.rocm": {"ROCmPackage": ROCmPackage},
        f"{systems}.python": {"PythonExtension": PythonExtension, "PythonPipBuilder": PythonPipBuilder},
    }
    modules = {}
    for name, content in contents.items():
        modules[name] = types.ModuleType(name)
        modules[name].__dict__.update(content)
    before = dict(sys.modules)
    sys.modules.update(modules)
    try:
        namespace: dict[str, Any] = {"__name__": "package", **more}
        exec(compile(path.read_text(), str(path), "exec"), namespace)
    finally:
        for name in modules:
            del sys.modules[name]
            if name in before:
                sys.modules[name] = before[name]
    classes = [c for c in namespace.values() if isinstance(c, type) and issubclass(c, CMakePackage)]
    recipe.package = next(c for c in classes if c is not CMakePackage)
    return recipe
