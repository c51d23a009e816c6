#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Trains a deck with every exchange and several seeds, and prints a table of means and deviations. What has been trained
# is not trained again, so that a stopped comparison goes on where it was.
#   usage: compare_exchanges.sh [DECK [RANKS [SEEDS]]]       e.g. compare_exchanges.sh input/low_rank.toml 4 "1 2 3"
#          CASES="dsgd rank_dad" compares these only
set -euo pipefail

# A name, and what it sets in the deck. Runs are found again by the name: other settings need another one.
cases=(
  "dsgd       --set exchange.method=dsgd"
  "dad        --set exchange.method=dad"
  "edad       --set exchange.method=edad"
  "rank_dad   --set exchange.method=rank_dad"
  "power_dad  --set exchange.method=power_dad --set low_rank.feedback=64 --set low_rank.feedback_period=12"
  "powersgd   --set exchange.method=powersgd"
)

refuse() { echo "compare_exchanges: $*" >&2; exit 2; }

cd "$(dirname "$0")/.."
deck=${1:-input/low_rank.toml}
ranks=${2:-4}
read -ra seeds <<<"${3:-1 2 3}"
names=" ${cases[*]%% *} "
chosen=" ${CASES:-$names} "
[[ -f $deck ]] || refuse "there is no deck $deck"
[[ $ranks =~ ^[1-9][0-9]*$ ]] || refuse "'$ranks' is not a number of ranks"
((${#seeds[@]})) || refuse "no seeds are given"
[[ $chosen == *[^\ ]* ]] || refuse "CASES names no case"
for name in $chosen; do [[ $names == *" $name "* ]] || refuse "there is no case $name, only ${cases[*]%% *}"; done

# Runs of different versions of a deck would not be comparable.
folder=runs/compare/$(basename "$deck" .toml)_${ranks}ranks
mkdir -p "$folder"
if compgen -G "$folder/*.h5" >/dev/null && ! cmp -s "$deck" "$folder/deck.toml"; then
  refuse "$deck has changed since the runs in $folder, move that folder away"
fi
cp "$deck" "$folder/deck.toml"

./scripts/build.sh release minidad
export OMP_NUM_THREADS=1
source scripts/mpi_environment.sh

files=()
for case in "${cases[@]}"; do
  read -ra settings <<<"$case"
  name=${settings[0]}
  [[ $chosen == *" $name "* ]] || continue
  for seed in "${seeds[@]}"; do
    file=$folder/${name}_seed$seed.h5
    log=${file%.h5}.log
    files+=("$file")
    if [[ -f $file ]]; then  # a run has this name only once it is complete
      echo "== $name, seed $seed: is there"
      continue
    fi
    echo "== $name, seed $seed"
    mpirun -n "$ranks" build/release/miniapp/minidad run "$deck" --progress none "${settings[@]:1}" \
      --set training.seed="$seed" --set output.file="$file" </dev/null >"$log" 2>&1 ||
      { tail -n 20 "$log" >&2; echo "compare_exchanges: $name, seed $seed failed, see $log" >&2; exit 1; }
  done
done

echo
./scripts/python.sh -m minidad_analysis compare "${files[@]}"
./scripts/python.sh -m minidad_analysis compare --markdown -o "$folder/compare.html" "${files[@]}" >"$folder/table.md"
echo
echo "runs, table.md and compare.html: $folder"
