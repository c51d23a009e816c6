# SPDX-License-Identifier: BSD-3-Clause
"""Settings of a run, from the resolved deck that its file keeps."""

from __future__ import annotations

import re

try:
    import tomllib
except ImportError:  # before Python 3.11
    tomllib = None  # type: ignore[assignment]

Settings = dict[str, str]  # section.key: value


def settings_of(deck: str) -> Settings:
    """Values as text; of a deck that is no TOML, nothing."""
    if tomllib:
        try:
            sections = tomllib.loads(deck)
        except ValueError:
            return {}
        return {
            f"{section}.{name}": str(value).lower() if isinstance(value, bool) else str(value)
            for section, settings in sections.items()
            if isinstance(settings, dict)
            for name, value in settings.items()
        }
    # A resolved deck has one setting per line, so that patterns do without a TOML parser.
    settings = {}
    section = ""
    for line in deck.splitlines():
        if header := re.match(r"\[(\w+)\]", line):
            section = header[1]
        elif setting := re.match(r"(\w+) = ('.*?'|\".*?\"|\[.*?\]|[^\s#]+)", line):
            settings[f"{section}.{setting[1]}"] = setting[2].strip("'\"")
    return settings
