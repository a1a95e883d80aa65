"""Whose a resource is, and what strangers can do about conditions."""

import json

import pytest
from breakglass_policies.access import by_stranger, let_in, named_arns, own_accounts, refused

BUS = "arn:aws:events:us-east-1:111111111111:event-bus/breakglass"
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": BUS}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    ("known", "text", "resource", "accounts"),
    [
        ("333333333333", "111111111111", "", ["333333333333"]),
        ("", f"222222222222 {BUS}", "event-bus/breakglass", ["111111111111"]),
        ("", f"222222222222 {BUS}", "event-bus/other", ["222222222222", "111111111111"]),
        ("", "222222222222 111111111111 222222222222", "", ["222222222222", "111111111111"]),
        ("odd", {"a": ["222222222222"]}, "", ["222222222222"]),
        ("", "no 1234567890123 account", "x", ["123456789012"]),
    ],
)
def test_own_accounts(known, text, resource, accounts):
    assert own_accounts(known, text, resource) == accounts


def test_arns_that_a_policy_names():
    arns = ["arn:aws:events:*:111111111111:rule/a-*", "arn:aws:events:eu-west-1:222222222222:rule/b", BUS]
    filled = ["arn:aws:events:any:111111111111:rule/a-any", BUS]
    for text in (arns, json.dumps(arns)):
        assert named_arns(text, "events", "111111111111") == filled
        assert named_arns(text, "sns", "111111111111") == []


@pytest.mark.parametrize(
    ("condition", "is_open"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": ["o-abcdefghij", "o-*"]}}, True),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-abcdefghij/*"}}, False),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*"}}, True),
        ({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-abcdefghij/*"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "security"}}, True),
        ({"StringEquals": {"aws:PrincipalAccount": 222222222222}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": "222222222222", "events:source": "mine"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/*"}}, False),
        ({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*role/Relay"}}, True),
        # A request without a signature has no account.
        ({"StringEqualsIfExists": {"aws:PrincipalAccount": "222222222222"}}, True),
        ({}, True),
    ],
)
def test_only_what_is_named_in_full_keeps_strangers_out(condition, is_open):
    policy = document({**ALLOW, "Condition": condition})
    for text in (policy, json.dumps(policy)):
        assert bool(let_in(text, by_stranger("events:PutEvents", BUS))) is is_open


def test_the_reason_of_a_refusal_is_the_first_request_s():
    requests = list(by_stranger("events:PutEvents", BUS))
    assert refused(document(ALLOW), requests) is None
    limited = document({**ALLOW, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}})
    assert "the request carries no aws:PrincipalOrgID" in str(refused(limited, requests))
