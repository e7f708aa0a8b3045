#!/usr/bin/env bash
# This repository gated by its own action: the last commit as a pull request on the one before.
set -euo pipefail
cd "$(dirname "$0")"
python=$(./tools.sh)/python
# shellcheck source-path=SCRIPTDIR source=common.sh
. ./common.sh

base=$(git -C "$root" rev-parse --verify --quiet 'HEAD^' || git -C "$root" rev-parse HEAD)
echo "{\"pull_request\": {\"number\": 1, \"base\": {\"sha\": \"$base\"}}}" >"$scratch/event.json"
GITHUB_STEP_SUMMARY=$scratch/summary.md "$python" action.py --event "$scratch/event.json" --input comment=false \
    --input plimsoll="$scratch/bin/plimsoll" --input sarif="$scratch/plimsoll.sarif" "$root"
cat "$scratch/summary.md"
