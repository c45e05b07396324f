#!/usr/bin/env python3
"""Makes the vectors of this directory with botocore: the addresses of AWS's control planes, and signed requests to them.

Needs the packages of ../../requirements.txt. It asks nobody: each request is caught before it is sent. All keys are made up.
"""
import datetime
import json
import os
import pathlib
import sys

import botocore
import botocore.auth
import botocore.awsrequest
import botocore.session
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import Loader

HERE = pathlib.Path(__file__).parent
KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2lu/+=="
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
ROLE = "arn:aws:iam::123456789012:role/team a/db+admin"
CLUSTER = "arn:aws:dsql:us-east-1:123456789012:cluster/abcdefghijklmnopqrstuvwxyz"
CALLS = [
    ("sts", "us-east-1", "get_caller_identity", {}),
    ("dsql", "us-east-1", "get_cluster", {"identifier": "abcdefghijklmnopqrstuvwxyz"}),
    ("dsql", "eu-west-1", "list_clusters", {"maxResults": 100}),
    ("dsql", "eu-west-1", "list_clusters", {"maxResults": 100, "nextToken": "a b/c+d=&e"}),
    ("rds", "eu-west-1", "describe_db_instances", {"DBInstanceIdentifier": "db-1"}),
    ("rds", "eu-west-1", "describe_db_clusters", {"DBClusterIdentifier": "cluster-1"}),
    ("rds", "cn-north-1", "describe_db_clusters", {"Marker": "a/b+c=~*"}),
    ("rds", "eu-west-1", "describe_db_clusters",
     {"Filters": [{"Name": "engine", "Values": ["aurora-postgresql", "postgres"]}], "Marker": "a b"}),
    ("rds", "eu-west-1", "describe_db_instances", {"Filters": [{"Name": "engine", "Values": ["postgres"]}]}),
    ("rds", "eu-west-1", "describe_db_proxies", {}),
    ("rds", "us-gov-west-1", "describe_db_proxies", {"DBProxyName": "proxy-1"}),
    ("rds", "us-east-1", "describe_db_proxy_endpoints", {"DBProxyEndpointName": "ro"}),
    ("iam", "eu-west-1", "get_role", {"RoleName": "db+admin"}),
    ("iam", "eu-west-1", "simulate_principal_policy",
     {"PolicySourceArn": ROLE, "ActionNames": ["dsql:DbConnectAdmin"], "ResourceArns": [CLUSTER]}),
]


def endpoints():
    loader = Loader()
    partitions = loader.load_data("partitions")
    regions = [region for partition in partitions["partitions"] for region in partition["regions"] if "global" not in region]
    for service in "dsql", "iam", "rds", "sts":
        provider = EndpointProvider(loader.load_service_model(service, "endpoint-rule-set-1"), partitions)
        for region in sorted(regions):
            for fips in False, True:
                for dual in False, True:
                    given = {"Region": region, "UseFIPS": fips, "UseDualStack": dual}
                    if service == "dsql":
                        del given["UseDualStack"]
                    found = provider.resolve_endpoint(**given)
                    scheme = (found.properties.get("authSchemes") or [{}])[0]
                    yield " ".join((service, region, "fips" if fips else "-", "dual" if dual else "-",
                                    found.url.removeprefix("https://"), scheme.get("signingRegion", region)))


def requests():
    for token in None, TOKEN:
        for service, region, operation, given in CALLS:
            session = botocore.session.Session()
            session.set_credentials(KEY, SECRET, token)
            client = session.create_client(service, region_name=region)
            caught = []

            def catch(request, **_):
                caught.append(request)
                return botocore.awsrequest.AWSResponse(request.url, 500, {}, None)

            client.meta.events.register("before-send", catch)
            try:
                getattr(client, operation)(**given)
            except Exception as error:
                if not caught:
                    raise error
            request = caught[0]
            headers = {name.lower(): value.decode() if isinstance(value, bytes) else value
                       for name, value in request.headers.items()}
            signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
            body = request.body.decode() if isinstance(request.body, bytes) else request.body or ""
            yield {"service": service, "region": region, "operation": operation, "given": given, "token": token or "",
                   "method": request.method, "url": request.url, "body": body,
                   "headers": {name: headers[name] for name in signed if name in headers and name != "host"},
                   "authorization": headers["authorization"]}


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    os.environ["AWS_MAX_ATTEMPTS"] = "1"
    botocore.auth.get_current_datetime = lambda *_, **__: NOW.replace(tzinfo=None)
    (HERE / "endpoints.txt").write_text("\n".join(endpoints()) + "\n")
    rows = ",\n".join(json.dumps(row) for row in requests())
    (HERE / "requests.json").write_text(f"[\n{rows}\n]\n")
    print("botocore", botocore.__version__, file=sys.stderr)
