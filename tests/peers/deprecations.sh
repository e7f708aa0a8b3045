#!/usr/bin/env bash
# Hold what is said of deprecated APIs and fields to Kubernetes' own code: the table of APIs is what its recipe makes of that
# today; what it says is removed is what API servers do not serve; and of fields.yaml is said what an API server warns of
# (a small Go program, tests/peers/warnings, links its code). The cargo tests compare with the recorded answers.
#
#   tests/peers/deprecations.sh            prints what differs; status 1 where something does
#   tests/peers/deprecations.sh --record   records today's answers in tests/fixtures/deprecations
#
# Needs Python, Go (it fetches the toolchain that go.mod asks for where its own is older), and the Go module proxy or a
# filled module cache: the code of 22 versions, 400 MB, is fetched once. A first build takes some minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."

python3 schemas/deprecations.py --check

peer=$(tests/peers/build.sh warnings)

recorded=tests/fixtures/deprecations
answers=$(mktemp -d)
trap 'rm -rf "$answers"' EXIT
python3 tests/peers/served.py 16 37 >"$answers/served.txt"
"$peer" <"$recorded/fields.yaml" >"$answers/warnings.txt"
for answer in served.txt warnings.txt; do
    if [ "${1:-}" = --record ]; then
        cp "$answers/$answer" "$recorded/$answer"
    else
        diff "$recorded/$answer" "$answers/$answer"
    fi
done
