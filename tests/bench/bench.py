"""Wall-time ratios of pgcred against `cat`, boto3 and itself, all in one run; prints a table, asserts nothing.

usage: bench.py PGCRED [--runs N]    (python with boto3; see tests/bench/run.sh)

Whole processes, start to exit, interleaved so that the machine's moods hit all rows alike; medians.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time

HOST = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws"
BOTO3 = (
    "import boto3; print(boto3.client('dsql', region_name='us-east-1')"
    f".generate_db_connect_admin_auth_token('{HOST}', 'us-east-1'))"
)
NULL = os.open(os.devnull, os.O_RDWR)


def seconds(argv, env):
    """Runs a program with stdout in a pipe-free sink and returns how long it took."""
    actions = [(os.POSIX_SPAWN_DUP2, NULL, fd) for fd in (0, 1)]
    began = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=actions)
    _, status = os.waitpid(pid, 0)
    took = time.perf_counter() - began
    if status:
        sys.exit(f"{argv[0]} failed")
    return took


def medians(rows, runs, env):
    samples = {name: [] for name in rows}
    for _ in range(runs):
        for name, argv in rows.items():
            samples[name].append(seconds(argv, env))
    return {name: statistics.median(values) for name, values in samples.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pgcred")
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args()
    pgcred = os.path.abspath(options.pgcred)
    home = tempfile.mkdtemp()
    env = {
        "HOME": home,
        "PATH": "/usr/bin:/bin",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    token = os.path.join(home, "token")
    with open(token, "w") as file:
        file.write("x" * 340)
    cat, true = shutil.which("cat"), shutil.which("true")
    fast = {
        "true": [true],
        "cat of a 340-byte token": [cat, token],
        "pgcred --version": [pgcred, "--version"],
        "pgcred token, static keys": [pgcred, "token", HOST],
    }
    medians(fast, 20, env)  # warm the page cache
    result = medians(fast, options.runs, env)
    result |= medians({"boto3 in a fresh process": [sys.executable, "-c", BOTO3]}, 7, env)
    base, own = result["cat of a 340-byte token"], result["pgcred token, static keys"]
    print(f"{'process':30} {'ms':>9} {'x cat':>8} {'x pgcred':>9}")
    for name, value in result.items():
        print(f"{name:30} {value * 1000:9.3f} {value / base:8.2f} {value / own:9.2f}")

    print(f"\n{'refresh of N targets':30} {'ms':>9} {'us each':>8}")
    for count in (1_000, 10_000):
        hosts = [f"h{n}.dsql.us-east-1.on.aws" for n in range(count)]
        argv = [pgcred, "refresh", "--quiet", "--passfile", os.path.join(home, f"passfile{count}"), *hosts]
        took = min(seconds(argv, env) for _ in range(3))
        print(f"{count:30} {took * 1000:9.1f} {took * 1e6 / count:8.1f}")
    print(f"\nbinary: {os.path.getsize(pgcred) / 2**20:.2f} MiB")
    shutil.rmtree(home)


main()
