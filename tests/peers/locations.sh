#!/usr/bin/env bash
# Compare what plimsoll says of objects by schemas in folders (tests/fixtures/locations) with kubeconform -strict.
#
#   tests/peers/locations.sh            whether the recorded answers are what kubeconform says today
#   tests/peers/locations.sh --record   records its answers in answers.json of each fixture
#
# Needs what install.sh has built, and Python. tests/locations.rs holds plimsoll to the recorded answers.
set -euo pipefail
cd "$(dirname "$0")/../.."

kubeconform=$(realpath -m "${CARGO_TARGET_DIR:-target}")/peers/kubeconform
for fixture in tests/fixtures/locations/*/; do
    locations=()
    while IFS= read -r location; do
        locations+=(-schema-location "$location")
    done <"$fixture/locations"
    # Its exit status says the same as its answers.
    answers=$(cd "$fixture" && { "$kubeconform" -strict -kubernetes-version 1.34.0 -verbose -output json \
        "${locations[@]}" objects.yaml || true; } | python3 -c '
import json, sys
resources = json.load(sys.stdin)["resources"]
status = {r["name"]: r["status"].removeprefix("status").lower() for r in resources if r["kind"]}
assert len(status) == sum(1 for r in resources if r["kind"]), "two objects have the same name"
print(json.dumps(status, indent=2, sort_keys=True))')
    if [ "${1:-}" = --record ]; then
        printf '%s\n' "$answers" >"$fixture/answers.json"
    else
        diff "$fixture/answers.json" <(printf '%s\n' "$answers")
    fi
done
