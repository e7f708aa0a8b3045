#!/usr/bin/env bash
# Hold the catalogue to other linters: what kube-linter and Checkov find with their default checks in the fixture charts,
# the example charts and tests/fixtures/linters is found here too, or excepted with a reason (src/cli/linters.yaml).
#
#   tests/peers/linters.sh            whether their recorded answers are what they say today, and all is found
#   tests/peers/linters.sh --record   records their answers in tests/fixtures/linters/*.jsonl
#
# Checkov is installed from PyPI below target/ (a minute, 290 MB; needs python3 with venv). kube-linter is asked where it
# is on the PATH or named by $KUBE_LINTER, in the version that was recorded; its recorded answers count all the same.
set -euo pipefail
cd "$(dirname "$0")/../.."

checkov_version=3.3.30
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
plimsoll=$target/release/plimsoll
recorded=tests/fixtures/linters
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

venv=$target/peers/checkov-$checkov_version
if [ ! -x "$venv/bin/checkov" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "checkov==$checkov_version"
fi

# What Helm printed, plain manifests, and the example charts with their values.
for file in tests/fixtures/charts/*/cases/*.out "$recorded"/*.yaml; do
    install -D "$file" "$scratch/manifests/${file/%.out/.out.yaml}"
done
for file in charts/starter/values.yaml $(find charts/workspace/examples -name '*.yaml'); do
    mkdir -p "$scratch/manifests/${file%/*}"
    chart=$(cut -d/ -f1-2 <<<"$file")
    "$plimsoll" render alice "$chart" -n workspace-alice -f "$file" >"$scratch/manifests/$file"
done

"$venv/bin/python" tests/peers/answers.py checkov "$scratch/manifests" >"$scratch/checkov.jsonl"
kube_linter=${KUBE_LINTER:-$(command -v kube-linter || true)}
if [ -n "$kube_linter" ]; then
    python3 tests/peers/answers.py kube-linter "$kube_linter" "$scratch/manifests" >"$scratch/kube-linter.jsonl"
else
    echo 'kube-linter is not installed: what is recorded of it counts'
fi

for answers in "$scratch"/*.jsonl; do
    if [ "${1:-}" = --record ]; then
        cp "$answers" "$recorded/"
    elif ! diff "$recorded/${answers##*/}" "$answers"; then
        echo "${answers##*/} is not what the program says: record it again (tests/peers/linters.sh --record)"
        exit 1
    fi
done
cargo test --locked --quiet --test linters -- --nocapture
