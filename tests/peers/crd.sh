#!/usr/bin/env bash
# Compare what is recorded of custom resources with what the API server's own code says today: a small Go program
# (tests/peers/crd) links it, and is built into target/peers.
#
#   tests/peers/crd.sh            prints what differs; status 1 where something does
#   tests/peers/crd.sh --record   writes today's answers into tests/fixtures/crds instead
#
# Needs Go (it fetches the toolchain that go.mod asks for where its own is older) and the Go module proxy or a filled
# module cache. A first build takes some minutes on two cores; later ones are read from Go's cache.
set -euo pipefail
cd "$(dirname "$0")/../.."

peer=$(tests/peers/build.sh crd)

if [ "${1:-}" = --record ]; then
    "$peer" -record tests/fixtures/crds/*/
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r tests/fixtures/crds "$scratch"
"$peer" -record "$scratch"/crds/*/
diff -r tests/fixtures/crds "$scratch/crds"
cargo test --locked --quiet --test crd
