#!/usr/bin/env bash
# Compute the signature of a bundled archive in a temporary home, and show it.
#
# `python -m tests.support.archives paired_illumina demo/phage.sra` made the archive, which is simulated.
set -euo pipefail
cd "$(dirname "$0")/.."
WORT_HOME=$(mktemp -d)
export WORT_HOME PATH="${VENV:-.venv}/bin:$PATH"
trap 'rm -rf "$WORT_HOME"' EXIT

run() { printf '\n$ %s\n' "$*"; "$@"; }

run wort compute demo/phage.sra --now
run wort view phage
