"""What AWS sends with a request on the alert's path, and what is not known of it."""

import pytest

from alertpath.iam.evaluate import Request, Verdict, by_resource_policy
from alertpath.iam.sent import by_role, by_service

TOPIC = "arn:aws:sns:us-east-1:111111111111:topic"
KEY = "arn:aws:kms:us-east-1:111111111111:key/1"
BUS = "arn:aws:events:us-east-1:111111111111:event-bus/breakglass"
ROLE = "arn:aws:iam::222222222222:role/Relay"
RULE = "arn:aws:events:us-east-1:111111111111:rule/a"
PUBLISH = by_service("events.amazonaws.com", "sns:Publish", TOPIC, SourceAccount="1" * 12, SourceArn=RULE)
ENCRYPT = by_service("events.amazonaws.com", "kms:Decrypt", KEY)
ASSUME = by_service("events.amazonaws.com", "sts:AssumeRole", ROLE, SourceArn=RULE)
PUT = by_role(ROLE, "events:PutEvents", BUS)
SENT, NOT, UNKNOWN = Verdict.DENIED, Verdict.ALLOWED, Verdict.UNPROVEN


def with_denial(request: Request, condition: object) -> Verdict:
    everything = {"Principal": "*", "Action": "*"}
    if not request.action.startswith("sts:"):
        everything["Resource"] = "*"
    statements = [{"Effect": "Allow"} | everything, {"Effect": "Deny", "Condition": condition} | everything]
    document = {"Version": "2012-10-17", "Statement": statements}
    return by_resource_policy(document, request, resource_account="1" * 12).verdict


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("Bool", "aws:SecureTransport", "true"),
        ("DateLessThan", "aws:CurrentTime", "2099-01-01T00:00:00Z"),
        ("DateGreaterThan", "aws:CurrentTime", "2024-01-01T00:00:00Z"),
        ("NumericGreaterThan", "aws:EpochTime", "1700000000"),
        ("StringLike", "aws:ResourceAccount", "*"),
    ],
)
def test_some_keys_are_in_every_request(operator, key, value):
    for request in (PUBLISH, ENCRYPT, ASSUME, PUT):
        assert with_denial(request, {operator: {key: value}}) is SENT


@pytest.mark.parametrize(
    ("request_", "operator", "key", "value", "verdict"),
    [
        (PUBLISH, "StringEquals", "aws:PrincipalServiceName", "events.amazonaws.com", SENT),
        (PUBLISH, "Bool", "aws:PrincipalIsAWSService", "true", SENT),
        (PUBLISH, "Bool", "aws:ViaAWSService", "false", SENT),
        (PUBLISH, "StringEquals", "aws:RequestedRegion", "us-east-1", SENT),
        (PUBLISH, "StringEquals", "aws:SourceAccount", "1" * 12, UNKNOWN),
        (PUBLISH, "StringEquals", "aws:PrincipalOrgID", "o-a", NOT),
        (PUBLISH, "ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", "x", UNKNOWN),
        (PUBLISH, "StringEquals", "aws:SourceOrgID", "o-a", UNKNOWN),
        (PUBLISH, "StringNotEquals", "aws:PrincipalAccount", "1" * 12, UNKNOWN),
        (PUBLISH, "Null", "aws:ResourceTag/team", "true", UNKNOWN),
        (PUBLISH, "NotIpAddressIfExists", "aws:SourceIp", "10.0.0.0/8", UNKNOWN),
        (ENCRYPT, "Null", "aws:SourceAccount", "false", NOT),
        (ENCRYPT, "Null", "aws:SourceOrgID", "false", NOT),
        (ENCRYPT, "Bool", "aws:ViaAWSService", "false", UNKNOWN),
        (ENCRYPT, "Null", "kms:EncryptionContext:aws:sns:topicArn", "false", UNKNOWN),
        (ASSUME, "StringEquals", "aws:RequestedRegion", "us-east-1", UNKNOWN),
        (PUT, "Bool", "aws:PrincipalIsAWSService", "true", NOT),
        (PUT, "Null", "aws:PrincipalServiceName", "false", NOT),
        (PUT, "ArnEquals", "aws:PrincipalArn", ROLE, SENT),
        (PUT, "Bool", "events:eventBusInvocation", "true", SENT),
        (PUT, "StringLike", "events:source", "aws.*", UNKNOWN),
        (PUT, "StringNotEquals", "aws:PrincipalOrgID", "o-a", UNKNOWN),
    ],
)
def test_a_key_is_sent_or_not_or_that_is_unknown(request_, operator, key, value, verdict):
    assert with_denial(request_, {operator: {key: value}}) is verdict


def test_what_is_given_is_known():
    put = by_role(ROLE, "events:PutEvents", BUS, **{"events:source": "aws.iam"})
    assert with_denial(put, {"StringLike": {"events:source": "aws.*"}}) is SENT


def test_whether_a_rule_of_the_bus_s_own_account_shows_is_unknown():
    own = by_role(ROLE.replace("2" * 12, "1" * 12), "events:PutEvents", BUS)
    assert with_denial(own, {"Bool": {"events:eventBusInvocation": "true"}}) is UNKNOWN
