#!/usr/bin/env bash
# integrations/argocd/plugin.yaml: its command, run as Argo CD's sidecar runs it, in the folder of an application.
set -euo pipefail
cd "$(dirname "$0")"
python=$(./tools.sh)/python
# shellcheck source-path=SCRIPTDIR source=common.sh
. ./common.sh

# Run the plugin in a folder, with the variables of an application.
generate() {
    local folder=$1
    shift
    "$python" - "$root/integrations/argocd/plugin.yaml" "$folder" "$@" <<'END'
import os, subprocess, sys, yaml

plugin, folder, *variables = sys.argv[1:]
generate = yaml.safe_load(open(plugin))["spec"]["generate"]
env = {"ARGOCD_APP_NAME": "web", "ARGOCD_APP_NAMESPACE": "shop", **dict(v.split("=", 1) for v in variables)}
status = subprocess.run(generate["command"] + generate["args"], cwd=folder, env={**os.environ, **env}).returncode
sys.exit(status)
END
}

shop=$scratch/shop
repository "$shop"
chart=$shop/charts/web
touch "$chart/values.yaml"
mv "$shop/values/api.yaml" "$chart/green.yaml"
echo "colour: $token" >"$chart/token.yaml"

expect 'an application' 0 generate "$chart" KUBE_VERSION=1.34 KUBE_API_VERSIONS=v1,apps/v1
says '^  colour: none$'
says '^  name: web$'
generate "$chart" >"$scratch/out" 2>/dev/null
says_not 'all is well'
expect 'values files' 0 generate "$chart" PARAM_VALUES_FILES_0=values.yaml PARAM_VALUES_FILES_1=green.yaml
says '^  colour: green$'
expect 'values that policies refuse' 1 generate "$chart" PARAM_VALUES_FILES_0=token.yaml
says 'secrets/plaintext'
says_not "$token|^kind:"
for outside in ../../plimsoll.yaml /etc/passwd a/../../b ..; do
    expect "values at $outside" 2 generate "$chart" "PARAM_VALUES_FILES_0=$outside"
    says 'is outside the chart'
done

finish
