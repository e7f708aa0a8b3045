#!/usr/bin/env bash
# Build the Go program of tests/peers/NAME into target/peers/NAME, and print where that is.
#
#   tests/peers/build.sh NAME
#
# Needs Go (it fetches the toolchain that go.mod asks for where its own is older) and the Go module proxy or a filled
# module cache. A first build takes some minutes on two cores; later ones are read from Go's cache.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v go >/dev/null 2>&1; then
    echo "build.sh: Go is needed to build tests/peers/$1 (https://go.dev/doc/install)" >&2
    exit 2
fi
peers=$(realpath -m "${CARGO_TARGET_DIR:-target}")/peers
mkdir -p "$peers"
cd "tests/peers/$1"
CGO_ENABLED=0 GOFLAGS= GOTOOLCHAIN=auto go build -trimpath -ldflags '-s -w' -o "$peers/$1" .
echo "$peers/$1"
