# The client pgcli, with psycopg's libpq: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred).
import os
import subprocess
import sys

from pgcli import __version__
from pgcli.main import cli

way = sys.argv[1]
if way == "version":
    sys.exit(print("pgcli", __version__))
arguments = ["-w", "-t", "-c", "select current_user || '@' || current_database()"]
if way == "url":
    arguments.append(os.environ["URL"])
if way == "command":
    os.environ["PGPASSWORD"] = subprocess.check_output(["pgcred", "token"], text=True).rstrip("\n")
cli(arguments)
