#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs clang-tidy over src/ and miniapp/, or over some files of them; .clang-tidy has the checks, a finding is an error.
# All of it takes 20 minutes on 2 cores.
#   usage: tidy.sh [FILE ...]          needs clang-tidy-16 and libomp-16-dev (Debian), for Kokkos' OpenMP back end
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v clang-tidy-16 >/dev/null; then
  echo "tidy: clang-tidy-16 is missing; apt-get install clang-tidy-16 libomp-16-dev" >&2
  exit 1
fi
./scripts/install_packages.sh
./scripts/build_kokkos.sh build/deps
# Not the precompiled headers of another compiler.
cmake --preset debug -B build/tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DMINIDAD_BUILD_TESTS=OFF \
  -DMINIDAD_BUILD_BENCH=OFF -DCMAKE_PREFIX_PATH="$PWD/build/deps/install" >build/tidy.log
cmake --build build/tidy --target minidad_git_hash >>build/tidy.log

files=("$@")
if ((!$#)); then mapfile -t files < <(git ls-files 'src/*.cpp' 'miniapp/*.cpp'); fi
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-16 -p build/tidy --quiet
