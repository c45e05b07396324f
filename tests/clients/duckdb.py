# The client DuckDB, with its postgres extension: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred).
import importlib.metadata
import os
import pathlib
import subprocess
import sys

import duckdb
import duckdb_ext

way = sys.argv[1]
if way == "version":
    extension = importlib.metadata.version("duckdb-ext-postgres")
    sys.exit(print(f"duckdb {duckdb.__version__}, postgres extension {extension}"))
connection = duckdb.connect()
[extension] = pathlib.Path(duckdb_ext.__path__[0]).rglob("postgres_scanner.duckdb_extension")
connection.execute(f"load '{extension}'")
if way == "command":
    password = subprocess.check_output(["pgcred", "token"], text=True).strip()
    connection.execute(f"create secret (type postgres, password '{password}')")
attach = os.environ["URL"].replace("'", "''") if way == "url" else ""
connection.execute(f"attach '{attach}' as there (type postgres, read_only)")
query = "select current_user || ''@'' || current_database() as who"
print(connection.execute(f"select who from postgres_query('there', '{query}')").fetchone()[0])
