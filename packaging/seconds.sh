#!/usr/bin/env bash
# Measures each way from a file of the release to the first token, on machines that have no Rust, and prints the
# rows of the table in packaging/README.md.
#
#   packaging/seconds.sh [DIR]            (default: target/packages, as packaging/linux.sh leaves it)
#
# It needs root, the bare Debian that tests/run.sh makes, and rpm, pacman, node and Python's pip. The apk is
# unpacked only, because no Debian has Alpine's apk. Downloads come from this machine: add those of the network.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=$(cd "${1:-${CARGO_TARGET_DIR:-target}/packages}" && pwd)
debian=$PWD/target/packaging/debian
cpu=$(uname -m)
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$PWD" log -1 --format=%ct)}
work=$(mktemp -d)
trap 'kill "${server:-}" 2>/dev/null || true; rm -rf "$work"' EXIT

# A copy of the release of this machine's files, with what is made of archives.
cp "$packages"/pgcred*"$cpu"*.tar.gz "$work/"
python3 packaging/wheel.py "$work" >/dev/null
python3 packaging/npm.py "$work" https://code.example/pgcred >/dev/null
python3 packaging/sums.py "$work"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
gnu=pgcred-$version-$cpu-unknown-linux-gnu

user() { # what a user with AWS keys has, and no Rust
    env -i HOME="$work/home" PATH="/usr/sbin:/usr/bin:/sbin:/bin" PGCRED_CACHE=none AWS_EC2_METADATA_DISABLED=true \
        AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY "$@"
}

token() { "$@" token foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws | grep --quiet X-Amz-Signature=; }

# measure WAY INSTALL...: installs by the function, which leaves in `run` how pgcred is called
measure() {
    local way=$1 start
    shift
    rm -rf "${work:?}"/{home,root}
    mkdir -p "$work/home"
    run=()
    if [[ $1 = *_root ]]; then cp -a "$debian" "$work/root"; else mkdir "$work/root"; fi
    start=$(date +%s%N)
    "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    token user "${run[@]}"
    printf '| %s | %s |\n' "$way" "$(awk "BEGIN { printf \"%.1f\", ($(date +%s%N) - $start) / 1e9 }")"
}

deb_root() {
    cp "$packages/pgcred_$version-1_"*.deb "$work/root/pgcred.deb"
    user chroot "$work/root" dpkg -i /pgcred.deb
    run=(chroot "$work/root" pgcred)
}

rpm_root() {
    user rpm --root "$work/root" --nodeps --install "$packages/pgcred-$version-1.$cpu.rpm"
    run=(chroot "$work/root" pgcred)
}

arch_root() {
    mkdir -p "$work/root/var/lib/pacman"
    user pacman --root "$work/root" --noconfirm --nodeps --nodeps -U "$packages/pgcred-$version-1-$cpu.pkg.tar.zst"
    run=(chroot "$work/root" pgcred)
}

apk_alone() {
    tar --ignore-zeros -xzf "$packages/pgcred_$version-r1_$cpu.apk" -C "$work/root"
    mkdir "$work/root/dev" && mknod -m 666 "$work/root/dev/null" c 1 3
    run=(chroot "$work/root" /usr/bin/pgcred)
}

wheel_by_pip() {
    user python3 -m venv "$work/root/venv"
    user "$work/root/venv/bin/pip" install --no-index "$work/pgcred-$version-py3-none-manylinux"*"$cpu.whl"
    run=("$work/root/venv/bin/pgcred")
}

npm_files() {
    local npm=$cpu
    case $cpu in x86_64) npm=x64 ;; aarch64) npm=arm64 ;; esac
    user npm install --global --offline --no-audit --no-fund --prefix "$work/root" --omit=optional \
        "$work/pgcred-$version.tgz" "$work/pgcred-linux-$npm-gnu-$version.tgz"
    run=("$work/root/bin/pgcred")
}

archive() {
    tar -x -C "$work/root" -f "$work/$gnu.tar.gz"
    user "$work/root/$gnu/install.sh"
    run=("$work/home/.local/bin/pgcred")
}

script_by_http() {
    user PGCRED_REPOSITORY="http://127.0.0.1:$port" sh "$work/pgcred-install.sh"
    run=("$work/home/.local/bin/pgcred")
}

# The release as a repository serves it, and the installer that has its checksums.
mkdir -p "$work/served/releases/download"
ln -s "$work" "$work/served/releases/download/v$version"
python3 - "$work" <<'PYTHON'
import sys
from pathlib import Path
sys.path.insert(0, "packaging")
from render import Release
release = Release(Path(sys.argv[1]), "https://code.example/pgcred")
text = Path("packaging/install/pgcred-install.sh").read_text()
Path(sys.argv[1], "pgcred-install.sh").write_text(release.fill_in(text))
PYTHON
python3 -u -m http.server 0 --bind 127.0.0.1 --directory "$work/served" >"$work/http.log" 2>&1 &
server=$!
until port=$(sed -n 's/^Serving HTTP on .* port \([0-9]*\) .*/\1/p' "$work/http.log") && [[ $port ]]; do sleep 0.1; done

measure 'deb: dpkg -i, in a bare Debian' deb_root
measure 'rpm: rpm --install, in a bare Debian' rpm_root
measure 'Arch: pacman -U, in a bare Debian' arch_root
measure 'apk: unpacked, in an empty root' apk_alone
measure 'wheel: pip install, in a new venv' wheel_by_pip
measure 'npm: npm install -g, two files' npm_files
measure 'archive: unpacked, ./install.sh' archive
measure 'script: sh pgcred-install.sh, from a web server' script_by_http
