#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes what describes the program's options from the program itself: docs/options.md, the manual page, the completion.

usage: write_reference.py MINIDAD [FOLDER]          FOLDER: the source tree (default), or anywhere else
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent


@dataclass
class Option:
    """ "--progress", its values if they are listed, its default, what it is for."""

    name: str
    takes: str  # "TEXT", "INT", ... or nothing
    values: list[str]
    default: str
    help: str


@dataclass
class Command:
    name: str
    help: str
    positionals: list[Option] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)


@dataclass
class Setting:
    key: str
    type: str
    default: str
    allowed: str
    help: str


def ask(program: str, *arguments: str) -> str:
    quiet = {**os.environ, "OMP_PROC_BIND": "false", "KOKKOS_DISABLE_WARNINGS": "1"}  # some Kokkos warn on stdout
    return subprocess.run([program, *arguments], check=True, capture_output=True, text=True, env=quiet).stdout


def parse_options(text: str, heading: str) -> list[Option]:
    """CLI11's columns: two blanks, names and type, then the help, which may begin a line below."""
    part = re.search(rf"^{heading}:\n((?:  .*\n?)+)", text, re.MULTILINE)
    options = []
    for entry in re.findall(r"^  (\S.*(?:\n {20,}\S.*)*)", part.group(1) if part else "", re.MULTILINE):
        names, explanation = re.split(r" {2,}|\n +", entry, maxsplit=1)
        name, _, kind = names.partition(" ")
        values = re.search(r"\{(.*)\}", kind)
        default = re.search(r"=(\S+)", kind)
        options.append(
            Option(
                name=name.split(",")[-1],
                takes=re.split(r"[:={ ]", kind)[0].rstrip(),
                values=values.group(1).split(",") if values else [],
                default=default.group(1) if default else "",
                help=" ".join(explanation.split()),
            )
        )
    return options


def read_commands(program: str) -> list[Command]:
    listed = parse_options(ask(program, "--help"), "Subcommands")
    commands = []
    for entry in listed:
        text = ask(program, entry.name, "--help")
        options = [option for option in parse_options(text, "Options") if option.name != "--help"]
        commands.append(Command(entry.name, entry.help, parse_options(text, "Positionals"), options))
    return commands


def read_settings(program: str) -> list[Setting]:
    return [Setting(*line.split("\t")) for line in ask(program, "settings").splitlines()]


def sections(settings: list[Setting]) -> dict[str, list[Setting]]:
    result: dict[str, list[Setting]] = {}
    for setting in settings:
        result.setdefault(setting.key.split(".")[0], []).append(setting)
    return result


def synopsis(command: Command) -> str:
    words = [command.name] + [option.name.upper() for option in command.positionals]
    return " ".join(words + (["[options]"] if command.options else []))


def described(option: Option) -> str:
    notes = [", ".join(option.values)] if option.values else []
    if option.default:
        notes.append(f"default: {option.default}")
    return option.help + (f" ({'; '.join(notes)})" if notes else "")


ENVIRONMENT = {
    "OMP_NUM_THREADS": "threads of a rank on the CPU; OMP_PROC_BIND and OMP_PLACES bind them",
    "KOKKOS_DEVICE_ID": "the GPU of a rank; without it the ranks of a node take its GPUs in turn",
    "KOKKOS_TOOLS_LIBS": "a profiling tool that Kokkos loads",
    "HDF5_USE_FILE_LOCKING": "FALSE where a file system knows no locks",
}


def markdown(commands: list[Command], settings: list[Setting]) -> str:
    def cell(text: str) -> str:
        return text.replace("|", "\\|")

    lines = [
        "# Options",
        "",
        "Made from the program by `scripts/write_reference.py`; a test holds the two together.",
        "",
    ]
    lines += ["## Commands", "", "Options `--kokkos-*` go to Kokkos. [Exit codes](exit_codes.md).", ""]
    for command in commands:
        lines += [f"### minidad {command.name}", "", f"`minidad {synopsis(command)}`: {command.help}.", ""]
        rows = [(option.name.upper(), described(option)) for option in command.positionals]
        rows += [(f"{option.name} {option.takes}".strip(), described(option)) for option in command.options]
        if rows:
            lines += ["| | |", "|---|---|", *(f"| `{name}` | {cell(text)} |" for name, text in rows), ""]
    lines += [
        "## Settings",
        "",
        "What a deck may say, in TOML, section by section; `--set section.name=value` says it for",
    ]
    lines += ["one run. `minidad check DECK` prints all of them as they will be.", ""]
    for name, entries in sections(settings).items():
        lines += [f"### [{name}]", "", "| setting | default | may be | meaning |", "|---|---|---|---|"]
        for entry in entries:
            may_be = entry.allowed or f"any {entry.type}"
            leaf = entry.key.split(".", 1)[1]
            lines.append(f"| `{leaf}` | `{entry.default}` | {cell(may_be)} | {cell(entry.help)} |")
        lines.append("")
    lines += ["## Environment", "", "| variable | meaning |", "|---|---|"]
    lines += [f"| `{name}` | {text} |" for name, text in ENVIRONMENT.items()]
    return "\n".join(lines) + "\n"


def exit_codes() -> list[tuple[str, str]]:
    text = (SOURCE / "docs/exit_codes.md").read_text()
    return re.findall(r"^\| (\d+) \| (.*?) \|", text, re.MULTILINE)


def manual(commands: list[Command], settings: list[Setting], version: str) -> str:
    def plain(text: str) -> str:
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "").replace("\\", "\\e").replace("-", "\\-")
        return re.sub(r"^(['.])", r"\\&\1", text)

    def entry(head: str, text: str) -> list[str]:
        return [".TP", f"\\fB{plain(head)}\\fR", plain(text)]

    lines = ['.\\" SPDX-License-Identifier: BSD-3-Clause', '.\\" Made by scripts/write_reference.py.']
    lines += [f'.TH MINIDAD 1 "" "minidad {version}" "User Commands"', ".SH NAME"]
    lines += ["minidad \\- train neural networks on MPI ranks that exchange backprop statistics", ".SH SYNOPSIS"]
    for command in commands:
        lines += [f".B minidad {plain(synopsis(command))}", ".br"]
    lines[-1] = ".SH DESCRIPTION"
    lines += [
        plain(
            "Start it with the MPI launcher, for example: mpirun -n 2 minidad run input/tiny.toml. A deck says what to train; what it leaves out has a default. Options --kokkos-* go to Kokkos."
        )
    ]
    lines.append(".SH COMMANDS")
    for command in commands:
        lines += [f".SS {plain(synopsis(command))}", plain(command.help) + "."]
        for option in command.options:
            lines += entry(f"{option.name} {option.takes}".strip(), described(option))
    lines.append(".SH SETTINGS")
    for name, entries in sections(settings).items():
        lines.append(f".SS [{name}]")
        for setting in entries:
            notes = f" ({setting.allowed})" if setting.allowed else ""
            lines += entry(f"{setting.key} = {setting.default}", setting.help + notes)
    lines.append(".SH EXIT STATUS")
    for code, meaning in exit_codes():
        lines += entry(code, meaning)
    lines.append(".SH ENVIRONMENT")
    for name, text in ENVIRONMENT.items():
        lines += entry(name, text)
    lines += [".SH SEE ALSO", "minidad\\-analysis, which draws and compares run files."]
    return "\n".join(lines) + "\n"


def completion(commands: list[Command], settings: list[Setting]) -> str:
    def words(command: Command) -> str:
        return " ".join(["--help", *(option.name for option in command.options)])

    lines = [
        "# SPDX-License-Identifier: BSD-3-Clause",
        "# bash completion for minidad; zsh reads it after `autoload bashcompinit && bashcompinit`.",
        "# Made by scripts/write_reference.py.",
        "_minidad() {",
        '  local line=${COMP_LINE:0:COMP_POINT} command="" word previous i',
        "  local current=${line##* }  # with what stands before a '=', where bash parts words",
        "  local before=${line% *}",
        "  previous=${before##* }",
        "  for ((i = 1; i < COMP_CWORD; ++i)); do",
        "    case ${COMP_WORDS[i]} in",
        f"      {' | '.join(command.name for command in commands)}) command=${{COMP_WORDS[i]}} && break ;;",
        "    esac",
        "  done",
        "  COMPREPLY=()",
        "  if [[ $previous == --set ]]; then",
        "    if [[ $current == *=* ]]; then",
        "      case ${current%%=*} in",
    ]
    for setting in settings:
        if setting.type in ("flag", "text") and setting.allowed:
            lines.append(f'        {setting.key}) word="{setting.allowed.replace(",", "")}" ;;')
    lines += [
        "      esac",
        '      mapfile -t COMPREPLY < <(compgen -W "$word" -- "${current#*=}")',
        '      [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}")',
        "    else",
        "      compopt -o nospace 2>/dev/null",
        '      mapfile -t COMPREPLY < <(compgen -S = -W "',
    ]
    lines += [f"        {' '.join(entry.key for entry in entries)}" for entries in sections(settings).values()]
    lines += ['      " -- "$current")', "    fi", "    return", "  fi", "  case $previous in"]
    for option in {option.name: option for command in commands for option in command.options}.values():
        if option.values:
            lines.append(
                f'    {option.name}) mapfile -t COMPREPLY < <(compgen -W "{" ".join(option.values)}" -- "$current") && return ;;'
            )
    lines += [
        '    --restart) mapfile -t COMPREPLY < <(compgen -W latest -f -- "$current") && return ;;',
        "  esac",
        "  case $command in",
        f'    "") word="--help --version {" ".join(command.name for command in commands)}" ;;',
    ]
    lines += [f'    {command.name}) word="{words(command)}" ;;' for command in commands]
    lines += [
        "  esac",
        '  mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current")',
        "  if ((${#COMPREPLY[@]} == 0)) || [[ -n $command && $current != -* ]]; then",
        "    compopt -o filenames 2>/dev/null",
        '    mapfile -t COMPREPLY < <(compgen -f -- "$current")',
        "  fi",
        "}",
        "complete -F _minidad minidad",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    program, root = sys.argv[1], Path(sys.argv[2]) if len(sys.argv) == 3 else SOURCE
    commands, settings = read_commands(program), read_settings(program)
    version = ask(program, "--version").split()[1]
    for path, text in (
        ("docs/options.md", markdown(commands, settings)),
        ("share/man/man1/minidad.1", manual(commands, settings, version)),
        ("share/bash-completion/completions/minidad", completion(commands, settings)),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


if __name__ == "__main__":
    main()
