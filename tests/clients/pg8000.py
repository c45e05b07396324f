# The client pg8000, which takes neither URL nor file: `url` (the program takes URL apart), `environment` (PG* variables); with
# `command`, pgcred gives the password.
import os
import ssl
import subprocess
import sys
from urllib.parse import parse_qs, unquote, urlsplit

import pg8000.native

how = sys.argv[1]
if how == "version":
    sys.exit(print(f"pg8000 {pg8000.__version__}"))
if how == "url":
    url = urlsplit(os.environ["URL"])
    user, host, port, database = unquote(url.username), url.hostname, url.port, unquote(url.path[1:])
    roots = parse_qs(url.query)["sslrootcert"][0]
else:
    names = ["PGUSER", "PGHOST", "PGPORT", "PGDATABASE", "PGSSLROOTCERT"]
    user, host, port, database, roots = (os.environ[name] for name in names)
password = None
if sys.argv[2:] == ["command"]:
    password = subprocess.check_output(["pgcred", "token", os.environ["CONNECTION"]], text=True).strip()
tls = ssl.create_default_context(cafile=roots)
connection = pg8000.native.Connection(user, host, database, int(port), password, ssl_context=tls)
print(connection.run("select current_user || '@' || current_database()")[0][0])
connection.close()
