# The client psycopg 3, with its own libpq: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred).
import os
import subprocess
import sys

import psycopg

way = sys.argv[1]
if way == "version":
    libpq = psycopg.pq.version()
    sys.exit(print(f"psycopg {psycopg.__version__}, libpq {libpq // 10000}.{libpq % 10000}"))
password = subprocess.check_output(["pgcred", "token"], text=True).strip() if way == "command" else None
with psycopg.connect(os.environ["URL"] if way == "url" else "", password=password) as connection:
    print(connection.execute("select current_user || '@' || current_database()").fetchone()[0])
