#!/usr/bin/env bash
# Renews everything that pgcred carries and that ages. Then look at `git diff`, run the tests, and commit.
set -euo pipefail
cd "$(dirname "$0")/../.."
node src/provider/amazon_roots/renew.mjs
python3 packaging/renew/regions.py
packaging/renew/advisories.sh
