"""Wall-time ratios of pgcred against `cat`, boto3 and the AWS CLI, all in one run; prints a table, asserts nothing.

usage: bench.py PGCRED [OTHER...] [--runs N] [--aws PROGRAM]    (python with boto3; see tests/bench/run.sh)

OTHER is another build, such as target/x86_64-unknown-linux-musl/release/pgcred: it gets a row for the warm token.

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


def cluster(name):
    """Returns a host whose ID has the 26 characters of a real one: pgcred warns of others."""
    return f"{name:0<26}.dsql.us-east-1.on.aws"


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
    parser.add_argument("others", nargs="*", metavar="OTHER")
    parser.add_argument("--aws", help="an AWS CLI v2 to compare with")
    parser.add_argument("--runs", type=int, default=300)
    options = parser.parse_args()
    home = tempfile.mkdtemp()
    # A copy, as install.sh makes it: pages of a file that a linker wrote in place are mapped in smaller pieces.
    pgcred = shutil.copy(options.pgcred, os.path.join(home, "pgcred"))
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
    own = os.path.join(home, "own")
    env["PGCRED_HOME"] = own
    for name in ("prod", "other"):
        seconds([pgcred, "add", "-q", name, cluster(name)], env)
    fast = {
        "true": [true],
        "cat of a 340-byte token": [cat, token],
        "pgcred --version": [pgcred, "--version"],
        "pgcred prompt": [pgcred, "prompt"],
        "pgcred token, warm": [pgcred, "token", "prod"],
        "pgcred token, no cache": [pgcred, "token", "--no-cache", HOST],
    }
    for number, other in enumerate(options.others):
        name = os.path.abspath(other).split(os.sep)[-3].replace("-unknown", "")
        copy = shutil.copy(other, os.path.join(home, f"pgcred-{number}"))
        fast[f"warm, {name}"] = [copy, "token", "prod"]
    medians(fast, 20, env)  # warm the page cache
    result = medians(fast, options.runs, env)
    cold = []
    for _ in range(options.runs // 2):
        shutil.rmtree(os.path.join(own, "cache"), ignore_errors=True)
        cold.append(seconds([pgcred, "token", "prod"], env))
    result["pgcred token, first one ever"] = statistics.median(cold)
    result |= medians({"boto3 in a fresh process": [sys.executable, "-c", BOTO3]}, 7, env)
    if options.aws:
        cli = [options.aws, "dsql", "generate-db-connect-admin-auth-token", "--hostname", HOST, "--region", "us-east-1"]
        result |= medians({"AWS CLI v2": cli}, 5, env)
    base, warm = result["cat of a 340-byte token"], result["pgcred token, warm"]
    print(f"{'process':30} {'ms':>9} {'x true':>8} {'x cat':>8} {'x warm':>8}")
    for name, value in result.items():
        print(f"{name:30} {value * 1000:9.3f} {value / result['true']:8.2f} {value / base:8.2f} {value / warm:8.2f}")

    print(f"\n{'warm token, N connections':30} {'ms':>9} {'x one':>8}")
    rows = {}
    for count in (1, 100, 300):
        config = os.path.join(home, f"connections{count}.toml")
        with open(config, "w") as file:
            for n in range(count):
                file.write(f'[connections.c{n}]\nhost = "{cluster(f"h{n}")}"\nregion = "us-east-1"\nuser = "app"\n\n')
        rows[count] = [pgcred, "token", f"c{count - 1}", "--config", config]
    medians(rows, 5, env)
    result = medians(rows, options.runs, env)
    for count, value in result.items():
        print(f"{count:30} {value * 1000:9.3f} {value / result[1]:8.2f}")

    print(f"\n{'refresh of N due connections':30} {'ms':>9} {'us each':>8}")
    for count in (1_000, 10_000):
        config = os.path.join(home, f"config{count}.toml")
        with open(config, "w") as file:
            for n in range(count):
                file.write(f'[connections.c{n}]\nhost = "{cluster(f"h{n}")}"\n')
        passfile = os.path.join(home, f"passfile{count}")
        took = []
        for _ in range(5):
            shutil.rmtree(os.path.join(own, "cache"), ignore_errors=True)
            argv = [pgcred, "refresh", "--quiet", "--config", config, "--passfile", passfile]
            took.append(seconds(argv, env))
        took = statistics.median(took)
        print(f"{count:30} {took * 1000:9.1f} {took * 1e6 / count:8.1f}")
    print(f"\nbinary: {os.path.getsize(pgcred) / 2**20:.2f} MiB")
    seconds([pgcred, "erase", "--all", "--quiet"], env)
    shutil.rmtree(home)


main()
