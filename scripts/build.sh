#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing, then configures and builds a preset (default: release): everything, or only some targets,
# and then without the tests and what they need.
#   usage: build.sh [PRESET [TARGET ...]]          MINIDAD_KOKKOS=FOLDER names a Kokkos to use
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
shift || true
deps=$PWD/build/deps
mkdir -p build

targets=()
if (($#)); then
  targets=(--target "$@")
  ./scripts/install_packages.sh
  tests=OFF
else
  ./scripts/install_packages.sh --tests
  tests=ON
fi

# The Kokkos to use: the one named, else one with OpenMP or a GPU that CMake finds by itself (CMAKE_PREFIX_PATH, Spack,
# modules), else our own. What a preset asks of the library itself it gets from a Kokkos of its own.
kokkos=${MINIDAD_KOKKOS:-}
case ${kokkos:+named}$preset in
  bounds | serial | threads)
    ./scripts/build_kokkos.sh "$deps" "$preset"
    kokkos=$deps/install-$preset
    ;;
  named* | cuda | hip) ;;  # what CMake finds; it says so if that does not fit
  *)
    if ! cmake -S cmake/find_kokkos -B build/find_kokkos >build/find_kokkos.log 2>&1; then
      ./scripts/build_kokkos.sh "$deps"
      kokkos=$deps/install
    fi
    ;;
esac

prefixes=$kokkos${CMAKE_PREFIX_PATH:+;${CMAKE_PREFIX_PATH//:/;}}
log=build/$preset.log
echo "minidad: building preset $preset (log in $log)"
if ! { cmake --preset "$preset" -DMINIDAD_BUILD_TESTS=$tests ${kokkos:+-DCMAKE_PREFIX_PATH="$prefixes"} &&
  cmake --build --preset "$preset" "${targets[@]}"; } >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "minidad: the build failed, see $log" >&2
  exit 1
fi
