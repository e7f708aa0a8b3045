#!/usr/bin/env bash
# docs/ci.md: every block of shell, each run in a repository of its own. A comment above a block says that it is tested,
# and with what: Helm 3, Helm 4, or a folder for what is rendered.
set -euo pipefail
cd "$(dirname "$0")"
kubectl=$(command -v kubectl || ../peers/build.sh kubectl)
# shellcheck source-path=SCRIPTDIR source=common.sh
. ./common.sh

mkdir -p "$scratch/with/helm3" "$scratch/with/helm4" "$HOME/.local/share/bash-completion/completions"
ln -s "$target/peers/helm3/helm" "$scratch/with/helm3/helm"
ln -s "$target/peers/helm" "$scratch/with/helm4/helm"
ln -s "$kubectl" "$scratch/bin/kubectl"

# The blocks, one a file: 01-helm3, 02-plain …
mkdir "$scratch/blocks"
awk -v folder="$scratch/blocks" '
    /^<!-- tested.* -->$/ { with = $3 == "-->" ? "plain" : $3 }
    /^```sh$/ { file = sprintf("%s/%02d-%s", folder, ++count, with ? with : "untested"); with = ""; next }
    /^```/ { file = "" }
    file { print >file }
' "$root/docs/ci.md"

for block in "$scratch"/blocks/*; do
    with=${block##*-}
    shop=$scratch/shop-${block##*/}
    repository "$shop"
    ln -s "$root/integrations" "$shop/integrations"
    case $with in
        helm3 | helm4) path=$scratch/with/$with:$PATH ;;
        output) path=$PATH && echo 'output: {folder: manifests}' >>"$shop/plimsoll.yaml" ;;
        plain) path=$PATH ;;
        *) fail "$(cat "$block"): is not tested" && continue ;;
    esac
    expect "$(cat "$block")" 0 env -C "$shop" PATH="$path" bash -euo pipefail "$block"
done
expect 'check --update writes the folder' 0 ls "$scratch"/shop-*-output/manifests

finish
