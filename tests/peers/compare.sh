#!/usr/bin/env bash
# Compare plimsoll with the live Helm that install.sh has built: every fixture chart, byte for byte, and whether all
# that is recorded of Helm below tests/fixtures is what it says today.
#
#   tests/peers/compare.sh            prints "N passed, N failed"; status 1 where one failed
#   tests/peers/compare.sh --record   writes what Helm makes of the fixture charts beside their cases instead
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
helm=$target/peers/helm
plimsoll=$target/release/plimsoll
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TZ=UTC
unset "${!HELM_@}" "${!KUBE@}"

# Run a program on a case: standard output in $scratch/<name>.out, standard error in .err, and its status is ours.
run() {
    local name=$1 case=$2
    shift 2
    local -a args
    mapfile -t args <"$case"
    (cd "${case%/cases/*}" && exec env HOME="$scratch" "$@" "${args[@]}") >"$scratch/$name.out" 2>"$scratch/$name.err"
}

cases=(tests/fixtures/charts/*/cases/*.args)

if [ "${1:-}" = --record ]; then
    for case in "${cases[@]}"; do
        rm -f "${case%.args}.out" "${case%.args}.err"
        if run helm "$case" "$helm" template; then
            cp "$scratch/helm.out" "${case%.args}.out"
        else
            cp "$scratch/helm.err" "${case%.args}.err"
        fi
    done
    echo "${#cases[@]} recorded"
    exit 0
fi

passed=0 failed=0
for case in "${cases[@]}"; do
    helm_status=0 plimsoll_status=0
    run helm "$case" "$helm" template || helm_status=$?
    run plimsoll "$case" "$plimsoll" render || plimsoll_status=$?
    if [ $((helm_status != 0)) = $((plimsoll_status != 0)) ] && cmp -s "$scratch/helm.out" "$scratch/plimsoll.out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "differs: $case (status of Helm $helm_status, of plimsoll $plimsoll_status)"
        diff "$scratch/helm.out" "$scratch/plimsoll.out" | head -5 || true
    fi
done

# The recorded answers that `cargo test` holds plimsoll to are live Helm's, too.
for recorded in conformance charts; do
    if PLIMSOLL_TEST_PEER=$helm cargo test --locked --quiet --test "$recorded" >"$scratch/$recorded" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        tail -20 "$scratch/$recorded"
    fi
done

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
