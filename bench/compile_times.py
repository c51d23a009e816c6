#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What took how long in the last build of a folder, from Ninja's own log: compile_times.py [build/release] [lines].

For a fair number build from scratch on a quiet machine: ninja -t clean, then ninja."""

from __future__ import annotations

import sys
from pathlib import Path


def read(folder: Path) -> dict[str, tuple[float, float]]:
    """Output -> (start, end) in seconds; the last build of each counts."""
    log = folder / ".ninja_log"
    if not log.is_file():
        sys.exit(f"compile_times: {log} is missing; build that folder with Ninja first")
    lines = [line.split("\t") for line in log.read_text().splitlines() if not line.startswith("#")]
    return {path: (int(start) / 1000, int(end) / 1000) for start, end, _, path, _ in lines}


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/release")
    shown = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    objects = {path: end - start for path, (start, end) in read(folder).items() if path.endswith(".o")}
    slowest = sorted(objects.items(), key=lambda item: -item[1])
    print(f"{len(objects)} files, {sum(objects.values()):.0f} s of compilers, the slowest:")
    for path, seconds in slowest[:shown]:
        print(f"{seconds:7.1f} s  {path}")


if __name__ == "__main__":
    main()
