#!/bin/sh
# The client psql: `environment` (PG* variables, and what PGSERVICE names), `url` (from URL); with `command`, pgcred gives the password.
set -eu
[ "$1" != version ] || exec psql --version
[ "${2-}" != command ] || { PGPASSWORD=$(pgcred token "$CONNECTION") && export PGPASSWORD; }
case $1 in
    url) set -- -d "$URL" ;;
    *) set -- ;;
esac
exec psql -XAtw -c "select current_user || '@' || current_database()" "$@"
