#!/usr/bin/env bash
# Sets up what the tests need and runs all of them: format, lints, scripts, licences, unit and end-to-end tests.
#
# Needs root: tests mount small disks, change owners and start PostgreSQL as its own user. On Debian or Ubuntu it installs
# missing packages; elsewhere it says which are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

[[ $(id -u) == 0 ]] || { echo 'tests/run.sh: run as root, best in a container' >&2; exit 1; }
packages=()
need() { command -v "$1" >/dev/null || packages+=("$2"); }
need cc gcc
need dbus-daemon dbus
need fish fish
need gnome-keyring-daemon gnome-keyring
need shellcheck shellcheck
need strace strace
need systemd-analyze systemd
need python3 python3
[[ -e /usr/include/stdlib.h || $(uname) != Linux ]] || packages+=(libc6-dev)
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || packages+=(postgresql)
if [[ ${#packages[@]} -gt 0 ]]; then
    if ! command -v apt-get >/dev/null; then
        echo "tests/run.sh: missing: ${packages[*]} (Debian's package names); install them and run this again" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # No cluster of the package's own: the tests make theirs.
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/pgcred-tests.conf
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
    rm /etc/postgresql-common/createcluster.d/pgcred-tests.conf
fi

# boto3 signs tokens to compare with; jeepney speaks D-Bus; kubernetes-validate has Kubernetes' schemas; moto is an STS; psycopg brings a newer libpq than Debian's.
venv=target/test-venv
if ! "$venv/bin/python" -c 'import boto3, jeepney, kubernetes_validate, moto.server, psycopg' 2>/dev/null; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt
fi
export PGCRED_TEST_PYTHON=$PWD/$venv/bin/python

cargo fetch --quiet --locked # for all platforms: the licence check reads every dependency

shellcheck -s sh install.sh
shellcheck tests/run.sh tests/bench/run.sh .ci/run
cargo fmt --all --check
cargo clippy --locked --workspace --all-targets -- -D warnings
cargo test --locked --workspace
