#!/usr/bin/env bash
# Whether the schemas that the binary carries are what their recipe makes of the package that it pins: status 1 where
# they are not. What is inflated is compared, as each zlib deflates in its own way.
#
#   tests/peers/schemas.sh
#
# Needs Python 3.9 or newer with pip, which downloads the package.
set -euo pipefail
cd "$(dirname "$0")/../.."

python3 schemas/make.py --check
