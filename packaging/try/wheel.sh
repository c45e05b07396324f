#!/usr/bin/env bash
# Installs the wheel of this machine as its users do, logs in with it, and removes it.
#
#   packaging/try/wheel.sh pip|pipx|uv DIR
#
# DIR has the wheels of all systems: the tool takes the one that fits. LOGIN names another program than login.sh.
set -euo pipefail
tool=${1:?the tool is missing}
directory=$(cd "${2:?DIR is missing}" && pwd)
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bin=bin suffix=
[[ ${OS:-} != Windows_NT ]] || bin=Scripts suffix=.exe
if [[ $suffix ]]; then directory=$(cygpath -m "$directory") work=$(cygpath -m "$work"); fi
export PIPX_HOME=$work/pipx PIPX_BIN_DIR=$work/programs PIPX_MAN_DIR=$work/man UV_TOOL_DIR=$work/uv UV_TOOL_BIN_DIR=$work/programs
export UV_CACHE_DIR=$work/cache

case $tool in
    pip)
        python3 -m venv "$work/venv"
        programs=$work/venv/$bin
        "$programs/pip" install --no-index --find-links "$directory" pgcred
        ;;
    pipx)
        programs=$work/programs
        pipx install --pip-args="--no-index --find-links=$directory" pgcred
        ;;
    uv)
        programs=$work/programs
        uv tool install --no-index --find-links "$directory" pgcred
        ;;
    *) echo "packaging/try/wheel.sh: nobody knows $tool" >&2; exit 2 ;;
esac
"$programs/pgcred-aws$suffix" dsql --help >/dev/null
"${LOGIN:-packaging/try/login.sh}" "$programs/pgcred$suffix"
case $tool in
    pip) "$programs/pip" uninstall --yes pgcred ;;
    pipx) pipx uninstall pgcred ;;
    uv) uv tool uninstall pgcred ;;
esac
for name in pgcred pgcred-aws; do
    [[ ! -e $programs/$name$suffix ]] || { echo "packaging/try/wheel.sh: $name is left" >&2; exit 1; }
done
echo "$tool has installed pgcred, it has logged in, and is gone"
