# The client asyncpg: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred at every connection).
import asyncio
import os
import subprocess
import sys

import asyncpg


def password():
    return subprocess.check_output(["pgcred", "token"], text=True).strip()


async def main(way):
    if way == "version":
        return print(f"asyncpg {asyncpg.__version__}")
    connection = await asyncpg.connect(
        os.environ["URL"] if way == "url" else None, password=password if way == "command" else None
    )
    print(await connection.fetchval("select current_user || '@' || current_database()"))
    await connection.close()


asyncio.run(main(sys.argv[1]))
