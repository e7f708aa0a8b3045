#!/usr/bin/env bash
# Compare plimsoll's verdicts on Kubernetes manifests (tests/fixtures/schemas) with those of kubeconform -strict on the
# same schemas, and with the API server's own decoder: a small Go program (tests/peers/schemas) links both.
#
#   tests/peers/kubeconform.sh            whether the recorded answers are what they say today, and plimsoll agrees
#   tests/peers/kubeconform.sh --record   records their answers in tests/fixtures/schemas/answers.jsonl
#
# Needs what install.sh has built, Go, and Python with pip for the package that the schemas are of (schemas/make.py).
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/peers
recorded=$PWD/tests/fixtures/schemas/answers.jsonl
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

peer=$(tests/peers/build.sh schemas)
python3 tests/peers/standalone.py "$target/standalone"
newest=$(sed -n 's/^VERSION = "\(1\.[0-9]*\).*/\1/p' schemas/make.py)

cd tests/fixtures/schemas
mapfile -t files < <(printf '%s\n' */*.yaml | LC_ALL=C sort)
"$peer" "$target/standalone" "$newest" "${files[@]}" >"$scratch/answers"
if [ "${1:-}" = --record ]; then
    cp "$scratch/answers" "$recorded"
    wc -l <"$recorded"
    exit 0
fi
if ! diff "$recorded" "$scratch/answers"; then
    echo 'the recorded answers are not what the peers say: record them again (tests/peers/kubeconform.sh --record)'
    exit 1
fi

# The program itself refuses the files of which the library refuses a document.
for file in "${files[@]}"; do
    version=$newest refused=0 status=0
    [[ $file =~ @(1\.[0-9]+)\.yaml$ ]] && version=${BASH_REMATCH[1]}
    ! grep -qE "^\{\"file\":\"$file\",.*\"kubeconform\":\"(invalid|error)\"" "$recorded" || refused=1
    "$target/kubeconform" -strict -kubernetes-version "$version.0" -schema-location \
        "$target/standalone/{{ .NormalizedKubernetesVersion }}-standalone{{ .StrictSuffix }}/{{ .ResourceKind }}{{ .KindSuffix }}.json" \
        "$file" >"$scratch/out" || status=$?
    if [ "$status" != "$refused" ]; then
        echo "$file: kubeconform ends with status $status, its library with $refused"
        cat "$scratch/out"
        exit 1
    fi
done

cd ../../..
cargo test --locked --quiet --test kubernetes_schemas -- --nocapture
