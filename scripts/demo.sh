#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# From a fresh machine to the comparison: builds minidad, trains on 2 ranks with dSGD and with dAD, prints a table
# and writes a page of figures.
#   usage: demo.sh [DECK] [minidad options]        e.g. demo.sh input/tiny.toml --set training.epochs=2
set -euo pipefail
cd "$(dirname "$0")/.."
deck=${1:-input/fashion_mlp.toml}
shift || true

./scripts/build.sh release minidad
source scripts/mpi_environment.sh
progress=plain
if [[ -t 1 ]]; then progress=bar; fi  # mpirun hides the terminal from its ranks

files=()
for method in dsgd dad; do
  file=runs/demo_$(basename "$deck" .toml)_$method.h5
  echo
  echo "== $method"
  mpirun -n 2 build/release/miniapp/minidad run "$deck" --progress "$progress" --set exchange.method=$method --set probe.every=50 \
    --set output.file="$file" --set output.overwrite=true "$@"
  files+=("$file")
done

echo
./scripts/python.sh -m minidad_analysis compare "${files[@]}"
echo
echo "run files: ${files[*]}"
report=runs/demo_$(basename "$deck" .toml).html
./scripts/python.sh -m minidad_analysis report "${files[@]}" -o "$report" >/dev/null
echo "report:    $report"
