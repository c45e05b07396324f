"""How long `pgcred discover` takes: 5 profiles x 17 regions at a stand-in of AWS that answers each request after 100 ms.

usage: discover.py PGCRED [--runs N]    (standard library only)

The aim is 5 s. Prints seconds; ends with 1 if a run takes longer, or does not list everything.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

AIM = 5.0
PROFILES = 5
ROWS_OF_REGION = 6
REGIONS = (
    "us-east-1 us-east-2 us-west-1 us-west-2 ap-south-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-southeast-1 "
    "ap-southeast-2 ca-central-1 eu-central-1 eu-west-1 eu-west-2 eu-west-3 eu-north-1 sa-east-1"
).split()
SECRET = "STUBSECRETthatnobodymayprint"
CONTROL = os.path.join(os.path.dirname(__file__), "..", "stubs", "control.py")
def things_of(team):
    """Returns what there is in each region of a team: hosts are those of one team alone."""
    return {
        "dsql": [{"id": f"one{team}", "tags": {"Name": "one"}}, {"id": f"two{team}"}],
        "clusters": [{"id": f"orders{team}", "readers": 1}],
        "instances": [{"id": f"books{team}"}],
        "proxies": [{"id": f"pool{team}"}],
    }




def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pgcred")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        names = [f"team{number}" for number in range(PROFILES)]
        keys = {f"AKIATEAM{number}": str(111122223330 + number) for number in range(PROFILES)}
        accounts = {account: {"*": things_of(team)} for team, account in enumerate(keys.values())}
        fleet = os.path.join(home, "fleet.json")
        write(fleet, json.dumps({"delay": 100, "keys": keys, "accounts": accounts}))
        write(f"{home}/.aws/config", "".join(f"[profile {name}]\nregion = eu-west-1\n" for name in names))
        write(
            f"{home}/.aws/credentials",
            "".join(f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n" for name, key in zip(names, keys)),
        )
        stub = subprocess.Popen([sys.executable, CONTROL, fleet], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        port = stub.stdout.readline().decode().strip()
        env = {
            "HOME": home,
            "PGCRED_HOME": os.path.join(home, "own"),
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        argv = [options.pgcred, "discover", "--profile", "team*", "--format", "json", "--quiet"]
        for region in REGIONS:
            argv += ["--region", region]
        samples = []
        for _ in range(options.runs):
            began = time.perf_counter()
            done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True)
            samples.append(time.perf_counter() - began)
            rows = len(json.loads(done.stdout or "[]"))
            if rows != PROFILES * len(REGIONS) * ROWS_OF_REGION or done.stderr:
                raise SystemExit(f"{rows} rows, exit {done.returncode}: {done.stderr.decode()}")
        stub.stdin.close()
    print(f"\n{f'discover, {PROFILES} profiles x {len(REGIONS)} regions':38} {'s':>6}")
    print(f"{'median':38} {statistics.median(samples):6.2f}")
    print(f"{'slowest':38} {max(samples):6.2f}")
    print(f"{'aim':38} {AIM:6.2f}")
    if max(samples) > AIM:
        raise SystemExit(1)


main()
