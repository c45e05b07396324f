#!/bin/sh
# The client psqlODBC, by unixODBC's isql and with the system's libpq: `dialog` (the connection string that `pgcred setup odbc`
# prints), `environment` (PG* variables: libpq reads the password and the root certificates); with `command`, pgcred gives the password.
set -eu
[ "$1" != version ] || exec dpkg-query -W -f '${Package} ${Version}\n' odbc-postgresql
case $1 in
    dialog) source=$(printf '%s\n' "$DIALOG" | grep '^Driver=') ;;
    *) source="Driver={PostgreSQL Unicode};Server=$PGHOST;Port=$PGPORT;Database=$PGDATABASE;Uid=$PGUSER;SSLmode=$PGSSLMODE" ;;
esac
[ "${2-}" != command ] || source="$source;Pwd={$(pgcred token "$CONNECTION")}"
# It ends with 0 where a query fails, and explains on stdout.
answer=$(echo "select current_user || '@' || current_database()" | isql -v -b -k "$source" 2>&1) ||
    { echo "$answer" >&2; exit 1; }
echo "$answer" | sed -n 's/^| \([A-Za-z:]*@[a-z]*\) *|$/\1/p'
