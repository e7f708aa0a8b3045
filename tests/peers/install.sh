#!/bin/sh
# Build the real Helm that plimsoll is compared with, from its published Go module, into target/peers/helm.
#
#   tests/peers/install.sh          build it unless that version is already there
#
# Needs Go (1.21 or newer: it fetches the toolchain that Helm asks for where its own is older) and the Go module proxy
# or a filled module cache. A first build takes two to three minutes on two cores; later ones are read from Go's cache.
set -eu

version=v4.1.4
# The commit of that tag, and the state of its tree: charts can print both through .Capabilities.HelmVersion.
commit=05fa37973dc9e42b76e1d2883494c87174b6074f

root=$(cd "$(dirname "$0")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}/peers

if [ -x "$target/helm" ] && "$target/helm" version --template '{{ .Version }} {{ .GitCommit }}' 2>/dev/null | grep -qx "$version $commit"; then
    echo "helm $version is in $target"
    exit 0
fi
if ! command -v go >/dev/null 2>&1; then
    echo "install.sh: Go is needed to build Helm $version (https://go.dev/doc/install)" >&2
    exit 2
fi

mkdir -p "$target"
# As Helm's Makefile builds a release. The Kubernetes version that charts see needs no flag: Helm reads it from the
# version of k8s.io/client-go in its build information.
variables=helm.sh/helm/v4/internal/version
CGO_ENABLED=0 GOFLAGS= GOTOOLCHAIN=auto GOBIN="$target" go install -trimpath -ldflags "-s -w \
    -X $variables.version=$version -X $variables.metadata= \
    -X $variables.gitCommit=$commit -X $variables.gitTreeState=clean" \
    "helm.sh/helm/v4/cmd/helm@$version"
"$target/helm" version
