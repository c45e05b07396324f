# The client asyncpg: `environment` (PG* variables, and what PGSERVICE names), `url` (from URL); with `command`, pgcred gives
# the password at every connection.
import asyncio
import os
import subprocess
import sys

import asyncpg


def password():
    return subprocess.check_output(["pgcred", "token", os.environ["CONNECTION"]], text=True).strip()


async def main(how):
    if how == "version":
        return print(f"asyncpg {asyncpg.__version__}")
    service = os.environ.get("PGSERVICE")  # of which it takes notice only in a URL
    source = os.environ["URL"] if how == "url" else service and f"postgresql://?service={service}"
    connection = await asyncpg.connect(source, password=password if sys.argv[2:] == ["command"] else None)
    print(await connection.fetchval("select current_user || '@' || current_database()"))
    await connection.close()


asyncio.run(main(sys.argv[1]))
