#!/usr/bin/env bash
# Unpacks the archive of TARGET in DIR as a user does, compares it with SHA256SUMS, and logs in with its program.
#
#   packaging/try/archive.sh DIR TARGET
#
# RUNNER names a program that runs it here, if it is for another machine:
#
#   RUNNER=qemu-aarch64-static packaging/try/archive.sh target/packages aarch64-unknown-linux-musl
#   RUNNER=qemu-aarch64-static QEMU_LD_PREFIX=/usr/aarch64-linux-gnu ... aarch64-unknown-linux-gnu   (libc6-arm64-cross)
#   RUNNER=wine packaging/try/archive.sh target/packages x86_64-pc-windows-gnu      (issues a token only)
#
# LOGIN names another program than login.sh.
set -euo pipefail
directory=$(cd "${1:?DIR is missing}" && pwd)
target=${2:?TARGET is missing}
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=pgcred-$version-$target
case $target in
    *-windows-*) archive=$name.zip program=$work/$name/pgcred.exe ;;
    *) archive=$name.tar.gz program=$work/$name/pgcred ;;
esac
(cd "$directory" && grep "  $archive\$" SHA256SUMS | sha256sum --check -)
case $target in
    *-windows-*) python3 -m zipfile -e "$directory/$archive" "$work" ;;
    *) tar -x -C "$work" -f "$directory/$archive" ;;
esac
if [[ ${RUNNER:-} ]]; then
    # The try starts pgcred with few variables.
    printf '#!/bin/sh\nexport QEMU_LD_PREFIX="%s"\nexec %s "%s" "$@"\n' "${QEMU_LD_PREFIX:-}" "$RUNNER" "$program" >"$work/pgcred"
    chmod +x "$work/pgcred"
    program=$work/pgcred
fi
"$program" --version
if [[ ${RUNNER:-} = wine ]]; then # psql would be no program of Windows
    export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
    "$program" token foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws | grep --quiet X-Amz-Signature=
    exit
fi
"${LOGIN:-packaging/try/login.sh}" "$program"
