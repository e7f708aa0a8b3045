#!/usr/bin/env bash
# A digest of all that goes into the binary, by which action.yml caches it.
set -euo pipefail
cd "$GITHUB_ACTION_PATH"
digest=$(find Cargo.toml Cargo.lock build.rs src charts/starter policies schemas -type f -print0 | LC_ALL=C sort -z |
    xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
echo "digest=$digest" >>"$GITHUB_OUTPUT"
