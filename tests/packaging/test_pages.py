# SPDX-License-Identifier: BSD-3-Clause
"""The pages of the repository: links lead somewhere, and settings that they name exist."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
MINIDAD = os.environ["MINIDAD"]
PAGES = sorted(
    path
    for path in SOURCE.rglob("*.md")
    if not {"build", "runs", ".venv"} & set(path.relative_to(SOURCE).parts[:1]) and "/." not in str(path)
)
NAMES = [str(path.relative_to(SOURCE)) for path in PAGES]


def anchors(page: Path) -> set[str]:
    """As forges make them from headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^( {4}|\t).*$|```.*?```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\[[^]]*\]\(([^)\s]+)\)", text):
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{target} does not exist"
        if anchor and other.suffix == ".md":
            assert anchor in anchors(other), f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_files_that_pages_name_exist(page: Path) -> None:
    if page.name == "CHANGELOG.md":  # has what is gone as well
        return
    folders = "src|miniapp|tests|bench|scripts|cmake|analysis|input|examples|spack|containers|docs|share"
    for name in re.findall(rf"`((?:{folders})/[\w./]+)`", page.read_text()):
        assert (SOURCE / name).exists(), name


def test_settings_that_pages_name_exist() -> None:
    listed = subprocess.run([MINIDAD, "settings"], check=True, capture_output=True, text=True).stdout
    known = {line.split("\t")[0] for line in listed.splitlines() if "\t" in line}
    sections = {key.split(".")[0] for key in known}
    named = 0
    for page in PAGES:
        for section, name in re.findall(r"(?:--set |`)(\w+)\.(\w+)(?=[=` ])", page.read_text()):
            if section in sections and name not in ("toml", "cpp", "hpp", "py", "md"):
                named += 1
                assert f"{section}.{name}" in known, f"{page}: {section}.{name}"
    assert named > 40


def test_contributing_fits_a_screen() -> None:
    lines = (SOURCE / "CONTRIBUTING.md").read_text().splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 120
