#!/usr/bin/env bash
# Record what the programs whose comments `plimsoll schema infer` reads make of the fixtures: helm-docs, and Bitnami's
# readme-generator. tests/infer.rs compares.
#
#   tests/peers/comments.sh          writes tests/fixtures/infer/helm-docs.jsonl and bitnami.json anew
#
# Needs Go with the Go module proxy or a filled module cache, and Node.js with npm.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")/peers
mkdir -p "$target"

GOFLAGS= GOTOOLCHAIN=auto GOBIN="$target" go install github.com/norwoodj/helm-docs/cmd/helm-docs@v1.14.2
npm install --silent --no-save --ignore-scripts --prefix "$target/npm" @bitnami/readme-generator-for-helm@2.7.2

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cp -r tests/fixtures/infer/helm-docs "$folder"
cat >"$folder/helm-docs/rows.gotmpl" <<'TEMPLATE'
{{- range .Values }}
{{ dict "key" .Key "type" .Type "description" (default .AutoDescription .Description) "default" (default .AutoDefault .Default) | toJson }}
{{- end }}
TEMPLATE
"$target/helm-docs" --dry-run --log-level error --chart-search-root "$folder" --template-files rows.gotmpl |
    grep '^{' >tests/fixtures/infer/helm-docs.jsonl
node "$target/npm/node_modules/@bitnami/readme-generator-for-helm/bin/index.js" \
    --values tests/fixtures/infer/bitnami/values.yaml --schema tests/fixtures/infer/bitnami.json >"$folder/log" ||
    { cat "$folder/log" >&2; exit 1; }
