#!/usr/bin/env bash
# Compare plimsoll's judgement of policies with that of the API server's own code: a small Go program (tests/peers/vap)
# links it, and is built into target/peers. Every built-in policy for single objects is judged on all its examples, and
# the recorded answers below tests/fixtures/cel are held to what the API server's code says today.
#
#   tests/peers/vap.sh            prints what differs; status 1 where something does
#   tests/peers/vap.sh --record   writes today's answers into tests/fixtures/cel instead
#
# Needs Go (it fetches the toolchain that go.mod asks for where its own is older) and the Go module proxy or a filled
# module cache. A first build takes some minutes on two cores; later ones are read from Go's cache.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
peer=$(tests/peers/build.sh vap)

answers=(tests/fixtures/cel/*.jsonl)
if [ "${1:-}" = --record ]; then
    for file in "${answers[@]}"; do
        "$peer" <"$file" >"$target/peers/answers"
        mv "$target/peers/answers" "$file"
    done
    "$peer" functions >tests/fixtures/cel/functions.txt
    echo "${#answers[@]} files recorded"
    exit 0
fi

for file in "${answers[@]}"; do
    # The API server's code takes minutes for what it then cancels.
    [ "$file" = tests/fixtures/cel/cost.jsonl ] || "$peer" <"$file" | diff -q "$file" - >/dev/null || {
        echo "differs: $file is not what the API server's code says (tests/peers/vap.sh --record)" >&2
        exit 1
    }
done
"$peer" functions | diff tests/fixtures/cel/functions.txt -
PLIMSOLL_TEST_PEER=$peer cargo test --locked --quiet --test vap
