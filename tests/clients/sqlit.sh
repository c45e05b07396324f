#!/bin/sh
# The client sqlit, without its windows: `dialog` (the line that `pgcred setup sqlit` prints, in DIALOG, is run), then a query.
# pgcred gives the password, for that line says so.
set -eu
[ "$1" != version ] || exec sqlit --version
SQLIT_CONFIG_DIR=$(mktemp -d)
export SQLIT_CONFIG_DIR
trap 'rm -rf "$SQLIT_CONFIG_DIR"' EXIT
eval "$DIALOG" >/dev/null
answer=$(sqlit query -c "$CONNECTION" -o csv -q "select current_user || '@' || current_database() as who" 2>&1) ||
    { echo "$answer" >&2; exit 1; }
echo "$answer" | tr -d '\r' | sed -n '/^[A-Za-z:]*@[a-z]*$/p'
