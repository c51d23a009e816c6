# SPDX-License-Identifier: BSD-3-Clause
"""The site of scripts/build_docs.sh: the pages of the repository as they are, with the repository for Sphinx' source."""

import re
from pathlib import Path

project = "minidad"
copyright = "the minidad developers"
version = release = re.search(
    r"project\(minidad VERSION ([\d.]+)", (Path(__file__).parents[1] / "CMakeLists.txt").read_text()
).group(1)
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "analysis/*.md", "spack/*.md", "src/*.md"]
extensions = ["myst_parser"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"minidad {release}"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
