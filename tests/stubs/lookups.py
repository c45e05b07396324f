"""Looks a password up in a passfile, as libpq does at each connect, until stdin closes. Prints how often, and every oddity.

Arguments: the passfile, then pairs of a host and how its password begins.
"""

import sys
import threading

from psycopg import pq

closed = threading.Event()


def wait_for_end():
    sys.stdin.read()
    closed.set()


threading.Thread(target=wait_for_end, daemon=True).start()
passfile, *pairs = sys.argv[1:]
wanted = list(zip(pairs[::2], pairs[1::2]))
print("ready", flush=True)
number = 0
while not closed.is_set():
    for host, begin in wanted:
        # No connection is waited for: libpq looks the password up before it dials.
        conninfo = f"host={host} hostaddr=127.0.0.1 port=5432 user=admin dbname=x passfile='{passfile}'"
        connection = pq.PGconn.connect_start(conninfo.encode())
        found = connection.password.decode()
        connection.finish()
        number += 1
        if not found.startswith(begin):
            print(f"{host}: {found[:40]!r}")
print(number)
