# SPDX-License-Identifier: BSD-3-Clause
"""The command line: minidad-analysis, or python3 -m minidad_analysis."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import NoReturn

from .reader import RunFileError, read_run

NAME = "minidad-analysis"

# The names in figures/__init__.py. What needs matplotlib is loaded by the commands that draw: the others begin at once.
KINDS = (
    "learning", "pareto", "break_even", "scaling",
    "spectra", "ranks", "energy", "classes", "residuals", "traffic", "time", "decentralised",
)  # fmt: skip


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of the whole usage."""
        self.exit(2, f"{NAME}: {message} (see {self.prog} --help)\n")


def ls(given: argparse.Namespace) -> int:
    from .listing import listing
    from .table import aligned

    rows, refused = listing(given.paths)
    print(aligned(rows))
    for line in refused:
        print(f"{NAME}: {line}", file=sys.stderr)
    return 2 if refused else 0


def report(given: argparse.Namespace) -> int:
    from .report import write_report

    runs = [read_run(path, allow_incomplete=True) for path in given.runs]
    path = given.output or Path(given.runs[0]).with_suffix(".html")
    write_report(runs, path)
    print(path)
    return 0


def plot(given: argparse.Namespace) -> int:
    from matplotlib import rc_context

    from .figure import STYLE
    from .figures import ARTISTS

    runs = [read_run(path, allow_incomplete=True) for path in given.runs]
    with rc_context(STYLE):
        for figure in ARTISTS[given.name].draw(runs):
            given.output.mkdir(parents=True, exist_ok=True)
            path = given.output / f"{figure.name}.{given.format}"
            figure.save(path)
            print(path)
    return 0


def compare(given: argparse.Namespace) -> int:
    from .table import aligned, comparison, markdown

    runs = [read_run(path) for path in given.runs]
    print((markdown if given.markdown else aligned)(comparison(runs)))
    if given.output:
        from .report import write_report

        write_report(runs, given.output, details=False)
    return 0


def watch(given: argparse.Namespace) -> int:
    from .watch import watch as look

    return look(given.run, given.every, given.once)


def scaling(given: argparse.Namespace) -> int:
    from .scale import scaling_rows, sweeps_of
    from .table import aligned, markdown

    runs = [read_run(path) for path in given.runs]
    print((markdown if given.markdown else aligned)(scaling_rows(sweeps_of(runs))))
    if given.output:
        given.name = "scaling"
        print()
        plot(given)
    return 0


def export(given: argparse.Namespace) -> int:
    from .export import EXPORTERS

    run = read_run(given.run, allow_incomplete=True)
    for path in EXPORTERS[given.to](run, given.output, given.steps):
        print(path)
    return 0


def verify(given: argparse.Namespace) -> int:
    from .verify import faults

    worst = 0
    for path in given.runs:
        found = faults(path)
        for line in found:
            print(f"{NAME}: {path}: {line}", file=sys.stderr)
        if not found:
            print(f"{path}: complete, undamaged, and its numbers agree with each other")
        worst = max(worst, 2 if found else 0)
    return worst


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = Parser(
        prog=NAME,
        description="Reads, draws and compares the run files of minidad.",
        epilog="Exit codes: 0 done, 2 something given is wrong.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(run: object, text: str, more: str = "") -> argparse.ArgumentParser:
        made = commands.add_parser(
            run.__name__,  # type: ignore[attr-defined]
            help=text,
            description=f"{text[0].upper()}{text[1:]}. {more}",
        )
        made.set_defaults(run_command=run)
        return made

    def runs(made: argparse.ArgumentParser) -> None:
        made.add_argument("runs", nargs="+", metavar="RUN", help="a run file (HDF5)")

    def output(made: argparse.ArgumentParser, text: str, default: Path | None = None) -> None:
        made.add_argument("-o", "--output", type=Path, metavar="PATH", default=default, help=text)

    made = command(ls, "list runs in a line each", "Files that are no runs are named, with exit code 2.")
    made.add_argument("paths", nargs="*", metavar="PATH", default=["runs"], help="run files, or folders of them (runs)")

    made = command(report, "write a page about runs", "One HTML file that needs no network: numbers, figures, origin.")
    runs(made)
    output(made, "the page (first run, .html)")

    made = command(plot, "draw one kind of figure", "Kinds: " + ", ".join(KINDS) + ".")
    made.add_argument("name", metavar="NAME", choices=KINDS, help="what to draw")
    runs(made)
    output(made, "folder of the pictures (.)", Path("."))
    made.add_argument("--format", choices=("png", "svg", "pdf"), default="png", help="of the pictures (png)")

    made = command(
        compare,
        "compare runs in a table",
        "One line for all runs that differ in training.seed only: mean and 95 %% interval of the test accuracy, what a "
        "rank sends per step, compared with the first line of dSGD. '(det.)' marks the deterministic mode.",
    )
    runs(made)
    made.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    output(made, "also write a page with the figures")

    made = command(watch, "follow a run that goes on", "Plain lines where the output is no terminal.")
    made.add_argument("run", metavar="RUN", help="its output.file, with or without .tmp")
    made.add_argument("--every", type=float, metavar="SECONDS", default=2, help="between looks (2)")
    made.add_argument("--once", action="store_true", help="look once")

    made = command(scaling, "speed of runs of one deck against their ranks", "Strong: same batch; weak: same per rank.")
    runs(made)
    made.add_argument("--markdown", action="store_true", help="print the table in Markdown")
    output(made, "also draw it, into this folder")
    made.set_defaults(format="png")

    made = command(export, "write a run for other programs")
    made.add_argument("to", choices=("csv", "nc", "tensorboard", "chrome-trace"), help="for what")
    made.add_argument("run", metavar="RUN", help="a run file (HDF5)")
    output(made, "file or folder (beside the run)")
    made.add_argument("--steps", metavar="FIRST:LAST", help="these steps only (chrome-trace)")

    made = command(verify, "tell whether runs are whole, and their numbers agree")
    runs(made)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    try:
        code: int = given.run_command(given)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # who reads has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except RunFileError as error:
        print(f"{NAME}: {error}", file=sys.stderr)
    except OSError as error:  # of what is written
        print(f"{NAME}: {error.filename}: {error.strerror}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 2


if __name__ == "__main__":
    sys.exit(main())
