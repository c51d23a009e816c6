# SPDX-License-Identifier: BSD-3-Clause
"""What surrounds the source says the same as the source."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

SOURCE = Path(os.environ["MINIDAD_SOURCE"])


def test_every_source_file_names_its_licence() -> None:
    folders = ("src", "miniapp", "bench", "tests", "scripts", "cmake", "analysis", "spack", "examples", "containers")
    files = [path for folder in folders for path in (SOURCE / folder).rglob("*") if path.is_file()]
    files = [
        path for path in files if path.suffix not in (".md", ".typed", ".pyc", ".json") and path.name != "PKG-INFO"
    ]
    files = [path for path in files if not any(part.endswith((".egg-info", "_cache")) for part in path.parts)]
    assert len(files) > 350
    # REUSE-IgnoreStart
    for path in files:
        assert "SPDX-License-Identifier: BSD-3-Clause" in "".join(path.read_text().splitlines()[:5]), path
    # REUSE-IgnoreEnd


def test_the_workflow_does_what_is_done_here() -> None:
    jobs = yaml.safe_load((SOURCE / ".github/workflows/ci.yml").read_text())["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}
    assert "bash .ci/run" in commands["test"]
    assert any("scripts/lint.sh" in command for command in commands["lint"])
    assert "scripts/build_docs.sh" in commands["docs"] and "scripts/tidy.sh" in commands["tidy"]
    hooks = yaml.safe_load((SOURCE / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == ["scripts/lint.sh"]


def test_containers_install_what_the_scripts_install() -> None:
    for name in ("Dockerfile", "minidad.def"):
        text = (SOURCE / "containers" / name).read_text()
        assert "./scripts/install_packages.sh" in text and "apt-get install" not in text
        assert "./scripts/build_kokkos.sh build/deps" in text and "--component run" in text
