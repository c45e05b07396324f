#!/usr/bin/env bash
# Makes the packages of Linux distributions from the archives that packaging/build.sh has put into DIR.
#
#   packaging/linux.sh DIR REPOSITORY     (REPOSITORY: the packages name it as the project's page)
#
# .deb, .rpm and Arch's package have the program for gnu; .apk has the one for musl. Their maintainer
# stands in Cargo.toml, as `authors`.
set -euo pipefail
directory=$(cd "${1:?DIR is missing}" && pwd)
HOMEPAGE=${2:?REPOSITORY is missing}
cd "$(dirname "$0")/.."
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$PWD" log -1 --format=%ct)}
VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
MAINTAINER=$(sed -n 's/^authors = \["\(.*\)"\].*/\1/p' Cargo.toml)
PATH=$(packaging/tools.sh):$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# stage TARGET: unpacks the archive into $STAGE and adds what only packages have
stage() {
    tar -x -C "$work" -f "$directory/pgcred-$VERSION-$1.tar.gz"
    STAGE=$work/pgcred-$VERSION-$1
    gzip -9n "$STAGE/man/pgcred.1"
    gzip -9n <CHANGELOG.md >"$STAGE/changelog.gz"
    printf 'pgcred (%s-1) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- %s  %s\n' "$VERSION" "$MAINTAINER" \
        "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$STAGE/changelog.Debian.gz"
    cp packaging/lintian-overrides "$STAGE/"
    {
        printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n'
        printf 'Copyright: %s\nLicense: Expat\n' "$(sed -n 's/^Copyright (c) //p' LICENSE)"
        sed '1,/^Copyright/d; /^$/{1d; s/.*/./}; s/^/ /' LICENSE | sed '1{/^ \.$/d}'
    } >"$STAGE/copyright"
    # nfpm takes the time of a file, where a package keeps one.
    find "$STAGE" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

export MAINTAINER HOMEPAGE VERSION STAGE ARCH ZSH
for cpu in x86_64=amd64 aarch64=arm64; do
    ARCH=${cpu#*=}
    for kind in gnu=deb,rpm,archlinux musl=apk; do
        target=${cpu%=*}-unknown-linux-${kind%=*}
        [[ -e $directory/pgcred-$VERSION-$target.tar.gz ]] || continue
        stage "$target"
        for packager in $(tr , ' ' <<<"${kind#*=}"); do
            ZSH=site-functions
            [[ $packager != deb ]] || ZSH=vendor-completions
            nfpm package --config packaging/nfpm.yaml --packager "$packager" --target "$directory" >/dev/null
        done
        rm -rf "$STAGE"
    done
done
