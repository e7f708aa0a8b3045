#!/usr/bin/env bash
# Build plimsoll from the action's own source. Not in the folder of the pull request: there a .cargo/config.toml or a
# rust-toolchain.toml would have a say.
set -euo pipefail
cd "$GITHUB_ACTION_PATH"
cargo install --quiet --locked --path . --root "$RUNNER_TEMP/plimsoll"
