# The client asyncpg: `environment` (PG* variables, and what PGSERVICE names), `url` (from URL); with `command`, pgcred gives
# the password at every connection. `pool` is a pool of the environment as it is by default, `pool-reset` one for Aurora DSQL.
import asyncio
import os
import subprocess
import sys

import asyncpg


def password():
    return subprocess.check_output(["pgcred", "token", os.environ["CONNECTION"]], text=True).strip()


async def reset_all(connection):
    await connection.execute("RESET ALL")


async def pool(source, reset):
    async with asyncpg.create_pool(source, min_size=1, max_size=1, reset=reset) as connections:
        for _ in range(2):
            async with connections.acquire() as connection:
                answer = await connection.fetchval("select current_user || '@' || current_database()")
    print(answer)


async def main(how):
    if how == "version":
        return print(f"asyncpg {asyncpg.__version__}")
    service = os.environ.get("PGSERVICE")  # of which it takes notice only in a URL
    source = os.environ["URL"] if how == "url" else service and f"postgresql://?service={service}"
    if how.startswith("pool"):
        return await pool(source, reset_all if how == "pool-reset" else None)
    connection = await asyncpg.connect(source, password=password if sys.argv[2:] == ["command"] else None)
    print(await connection.fetchval("select current_user || '@' || current_database()"))
    await connection.close()


asyncio.run(main(sys.argv[1]))
