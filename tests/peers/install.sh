#!/bin/sh
# Build the real programs that plimsoll is compared with, or plugged into, from their published Go modules, into
# target/peers: Helm 4, Helm 3 (as helm3/helm) and kubeconform.
#
#   tests/peers/install.sh          builds those whose version is not there yet
#
# Needs Go (1.21 or newer: it fetches the toolchain that they ask for where its own is older) and the Go module proxy or
# a filled module cache. A first build takes two to three minutes on two cores; later ones are read from Go's cache.
set -eu

helm=v4.1.4
# The commit of that tag, and the state of its tree: charts can print both through .Capabilities.HelmVersion.
helm_commit=05fa37973dc9e42b76e1d2883494c87174b6074f
helm3=v3.20.0
helm3_commit=b2e4314fa0f229a1de7b4c981273f61d69ee5a59
kubeconform=v0.8.0

root=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/peers
mkdir -p "$target"

# Install a program of a module: its name, its version, the path of its package, the flags of its linker, its folder.
build() {
    if ! command -v go >/dev/null 2>&1; then
        echo "install.sh: Go is needed to build $1 $2 (https://go.dev/doc/install)" >&2
        exit 2
    fi
    CGO_ENABLED=0 GOFLAGS= GOTOOLCHAIN=auto GOBIN="$5" go install -trimpath -ldflags "-s -w $4" "$3@$2"
    echo "$1 $2 is built"
}

# Build a Helm as its Makefile builds a release: its folder, its major version, its version, its commit. The Kubernetes
# version that charts see needs no flag: Helm reads it from the version of k8s.io/client-go in its build information.
build_helm() {
    if "$1/helm" version --template '{{ .Version }} {{ .GitCommit }}' 2>/dev/null | grep -qx "$3 $4"; then
        echo "helm $3 is in $1"
    else
        variables=helm.sh/helm/v$2/internal/version
        build helm "$3" "helm.sh/helm/v$2/cmd/helm" "-X $variables.version=$3 -X $variables.metadata= \
            -X $variables.gitCommit=$4 -X $variables.gitTreeState=clean" "$1"
    fi
}

build_helm "$target" 4 "$helm" "$helm_commit"
build_helm "$target/helm3" 3 "$helm3" "$helm3_commit"
if "$target/kubeconform" -v 2>/dev/null | grep -qx "$kubeconform"; then
    echo "kubeconform $kubeconform is in $target"
else
    build kubeconform "$kubeconform" github.com/yannh/kubeconform/cmd/kubeconform "-X main.version=$kubeconform" "$target"
fi
