#!/usr/bin/env bash
# Proves that anybody can make an archive again: builds TARGET of HEAD in other directories, and compares
# the bytes with those of the archive in target/packages. It takes 4 minutes on two cores.
#
#   packaging/verify.sh TARGET
set -euo pipefail
cd "$(dirname "$0")/.."
[[ -z $(git status --porcelain) ]] || { echo 'packaging/verify.sh: the tree has changes, commit them first' >&2; exit 1; }
packages=${CARGO_TARGET_DIR:-target}/packages
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CARGO_TARGET_DIR=$work/another-target packaging/build.sh --tag HEAD --output "$work/packages" "${1:?a target}"
for archive in "$work"/packages/pgcred-*; do
    cmp "$archive" "$packages/${archive##*/}"
done
echo "the second build of $1 has the same bytes"
