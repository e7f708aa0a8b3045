#!/usr/bin/env bash
# Compare what is recorded of readiness with what kstatus, by which Helm 4 and Flux wait, says today: a small Go program
# (tests/peers/kstatus) links it, and is built into target/peers.
#
#   tests/peers/kstatus.sh            prints what differs; status 1 where something does
#   tests/peers/kstatus.sh --record   writes today's answers into tests/fixtures/ready instead
#
# Needs Go (it fetches the toolchain that go.mod asks for where its own is older) and the Go module proxy or a filled
# module cache. A first build takes some minutes on two cores; later ones are read from Go's cache.
set -euo pipefail
cd "$(dirname "$0")/../.."

peer=$(tests/peers/build.sh kstatus)

if [ "${1:-}" = --record ]; then
    "$peer" -record tests/fixtures/ready/*.yaml
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r tests/fixtures/ready "$scratch"
"$peer" -record "$scratch"/ready/*.yaml
diff -r tests/fixtures/ready "$scratch/ready"
cargo test --locked --quiet --test ready
