# shellcheck shell=bash
# Sourced by the tests of integrations: a scratch folder, a count of what passed, and a repository to try things on.

root=$(cd "${BASH_SOURCE%/*}/../.." && pwd)
target=$(realpath -m "${CARGO_TARGET_DIR:-$root/target}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export HOME=$scratch TZ=UTC GIT_CONFIG_GLOBAL=$scratch/gitconfig
unset "${!HELM_@}" "${!KUBE@}" "${!GIT_DIR@}"
mkdir "$scratch/bin"
ln -s "${PLIMSOLL:-$target/release/plimsoll}" "$scratch/bin/plimsoll"
PATH=$scratch/bin:$PATH
git config --global user.name Tester
git config --global user.email tester@example.com
git config --global init.defaultBranch main
git config --global advice.detachedHead false

passed=0 failed=0
pass() { passed=$((passed + 1)); }
fail() {
    failed=$((failed + 1))
    echo "failed: $*"
    head -30 "$scratch/out"
}
finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}

# Run a command and expect an exit status; what it prints is in $scratch/out.
expect() {
    local what=$1 wanted=$2 status=0
    shift 2
    "$@" >"$scratch/out" 2>&1 </dev/null || status=$?
    if [ "$status" = "$wanted" ]; then pass; else fail "$what: status $status, not $wanted"; fi
}

# What the last command printed, or a file, has a line like this.
says() {
    if grep -qE -- "$1" "${2:-$scratch/out}"; then pass; else fail "${2:-the output} says nothing like: $1"; fi
}

# The same, of what must not be there.
says_not() {
    if grep -qE -- "$1" "${2:-$scratch/out}"; then fail "${2:-the output} says: $1"; else pass; fi
}

# A token that policies find; no output may show it.
# shellcheck disable=SC2034 # for those who source this
token=ghp_0123456789abcdefghijABCDEFGHIJ012345

# Make a repository with a chart, two releases of it and one commit.
repository() {
    git init --quiet "$1"
    mkdir -p "$1/charts/web/templates" "$1/values"
    cat >"$1/plimsoll.yaml" <<'END'
releases:
  - {name: web, namespace: shop, chart: charts/web, values: [values/web.yaml]}
  - {name: api, namespace: shop, chart: charts/web, values: [values/api.yaml]}
END
    cat >"$1/charts/web/Chart.yaml" <<'END'
{apiVersion: v2, name: web, version: 0.1.0}
END
    cat >"$1/charts/web/templates/config.yaml" <<'END'
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  colour: {{ .Values.colour | default "none" }}
END
    echo 'colour: blue' >"$1/values/web.yaml"
    echo 'colour: green' >"$1/values/api.yaml"
    git -C "$1" add . && git -C "$1" commit --quiet --message 'Two releases'
}
