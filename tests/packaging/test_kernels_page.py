# SPDX-License-Identifier: BSD-3-Clause
"""docs/kernels.md lists every kernel, and no other."""

from __future__ import annotations

import os
import re
from pathlib import Path

SOURCE = Path(os.environ["MINIDAD_SOURCE"])
LAUNCHES = (
    r"(?:parallel_(?:for|reduce|scan)|for_each_(?:element|row|tile)(?:<\w+>)?|sum_over_\w+(?:<[\w:]+>)?|update_each)"
    r"\s*\(\s*\"minidad::([\w:]+)\""
)


def test_every_kernel_is_listed() -> None:
    launched = set()
    for path in (SOURCE / "src").rglob("*.[ch]pp"):
        launched |= set(re.findall(LAUNCHES, path.read_text()))
    listed = set(re.findall(r"`(\w+::\w+)`", (SOURCE / "docs/kernels.md").read_text()))
    assert len(launched) > 60
    assert launched == listed, f"not listed: {launched - listed}; no kernel: {listed - launched}"
