"""What `pgcred doctor` costs beside one login of psql at the same healthy server: the stand-in in front of PostgreSQL.

usage: doctor.py PGCRED STANDIN [--runs N]    (initdb and psql; root or another user)

The token is cached. The aim is 1.5 x the login and 50 ms. Runs of all rows take turns; medians. Asserts nothing.
"""

import argparse
import glob
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

HOST = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws"
KEY = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
NOT_ROOT = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}


def program(name):
    """Returns a program of PostgreSQL's server, which Debian keeps out of PATH."""
    return shutil.which(name) or sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))[-1]


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("a server does not start")
        time.sleep(0.05)


def start_postgres(directory):
    os.chmod(directory, 0o777)
    data = os.path.join(directory, "data")
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": directory}
    subprocess.run([program("initdb"), "--no-sync", "--auth=trust", "-U", "admin", "-D", data], check=True, **silent, **NOT_ROOT)
    argv = [program("postgres"), "-D", data, "-k", directory, "-c", "listen_addresses="]
    server = subprocess.Popen(argv, **silent, **NOT_ROOT)
    wait_for(lambda: os.path.exists(os.path.join(directory, ".s.PGSQL.5432")))
    return server


def start_standin(standin, home, upstream):
    keys, port, ca = (os.path.join(home, name) for name in ("keys.json", "port", "ca.pem"))
    with open(keys, "w") as file:
        json.dump([KEY], file)
    argv = [standin, "--keys", keys, "--upstream", upstream, "--port-file", port, "--ca", ca]
    server = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    wait_for(lambda: os.path.exists(port))
    with open(port) as file:
        return server, file.read().strip(), ca


def seconds(argv, env):
    began = time.perf_counter()
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(f"{argv}: {done.stdout.decode()}")
    return took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pgcred")
    parser.add_argument("standin")
    parser.add_argument("--runs", type=int, default=50)
    options = parser.parse_args()
    home, upstream = tempfile.mkdtemp(), tempfile.mkdtemp()
    pgcred = shutil.copy(options.pgcred, os.path.join(home, "pgcred"))
    postgres = start_postgres(upstream)
    standin, port, ca = start_standin(options.standin, home, upstream)
    try:
        measure(pgcred, home, port, ca, options.runs)
    finally:
        standin.terminate()
        postgres.terminate()
        postgres.wait()
        for directory in (home, upstream):
            shutil.rmtree(directory, ignore_errors=True)


def measure(pgcred, home, port, ca, runs):
    own = os.path.join(home, "own")
    os.mkdir(own, 0o700)
    with open(os.path.join(own, "config.toml"), "w") as file:
        file.write(f'[connections.prod]\nhost = "{HOST}"\nhostaddr = "127.0.0.1"\nport = {port}\nroots = "{ca}"\n')
    env = {
        "HOME": home,
        "PGCRED_HOME": own,
        "PATH": "/usr/bin:/bin",
        "AWS_ACCESS_KEY_ID": KEY["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": KEY["secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    token = subprocess.run([pgcred, "token", "prod"], env=env, stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    server = f"host={HOST} hostaddr=127.0.0.1 port={port} user=admin dbname=postgres sslmode=verify-full sslrootcert={ca}"
    psql = ["/usr/bin/psql", "-Xc", "", server]
    rows = {
        "psql, one login": (psql, env | {"PGPASSWORD": token}),
        "psql --version": (["/usr/bin/psql", "--version"], env),
        "pgcred doctor prod": ([pgcred, "doctor", "prod"], env),
        "doctor --offline": ([pgcred, "doctor", "prod", "--offline"], env),
        "doctor --check login": ([pgcred, "doctor", "prod", "--check", "login"], env),
        "doctor --check clients": ([pgcred, "doctor", "prod", "--check", "clients"], env),
        "doctor --check tools": ([pgcred, "doctor", "prod", "--check", "tools"], env),
    }
    samples = {name: [] for name in rows}
    for count in range(runs + 3):
        for name, (argv, variables) in rows.items():
            took = seconds(argv, variables)
            if count >= 3:  # the first ones warm the page cache
                samples[name].append(took)
    result = {name: statistics.median(values) for name, values in samples.items()}
    login = result["psql, one login"]
    print(f"\n{'doctor at a healthy server':30} {'ms':>9} {'x login':>8}")
    for name, value in result.items():
        print(f"{name:30} {value * 1000:9.1f} {value / login:8.2f}")
    print(f"{'aim: 1.5 x login + 50 ms':30} {(1.5 * login + 0.05) * 1000:9.1f}")


main()
