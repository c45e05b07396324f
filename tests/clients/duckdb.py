# The client DuckDB, with its postgres extension and the libpq in it: `environment` (PG* variables, and what PGSERVICE names),
# `url` (from URL); with `command`, pgcred gives the password.
import importlib.metadata
import os
import pathlib
import subprocess
import sys

import duckdb
import duckdb_ext

how = sys.argv[1]
if how == "version":
    extension = importlib.metadata.version("duckdb-ext-postgres")
    sys.exit(print(f"duckdb {duckdb.__version__}, postgres extension {extension}"))
connection = duckdb.connect()
[extension] = pathlib.Path(duckdb_ext.__path__[0]).rglob("postgres_scanner.duckdb_extension")
connection.execute(f"load '{extension}'")
if sys.argv[2:] == ["command"]:
    password = subprocess.check_output(["pgcred", "token", os.environ["CONNECTION"]], text=True).strip()
    connection.execute(f"create secret (type postgres, password '{password}')")
attach = os.environ["URL"].replace("'", "''") if how == "url" else ""
connection.execute(f"attach '{attach}' as there (type postgres, read_only)")
query = "select current_user || ''@'' || current_database() as who"
print(connection.execute(f"select who from postgres_query('there', '{query}')").fetchone()[0])
