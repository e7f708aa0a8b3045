#!/usr/bin/env bash
# The step Compare of action.yml: `plimsoll diff` with the base, in the summary, and as a page for the comment. It tells;
# what refuses is the check. But a comparison that cannot be made fails.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=run.sh
. "${BASH_SOURCE%/*}/run.sh"

# actions/checkout gets one commit where it is not told otherwise; where the change left the base is further back.
if [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    git fetch --quiet --no-tags --unshallow
fi
if ! git rev-parse --verify --quiet --end-of-options "$BASE^{commit}" >/dev/null; then
    git fetch --quiet --no-tags -- origin "$BASE"
fi
page=$files/diff.md
compare() {
    "$PLIMSOLL" diff --base="$BASE" ${CONFIG:+--config "$CONFIG"} --format markdown >"$page"
}
guarded compare
summarise "$page"
if [ -s "$page" ]; then echo "markdown=$page" >>"$GITHUB_OUTPUT"; fi
if [ "$status" -gt 1 ]; then exit "$status"; fi
