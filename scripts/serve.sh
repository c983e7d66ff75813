#!/usr/bin/env bash
# Serve the signature of a bundled archive at http://127.0.0.1:8082/, from a home of its own: build/demo-home.
#
# The archive is simulated.  Options of `wort serve` may be given: make serve ARGS="--port 8090"
set -euo pipefail
cd "$(dirname "$0")/.."
export WORT_HOME="$PWD/build/demo-home" PATH="${VENV:-.venv}/bin:$PATH"
umask 077
mkdir -p "$WORT_HOME"
[ -e "$WORT_HOME/signatures/local/phage.sig" ] || wort compute demo/phage.sra --now
exec wort serve "$@"
