#!/usr/bin/env bash
# Run `plimsoll post-render` through the live Helms that install.sh has built: Helm 3, which runs the program itself, and
# Helm 4, which runs the plugin of integrations/helm. No cluster is needed. What docs/ci.md says of what Helm shows to a
# post-renderer is tried here.
#
#   tests/peers/post_render.sh        prints "N passed, N failed"; status 1 where one failed
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset "${!HELM_@}" "${!KUBE@}"
export HOME=$scratch TZ=UTC
mkdir "$scratch/bin"
# What it is shown is kept.
cat >"$scratch/bin/plimsoll" <<END
#!/bin/sh
tee '$scratch/seen' | '${PLIMSOLL:-$target/release/plimsoll}' "\$@"
END
chmod +x "$scratch/bin/plimsoll"
PATH=$scratch/bin:$PATH

passed=0 failed=0
pass() { passed=$((passed + 1)); }
fail() {
    failed=$((failed + 1))
    echo "failed: $*"
    head -20 "$scratch/err"
}

helm4=$target/peers/helm
# Helm 3 has its plugins in the same folder, and complains of Helm 4's.
cat >"$scratch/bin/helm3" <<END
#!/bin/sh
HELM_PLUGINS='$scratch/none' exec '$target/peers/helm3/helm' "\$@"
END
chmod +x "$scratch/bin/helm3"
helm3=$scratch/bin/helm3
"$helm4" plugin install integrations/helm >/dev/null 2>&1
# Helm 4 writes all manifests anew around any post-renderer: what ours changes shows beside one that changes nothing.
mkdir "$scratch/same"
cat >"$scratch/same/plugin.yaml" <<'END'
{apiVersion: v1, type: postrenderer/v1, name: same, version: 0.1.0, runtime: subprocess,
 runtimeConfig: {platformCommand: [{command: cat}]}}
END
"$helm4" plugin install "$scratch/same" >/dev/null 2>&1
through3=(--post-renderer plimsoll --post-renderer-args post-render)
through4=(--post-renderer plimsoll)

# A chart with a Secret, a hook and a CRD; the values say which of them has a token in the open.
chart=$scratch/chart
mkdir -p "$chart/templates" "$chart/crds"
cat >"$chart/Chart.yaml" <<'END'
{apiVersion: v2, name: web, version: 0.1.0}
END
cat >"$chart/templates/config.yaml" <<'END'
# A comment, and  odd   spacing.
apiVersion: v1
kind: ConfigMap
metadata: {name: config}
data:
  colour:   {{ .Values.colour | default "blue" }}
END
cat >"$chart/templates/hook.yaml" <<'END'
apiVersion: v1
kind: ConfigMap
metadata:
  name: hook
  annotations: {helm.sh/hook: pre-install}
data:
  colour: {{ .Values.hook | default "blue" }}
END
cat >"$chart/crds/widgets.yaml" <<'END'
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  names: {kind: Widget, plural: widgets}
  scope: Namespaced
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
END
token=ghp_0123456789abcdefghijABCDEFGHIJ012345

# Two commands, each words of one line, print the same but for the time of a deployment.
agree() {
    local what=$1 expected=$2 actual=$3
    if $expected >"$scratch/expected" 2>"$scratch/err" && $actual >"$scratch/actual" 2>"$scratch/err" &&
        diff -I '^LAST DEPLOYED: ' "$scratch/expected" "$scratch/actual" >"$scratch/difference"; then
        pass
    else
        fail "$what"
        head -5 "$scratch/difference"
    fi
}

# Helm must end a command with an error, and our finding must be there to read.
refuse() {
    local what=$1
    shift
    # A pipe, as in CI: Helm 4 lets no findings into a file.
    if "$@" 2>&1 >"$scratch/actual" | cat >"$scratch/err"; then
        fail "$what passes"
    elif [ -s "$scratch/actual" ] || ! grep -q 'secrets/plaintext' "$scratch/err" || grep -q "$token" "$scratch/err"; then
        fail "$what is refused, but not with our finding alone"
    else
        pass
    fi
}

agree 'Helm 3: template' "$helm3 template web $chart" "$helm3 template web $chart ${through3[*]}"
refuse 'Helm 3: template' "$helm3" template web "$chart" "${through3[@]}" --set "colour=$token"
# Helm 3 installs nothing without a cluster, not even dry.
for command in 'template web' 'install web --dry-run=client'; do
    agree "Helm 4: $command" "$helm4 $command $chart --post-renderer same" "$helm4 $command $chart ${through4[*]}"
    # shellcheck disable=SC2086 # a command of several words
    refuse "Helm 4: $command" "$helm4" $command "$chart" "${through4[@]}" --set "colour=$token"
done

# Arguments get there.
agree 'Helm 3: arguments' "$helm3 template web $chart --set colour=$token" "$helm3 template web $chart --set colour=$token \
    ${through3[*]} --post-renderer-args --fail-on --post-renderer-args never"
agree 'Helm 4: arguments' "$helm4 template web $chart --set colour=$token --post-renderer same" "$helm4 template web $chart \
    --set colour=$token ${through4[*]} --post-renderer-args --fail-on --post-renderer-args never"

# Helm 3 shows no hooks, Helm 4 does. Only Helm 3 shows the CRDs of crds/, and only where it prints them too.
refuse 'Helm 4: hooks' "$helm4" template web "$chart" "${through4[@]}" --set "hook=$token"
agree 'Helm 3: hooks' "$helm3 template web $chart --set hook=$token" "$helm3 template web $chart --set hook=$token ${through3[*]}"
shown() {
    local what=$1 kind=$2 wanted=$3
    shift 3
    if "$@" >"$scratch/actual" 2>"$scratch/err" && [ "$(grep -c "^kind: $kind\$" "$scratch/seen")" = "$wanted" ]; then
        pass
    else
        fail "$what"
    fi
}
crd=CustomResourceDefinition
shown 'Helm 3 shows no hooks' ConfigMap 1 "$helm3" template web "$chart" "${through3[@]}"
shown 'Helm 4 shows hooks' ConfigMap 2 "$helm4" template web "$chart" "${through4[@]}"
shown 'Helm 3 shows no CRDs' $crd 0 "$helm3" template web "$chart" "${through3[@]}"
shown 'Helm 3 shows CRDs that it prints' $crd 1 "$helm3" template web "$chart" "${through3[@]}" --include-crds
shown 'Helm 4 shows no CRDs' $crd 0 "$helm4" template web "$chart" "${through4[@]}" --include-crds

# The fixture charts, those that Helm renders and plimsoll reads: Helm 3 gets back what it has handed over.
judged=0
for case in tests/fixtures/charts/*/cases/*.args; do
    mapfile -t args <"$case"
    cd "${case%/cases/*}"
    if "$helm3" template "${args[@]}" >"$scratch/expected" 2>/dev/null &&
        "$helm3" template "${args[@]}" "${through3[@]}" --post-renderer-args --fail-on=never >"$scratch/actual" 2>"$scratch/err"; then
        judged=$((judged + 1))
        if cmp -s "$scratch/expected" "$scratch/actual"; then pass; else fail "$case"; fi
    fi
    cd - >/dev/null
done
if [ "$judged" -ge 20 ]; then pass; else fail "only $judged fixture charts were judged"; fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
