# The client psycopg 3, with its own libpq: `environment` (PG* variables, and what PGSERVICE names), `url` (from URL); with
# `command`, pgcred gives the password.
import os
import subprocess
import sys

import psycopg

how = sys.argv[1]
if how == "version":
    libpq = psycopg.pq.version()
    sys.exit(print(f"psycopg {psycopg.__version__}, libpq {libpq // 10000}.{libpq % 10000}"))
password = None
if sys.argv[2:] == ["command"]:
    password = subprocess.check_output(["pgcred", "token", os.environ["CONNECTION"]], text=True).strip()
with psycopg.connect(os.environ["URL"] if how == "url" else "", password=password) as connection:
    print(connection.execute("select current_user || '@' || current_database()").fetchone()[0])
