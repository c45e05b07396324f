# The client Harlequin, that is its adapter for PostgreSQL, without its windows: `url` (from URL), `environment` (PG* variables,
# and what PGSERVICE names); with `command`, pgcred gives the password.
import importlib.metadata
import os
import subprocess
import sys

from harlequin_postgres import HarlequinPostgresAdapter

how = sys.argv[1]
if how == "version":
    names = ["harlequin", "harlequin-postgres"]
    sys.exit(print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)))
if sys.argv[2:] == ["command"]:
    os.environ["PGPASSWORD"] = subprocess.check_output(["pgcred", "token", os.environ["CONNECTION"]], text=True).strip()
adapter = HarlequinPostgresAdapter(conn_str=(os.environ["URL"],) if how == "url" else ())
cursor = adapter.connect().execute("select current_user || '@' || current_database()")
print(cursor.fetchall()[0][0])
