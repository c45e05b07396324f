#!/usr/bin/env bash
# Compares the crates of Cargo.lock with the published advisories, and writes today's date into deny.toml.
#
# cargo-deny downloads RustSec's list from GitHub; that was not tried live. If an advisory fits, the date stays:
# run `cargo update --package CRATE`, and add a row to `deny` in deny.toml, which keeps the old version away.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=0.20.2
tools=target/packaging
[[ $("$tools/bin/cargo-deny" --version 2>/dev/null) == "cargo-deny $version" ]] ||
    cargo install --quiet --locked --root "$tools" --version "$version" cargo-deny
"$tools/bin/cargo-deny" --locked check advisories
sed -i.old "s/^\(# Compared with RustSec's advisories:\).*/\1 $(date -u +%F)/" deny.toml
rm deny.toml.old
grep "^# Compared with RustSec's advisories:" deny.toml
