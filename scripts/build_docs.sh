#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds the site, pages and reference of the library, into a folder (default: build/docs). Warnings are errors.
#   usage: build_docs.sh [FOLDER]
set -euo pipefail
cd "$(dirname "$0")/.."
site=${1:-build/docs}
./scripts/install_packages.sh --docs

mkdir -p "$site"
(cat docs/Doxyfile && echo "OUTPUT_DIRECTORY = $site") | doxygen -
sphinx-build -q -W --keep-going -c docs -d "$site/.doctrees" . "$site"
cat >"$site/index.html" <<'PAGE'
<!doctype html><title>minidad</title><meta http-equiv="refresh" content="0; url=docs/index.html">
PAGE
echo "site: $site/index.html"
