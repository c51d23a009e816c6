#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A Flux batch job that goes on until its run is complete:  flux batch scripts/job.flux deck.toml [--set ...]
# The time limit of the run is two minutes less than that of the job. minidad writes a checkpoint and ends with exit code
# 75, and the job submits itself again. --restart latest starts afresh the first time.
# flux: --job-name=minidad
# flux: --nslots=8
# flux: --time-limit=60m

flux run -n 8 "${MINIDAD:-minidad}" run "$@" --restart latest --progress plain --time-limit 00:58:00
code=$?
if [ "$code" -eq 75 ]; then
  flux batch "$0" "$@"
fi
exit "$code"
