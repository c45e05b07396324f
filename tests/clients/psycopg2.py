# The client psycopg 2, with its own libpq: `environment` (PG* variables, and what PGSERVICE names), `url` (from URL); with
# `command`, pgcred gives the password.
import os
import subprocess
import sys

import psycopg2

how = sys.argv[1]
if how == "version":
    libpq = psycopg2.extensions.libpq_version()
    sys.exit(print(f"psycopg2 {psycopg2.__version__.split()[0]}, libpq {libpq // 10000}.{libpq % 10000}"))
said = {}
if sys.argv[2:] == ["command"]:
    said["password"] = subprocess.check_output(["pgcred", "token", os.environ["CONNECTION"]], text=True).strip()
connection = psycopg2.connect(os.environ["URL"] if how == "url" else "", **said)
cursor = connection.cursor()
cursor.execute("select current_user || '@' || current_database()")
print(cursor.fetchone()[0])
