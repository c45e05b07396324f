#!/usr/bin/env bash
# Gets the programs that make the packages, at fixed versions, and prints the directories to put before PATH.
#
# They are in target/packaging: zig links Linux programs for an old glibc and for musl, nfpm makes the
# packages, cargo-auditable writes the list of crates into the program.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${PGCRED_PACKAGING_TOOLS:-$PWD/target/packaging}
auditable=0.7.7

venv=$tools/venv
bin=bin
[[ ${OS:-} != Windows_NT ]] || bin=Scripts
if ! cmp -s packaging/requirements.txt "$venv/requirements.txt"; then
    python3 -m venv --clear "$venv"
    "$venv/$bin/pip" install --quiet --disable-pip-version-check -r packaging/requirements.txt >&2
    cp packaging/requirements.txt "$venv/"
fi
if [[ ! -e $tools/.auditable-$auditable ]]; then
    cargo install --quiet --locked --root "$tools" --version "$auditable" cargo-auditable >&2
    touch "$tools/.auditable-$auditable"
fi
echo "$venv/$bin:$tools/bin"
