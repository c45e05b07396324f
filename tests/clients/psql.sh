#!/bin/sh
# The client psql, with the system's libpq: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred).
set -eu
case $1 in
    version) exec psql --version ;;
    url) set -- -d "$URL" ;;
    command) PGPASSWORD=$(pgcred token) && export PGPASSWORD && set -- ;;
    *) set -- ;;
esac
exec psql -XAtw -c "select current_user || '@' || current_database()" "$@"
