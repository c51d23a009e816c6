#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checks how things are written: layout of C++, shell scripts, Python, licence lines.
#   usage: lint.sh          needs clang-format, shellcheck and reuse (Debian) and ruff (PyPI)
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in clang-format shellcheck reuse ruff; do
  if ! command -v "$tool" >/dev/null; then
    echo "lint: $tool is missing; apt-get install clang-format shellcheck reuse, pip install ruff" >&2
    exit 1
  fi
done

mapfile -t cpp < <(git ls-files '*.cpp' '*.hpp')
clang-format --dry-run -Werror "${cpp[@]}"
mapfile -t shell < <(git ls-files 'scripts/*.sh' scripts/job.slurm scripts/job.flux .ci/run)
shellcheck --severity=warning "${shell[@]}"
ruff format --check --line-length 120 analysis bench scripts tests
(cd analysis && ruff check .)

if ! licences=$(reuse lint 2>&1); then
  echo "$licences" >&2
  exit 1
fi
