# The client pgcli, with psycopg's libpq: `url` (from URL), `environment` (PG* variables); with `command`, pgcred gives the
# password.
import os
import subprocess
import sys

from pgcli import __version__
from pgcli.main import cli

how = sys.argv[1]
if how == "version":
    sys.exit(print("pgcli", __version__))
arguments = ["-w", "-t", "-c", "select current_user || '@' || current_database()"]
if how == "url":
    arguments.append(os.environ["URL"])
if sys.argv[2:] == ["command"]:
    os.environ["PGPASSWORD"] = subprocess.check_output(["pgcred", "token", os.environ["CONNECTION"]], text=True).strip()
cli(arguments)
