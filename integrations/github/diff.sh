#!/usr/bin/env bash
# The step Compare of action.yml: `plimsoll diff` with the base, in the summary, and as a page for the comment. It tells;
# what refuses is the check. But a comparison that cannot be made fails.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=run.sh
. "${BASH_SOURCE%/*}/run.sh"

# actions/checkout gets one commit where it is not told otherwise.
if ! git rev-parse --verify --quiet --end-of-options "$BASE^{commit}" >/dev/null; then
    git fetch --quiet --no-tags --depth=1 -- origin "$BASE"
fi
page=$files/diff.md
rm -f "$page"
args=(diff --base="$BASE" --format text --format "markdown=$page")
if [ -n "$CONFIG" ]; then args+=(--config "$CONFIG"); fi
plimsoll "${args[@]}"
summarise "$page"
if [ -f "$page" ]; then echo "markdown=$page" >>"$GITHUB_OUTPUT"; fi
if [ "$status" -gt 1 ]; then exit "$status"; fi
