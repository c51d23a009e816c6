#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# From a fresh machine to the whole test suite. Presets other than release check more: double, sanitize, bounds,
# device_forms.
#   usage: test.sh [PRESET ...]
set -euo pipefail
cd "$(dirname "$0")/.."
for preset in "${@:-release}"; do
  ./scripts/build.sh "$preset"
  ctest --preset "$preset" -j 2
done
