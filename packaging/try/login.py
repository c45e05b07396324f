"""Logs in with a pgcred through the stand-in, on any system: `login.py STANDIN PROGRAM`.

The server is the PostgreSQL on PATH or in PGBIN, which GitHub's runners for Windows set. It listens at
127.0.0.1 and is stopped at the end. It does not start as root.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOST = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws"
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
QUERY = "select current_user || ' is in'"


def server_program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PGBIN", ""), os.environ["PATH"]]))
    return found or sys.exit(f"login.py: there is no {name} on PATH or in PGBIN")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def run(*command: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    # Into files: pg_ctl leaves a server that would hold a pipe open.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run([str(word) for word in command], env=env, stdout=output, stderr=output, timeout=120)
        output.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, output.read())


def must(*command: object, env: dict[str, str] | None = None) -> None:
    done = run(*command, env=env)
    if done.returncode != 0:
        sys.exit(f"login.py: {command[0]} failed: {done.stdout}")


def try_login(work: Path, upstream: int, standin: str, program: str) -> None:
    (work / "keys.json").write_text(json.dumps([{"access_key_id": KEY, "secret_access_key": SECRET}]))
    files = {"--keys": work / "keys.json", "--ca": work / "ca.pem", "--port-file": work / "port"}
    options = [str(word) for option in files.items() for word in option]
    server = subprocess.Popen([standin, "--upstream", f"127.0.0.1:{upstream}", *options], stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if (work / "port").exists() and (work / "port").read_text():
                break
            time.sleep(0.05)
        else:
            sys.exit("login.py: the stand-in did not start")
        home = str(work / "home")
        env = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "AWS_"))}
        env |= {"HOME": home, "USERPROFILE": home, "PGCRED_HOME": home, "PGCRED_CACHE": "file"}
        env |= {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
        env |= {"PGPASSFILE": str(work / "passfile"), "PGHOSTADDR": "127.0.0.1", "PGPORT": (work / "port").read_text().strip()}
        env |= {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(work / "ca.pem")}
        psql = [server_program("psql"), "-XAtw", f"host={HOST} user=admin dbname=postgres", "-c", QUERY]
        must(program, "refresh", HOST, env=env)
        answer = run(*psql, env=env)
        if answer.stdout.strip() != "admin is in":
            sys.exit(f"login.py: the login with the token failed: {answer.stdout}")
        must(program, "erase", "--all", env=env)
        if run(*psql, env=env).returncode == 0:
            sys.exit("login.py: a login without a token was not refused")
    finally:
        server.kill()
        server.wait()


def main() -> None:
    standin, program = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        work, port = Path(directory), free_port()
        (work / "home").mkdir()
        data = work / "data"
        must(server_program("initdb"), "-D", data, "--auth=trust", "--username=postgres", "--no-sync")
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(f"\nport = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n")
        must(server_program("pg_ctl"), "-D", data, "-w", "-l", work / "log", "start")
        try:
            must(server_program("psql"), "-qX", f"host=127.0.0.1 port={port} user=postgres dbname=postgres",
                 "-c", "create role admin login superuser")
            try_login(work, port, standin, program)
        finally:
            run(server_program("pg_ctl"), "-D", data, "-m", "immediate", "stop")
    print(f"{program} has logged in")


if __name__ == "__main__":
    main()
