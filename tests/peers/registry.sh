#!/usr/bin/env bash
# Hold `plimsoll deps` to a real registry: Debian's docker-registry on loopback, once in the clear, and once behind TLS
# and a password. Charts get there by the live Helm that install.sh has built, and Chart.lock must be what that Helm
# writes, the time aside.
#
#   tests/peers/registry.sh           prints "N passed, N failed"; status 1 where one failed
#
# Needs openssl, and docker-registry: installed by apt-get where this runs as root, asked for where it does not.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
helm=$target/peers/helm
plimsoll=${PLIMSOLL:-$target/release/plimsoll}

if ! command -v docker-registry >/dev/null; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo 'registry.sh: docker-registry is needed (on Debian and Ubuntu: apt-get install docker-registry)' >&2
        exit 2
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-registry >/dev/null
fi

scratch=$(mktemp -d)
registries=()
trap 'kill "${registries[@]}" 2>/dev/null || true; wait; rm -rf "$scratch"' EXIT
unset "${!HELM_@}" "${!REGISTRY_@}"
export HOME=$scratch HELM_CACHE_HOME=$scratch/cache HELM_CONFIG_HOME=$scratch/config HELM_DATA_HOME=$scratch/data
cp -r tests/fixtures/deps "$scratch/charts"
cd "$scratch/charts"

passed=0 failed=0
pass() { passed=$((passed + 1)); }
fail() {
    failed=$((failed + 1))
    echo "failed: $1"
    sed 's/^/    /' "$scratch/out"
}

# The registry of a configuration, at a port of its own choice: sets $host.
start() {
    local log=$scratch/$1.log
    docker-registry serve "$scratch/$1.yml" >"$log" 2>&1 &
    registries+=($!)
    for _ in $(seq 100); do
        host=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$log" | head -1)
        [ -z "$host" ] || return 0
        sleep 0.1
    done
    echo 'registry.sh: docker-registry does not start:' >&2
    cat "$log" >&2
    exit 2
}

# A chart that depends on some version of `web` in the registry.
depend() {
    mkdir -p "$1"
    printf 'apiVersion: v2\nname: app\nversion: 0.1.0\ndependencies:\n- {name: %s, version: "%s", repository: "oci://%s/charts"}\n' \
        "${3:-web}" "$2" "$host" >"$1/Chart.yaml"
}

# plimsoll gets what a chart depends on, and so does Helm: the same lock file, archives of the same names and contents.
agrees() {
    local chart=$1 archive
    shift
    cp -r "$chart" "$chart.helm"
    if ! "$plimsoll" deps "$@" "$chart" >"$scratch/out" 2>&1 ||
        ! "$helm" dependency update "$@" "$chart.helm" >"$scratch/out" 2>&1; then
        fail "$chart"
        return
    fi
    for archive in "$chart"{,.helm}/charts/*.tgz; do
        mkdir "${archive%.tgz}"
        tar --warning=no-timestamp -xzf "$archive" -C "${archive%.tgz}"
        rm "$archive"
    done
    if diff -r --ignore-matching-lines='^generated: "20' "$chart" "$chart.helm" >"$scratch/out"; then pass; else fail "$chart"; fi
}

# plimsoll says a text, ends with status 2 and changes nothing.
refuses() {
    local text=$1 chart=$2 status=0
    shift 2
    cp -r "$chart" "$scratch/before"
    "$plimsoll" deps "$@" "$chart" >"$scratch/out" 2>&1 || status=$?
    # Diagnostics are wrapped at the width of the terminal.
    if [ $status = 2 ] && tr -s '\n │' ' ' <"$scratch/out" | grep -qF -- "$text" && diff -r "$chart" "$scratch/before"; then
        pass
    else
        fail "$chart: status $status, expected 2 and: $text"
    fi
    rm -r "$scratch/before"
}

cat >"$scratch/plain.yml" <<END
version: 0.1
storage: {filesystem: {rootdirectory: $scratch/plain}}
http: {addr: '127.0.0.1:0'}
END
start plain
agrees umbrella
for version in 1.2.0 1.10.0 1.11.0+build.7 2.0.0-rc.1; do
    "$helm" package web --version "$version" -d packed >/dev/null
    "$helm" push --plain-http "packed/web-$version.tgz" "oci://$host/charts" >"$scratch/out" 2>&1 || fail "push of $version"
done
# An archive of our own making is one that Helm takes.
(cd ours && "$plimsoll" deps .) >/dev/null
"$helm" push --plain-http ours/charts/common-1.4.2.tgz "oci://$host/charts" >"$scratch/out" 2>&1 || fail 'push of our archive'

for version in '^1' '~1.10' 1.2.0 '>=2.0.0-0' 1.11.0+build.7; do
    depend "plain-$version" "$version"
    agrees "plain-$version" --plain-http
done
depend common '*' common
agrees common --plain-http
depend missing 1.3.0
refuses 'the registry has no tag "1.3.0"' missing --plain-http
depend none '^3'
refuses "can't get a valid version for 1 subchart(s)" none --plain-http
depend other '*' other
refuses 'the registry has no chart of this name' other --plain-http
refuses 'the server does not speak https' missing

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout "$scratch/ca.key" -out "$scratch/ca.pem" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -subj /CN=registry -keyout "$scratch/tls.key" -out "$scratch/tls.csr" 2>/dev/null
openssl x509 -req -in "$scratch/tls.csr" -CA "$scratch/ca.pem" -CAkey "$scratch/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo 'subjectAltName = IP:127.0.0.1') -out "$scratch/tls.pem" 2>/dev/null
# alice's password is hunter2.
echo 'alice:$2a$10$/.oWfK/thRh4nTBXBFAyO.VP3gbK8gceRPEVqkGRpnAqfzMx8MD1W' >"$scratch/htpasswd"
cat >"$scratch/secure.yml" <<END
version: 0.1
storage: {filesystem: {rootdirectory: $scratch/plain}}
http: {addr: '127.0.0.1:0', tls: {certificate: $scratch/tls.pem, key: $scratch/tls.key}}
auth: {htpasswd: {realm: registry, path: $scratch/htpasswd}}
END
start secure
depend secure '^1'
ca=(--ca-file "$scratch/ca.pem")
login=(--login "$host" --username alice --password-stdin)
refuses 'it wants a user name and password' secure "${ca[@]}"
refuses "--login $host" secure "${ca[@]}"
refuses 'it refuses the user name or password' secure "${ca[@]}" "${login[@]}" <<<wrong
refuses 'invalid peer certificate: UnknownIssuer' secure "${login[@]}" <<<hunter2
if "$plimsoll" deps "${ca[@]}" "${login[@]}" secure >"$scratch/out" 2>&1 <<<hunter2 && [ -f secure/charts/web-1.11.0+build.7.tgz ]; then
    pass
else
    fail 'pull with TLS and a password'
fi
if grep -rq hunter2 secure "$scratch/out"; then fail 'the password is nowhere'; else pass; fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
