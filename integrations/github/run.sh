# shellcheck shell=bash
# Sourced by check.sh and diff.sh.

# The folder for what passes from step to step.
files=$RUNNER_TEMP/plimsoll
mkdir -p "$files"

# Run a command and keep its exit status in $status. What plimsoll prints can quote charts, and GitHub obeys lines that
# begin with `::`: so until a word that nobody can guess, none counts.
guarded() {
    local word
    word=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
    echo "::stop-commands::$word"
    status=0
    # shellcheck disable=SC2034 # for those who source this
    "$@" 2>&1 || status=$?
    echo "::$word::"
}

# Add a page to the summary of the job, if it was written.
summarise() {
    if [ -f "$1" ]; then
        cat "$1" >>"$GITHUB_STEP_SUMMARY"
        echo >>"$GITHUB_STEP_SUMMARY"
    fi
}
