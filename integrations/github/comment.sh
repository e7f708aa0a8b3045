#!/usr/bin/env bash
# The step Comment of action.yml: the page as a comment on the pull request; the comment of an earlier run is updated. It
# is found by the page's first line, a marker. A comment that cannot be written refuses nothing: the summary has the page.
set -euo pipefail

comments=repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments
marker=$(head -n 1 "$MARKDOWN")

# The token of a workflow is a bot's. Comments of people are not touched, whatever they begin with.
find_comment() {
    MARKER=$marker gh api --paginate "$comments?per_page=100" \
        --jq '.[] | select(.user.type == "Bot" and (.body | startswith(env.MARKER))) | .id' | head -n 1
}

write_comment() {
    local id
    id=$(find_comment) || return
    if [ -n "$id" ]; then
        gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$MARKDOWN"
    else
        gh api --silent --method POST "$comments" --field "body=@$MARKDOWN"
    fi
}

if ! write_comment; then
    echo '::notice title=plimsoll::The comparison is in the summary of the job alone: the token may not comment. That of a' \
        'pull request from a fork never may; else the job needs the permission "pull-requests: write".'
fi
