#!/usr/bin/env bash
# Run the program against a real API server: kube-apiserver and etcd are built from their Go modules into target/cluster,
# and started on loopback by the tests themselves.
#
#   tests/cluster/run.sh            all tests
#   tests/cluster/run.sh NAME…      those whose name has this in it, and what else `cargo test` takes after `--`
#
# Needs Go (it fetches the toolchain that go.mod asks for where its own is older) and the Go module proxy or a filled
# module cache. A first build takes four to eight minutes on two cores; later ones are read from Go's cache.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v go >/dev/null 2>&1; then
    echo "run.sh: Go is needed to build the API server (https://go.dev/doc/install)" >&2
    exit 2
fi
export PLIMSOLL_TEST_CLUSTER
PLIMSOLL_TEST_CLUSTER=$(realpath -m "${CARGO_TARGET_DIR:-target}")/cluster
mkdir -p "$PLIMSOLL_TEST_CLUSTER"

(
    cd tests/cluster
    export CGO_ENABLED=0 GOFLAGS= GOTOOLCHAIN=auto
    kubernetes=$(go list -m -f '{{ .Version }}' k8s.io/kubernetes)
    # The version that a release's own build says.
    IFS=. read -r major minor _ <<<"${kubernetes#v}"
    version=k8s.io/component-base/version
    flags="-s -w -X $version.gitVersion=$kubernetes -X $version.gitMajor=$major -X $version.gitMinor=$minor"
    go build -trimpath -ldflags "$flags" -o "$PLIMSOLL_TEST_CLUSTER/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver
    go build -trimpath -ldflags '-s -w' -o "$PLIMSOLL_TEST_CLUSTER/etcd" go.etcd.io/etcd/server/v3
)
# What templates see of a cluster is compared with what real Helm shows them.
tests/peers/install.sh
cargo test --locked --test cluster -- "$@"
