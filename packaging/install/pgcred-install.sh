#!/bin/sh
# Downloads pgcred @VERSION@ for this machine, checks it, and installs it for one user.
#
# The checksums of this version are in this script: what the script downloads is what was released with
# it. It never calls sudo and changes no start-up file of a shell.
set -eu

version=@VERSION@
repository=${PGCRED_REPOSITORY:-@REPOSITORY@}

# Hash and name of each archive of this version.
checksums='
@CHECKSUMS@
'

usage() {
    cat <<'EOF'
usage: sh pgcred-install.sh [--prefix DIR] [--version VERSION] [--target TARGET] [--uninstall]

  --prefix DIR       installs DIR/bin/pgcred and files in DIR/share (DIR is ~/.local unless given)
  --version VERSION  another version; its checksums are downloaded too, so that they tell a damaged
                     file, but not a false one. The installer of that version has them inside.
  --target TARGET    another build than the one that fits this machine, such as x86_64-unknown-linux-musl
  --uninstall        takes pgcred out of all tools, erases all tokens, then removes what was installed
EOF
}

fail() {
    printf 'pgcred-install.sh: %s\n' "$@" >&2
    exit 1
}

# The whole script is read before a line of it runs: it may come through a pipe that breaks.
main() {
    wanted=$version
    target=
    prefix=${HOME:?HOME is not set}/.local
    action=
    while [ $# -gt 0 ]; do
        case $1 in
            --prefix) prefix=${2:?--prefix needs a directory}; shift 2 ;;
            --prefix=*) prefix=${1#*=}; shift ;;
            --version) wanted=${2:?--version needs a version}; shift 2 ;;
            --version=*) wanted=${1#*=}; shift ;;
            --target) target=${2:?--target needs a target}; shift 2 ;;
            --target=*) target=${1#*=}; shift ;;
            --uninstall) action=--uninstall; shift ;;
            -h | --help) usage; exit 0 ;;
            *) usage >&2; exit 2 ;;
        esac
    done
    wanted=${wanted#v}
    case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
    [ -n "$target" ] || target=$(target_of_machine)
    work=$(mktemp -d "${TMPDIR:-/tmp}/pgcred-install.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM

    name=pgcred-$wanted-$target
    from=$repository/releases/download/v$wanted
    if [ "$wanted" != "$version" ]; then
        download "$from/SHA256SUMS" "$work/sums"
        checksums=$(cat "$work/sums")
    fi
    expected=$(printf '%s\n' "$checksums" | sed -n "s/^\([0-9a-f]\{64\}\)  $name\.tar\.gz\$/\1/p")
    [ -n "$expected" ] || fail "version $wanted has no build for $target" "build it from the source: ./install.sh"
    download "$from/$name.tar.gz" "$work/archive"
    actual=$(sha256 "$work/archive")
    [ "$actual" = "$expected" ] || fail "the checksum of $from/$name.tar.gz is wrong, nothing was installed" \
        "expected $expected" "received $actual"
    (cd "$work" && gzip -dc archive | tar -xf -)
    # The installer of the archive copies the program beside it.
    sh "$work/$name/install.sh" --prefix "$prefix" $action
}

# Prints the target whose program runs here.
target_of_machine() {
    case $(uname -m) in
        x86_64 | amd64) cpu=x86_64 ;;
        aarch64 | arm64) cpu=aarch64 ;;
        *) fail "there is no build for $(uname -m)" "build it from the source: ./install.sh" ;;
    esac
    case $(uname -s) in
        Linux) echo "$cpu-unknown-linux-$(libc)" ;;
        Darwin) echo "$cpu-apple-darwin" ;;
        *) fail "there is no build for $(uname -s) that this script installs" "Windows has pgcred-install.ps1" ;;
    esac
}

# Prints gnu for a glibc that is new enough, or else musl: that build needs no library.
libc() {
    glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null) || glibc=
    case $glibc in
        'glibc 2.'*) if [ "${glibc#glibc 2.}" -ge 28 ] 2>/dev/null; then echo gnu; else echo musl; fi ;;
        *) echo musl ;;
    esac
}

# download URL FILE
download() {
    if command -v curl >/dev/null 2>&1; then
        curl --fail --silent --show-error --location --retry 2 --output "$2" "$1" || fail "cannot download $1"
    elif command -v wget >/dev/null 2>&1; then
        wget -q -O "$2" "$1" || fail "cannot download $1"
    else
        fail "curl or wget is needed"
    fi
}

sha256() {
    if command -v sha256sum >/dev/null 2>&1; then
        sha256sum "$1"
    elif command -v shasum >/dev/null 2>&1; then
        shasum -a 256 "$1"
    else
        openssl dgst -sha256 -r "$1"
    fi | cut -d' ' -f1
}

main "$@"
