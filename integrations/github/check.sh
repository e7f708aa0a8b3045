#!/usr/bin/env bash
# The step Check of action.yml: `plimsoll check`, its findings as annotations, in the summary and in files.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=run.sh
. "${BASH_SOURCE%/*}/run.sh"

page=$files/check.md annotations=$files/annotations
rm -f "$page" "$annotations"
args=(check --fail-on "$FAIL_ON" --format text --format "github=$annotations" --format "markdown=$page")
if [ -n "$CONFIG" ]; then args+=(--config "$CONFIG"); fi
if [ -n "$SARIF" ]; then args+=(--format "sarif=$SARIF"); fi
while IFS= read -r format; do
    if [ -n "$format" ]; then args+=(--format "$format"); fi
done <<<"$FORMATS"

guarded "$PLIMSOLL" "${args[@]}"
if [ -f "$annotations" ]; then cat "$annotations"; fi
summarise "$page"
case $status in
    0) echo 'status=clean' ;;
    1) echo 'status=refused' ;;
    *) echo 'status=failed' ;;
esac >>"$GITHUB_OUTPUT"
if [ -n "$SARIF" ] && [ -f "$SARIF" ]; then echo "sarif=$(realpath "$SARIF")" >>"$GITHUB_OUTPUT"; fi
exit "$status"
