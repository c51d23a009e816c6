# SPDX-License-Identifier: BSD-3-Clause
"""The command line: minidad-analysis, or python3 -m minidad_analysis."""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from .reader import RunFileError, read_run
from .table import comparison, comparison_over_seeds

NAME = "minidad-analysis"


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of the whole usage."""
        self.exit(2, f"{NAME}: {message} (see {self.prog} --help)\n")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog=NAME,
        description="Reads and compares the run files of minidad.",
        epilog="Exit codes: 0 done, 2 something given is wrong.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    table = commands.add_parser(
        "table",
        help="compare runs in a table",
        description="Prints a table with one line per run: method, ranks, test accuracy, speed, "
        "and the bytes that a rank sends per step, also as a multiple of what the first dSGD run "
        "in the list sends. '(det.)' marks the deterministic mode.",
    )
    table.add_argument(
        "--over-seeds",
        action="store_true",
        help="one line for all runs that differ in training.seed only: mean and sample "
        "standard deviation of the test accuracy, compared with the first such line of dSGD",
    )
    table.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    table.add_argument("runs", nargs="+", metavar="RUN", help="a complete run file (HDF5)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    try:
        compare = comparison_over_seeds if given.over_seeds else comparison
        print(compare([read_run(path) for path in given.runs], given.markdown))
    except RunFileError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
