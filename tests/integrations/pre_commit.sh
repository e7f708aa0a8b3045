#!/usr/bin/env bash
# .pre-commit-hooks.yaml: real pre-commit takes the hook from this repository, and runs it before a commit.
set -euo pipefail
cd "$(dirname "$0")"
tools=$(./tools.sh)
# shellcheck source-path=SCRIPTDIR source=common.sh
. ./common.sh
export PATH=$PATH:$tools PRE_COMMIT_HOME=$scratch/pre-commit

# What pre-commit takes hooks from is a repository at a revision: one with the file as it is now.
git init --quiet "$scratch/hooks"
cp "$root/.pre-commit-hooks.yaml" "$scratch/hooks"
git -C "$scratch/hooks" add . && git -C "$scratch/hooks" commit --quiet --message Hooks

shop=$scratch/shop
repository "$shop"
cat >"$shop/.pre-commit-config.yaml" <<END
repos:
  - repo: $scratch/hooks
    rev: $(git -C "$scratch/hooks" rev-parse HEAD)
    hooks: [{id: plimsoll-check-system}]
END
git -C "$shop" add .
(cd "$shop" && pre-commit install >/dev/null)
expect 'a commit' 0 git -C "$shop" commit --message 'A hook'
says 'plimsoll check.*Passed'
echo "colour: $token" >"$shop/values/api.yaml"
expect 'a commit with a violation' 1 git -C "$shop" commit --all --message 'A token'
says 'plimsoll check.*Failed'
says 'secrets/plaintext'
says_not "$token"
# What is not staged does not count.
git -C "$shop" reset --quiet
echo 'colour: red' >"$shop/values/web.yaml"
git -C "$shop" add values/web.yaml
expect 'a commit beside a violation' 0 git -C "$shop" commit --message 'Red'

finish
