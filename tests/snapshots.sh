#!/usr/bin/env bash
# Fails on snapshots that wait for a review, and on snapshots that no test reads any more.
# usage: tests/snapshots.sh READ, where READ is the file that insta filled (INSTA_SNAPSHOT_REFERENCES_FILE)
set -euo pipefail
read_now=$1
cd "$(dirname "$0")/.."

pending=$(find snapshots -name '*.snap.new')
if [ -n "$pending" ]; then
  printf 'snapshots that nobody has reviewed:\n%s\n' "$pending"
  exit 1
fi
# insta writes paths as it joined them, `tests/../snapshots/…`.
orphans=$(comm -23 <(find "$PWD/snapshots" -name '*.snap' | sort) <(xargs -r -d '\n' realpath <"$read_now" | sort -u))
if [ -n "$orphans" ]; then
  printf 'snapshots that no test reads:\n%s\n' "$orphans"
  exit 1
fi
echo "$(find snapshots -name '*.snap' | wc -l) snapshots, all of them reviewed and read"
