#!/usr/bin/env bash
# Manual pages that man prints without a warning, where there is a man that can say so (mandoc's, or man-db's).
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source-path=SCRIPTDIR source=common.sh
. ./common.sh

plimsoll man --quiet "$scratch/man1"
for page in "$scratch"/man1/*.1; do
    if command -v mandoc >/dev/null; then
        expect "${page##*/}" 0 mandoc -T lint -W warning "$page"
    elif man --version 2>/dev/null | grep -q '^man [0-9]'; then
        expect "${page##*/}" 0 env LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings --local-file "$page"
        says '^EXIT STATUS'
        says_not '^(troff|grotty)|<standard input>'
    else
        echo 'neither mandoc nor man is installed: manual pages are not read'
        exit 0
    fi
done

finish
