#!/usr/bin/env bash
# Makes the release archives of this tree, or of a tag of it, and the list of their hashes.
#
#   packaging/build.sh [--output DIR] [--tag TAG] TARGET...
#
# DIR (default: target/packages) gets pgcred-VERSION-TARGET.tar.gz, a zip for Windows, and SHA256SUMS.
# The same tree gives the same bytes in every directory, with the same compiler: no path of this
# machine is in the program, and all times are that of the commit, or SOURCE_DATE_EPOCH.
#
# A TARGET needs its standard library (rustup target add TARGET), or the source of it, which Debian has
# (rustc-web, cargo-web, rust-web-src). Linux programs are linked by zig, which packaging/tools.sh gets:
# those for gnu run from glibc 2.28 on, those for musl are static. Windows programs made on Linux need
# gcc-mingw-w64-x86-64. Those for macOS and msvc are made on their own systems.
set -euo pipefail
cd "$(dirname "$0")/.."
source=$PWD
oldest_glibc=2.28

usage() {
    sed -n '2,14s/^# \{0,1\}//p' packaging/build.sh >&2
    exit 2
}

fail() {
    printf 'packaging/build.sh: %s\n' "$@" >&2
    exit 1
}

output=
tag=
targets=()
while [[ $# -gt 0 ]]; do
    case $1 in
        --output) output=${2:?--output needs a directory}; shift 2 ;;
        --tag) tag=${2:?--tag needs a tag}; shift 2 ;;
        -*) usage ;;
        *) targets+=("$1"); shift ;;
    esac
done
[[ ${#targets[@]} -gt 0 ]] || usage
target_dir=${CARGO_TARGET_DIR:-$source/target}
mkdir -p "${output:=$target_dir/packages}"
output=$(cd "$output" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [[ $tag ]]; then
    git -c safe.directory="$PWD" archive --output="$work/source.tar" "$tag"
    mkdir "$work/source"
    tar -x -C "$work/source" -f "$work/source.tar"
    SOURCE_DATE_EPOCH=$(git -c safe.directory="$PWD" log -1 --format=%ct "$tag")
    export SOURCE_DATE_EPOCH CARGO_TARGET_DIR=$target_dir PGCRED_PACKAGING_TOOLS=${PGCRED_PACKAGING_TOOLS:-$source/target/packaging}
    "$work/source/packaging/build.sh" --output "$output" "${targets[@]}"
    exit
fi
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$PWD" log -1 --format=%ct)}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
PATH=$(packaging/tools.sh):$PATH
# zig is a module of this Python. `std_of` may put the system's before it.
CARGO_ZIGBUILD_PYTHON_PATH=$(command -v python3 || command -v python)
export CARGO_ZIGBUILD_PYTHON_PATH

# std_of TARGET: sets `cargo_options`, and where only Debian has the source of the standard library, PATH
std_of() {
    cargo_options=()
    [[ ! -d $(rustc --print sysroot)/lib/rustlib/$1/lib ]] || return 0
    [[ -d $(rustc --print sysroot)/lib/rustlib/src/rust/library ]] || PATH=/usr/bin:$PATH
    [[ -d $(rustc --print sysroot)/lib/rustlib/src/rust/library ]] || fail "there is no standard library for $1" \
        "get it with rustup target add $1, or its source: apt-get install rustc-web cargo-web rust-web-src"
    export RUSTC_BOOTSTRAP=1 # `build-std` is not stable yet
    cargo_options=('-Zbuild-std=std,panic_abort')
}

# flags_of TARGET: options of the compiler, one a line
flags_of() {
    local rust
    rust=$(rustc --print sysroot)/lib/rustlib/src/rust
    [[ ! -d $rust ]] || printf '%s\n' "--remap-path-prefix=$rust=/rust" "--remap-path-prefix=$(readlink -f "$rust")=/rust"
    # The later of two that fit wins.
    printf '%s\n' "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" "--remap-path-prefix=$source=/pgcred" \
        "--remap-path-prefix=$target_dir=/target"
    case $1 in
        # At a fixed address, as build.rs says for gnu. What a program starts with is zig's.
        *-musl) printf '%s\n' -Crelocation-model=static -Ctarget-feature=+crt-static -Clink-self-contained=no ;;
        *-windows-msvc) printf '%s\n' -Ctarget-feature=+crt-static -Clink-arg=/Brepro ;;
    esac
}

# compile TARGET: makes $program
compile() {
    local verb=build triple=$1 suffix=
    case $1 in
        *-linux-gnu) verb=zigbuild triple=$1.$oldest_glibc ;;
        *-linux-musl) verb=zigbuild ;;
        *-windows-*) suffix=.exe ;;
    esac
    CARGO_ENCODED_RUSTFLAGS=$(flags_of "$1" | paste -sd $'\x1f' -) CARGO_TARGET_DIR=$target_dir \
        cargo auditable "$verb" --release --locked "${cargo_options[@]}" --package pgcred --bin pgcred --target "$triple"
    program=$target_dir/$1/release/pgcred$suffix
}

# texts DIRECTORY: writes the completions and the manual page, which are the same on all systems
texts() {
    local pgcred=$program
    if ! "$pgcred" --version >/dev/null 2>&1; then # it is for another system
        cargo build --quiet --locked --target-dir "$target_dir" --package pgcred --bin pgcred
        pgcred=$target_dir/debug/pgcred
    fi
    mkdir "$1/completions" "$1/man"
    "$pgcred" completions bash >"$1/completions/pgcred.bash"
    "$pgcred" completions elvish >"$1/completions/pgcred.elv"
    "$pgcred" completions fish >"$1/completions/pgcred.fish"
    "$pgcred" completions powershell >"$1/completions/_pgcred.ps1"
    "$pgcred" completions zsh >"$1/completions/_pgcred"
    "$pgcred" man >"$1/man/pgcred.1"
}

for target in "${targets[@]}"; do
    name=pgcred-$version-$target
    stage=$work/$name
    mkdir "$stage"
    (
        std_of "$target"
        compile "$target"
        cp "$program" "$stage/"
        texts "$stage"
    )
    cp LICENSE README.md CHANGELOG.md "$stage/"
    python3 packaging/notices.py "$target" "$stage/THIRD-PARTY.txt"
    case $target in
        *-windows-*) cp "$stage/pgcred.exe" "$stage/pgcred-aws.exe"; archive=$name.zip ;;
        *) ln -s pgcred "$stage/pgcred-aws"; cp install.sh "$stage/"; archive=$name.tar.gz ;;
    esac
    python3 packaging/archive.py "$stage" "$output/$archive"
    echo "$output/$archive"
done
python3 packaging/sums.py "$output"
