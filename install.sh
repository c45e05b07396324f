#!/bin/sh
# Builds pgcred from this checkout and installs it for one user; --try shows it at work without an AWS account.
# In a release archive it installs the program beside it.
set -eu

usage() {
    cat <<'EOF'
usage: ./install.sh [--prefix DIR] [--secret-service]
                              builds pgcred and installs DIR/bin/pgcred (DIR is ~/.local unless given),
                              DIR/bin/pgcred-aws, which is a link to it, and in DIR/share completions for
                              bash, zsh and fish and a manual page. With --secret-service the cache's key
                              can be in GNOME Keyring or KWallet.
       ./install.sh --uninstall [--prefix DIR]
                              takes pgcred out of all tools, erases all tokens, then removes what was
                              installed
       ./install.sh --try [--program FILE]
                              builds pgcred, then runs it with a stand-in for Aurora DSQL and a real
                              PostgreSQL in a temporary directory: it issues a token, writes it to the
                              passfile and logs in. Nothing is installed or left running. With --program
                              it runs that pgcred, such as one of a release, and builds the stand-in only.

Beside a built program, as in an archive of a release, it installs that one and needs nothing else.

The script needs cargo, a C compiler and, for --try, PostgreSQL's server and psql. As root on Debian or
Ubuntu, --try installs those that are missing, but not Rust. The script never calls sudo and changes no
start-up file of a shell.
EOF
}

main() {
    prefix=${HOME:?HOME is not set}/.local
    action=install
    features=
    pgcred=
    while [ $# -gt 0 ]; do
        case $1 in
            --prefix) prefix=${2:?--prefix needs a directory}; shift 2 ;;
            --prefix=*) prefix=${1#*=}; shift ;;
            --secret-service) features="secret-service"; shift ;;
            --uninstall) action=uninstall; shift ;;
            --try) action=try; shift ;;
            --program) pgcred=${2:?--program needs a file}; shift 2 ;;
            --program=*) pgcred=${1#*=}; shift ;;
            -h | --help) usage; exit 0 ;;
            *) usage >&2; exit 2 ;;
        esac
    done
    case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
    case $pgcred in '' | /*) ;; *) pgcred=$PWD/$pgcred ;; esac
    cd "$(dirname "$0")"
    [ -e Cargo.toml ] || [ "$action$features" = install ] || [ $action = uninstall ] ||
        fail "--try and --secret-service need a checkout of the source"
    case $action in
        install) install_pgcred ;;
        uninstall) uninstall_pgcred ;;
        try) try_pgcred ;;
    esac
}

fail() {
    printf 'install.sh: %s\n' "$@" >&2
    exit 1
}

# need PROGRAM DEBIAN-PACKAGE WHAT-IT-IS
need() {
    command -v "$1" >/dev/null 2>&1 && return
    if [ "$action" = try ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        printf 'installing %s (%s is missing)\n' "$2" "$1"
        if apt_install "$2"; then return; fi
    fi
    fail "$3 is missing ($1)" "get it, for example: apt-get install $2 | dnf install $2 | brew install $2"
}

apt_install() {
    [ -n "${apt_updated:-}" ] || apt-get update -qq || return
    apt_updated=yes
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

need_build_tools() {
    wanted=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
    command -v cargo >/dev/null 2>&1 ||
        fail "Rust is missing (cargo)" "get Rust $wanted or newer from https://rustup.rs, then run this again"
    have=$(cargo --version | cut -d' ' -f2)
    oldest=$(printf '%s\n%s\n' "$wanted" "$have" | sort -t. -k1,1n -k2,2n -k3,3n | head -n 1)
    [ "$oldest" = "$wanted" ] || fail "Rust $have is too old, $wanted is needed" "run: rustup update"
    need cc build-essential "a C compiler"
}

install_pgcred() {
    program=pgcred
    if [ -e Cargo.toml ]; then
        need_build_tools
        cargo build --release --locked --target-dir target --package pgcred --bin pgcred --features "$features"
        program=target/release/pgcred
    fi
    mkdir -p "$prefix/bin"
    # The new file is renamed into place, so that a pgcred that is running keeps its own.
    rm -f "$prefix/bin/.pgcred.new" # it may be a link to another file
    cp $program "$prefix/bin/.pgcred.new"
    chmod 755 "$prefix/bin/.pgcred.new"
    mv -f "$prefix/bin/.pgcred.new" "$prefix/bin/pgcred"
    # Some tools want the path of the AWS CLI's program.
    if is_our_link || [ ! -e "$prefix/bin/pgcred-aws" ] && [ ! -L "$prefix/bin/pgcred-aws" ]; then
        ln -sf pgcred "$prefix/bin/pgcred-aws"
    else
        printf 'note: %s stays as it is, because it is not a link of ours\n' "$prefix/bin/pgcred-aws"
    fi
    for text in $texts; do
        mkdir -p "$prefix/share/${text%/*}"
        # shellcheck disable=SC2046 # two words
        "$prefix/bin/pgcred" $(command_for "$text") >"$prefix/share/$text"
    done
    printf 'installed %s: %s\n' "$prefix/bin/pgcred" "$("$prefix/bin/pgcred" --version)"
    case :$PATH: in
        *:"$prefix/bin":*) ;;
        *) printf 'note: %s is not on PATH; add it in your shell, or call pgcred by its full path\n' "$prefix/bin" ;;
    esac
    printf 'zsh finds the completions with this line in ~/.zshrc, above compinit: fpath+=(%s)\n' "$prefix/share/zsh/site-functions"
}

# The files that pgcred prints for shells and man, at the paths where these look for them.
texts='bash-completion/completions/pgcred zsh/site-functions/_pgcred fish/vendor_completions.d/pgcred.fish man/man1/pgcred.1'

command_for() {
    case $1 in
        man/*) echo man ;;
        *) echo "completions ${1%%[-/]*}" ;;
    esac
}

is_our_link() {
    [ -L "$prefix/bin/pgcred-aws" ] && [ "$(readlink "$prefix/bin/pgcred-aws")" = pgcred ]
}

# Tools and tokens come first: when the program is gone, nothing can find them any more.
uninstall_pgcred() {
    pgcred=$prefix/bin/pgcred
    [ -e "$pgcred" ] || fail "there is no $pgcred"
    "$pgcred" setup --undo --yes ||
        fail "nothing was removed, because some tools are still set up" "do what the messages above say, then run this again"
    "$pgcred" erase --all ||
        fail "nothing was removed, because some tokens are still there" "do what the messages above say, then run this again"
    rm -f "$pgcred"
    if is_our_link; then rm -f "$prefix/bin/pgcred-aws"; fi
    for text in $texts; do
        rm -f "$prefix/share/$text"
        remove_if_empty "$prefix/share/${text%/*}"
    done
    remove_if_empty "$prefix/bin"
    printf 'removed %s\n' "$pgcred"
    name_what_stays
}

# remove_if_empty DIRECTORY: removes the directory and those above it, up to the prefix, if they are empty
remove_if_empty() {
    directory=$1
    while [ "$directory" != "${prefix%/*}" ] && rmdir "$directory" 2>/dev/null; do directory=${directory%/*}; done
}

name_what_stays() {
    config=${XDG_CONFIG_HOME:-$HOME/.config}
    for file in "$config/pgcred" "$HOME/Library/Application Support/pgcred"; do
        [ ! -e "$file/config.toml" ] || printf 'your connections stay in %s/config.toml\n' "$file"
    done
    for file in "$HOME/.bashrc" "$HOME/.bash_profile" "$HOME/.profile" "$HOME/.zshrc" "$HOME/.zprofile" "$HOME/.tcshrc" \
        "$HOME/.cshrc" "$HOME/.xonshrc" "$config/fish/config.fish" "$config/elvish/rc.elv" "$config/nushell/config.nu" \
        "$config/powershell/Microsoft.PowerShell_profile.ps1" "$HOME/.tmux.conf"; do
        [ -f "$file" ] || continue
        grep -n pgcred "$file" | while IFS= read -r line; do
            printf 'remove this line from your start-up file: %s:%s\n' "$file" "$line"
        done
    done
}

# Debian does not put the server's programs on PATH.
server_program() {
    command -v "$1" 2>/dev/null && return
    for program in /usr/lib/postgresql/*/bin/"$1"; do
        [ ! -x "$program" ] || newest=$program
    done
    printf '%s\n' "${newest:-}"
}

need_postgres() {
    if [ -z "$(server_program initdb)" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        printf 'installing postgresql (initdb is missing)\n'
        # This file is there during the installation only: without it Debian's package starts a cluster of its own.
        mkdir -p /etc/postgresql-common/createcluster.d
        no_cluster=/etc/postgresql-common/createcluster.d/pgcred-try.conf
        echo 'create_main_cluster = false' >$no_cluster
        apt_install postgresql || true
        rm -f $no_cluster
    fi
    [ -n "$(server_program initdb)" ] || fail "PostgreSQL's server is missing (initdb)" \
        "get it, for example: apt-get install postgresql | dnf install postgresql-server | brew install postgresql"
    need psql postgresql-client "PostgreSQL's client"
}

# PostgreSQL refuses to run as root, so root runs it as another user.
as_server_user() {
    if [ "$(id -u)" = 0 ]; then
        runuser -u "$server_user" -- "$@"
    else
        "$@"
    fi
}

try_pgcred() {
    # The demo must not reach the user's own servers.
    for variable in $(env | sed -n 's/^\(PG[A-Z_]*\)=.*/\1/p'); do unset "$variable"; done
    need_build_tools
    need_postgres
    packages='--package standin'
    [ -n "$pgcred" ] || packages="$packages --package pgcred"
    printf 'building (the first time takes some minutes)\n'
    # shellcheck disable=SC2086 # two options and their values
    cargo build --quiet --locked --target-dir target $packages
    standin=$PWD/target/debug/standin
    : "${pgcred:=$PWD/target/debug/pgcred}"

    server_user=postgres
    id "$server_user" >/dev/null 2>&1 || server_user=nobody
    work=$(mktemp -d "${TMPDIR:-/tmp}/pgcred-try.XXXXXX")
    trap clean_up EXIT
    trap 'exit 1' HUP INT TERM
    chmod 755 "$work"
    start_servers
    demonstrate
}

clean_up() {
    [ -n "${standin_pid:-}" ] && kill "$standin_pid" 2>/dev/null && wait "$standin_pid" 2>/dev/null
    if [ -f "$work/server/data/postmaster.pid" ]; then
        as_server_user "$(server_program pg_ctl)" -D "$work/server/data" -m immediate stop >/dev/null 2>&1 || true
    fi
    rm -rf "$work"
}

start_servers() {
    mkdir "$work/server"
    [ "$(id -u)" != 0 ] || chown "$server_user" "$work/server"
    (
        cd "$work/server"
        as_server_user "$(server_program initdb)" -D data --auth=trust --username=postgres --no-sync >initdb.log 2>&1
        as_server_user "$(server_program pg_ctl)" -D data -w -l postgres.log \
            -o "-k $work/server -c listen_addresses=''" start >/dev/null
    ) || fail "PostgreSQL did not start: $(cat "$work/server/"*.log)"
    psql -qX -h "$work/server" -U postgres -d postgres -c 'create role admin login superuser'

    mkdir "$work/home" "$work/home/.aws"
    key=AKIAIOSFODNN7EXAMPLE secret=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
    printf '[{"access_key_id": "%s", "secret_access_key": "%s"}]\n' $key $secret >"$work/keys.json"
    printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' $key $secret >"$work/home/.aws/credentials"
    "$standin" --keys "$work/keys.json" --upstream "$work/server" --ca "$work/ca.pem" --port-file "$work/port" \
        >/dev/null 2>&1 &
    standin_pid=$!
    tries=0
    until [ -s "$work/port" ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || fail "the stand-in did not start"
        sleep 0.05
    done
}

# Runs a command as on a user's machine, with nothing else in the environment. PGHOSTADDR leads the cluster's name to the
# stand-in.
on_try_machine() {
    env -i PATH="$PATH" HOME="$work/home" PGPASSFILE="$work/home/.pgpass" AWS_EC2_METADATA_DISABLED=true PGHOSTADDR=127.0.0.1 \
        PGPORT="$(cat "$work/port")" PGSSLMODE=verify-full PGSSLROOTCERT="$work/ca.pem" "$@"
}

# show COMMAND...: prints the command as a user would type it, then runs it; long lines are cut to fit the screen.
show() {
    printf '\n$'
    for word in "$@"; do
        case $word in *' '*) word="\"$word\"" ;; esac
        printf ' %s' "$word" | sed "s|$pgcred|pgcred|; s|$work/home|~|"
    done
    printf '\n'
    on_try_machine "$@" 2>&1 | sed "s|$work/home|~|g" | cut -c 1-150
}

demonstrate() {
    host=foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws
    connection="host=$host user=admin dbname=postgres"
    query="select current_user, 'a session on ' || split_part(version(), ' (', 1) as answer"
    printf '\nA stand-in for Aurora DSQL checks every token; behind it is a real PostgreSQL. The AWS keys are examples.\n'
    printf '\n1. Issue a token, as this command does: aws dsql generate-db-connect-admin-auth-token\n'
    show "$pgcred" token $host
    printf '\n2. Write it to the file where psql and other clients look for a password.\n'
    show "$pgcred" refresh $host
    show cat "$work/home/.pgpass"
    printf '\n3. Log in. No password is typed.\n'
    show psql -Xw "$connection" -c "$query" | tee "$work/answer"
    printf '\n4. Without a token the server refuses the session.\n'
    show "$pgcred" erase --all
    show psql -Xw "$connection" -c "$query" | tee "$work/no-answer"
    grep -q 'admin.*a session on PostgreSQL' "$work/answer" || fail "the login with the token failed"
    grep -q 'no password supplied' "$work/no-answer" || fail "a login without a token was not refused"
    printf '\nIt works. Everything was in %s, which is removed now. No server is left running.\n' "$work"
}

main "$@"
