#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Runs a Python that has what analysis/ needs, with analysis/ in its path:  python.sh -m minidad_analysis ls
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
for python in python3 /usr/bin/python3; do
  if "$python" -c "import numpy, h5py, matplotlib" >/dev/null 2>&1; then
    PYTHONPATH=$root/analysis/src${PYTHONPATH:+:$PYTHONPATH} exec "$python" "$@"
  fi
done
echo "minidad: no Python with numpy, h5py and matplotlib was found; on Debian: scripts/install_packages.sh" >&2
exit 1
