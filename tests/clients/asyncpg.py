# The client asyncpg: `environment` (PG* variables, and what PGSERVICE names), `url` (from URL); with `command`, pgcred gives
# the password at every connection. `pool` is a pool of the environment as it is by default, `pool-reset` one for Aurora DSQL.
# `old-pool SECONDS` is a pool of the URL whose sessions are as old as that when it opens one more.
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


async def old_pool(seconds):
    pid = "select pg_backend_pid()"
    async with asyncpg.create_pool(os.environ["URL"], min_size=2, max_size=3) as connections:
        one, other = await connections.acquire(), await connections.acquire()
        before = [await one.fetchval(pid), await other.fetchval(pid)]
        await asyncio.sleep(seconds)
        assert before == [await one.fetchval(pid), await other.fetchval(pid)]
        new = await connections.acquire()
        assert await new.fetchval(pid) not in before
        for connection in (one, other, new):
            await connections.release(connection)
    print("sessions go on")


async def main(how):
    if how == "version":
        return print(f"asyncpg {asyncpg.__version__}")
    if how == "old-pool":
        return await old_pool(float(sys.argv[2]))
    service = os.environ.get("PGSERVICE")  # of which it takes notice only in a URL
    source = os.environ["URL"] if how == "url" else service and f"postgresql://?service={service}"
    if how.startswith("pool"):
        return await pool(source, reset_all if how == "pool-reset" else None)
    connection = await asyncpg.connect(source, password=password if sys.argv[2:] == ["command"] else None)
    print(await connection.fetchval("select current_user || '@' || current_database()"))
    await connection.close()


asyncio.run(main(sys.argv[1]))
