#!/usr/bin/env bash
# Drives a real pgAdmin 4 over HTTP: imports what `pgcred setup pgadmin` gives, connects through the stand-in, rotates tokens.
#
# Needs root and what tests/run.sh installs. Budget: 35-65 s once to get pgAdmin (615 MB, kept in target/pgadmin), then
# 15-30 s a run, of which 8 s wait for a token to end. It proves that the password gets across. It does not prove Aurora
# DSQL: after the login pgAdmin sets a parameter that DSQL refuses (pgAdmin issue 9433); the stand-in allows it, except
# where drive.py shows that failure.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=9.18

# A mount namespace of its own: its /etc/hosts and root certificates lead to the stand-in and trust it.
if [[ ${1:-} != inside ]]; then
    [[ $(id -u) == 0 ]] || { echo 'tests/pgadmin/run.sh: run as root, best in a container' >&2; exit 1; }
    exec unshare --mount "$BASH" "$0" inside
fi

venv=$PWD/target/pgadmin/venv
# No pipe into grep -q: it would end pip early, which pipefail takes for "not installed".
if [[ $("$venv/bin/pip" show pgadmin4 2>/dev/null) != *"Version: $version"* ]]; then
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "pgadmin4==$version"
fi
cargo test --quiet --locked --workspace --features pgcred/secret-service --no-run # as tests/run.sh built them

started=()
work=$(mktemp -d "${TMPDIR:-/tmp}/pgcred-pgadmin.XXXXXX")
clean_up() {
    for pid in "${started[@]}"; do
        if kill "$pid" 2>/dev/null; then wait "$pid" || true; fi
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work"
wait_for() { # FILE WHAT
    for _ in {1..600}; do
        [[ ! -s $1 ]] || return 0
        sleep 0.05
    done
    echo "$2 did not start" >&2
    exit 1
}

# A PostgreSQL that its socket's users need no password for; it refuses to run as root.
bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1) || bin=$(pg_config --bindir)
mkdir "$work/server"
chown postgres "$work/server"
(cd "$work/server" && runuser -u postgres -- "$bin/initdb" -D data -A trust -U postgres --no-sync >/dev/null)
runuser -u postgres -- "$bin/postgres" -D "$work/server/data" -k "$work/server" -c listen_addresses= -c fsync=off \
    2>"$work/server.log" &
started+=($!)
wait_for "$work/server/data/postmaster.pid" PostgreSQL
for _ in {1..200}; do
    if psql -qX -h "$work/server" -U postgres -c 'create role admin login superuser' 2>/dev/null; then break; fi
    sleep 0.1
done
psql -qX -h "$work/server" -U postgres -c 'create role app login'

# Two stand-ins: one that lets every parameter be set, one with DSQL's list.
key=AKIAIOSFODNN7EXAMPLE secret=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
printf '[{"access_key_id": "%s", "secret_access_key": "%s"}]\n' $key $secret >"$work/keys.json"
for temper in lenient strict; do
    flags=(--keys "$work/keys.json" --upstream "$work/server" --log "$work/$temper.log")
    [[ $temper == lenient ]] || flags+=(--strict)
    target/debug/standin "${flags[@]}" --ca "$work/$temper.pem" --rds-ca "$work/$temper-rds.pem" --port-file "$work/$temper.port" >/dev/null &
    started+=($!)
    wait_for "$work/$temper.port" 'the stand-in'
done

# What the user's machine knows.
dsql=foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws
rds=db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com
printf '127.0.0.1 localhost %s strict.%s %s\n' "$dsql" "${dsql#*.}" "$rds" >"$work/hosts"
mount --bind "$work/hosts" /etc/hosts
# The system trusts the authority of Aurora DSQL alone; that of RDS is where pgcred keeps what it has downloaded.
cat "$work/lenient.pem" "$work/strict.pem" >"$work/roots.pem"
mount --bind "$work/roots.pem" /etc/ssl/certs/ca-certificates.crt
mkdir -p "$work/home/.aws" "$work/home/.config/pgcred" "$work/home/.local/share/pgcred/roots"
cp "$work/lenient-rds.pem" "$work/home/.local/share/pgcred/roots/rds-eu-west-1.pem"
printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' $key $secret >"$work/home/.aws/credentials"
cat >"$work/home/.config/pgcred/config.toml" <<END
cache = "file"
[connections.orders]
host = "$dsql"
port = $(<"$work/lenient.port")
[connections.billing]
host = "$rds"
port = $(<"$work/lenient.port")
user = "app"
dbname = "postgres"
[connections.strict]
host = "strict.${dsql#*.}"
port = $(<"$work/strict.port")
# Tokens that drive.py outwaits.
[[match]]
host = "*.dsql.us-east-1.on.aws"
expires_in = "8"
END

# pgAdmin as on a desktop; nothing in site-packages is changed.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$work/config_distro.py" <<END
HELP_PATH = '../../docs/en_US/_build/html/'
MINIFY_HTML = False
SERVER_MODE = False
DATA_DIR = '$work/home/.pgadmin'
DEFAULT_SERVER = '127.0.0.1'
DEFAULT_SERVER_PORT = $port
MASTER_PASSWORD_REQUIRED = False
USE_OS_SECRET_STORAGE = False
UPGRADE_CHECK_ENABLED = False
AUTO_DISCOVER_SERVERS = False
END
# No function: the process that is started, and stopped, has to be the program itself.
on_desktop=(env -i PATH="$PATH" HOME="$work/home" LANG=C.UTF-8 AWS_EC2_METADATA_DISABLED=true)
"${on_desktop[@]}" CONFIG_DISTRO_FILE_PATH="$work/config_distro.py" "$venv/bin/pgadmin4" >"$work/pgadmin.out" 2>&1 </dev/null &
started+=($!)
echo "pgAdmin $version"
"${on_desktop[@]}" python3 -B tests/pgadmin/drive.py "http://127.0.0.1:$port" "$PWD/target/debug/pgcred" "$work" ||
    { tail -n 20 "$work/pgadmin.out" >&2; exit 1; }
# PICTURE=FILE, with Playwright's Python as PLAYWRIGHT: how tests/picture/pgadmin.png was taken.
if [[ -n ${PICTURE:-} ]]; then
    "${on_desktop[@]}" "$PLAYWRIGHT" -B tests/pgadmin/picture.py "http://127.0.0.1:$port" billing "$PICTURE"
fi
