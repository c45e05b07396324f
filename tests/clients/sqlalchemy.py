# The client SQLAlchemy, on psycopg 2 as Superset has it: `environment` (PG* variables, and what PGSERVICE names), `url` (from
# URL); with `command`, pgcred gives the password at every connection. `psycopg` is the environment on psycopg 3, and
# `psycopg-without-hstore` the same for Aurora DSQL.
import os
import subprocess
import sys

import sqlalchemy

how = sys.argv[1]
if how == "version":
    sys.exit(print(f"SQLAlchemy {sqlalchemy.__version__}"))
url = os.environ["URL"] if how == "url" else "postgresql://"
driver = "psycopg" if how.startswith("psycopg") else "psycopg2"
options = {"use_native_hstore": False} if how == "psycopg-without-hstore" else {}
engine = sqlalchemy.create_engine(sqlalchemy.make_url(url).set(drivername=f"postgresql+{driver}"), **options)
if sys.argv[2:] == ["command"]:

    @sqlalchemy.event.listens_for(engine, "do_connect")
    def password(dialect, record, arguments, options):
        command = ["pgcred", "token", os.environ["CONNECTION"]]
        options["password"] = subprocess.check_output(command, text=True).strip()


with engine.connect() as connection:
    print(connection.execute(sqlalchemy.text("select current_user || '@' || current_database()")).scalar())
