"""Stands in for the programs that mint tokens: az, databricks, gcloud, snow, aws, vault.

    minters.py DIRECTORY PROGRAM ARGUMENT...

It takes the arguments of pgcred's presets and no others, and prints what the documentation of each
program shows. DIRECTORY has the file `account`: who is logged in. Each token that is minted gets a
line in its file `ledger`, which tests/standin reads. The clock is that of pgcred: PGCRED_TEST_NOW.
"""

import datetime
import hashlib
import json
import pathlib
import sys
from os import environ

AWS = "--db-name=dev --duration-seconds=3600 --profile=work --output=json"
HOUR = 3600

# By what is typed: the name of the service, the user that {account} has there, the life of a token
# in seconds, and how long before its end the program stops printing the same token (None: it never
# prints one twice).
SERVICES = {
    "az account get-access-token --resource-type oss-rdbms --output json": (
        "entra", "{account}@example.com", HOUR, 300),
    "databricks postgres generate-database-credential projects/p/branches/b/endpoints/e "
    "--ttl=3600s --profile=work --output=json": ("lakebase", "{account}@example.com", HOUR, None),
    "gcloud config config-helper --min-expiry=300s --format=json": (
        "gcloud", "{account}@p.iam", HOUR, 300),
    "snow sql --connection=work --format=json --query="
    "select generate_postgres_access_token_for_user('pg1','{user}') as t": (
        "snowflake", "{account}", 900, None),
    f"aws redshift get-cluster-credentials-with-iam --cluster-identifier=dwh {AWS}": (
        "redshift", "IAM:{account}", HOUR, None),
    f"aws redshift-serverless get-credentials --workgroup-name=w {AWS}": (
        "redshift-serverless", "IAMR:{account}", HOUR, None),
    "vault read -format=json database/creds/reader": (
        "vault", "v-{account}-reader-{number}", HOUR, None),
    "vault read -format=json database/static-creds/app": ("vault-static", "{account}", HOUR, 0),
}


def answer(service, token, user, end, now):
    """What the program prints."""
    time = datetime.datetime.fromtimestamp(end, datetime.timezone.utc)
    zulu = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    offset = time.isoformat()
    return {
        "entra": {"accessToken": token, "expiresOn": "2030-01-01 12:00:00.000000",
                  "expires_on": end, "tokenType": "Bearer"},
        "lakebase": {"expire_time": zulu, "token": token},
        "gcloud": {"credential": {"access_token": token, "token_expiry": zulu}},
        "snowflake": [{"T": token}],
        "redshift": {"DbUser": user, "DbPassword": token, "Expiration": offset},
        "redshift-serverless": {"dbUser": user, "dbPassword": token, "expiration": offset},
        "vault": {"lease_id": "database/creds/reader/x", "lease_duration": end - now,
                  "data": {"username": user, "password": token}},
        "vault-static": {"lease_duration": 0, "data": {"username": user, "password": token,
                                                       "ttl": end - now}},
    }[service]


def main():
    directory = pathlib.Path(sys.argv[1])
    account = (directory / "account").read_text().strip()
    words = " ".join(sys.argv[2:])
    for typed, service in SERVICES.items():
        # Snowflake mints for any user. Whether the account may be that user is known at the login.
        start, middle, end = typed.partition("{user}")
        if words == typed or (middle and words.startswith(start) and words.endswith(end)):
            break
    else:
        sys.exit(f"not: {words}")
    name, user, life, keeps = service
    now = int(datetime.datetime.fromisoformat(
        environ["PGCRED_TEST_NOW"].replace("Z", "+00:00")).timestamp())
    kept = directory / f"{name}-of-{account}"
    if keeps is not None and kept.exists():
        token, end = json.loads(kept.read_text())
        if end - now > keeps:
            print(json.dumps(answer(name, token, user.format(account=account), end, now)))
            return
    ledger = directory / "ledger"
    number = len(ledger.read_text().splitlines()) + 1
    user = user.format(account=account, number=number)
    # A token of Microsoft Entra has 7 KB.
    token = f"{name}-{account}-{number}-" + "x" * (7000 if name == "entra" else 20)
    end = now + life
    digest = hashlib.sha256(token.encode()).hexdigest()
    with ledger.open("a") as file:
        file.write(f"{name} {digest} {end} {user}\n")
    if keeps is not None:
        kept.write_text(json.dumps([token, end]))
    print(json.dumps(answer(name, token, user, end, now)))


main()
