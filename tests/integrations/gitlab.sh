#!/usr/bin/env bash
# integrations/gitlab/plimsoll.gitlab-ci.yml: the scripts of its jobs, run with GitLab's variables.
set -euo pipefail
cd "$(dirname "$0")"
python=$(./tools.sh)/python
# shellcheck source-path=SCRIPTDIR source=common.sh
. ./common.sh

# Run a job in a repository as a runner does: the lines of its script one after the other, its variables set.
job() {
    local name=$1 repository=$2
    "$python" - "$root/integrations/gitlab/plimsoll.gitlab-ci.yml" "$name" >"$scratch/job.sh" <<'END'
import shlex, sys, yaml

jobs = yaml.safe_load(open(sys.argv[1]))
job = jobs[sys.argv[2]]
for name, value in jobs[job["extends"]]["variables"].items():
    print(f"export {name}={shlex.quote(value)}")
print("\n".join(job["script"]))
END
    (cd "$repository" && CI=true CI_MERGE_REQUEST_DIFF_BASE_SHA=$base bash -euo pipefail "$scratch/job.sh")
}

shop=$scratch/shop
repository "$shop"
base=$(git -C "$shop" rev-parse HEAD)
expect 'a clean check' 0 job plimsoll-check "$shop"
echo "colour: $token" >"$shop/values/api.yaml"
git -C "$shop" commit --quiet --all --message 'A token'
expect 'a check that refuses' 1 job plimsoll-check "$shop"
expect 'its code quality' 0 "$python" -m json.tool "$shop/plimsoll-code-quality.json"
says '"fingerprint"'
says 'values/api.yaml'
says '<failure' "$shop/plimsoll-junit.xml"
status=0
job plimsoll-diff "$shop" >"$scratch/out" 2>&1 || status=$?
# That the change is refused is no failure of the comparison: allow_failure has 1.
if [ "$status" -le 1 ]; then pass; else fail "a comparison: status $status"; fi
says 'shop/api' "$shop/plimsoll-diff.md"
says_not "$token" "$shop/plimsoll-diff.md"
base=0123456789012345678901234567890123456789
expect 'a base that is not there' 2 job plimsoll-diff "$shop"

finish
