#!/bin/sh
# The client GDAL (ogrinfo), which QGIS is built on, with the system's libpq: `environment` (PG* variables, and what PGSERVICE
# names), `url` (from URL); with `command`, pgcred gives the password.
set -eu
[ "$1" != version ] || exec ogrinfo --version
[ "${2-}" != command ] || { PGPASSWORD=$(pgcred token "$CONNECTION") && export PGPASSWORD; }
case $1 in
    url) source=$URL ;;
    *) source="PG:${PGSERVICE:+service=$PGSERVICE}" ;;
esac
answer=$(ogrinfo -ro -q "$source" -sql "select current_user || '@' || current_database() as who" 2>&1) ||
    { echo "$answer" >&2; exit 1; }
echo "$answer" | sed -n 's/^ *who (String) = //p'
