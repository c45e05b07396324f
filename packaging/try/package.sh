#!/usr/bin/env bash
# Installs the package of a distribution in a root, logs in with it, removes it, and names what is left.
#
#   packaging/try/package.sh deb|rpm|apk|arch DIR ROOT
#
# DIR has the release; ROOT a system without pgcred, such as `docker export` gives. It needs root. The root's own
# package manager is taken. Where it has none, this machine's rpm or pacman installs from outside, without
# dependencies, and an .apk is unpacked only. LOGIN names another program than login.sh.
set -euo pipefail
kind=${1:?the kind of package is missing}
directory=$(cd "${2:?DIR is missing}" && pwd)
root=$(cd "${3:?ROOT is missing}" && pwd)
cd "$(dirname "$0")/../.."
export TMPDIR=/tmp # which the programs in the root see too
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
cpu=$(uname -m)

# What a program in the root needs of this machine is mounted for that program only.
mkdir -p "$root"/{dev,proc,tmp}
cat >"$work/inside" <<EOF
#!/bin/sh
exec unshare --mount sh -ec 'mount --bind "\$0" "\$0"; cd "\$0" # pacman wants to find / among the mounts
    for part in dev proc tmp; do mount --rbind "/\$part" "\$part"; done
    exec chroot . "\$@"' '$root' "\$@"
EOF
printf '#!/bin/sh\nexec "%s" /usr/bin/pgcred "$@"\n' "$work/inside" >"$work/pgcred"
chmod +x "$work/inside" "$work/pgcred"
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C "$work/inside" "$@"; }
has() { inside sh -c "command -v $1" >/dev/null 2>&1; }

# All but what package managers write for themselves.
files() {
    find "$root" -xdev \( ! -type d -o -name '*pgcred*' \) -printf '%P\n' | sort |
        sed -E '/^(var\/(lib|log|cache)|usr\/lib\/sysimage|root\/\.rpmdb|(usr\/)?lib\/apk)\//d'
}

install_deb() { inside dpkg --install "$1"; }
remove_deb() { inside dpkg --purge pgcred; }

rpm_outside() { HOME=/root rpm --root "$root" --nodeps "$@"; } # Debian's has its list of packages below HOME
install_rpm() { if has rpm; then inside rpm --install "$1"; else rpm_outside --install "$1"; fi; }
remove_rpm() { if has rpm; then inside rpm --erase pgcred; else rpm_outside --erase pgcred; fi; }

install_apk() {
    if has apk; then
        inside apk add --repositories-file /dev/null --allow-untrusted "$1"
    else
        tar --ignore-zeros -xzf "$1" -C "$root" --exclude='.[A-Z]*'
    fi
}
remove_apk() {
    if has apk; then
        inside apk del --repositories-file /dev/null pgcred
    else
        tar --ignore-zeros -tzf "$1" | grep '^usr/.*pgcred' | (cd "$root" && xargs -d '\n' rm -rf)
    fi
}

pacman_outside() {
    mkdir -p "$root/var/lib/pacman"
    pacman --root "$root" --noconfirm --nodeps --nodeps "$@"
}
install_arch() { if has pacman; then inside pacman --noconfirm -U "$1"; else pacman_outside -U "$1"; fi; }
remove_arch() { if has pacman; then inside pacman --noconfirm -R pgcred; else pacman_outside -R pgcred; fi; }

case $kind in
    deb)
        arch=amd64
        [[ $cpu = x86_64 ]] || arch=arm64
        package=pgcred_$version-1_$arch.deb
        ;;
    rpm) package=pgcred-$version-1.$cpu.rpm ;;
    apk) package=pgcred_$version-r1_$cpu.apk ;;
    arch) package=pgcred-$version-1-$cpu.pkg.tar.zst ;;
    *) echo "packaging/try/package.sh: nobody knows packages of $kind" >&2; exit 2 ;;
esac
cp "$directory/$package" "$work/"
files >"$work/before"
"install_$kind" "$work/$package"
[[ $(readlink "$root/usr/bin/pgcred-aws") = pgcred ]]
"${LOGIN:-packaging/try/login.sh}" "$work/pgcred"
"remove_$kind" "$work/$package"
files | comm -13 "$work/before" - >"$work/left"
[[ ! -s $work/left ]] || { echo 'packaging/try/package.sh: these are left:' >&2; cat "$work/left" >&2; exit 1; }
echo "$package was installed, has logged in, and is gone"
