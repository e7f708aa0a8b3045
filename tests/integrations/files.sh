#!/usr/bin/env bash
# The files that others read are what their schemas say, and every script is clean.
set -euo pipefail
cd "$(dirname "$0")/../.."
PATH=$(tests/integrations/tools.sh):$PATH

check-jsonschema --builtin-schema vendor.github-actions action.yml
check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci integrations/gitlab/*.yml
pre-commit validate-manifest .pre-commit-hooks.yaml
mapfile -t scripts < <(git ls-files 'integrations/*.sh' 'tests/integrations/*.sh' tests/peers/post_render.sh)
shellcheck --external-sources "${scripts[@]}"
# Scripts of other programs' files.
python - <<'END' >target/scripts.sh
import yaml
plugin = yaml.safe_load(open("integrations/argocd/plugin.yaml"))
print("# shellcheck shell=sh\n" + plugin["spec"]["generate"]["args"][0])
END
shellcheck target/scripts.sh
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
grep -qx "version: $version" integrations/helm/plugin.yaml || {
    echo "integrations/helm/plugin.yaml is of another version than Cargo.toml: $version"
    exit 1
}
echo "${#scripts[@]} scripts are clean"
