#!/usr/bin/env bash
# Hold the table of deprecated APIs to Kubernetes' own code: it is what its recipe makes of that today, and what it says
# is removed is what API servers do not serve (src/schema/deprecation.rs compares it with the recorded answer).
#
#   tests/peers/deprecations.sh            prints what differs; status 1 where something does
#   tests/peers/deprecations.sh --record   records today's answer in tests/fixtures/deprecations
#
# Needs Python, Go, and the Go module proxy or a filled module cache: the code of 22 versions, 400 MB, is fetched once.
set -euo pipefail
cd "$(dirname "$0")/../.."

served=tests/fixtures/deprecations/served.txt
python3 schemas/deprecations.py --check
if [ "${1:-}" = --record ]; then
    python3 tests/peers/served.py 16 37 >"$served"
else
    python3 tests/peers/served.py 16 37 | diff "$served" -
fi
