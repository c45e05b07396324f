#!/usr/bin/env bash
# Installs pgcred with npm from a registry of this machine that has the packages of DIR, logs in with it, and
# removes it. npm itself chooses the package of this system by `os`, `cpu` and `libc`.
#
#   packaging/try/npm.sh DIR
#
# It needs npm 9.6 or newer: older ones take both packages of Linux. LOGIN names another program than login.sh.
set -euo pipefail
directory=$(cd "${1:?DIR is missing}" && pwd)
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT
bin=node/bin modules=node/lib/node_modules suffix=
[[ ${OS:-} != Windows_NT ]] || bin=node modules=node/node_modules suffix=.cmd

python3 packaging/try/serve.py "$directory" "$work/port" &
server=$!
until [[ -s $work/port ]]; do kill -0 "$server"; sleep 0.1; done # it ends if the server has
npm() {
    command npm "$@" --global --prefix "$work/node" --cache "$work/cache" --no-audit --no-fund \
        --registry "http://127.0.0.1:$(cat "$work/port")"
}
npm install pgcred
# One of each system's: another would be a download for nothing.
count=$(find "$work/$modules" -type d -name 'pgcred-*' -prune | tee "$work/chosen" | wc -l)
[[ $count -eq 1 ]] || { echo "packaging/try/npm.sh: npm has chosen $count packages" >&2; exit 1; }
"$work/$bin/pgcred-aws$suffix" dsql --help >/dev/null
"${LOGIN:-packaging/try/login.sh}" "$work/$bin/pgcred$suffix"
npm uninstall pgcred
[[ ! -e $work/$bin/pgcred$suffix ]] || { echo 'packaging/try/npm.sh: pgcred is left' >&2; exit 1; }
echo "npm has installed $(basename "$(cat "$work/chosen")"), it has logged in, and is gone"
