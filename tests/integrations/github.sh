#!/usr/bin/env bash
# action.yml, its steps run as GitHub's runner would (action.py), on a repository with pull requests.
set -euo pipefail
cd "$(dirname "$0")"
python=$(./tools.sh)/python
# shellcheck source-path=SCRIPTDIR source=common.sh
. ./common.sh

# Records what it is asked, and has one comment, if any, in $scratch/comment.
cat >"$scratch/bin/gh" <<END
#!/usr/bin/env bash
printf '%s\n' "\$*" >>'$scratch/gh.log'
case "\$*" in
    *--jq*) cat '$scratch/comment' 2>/dev/null || true ;;
    *) [ ! -e '$scratch/read-only' ] ;;
esac
END
chmod +x "$scratch/bin/gh"

# Run the action in a repository: what happened is an event, the rest are inputs.
action() {
    local repository=$1 event=$2
    shift 2
    echo "$event" >"$scratch/event.json"
    rm -f "$scratch/gh.log" "$scratch/summary.md"
    GITHUB_STEP_SUMMARY=$scratch/summary.md "$python" action.py --event "$scratch/event.json" \
        --input plimsoll="$scratch/bin/plimsoll" "${@/#/--input=}" "$repository"
}

shop=$scratch/shop
repository "$shop"
base=$(git -C "$shop" rev-parse HEAD)
pull_request="{\"pull_request\": {\"number\": 7, \"base\": {\"sha\": \"$base\"}}}"

expect 'a push' 0 action "$shop" '{}'
says '"status": "clean"'
says '^-- Compare with the base: skipped'
says 'plimsoll' "$scratch/summary.md"
says '"2\.1\.0"' "$shop/plimsoll.sarif"
rm "$shop/plimsoll.sarif"

expect 'a push without SARIF' 0 action "$shop" '{}' sarif= "formats=junit=$scratch/junit.xml"
says '<testsuite' "$scratch/junit.xml"
if [ -e "$shop/plimsoll.sarif" ]; then fail 'SARIF that nobody wants'; else pass; fi

git -C "$shop" switch --quiet --create change
echo "colour: $token" >"$shop/values/api.yaml"
git -C "$shop" commit --quiet --all --message 'A token'
expect 'a pull request with a violation' 1 action "$shop" "$pull_request" sarif=
says '"status": "refused"'
says '^::error .*file=values/api.yaml'
says_not "$token"
says_not "$token" "$scratch/summary.md"
says 'method POST repos/acme/shop/issues/7/comments' "$scratch/gh.log"

echo 42 >"$scratch/comment"
expect 'the same again' 1 action "$shop" "$pull_request" sarif=
says 'method PATCH repos/acme/shop/issues/comments/42' "$scratch/gh.log"
says_not 'method POST' "$scratch/gh.log"

expect 'without comments' 1 action "$shop" "$pull_request" sarif= comment=false
if [ -e "$scratch/gh.log" ]; then fail 'a comment that nobody wants'; else pass; fi

expect 'nothing refuses' 0 action "$shop" "$pull_request" sarif= fail-on=never

git -C "$shop" switch --quiet --create harmless "$base"
echo 'colour: red' >"$shop/values/api.yaml"
git -C "$shop" commit --quiet --all --message 'Red'
touch "$scratch/read-only"
expect 'a pull request from a fork' 0 action "$shop" "$pull_request" sarif=
says '^::notice .*may not comment'
says 'shop/api' "$scratch/summary.md"

# As actions/checkout leaves it: one commit, and the base is elsewhere.
git -C "$shop" config uploadpack.allowAnySHA1InWant true
git clone --quiet --depth 1 --branch harmless "file://$shop" "$scratch/shallow"
expect 'a shallow clone' 0 action "$scratch/shallow" "$pull_request" sarif=
says 'shop/api' "$scratch/summary.md"

missing='{"pull_request": {"number": 7, "base": {"sha": "0123456789012345678901234567890123456789"}}}'
expect 'a base that is not there' 1 action "$shop" "$missing" sarif=

# Lines that a pull request makes plimsoll print are no commands for GitHub.
printf '::set-output name=status::clean\n{{ fail "\\n::error::obey" }}\n' >"$shop/charts/web/templates/config.yaml"
git -C "$shop" commit --quiet --all --message 'Commands'
expect 'a chart that does not render' 1 action "$shop" "$pull_request" sarif=
says '"status": "failed"'
if awk '/^::stop-commands::/ { word = substr($0, 18); next } word && $0 == "::" word "::" { word = ""; next }
    !word && /^[ \t]*::(error::obey|set-output)/ { found = 1 } END { exit !found }' "$scratch/out"; then
    fail 'commands of a chart are obeyed'
else
    pass
fi

# What a pull request brings along has no say in how plimsoll is built.
mkdir "$shop/.cargo"
echo '[build]' >"$shop/.cargo/config.toml"
cat >"$scratch/bin/cargo" <<END
#!/bin/sh
pwd >'$scratch/built-in'
END
chmod +x "$scratch/bin/cargo"
expect 'a build' 1 "$python" action.py "$shop"
says '^-- Look for a binary of this source: not run here: actions/cache@'
if [ "$(cat "$scratch/built-in")" = "$root" ]; then pass; else fail "built in $(cat "$scratch/built-in")"; fi

finish
