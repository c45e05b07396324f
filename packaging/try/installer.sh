#!/usr/bin/env bash
# Installs pgcred with the downloading installer of the release in DIR, from a web server of this machine: first
# with what must not be installed, then with the release. It logs in with it, removes it, and looks for what is left.
#
#   packaging/try/installer.sh DIR        (on Windows, in Git's bash, it tries pgcred-install.ps1)
#
# LOGIN names another program than login.sh.
set -euo pipefail
directory=$(cd "${1:?DIR is missing}" && pwd)
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; chmod -R u+w "$work" || true; rm -rf "$work"' EXIT
mkdir "$work/home" "$work/tmp"
is_windows=
[[ ${OS:-} != Windows_NT ]] || is_windows=yes

fail() {
    printf 'packaging/try/installer.sh: %s\n' "$@" >&2
    exit 1
}

# serve [--cut|--damaged]: sets $repository
serve() {
    [[ ! ${server:-} ]] || { kill "$server"; wait "$server" 2>/dev/null || true; }
    rm -f "$work/port"
    python3 packaging/try/serve.py "$directory" "$work/port" "$@" &
    server=$!
    until [[ -s $work/port ]]; do kill -0 "$server"; sleep 0.1; done # it ends if the server has
    repository=http://127.0.0.1:$(cat "$work/port")
}

# install PREFIX [uninstall]
install() {
    if [[ $is_windows ]]; then
        TMP=$(cygpath -w "$work/tmp") TEMP=$(cygpath -w "$work/tmp") PGCRED_REPOSITORY=$repository powershell \
            -ExecutionPolicy Bypass -File "$(cygpath -w "$directory/pgcred-install.ps1")" \
            -Prefix "$(cygpath -w "$1")" ${2:+-Uninstall}
    else
        TMPDIR=$work/tmp HOME=$work/home PGCRED_REPOSITORY=$repository sh "$directory/pgcred-install.sh" \
            --prefix "$1" ${2:+--uninstall}
    fi
}

# refuses WHY PREFIX: asserts that the installer fails and leaves nothing
refuses() {
    if install "$2" >"$work/log" 2>&1; then fail "$1: it installs"; fi
    [[ ! -e $2/bin/pgcred && ! -e $2/pgcred.exe ]] || fail "$1: the program is there"
    [[ -z $(ls -A "$work/tmp") && -z $(ls -A "$work/home") ]] || fail "$1: something is left"
    echo "refused, $1: $(tail -n 1 "$work/log")"
}

read_only_directory() {
    if [[ $is_windows ]]; then
        mkdir "$work/read-only"
        MSYS2_ARG_CONV_EXCL='*' icacls "$(cygpath -w "$work/read-only")" /deny "$USERNAME:(OI)(CI)(W)" >/dev/null
    elif [[ $(id -u) = 0 ]]; then
        touch "$work/read-only" # root can write everywhere but below a file
    else
        mkdir -m 555 "$work/read-only"
    fi
}

serve --damaged
refuses 'a wrong checksum' "$work/prefix"
serve --cut
refuses 'a download that breaks off' "$work/prefix"
serve
read_only_directory
refuses 'a directory that cannot be written' "$work/read-only"
install "$work/prefix"
program=$work/prefix/bin/pgcred
[[ ! $is_windows ]] || program=$work/prefix/pgcred.exe
"${LOGIN:-packaging/try/login.sh}" "$program"
install "$work/prefix" uninstall
[[ ! -e $work/prefix ]] || fail "these are left:" "$(find "$work/prefix")"
[[ -z $(ls -A "$work/tmp") ]] || fail 'a temporary file is left'
left=$(find "$work/home" -type f)
[[ -z $left ]] || fail "these are left in the home directory:" "$left"
echo 'the installer refuses what it must, pgcred has logged in, and is gone'
