# The client pg8000: `environment` (PG* variables), `command` (asks pgcred); it takes no URL.
import os
import ssl
import subprocess
import sys

import pg8000.native

way = sys.argv[1]
if way == "version":
    sys.exit(print(f"pg8000 {pg8000.__version__}"))
password = subprocess.check_output(["pgcred", "token"], text=True).strip() if way == "command" else None
connection = pg8000.native.Connection(
    os.environ["PGUSER"],
    host=os.environ["PGHOST"],
    port=int(os.environ["PGPORT"]),
    database=os.environ["PGDATABASE"],
    password=password,
    ssl_context=ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"]),
)
print(connection.run("select current_user || '@' || current_database()")[0][0])
connection.close()
