#!/bin/sh
# The client psqlODBC, by unixODBC's isql and with the system's libpq: `environment` (the connection string that
# `pgcred setup odbc` prints, with root certificates in a file), `command` (asks pgcred).
set -eu
[ "$1" != version ] || exec dpkg-query -W -f '${Package} ${Version}\n' odbc-postgresql
source="Driver={PostgreSQL Unicode};Server=$PGHOST;Port=${PGPORT:-5432};Database=postgres;Uid=$PGUSER;SSLmode=verify-full"
source="$source;pqopt={sslrootcert=$PGSSLROOTCERT}"
[ "$1" != command ] || source="$source;Pwd={$(pgcred token)}"
# It ends with 0 where a query fails, and explains on stdout.
answer=$(echo "select current_user || '@' || current_database()" | isql -v -b -k "$source" 2>&1) ||
    { echo "$answer" >&2; exit 1; }
echo "$answer" | sed -n 's/^| \([a-z]*@[a-z]*\) *|$/\1/p'
