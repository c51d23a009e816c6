# SPDX-License-Identifier: BSD-3-Clause
"""The site: it is built without a warning, is whole, and loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

SOURCE = Path(os.environ["MINIDAD_SOURCE"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run([SOURCE / "scripts/build_docs.sh", folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Addresses(HTMLParser):
    def __init__(self, page: Path):
        super().__init__()
        self.links: list[str] = []  # what a reader may follow
        self.loads: list[str] = []  # what a browser fetches by itself
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name in ("src", "href") and value:
                (self.links if tag == "a" else self.loads).append(value)


def test_every_page_is_there_and_every_link_of_it_leads_somewhere(site: Path) -> None:
    pages = [path for path in site.rglob("*.html") if path.parts[len(site.parts)] not in ("api", "_static")]
    names = {str(path.relative_to(site)) for path in pages}
    assert {f"docs/{path.stem}.html" for path in (SOURCE / "docs").glob("*.md")} < names
    assert {"README.html", "analysis/README.html", "spack/README.html", "src/README.html", "index.html"} < names
    followed = 0
    for page in pages:
        for address in Addresses(page).links:
            url = urlparse(address)
            if url.scheme or not url.path:
                continue
            followed += 1
            assert (page.parent / unquote(url.path)).exists(), f"{page}: {address}"
    assert followed > 500


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not [a for a in Addresses(page).loads if re.match(r"(https?:)?//", a)], page
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*[\"']?(https?:)?//", style.read_text()), style


@pytest.mark.parametrize("name", ["Exchange", "BackwardWalk", "Layer", "Communicator", "Job", "RunFile"])
def test_the_reference_has_what_others_build_on(site: Path, name: str) -> None:
    (page,) = site.glob(f"api/*minidad_1_1{name}.html")
    text = page.read_text()
    assert re.search(rf"minidad::{name} (Class|Struct) Reference", text) and "Detailed Description" in text
