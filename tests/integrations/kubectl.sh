#!/usr/bin/env bash
# `kubectl plimsoll`: real kubectl finds the plugin, and runs it. Where there is no kubectl, one is built.
set -euo pipefail
cd "$(dirname "$0")"
kubectl=$(command -v kubectl || ../peers/build.sh kubectl)
# shellcheck source-path=SCRIPTDIR source=common.sh
. ./common.sh

ln -s "$(readlink "$scratch/bin/plimsoll")" "$scratch/bin/kubectl-plimsoll"
expect 'kubectl finds the plugin' 0 "$kubectl" plugin list
says '/bin/kubectl-plimsoll$'
says_not 'warning|error'
expect 'kubectl runs it' 0 "$kubectl" plimsoll --version
says '^plimsoll [0-9]'
expect 'its help is of kubectl' 0 "$kubectl" plimsoll lint --help
says '^Usage: kubectl plimsoll lint '
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {TOKEN: %s}\n' "$token" >"$scratch/leak.yaml"
expect 'its verdict is that of kubectl' 1 "$kubectl" plimsoll lint "$scratch/leak.yaml"
says 'secrets/plaintext'

finish
