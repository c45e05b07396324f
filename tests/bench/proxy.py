"""What `pgcred proxy` costs beside a direct, verified TLS connection to the same PostgreSQL, in one run.

usage: proxy.py PGCRED [--rounds N] [--mb N] [--idle N]    (initdb, pgbench, psql, openssl; python with psycopg; root or another user)

The server trusts its clients, so that neither side pays for a password; its certificate is verified by both. Only the
connects have one row more, of a user that the server asks for a password by SCRAM, as the gateway asks on its port. Rows
take turns; of each, the best round counts, because the machine's moods only add. Asserts nothing.
"""

import argparse
import asyncio
import glob
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

import psycopg

HOST = "db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com"
USER = "app"
PASSWORD_USER, PASSWORD = "scram", "0123456789abcdef0123456789abcdef"
STARTS = 10
SELECT = "\\set id random(1, 1000)\nselect v from t where id = :id;\n"
NOT_ROOT = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def program(name):
    """Returns a program of PostgreSQL, which Debian keeps out of PATH."""
    return shutil.which(name) or sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))[-1]


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def make_certificates(home):
    """Makes an authority, and a certificate of the host that it has signed."""
    run = lambda *words: subprocess.run(["openssl", *words], check=True, cwd=home, **QUIET)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    run("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=bench", "-days", "2")
    run("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=bench")
    with open(os.path.join(home, "names"), "w") as file:
        file.write(f"subjectAltName=DNS:{HOST}\n")
    signed_by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
    run("x509", "-req", "-in", "server.csr", *signed_by, "-extfile", "names", "-out", "server.pem", "-days", "2")


def start_postgres(directory, home, port, sessions):
    os.chmod(directory, 0o777)
    data = os.path.join(directory, "data")
    subprocess.run(
        [program("initdb"), "--no-sync", "--auth=trust", "-U", USER, "-D", data],
        check=True, cwd=directory, **QUIET, **NOT_ROOT,
    )
    for name in ("server.key", "server.pem"):
        shutil.copy(os.path.join(home, name), data)
        if NOT_ROOT:
            shutil.chown(os.path.join(data, name), "postgres", "postgres")
    os.chmod(os.path.join(data, "server.key"), 0o600)
    with open(os.path.join(data, "pg_hba.conf"), "r+") as file:
        rules = file.read()
        file.seek(0)
        file.write(f"hostssl all {PASSWORD_USER} all scram-sha-256\n{rules}")
    settings = {
        "port": port, "ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.key",
        "max_connections": sessions + 20, "fsync": "off", "listen_addresses": "127.0.0.1",
    }
    argv = [program("postgres"), "-D", data, "-k", directory]
    for name, value in settings.items():
        argv += ["-c", f"{name}={value}"]
    server = subprocess.Popen(argv, cwd=directory, **QUIET, **NOT_ROOT)
    deadline = time.monotonic() + 30
    while not os.path.exists(os.path.join(directory, f".s.PGSQL.{port}")):
        if time.monotonic() > deadline:
            raise SystemExit("PostgreSQL does not start")
        time.sleep(0.05)
    sql = f"create database app; create table t (id int primary key, v text); create unlogged table c (v text); \
        insert into t select n, md5(n::text) from generate_series(1, 1000) n; \
        create role {PASSWORD_USER} login password '{PASSWORD}'; grant select on t to {PASSWORD_USER}"
    for statement in sql.split(";"):
        argv = ["psql", "-qXh", directory, "-p", str(port), "-U", USER, "-d", "postgres", "-c", statement]
        subprocess.run(argv, check=True)
    return server


class Gateway:
    def __init__(self, pgcred, home, port):
        own = os.path.join(home, "own")
        os.mkdir(own, 0o700)
        self.port, self.sockets = free_port(), os.path.join(own, "cache/proxy")
        with open(os.path.join(own, "config.toml"), "w") as file:
            file.write(
                f'[connections.db]\nhost = "{HOST}"\nhostaddr = "127.0.0.1"\nport = {port}\nuser = "{USER}"\n'
                f'dbname = "postgres"\nroots = "{home}/ca.pem"\nproxy = {{ port = {self.port}, socket = true }}\n'
            )
        env = {
            "HOME": home,
            "PGCRED_HOME": own,
            "PATH": "/usr/bin:/bin",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        asked = subprocess.run([pgcred, "proxy", "--password", "db"], env=env, stdout=subprocess.PIPE, check=True)
        self.password = asked.stdout.decode().strip()
        self.argv, self.env, self.start_time = [pgcred, "proxy", "db", "--max-connections", "2000"], env, float("inf")
        for _ in range(STARTS - 1):
            self.start()
            self.stop()
        self.start()
        os.set_blocking(self.process.stderr.fileno(), False)

    def start(self):
        """Starts it, and keeps the shortest time until it listens."""
        began = time.perf_counter()
        self.process = subprocess.Popen(self.argv, env=self.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for line in self.process.stderr:
            if line.endswith(b"ready\n"):
                break
        self.start_time = min(self.start_time, time.perf_counter() - began)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()

    def drain(self):
        """Takes what it has said of its connections, so that its pipe is never full."""
        while self.process.stderr.read(1 << 16):
            pass

    def cpu(self):
        """Returns the CPU time so far, in seconds."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            user, system = file.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def status(self, name):
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(rf"^{name}:\s+(\d+)", file.read(), re.M)[1])


def direct(home, port):
    return {
        "PGHOST": HOST, "PGHOSTADDR": "127.0.0.1", "PGPORT": str(port),
        "PGSSLMODE": "verify-full", "PGSSLROOTCERT": os.path.join(home, "ca.pem"),
    }


def pgbench(env, *words):
    """Returns what pgbench reports, by its own names."""
    done = subprocess.run([program("pgbench"), "-n", *words], env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(re.findall(r"^(.+?) = ([\d.]+)", done.stdout, re.M))


def timed(argv, env, source=None):
    began = time.perf_counter()
    with open(source or os.devnull) as stdin:
        subprocess.run(argv, env=env, stdin=stdin, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def measure(rows, rounds, work, gateway):
    """Returns the best value of each row, and the CPU time of the gateway for one round of each row."""
    best, spent = {}, {}
    for _ in range(rounds):
        for name, env in rows.items():
            before = gateway.cpu()
            value = work(env)
            spent[name] = spent.get(name, 0) + (gateway.cpu() - before) / rounds
            best[name] = min(value, best.get(name, value))
            gateway.drain()
    return best, spent


def show(what, unit, best, spent, per, aim=""):
    base = best["direct"]
    for name, value in best.items():
        cpu = "" if name.startswith("direct") or not per[1] else f"{spent[name] / per[0]:9.2f} {per[1]}"
        print(f"{what:24} {name:14} {value:9.2f} {unit:4} {value - base:+8.2f} {value / base:6.2f} x  {cpu}")
    if aim:
        print(f"{'':24} aim: {aim}")


def compare(home, rows, rounds, megabytes, gateway):
    script = os.path.join(home, "select.sql")
    with open(script, "w") as file:
        file.write(SELECT)
    trips = 2000
    select = ["-f", script, "-M", "prepared", "-c", "1", "-t", str(trips)]
    best, spent = measure(rows, rounds, lambda env: float(pgbench(env, *select)["latency average"]) * 1000, gateway)
    show("one round trip", "us", best, spent, (trips / 1e6, "us CPU each"), "+25 us")
    many = ["-f", script, "-M", "prepared", "-c", "16", "-j", "2", "-t", "500"]
    best, _ = measure(rows, max(3, rounds // 3), lambda env: 1e6 / float(pgbench(env, *many)["tps"]), gateway)
    show("one of 16 clients", "us", best, {name: 0 for name in rows}, (1, ""))
    connect = ["-f", script, "-C", "-c", "1", "-t", "50"]
    seconds = lambda env: float(pgbench(env, *connect)["latency average"])
    scram = {"direct, SCRAM": rows["direct"] | {"PGUSER": PASSWORD_USER, "PGPASSWORD": PASSWORD}}
    best, spent = measure(rows | scram, max(3, rounds // 3), seconds, gateway)
    show("connect and one query", "ms", best, spent, (50 / 1e3, "ms CPU each"), "no slower")
    bulk = os.path.join(home, "bulk")
    with open(bulk, "w") as file:
        for _ in range(megabytes * 1024):
            file.write("x" * 1023 + "\n")
    psql = ["psql", "-qXw", "-c"]
    copy_out = f"copy (select repeat('x', 1023) from generate_series(1, {megabytes * 1024})) to stdout"
    per = (megabytes / 1e3, "ms CPU per MB")
    best, spent = measure(rows, 5, lambda env: timed([*psql, copy_out], env), gateway)
    show(f"COPY out {megabytes} MB", "s", best, spent, per, "0.9 x the throughput (1.11 x the time), 1.2 ms CPU per MB")
    empty = lambda env: timed([*psql, "truncate c"], env)
    best, spent = measure(rows, 5, lambda env: (empty(env), timed([*psql, "copy c from stdin"], env, bulk))[1], gateway)
    show(f"COPY in {megabytes} MB", "s", best, spent, per, "0.9 x the throughput (1.11 x the time)")


async def connect_all(conninfo, count):
    """Connects all at the same time; one failure is that of all."""
    connects = [psycopg.AsyncConnection.connect(conninfo, connect_timeout=120) for _ in range(count)]
    return await asyncio.gather(*connects)


async def crowd(count, gateway):
    """Opens many sessions at once and keeps them, and looks at the memory and the wake-ups of the gateway."""
    at_rest = gateway.status("VmRSS")
    conninfo = f"host=127.0.0.1 port={gateway.port} user={USER} dbname=postgres sslmode=disable password={gateway.password}"
    began = time.perf_counter()
    sessions = await connect_all(conninfo, count)
    took = time.perf_counter() - began
    gateway.drain()
    time.sleep(1)
    full, wakes, cpu = gateway.status("VmRSS"), gateway.status("voluntary_ctxt_switches"), gateway.cpu()
    time.sleep(5)
    wakes, cpu = gateway.status("voluntary_ctxt_switches") - wakes, gateway.cpu() - cpu
    print(f"{'at rest':24} {at_rest / 1024:9.2f} MB      aim: 8 MB")
    each = (full - at_rest) / count
    print(f"{f'{count} idle sessions':24} {(full - at_rest) / 1024:9.2f} MB   {each:9.1f} KB each; aim: 40 MB for 1,000")
    print(f"{'':24} {wakes} wake-ups and {cpu:.2f} s CPU in 5 s; aim: none")
    print(f"{f'{count} connects at once':24} {took:9.2f} s, none failed")
    for session in sessions:
        await session.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pgcred")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--mb", type=int, default=200)
    parser.add_argument("--idle", type=int, default=1000)
    options = parser.parse_args()
    home, directory, port = tempfile.mkdtemp(), tempfile.mkdtemp(), free_port()
    make_certificates(home)
    postgres = start_postgres(directory, home, port, options.idle)
    gateway = None
    try:
        pgcred = shutil.copy(options.pgcred, os.path.join(home, "pgcred"))
        gateway = Gateway(pgcred, home, port)
        base = {"PATH": os.environ["PATH"], "PGUSER": USER, "PGDATABASE": "postgres", "HOME": home}
        local = base | {"PGPORT": str(gateway.port), "PGPASSWORD": gateway.password, "PGSSLMODE": "disable"}
        rows = {
            "direct": base | direct(home, port),
            "proxy, TCP": local | {"PGHOST": "127.0.0.1"},
            "proxy, Unix": local | {"PGHOST": gateway.sockets},
        }
        compare(home, rows, options.rounds, options.mb, gateway)
        asyncio.run(crowd(options.idle, gateway))
        print(f"{'start to listening':24} {gateway.start_time * 1000:9.2f} ms      aim: 5 ms")
    finally:
        if gateway:
            gateway.stop()
        postgres.terminate()
        postgres.wait()
        for path in (home, directory):
            shutil.rmtree(path, ignore_errors=True)


main()
