"""The hub's event bus: who may put events on it."""

import json
from typing import Any

import pytest
from breakglass_policies.bus import (
    EVENT_BUS_POLICY,
    EVENT_PERMISSION,
    bus_lets_relays_in,
    bus_policy_scoped,
)

from breakglass import documents

ACCOUNT = "111111111111"
HUB = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/breakglass"
ODD_DOCUMENTS = [None, "", "{", "[]", 7, "{}", {"Statement": [7]}]
ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}


def bus(policy: Any, name: str | None = "breakglass") -> dict[str, Any]:
    return {"eventBusName": name, "policy": policy}


both = pytest.mark.parametrize(
    "policy_", [bus_policy_scoped, bus_lets_relays_in], ids=lambda policy: policy.name
)


@both
@pytest.mark.parametrize("organization", [None, "o-abcdefghij"])
@pytest.mark.parametrize("account", [None, ACCOUNT])
def test_the_programs_own_bus_policy_passes(check, policy_, organization, account):
    document = documents.bus(bus_arn=HUB, account_ids=[ACCOUNT, "2" * 12], organization_id=organization)
    for name in ("breakglass", HUB):
        for policy in (document, json.dumps(document)):
            assert check(policy_, EVENT_BUS_POLICY, bus(policy, name), account=account).passed


STATEMENT = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "events:PutEvents", "Resource": HUB}


def with_statement(**changes):
    added = {key: value for key, value in (STATEMENT | changes).items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT, added]})


OPEN = "lets every AWS account in, or may do so"


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": "*"}},
        {"Principal": {"AWS": "arn:aws:iam::*:root"}},
        {"Principal": None, "NotPrincipal": {"AWS": ACCOUNT}},
        {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}},
        {"Principal": "*", "Condition": {"StringEqualsIfExists": ORGANIZATION["StringEquals"]}},
        {"Principal": "*", "Condition": {"StringNotEquals": ORGANIZATION["StringEquals"]}},
        {"Principal": "*", "Condition": {"StringEquals": {"events:source": "aws.health"}}},
        {
            "Principal": "*",
            "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/BreakGlassRelay"}},
        },
    ],
)
def test_a_bus_that_is_open_blocks(check, changes):
    (violation,) = check(bus_policy_scoped, EVENT_BUS_POLICY, bus(with_statement(**changes))).violations
    assert violation.startswith(f"EventBusPolicy 'thing' (breakglass) {OPEN}")
    assert "Statement[1]" in violation


def test_a_condition_that_cannot_be_judged_blocks(check):
    props = bus(with_statement(Principal="*", Condition="odd"))
    assert len(check(bus_policy_scoped, EVENT_BUS_POLICY, props).violations) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": "*", "Condition": ORGANIZATION},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": "2" * 12}}},
        # Met by a service for this account only, so no other account gets in.
        {"Principal": "*", "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}},
        {"Principal": {"AWS": "arn:aws:iam::222222222222:role/BreakGlassRelay"}},
        {"Effect": "Deny", "Action": "events:PutRule"},
    ],
)
def test_a_bus_for_those_who_are_named_passes(check, changes):
    assert check(bus_policy_scoped, EVENT_BUS_POLICY, bus(with_statement(**changes))).passed


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Principal": None}, "names no principal"),
        ({"Action": "events:*"}, "allows more than events:PutEvents"),
        ({"Action": ["events:PutEvents", "events:DisableRule"]}, "allows more than events:PutEvents"),
    ],
)
def test_a_statement_that_allows_more_or_names_nobody_blocks(check, changes, problem):
    (violation,) = check(bus_policy_scoped, EVENT_BUS_POLICY, bus(with_statement(**changes))).violations
    assert violation.startswith(f"EventBusPolicy 'thing' (breakglass) {problem} in statement 2 of its policy")


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny", "Principal": "*"},
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "*",
            "Condition": {"StringNotEquals": {"aws:SourceOrgID": "o-1"}},
        },
        {
            "Effect": "Deny",
            "Principal": "*",
            "Condition": {"StringNotEquals": {"aws:SourceAccount": ACCOUNT}},
        },
        {"Effect": "Deny", "Principal": "*", "Condition": {"Null": {"aws:SourceVpc": "true"}}},
        {"Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111111111111:role/BreakGlassRelay"}},
        {"Principal": {"AWS": "2" * 12}, "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}},
        {
            "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
            "Resource": HUB.replace("breakglass", "other"),
        },
        # AWS takes NotPrincipal in a Deny only.
        {"Principal": None, "NotPrincipal": "*", "Condition": ORGANIZATION},
        {"Principal": "*", "Condition": ORGANIZATION | {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
    ],
)
def test_a_policy_that_shuts_relays_out_blocks(check, changes):
    for account in (None, ACCOUNT):
        props = bus(with_statement(**changes))
        (violation,) = check(bus_lets_relays_in, EVENT_BUS_POLICY, props, account=account).violations
        assert violation.startswith("EventBusPolicy 'thing' (breakglass) does not let the relays of ")


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Effect": "Deny", "Principal": "*", "Action": "events:PutRule"},
        {"Effect": "Deny", "Principal": "*", "Condition": {"StringNotEquals": ORGANIZATION["StringEquals"]}},
        {"Effect": "Deny", "Principal": {"AWS": "2" * 12}},
        *(
            {"Principal": "*", "Condition": {f"ForAnyValue:{operator}": {"aws:PrincipalOrgPaths": path}}}
            for operator, path in (
                ("StringLike", "o-abcdefghij/r-1/ou-1/*"),
                ("StringLike", "o-abcdefghij/*/ou-1/*"),
                ("StringEquals", "o-abcdefghij/r-1/ou-1/"),
                ("StringLike", "o-abcdefghij/*"),
            )
        ),
        {"Principal": {"AWS": "arn:aws:iam::222222222222:role/Other"}},
    ],
)
def test_a_policy_that_lets_relays_in_passes(check, changes):
    assert check(bus_lets_relays_in, EVENT_BUS_POLICY, bus(with_statement(**changes))).passed


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("Bool", "events:eventBusInvocation", "true"),
        ("StringLike", "events:source", "aws.*"),
        ("StringEquals", "events:detail-type", "AWS API Call via CloudTrail"),
        ("StringEquals", "aws:RequestedRegion", "us-east-1"),
        ("DateLessThan", "aws:CurrentTime", "2099-12-01T00:00:00Z"),
    ],
)
def test_a_denial_by_a_key_that_aws_sends_or_may_send_blocks(check, operator, key, value):
    props = bus(with_statement(Effect="Deny", Principal="*", Condition={operator: {key: value}}))
    assert check(bus_lets_relays_in, EVENT_BUS_POLICY, props, account=ACCOUNT).violations


@both
def test_an_odd_bus_policy_blocks_and_an_unknown_one_is_left_to_the_engine(check, policy_, unknown):
    for document in ODD_DOCUMENTS:
        violations = check(policy_, EVENT_BUS_POLICY, bus(document)).violations
        assert ["cannot be read" in violation for violation in violations] == (
            [True] if policy_ is bus_policy_scoped else []
        )
    assert check(policy_, EVENT_BUS_POLICY, bus(unknown)).unknown == "policy"
    assert check(policy_, EVENT_BUS_POLICY, bus("{", unknown)).unknown == "eventBusName"


CONDITION = {"key": "aws:PrincipalOrgID", "type": "StringEquals", "value": "o-abcdefghij"}


@pytest.mark.parametrize(
    ("props", "problems"),
    [
        ({"principal": ACCOUNT}, 0),
        ({"principal": ACCOUNT, "action": "events:PutEvents"}, 0),
        ({"principal": "*", "condition": CONDITION}, 0),
        ({"principal": "*"}, 1),
        ({"principal": "*", "condition": "odd"}, 1),
        ({"principal": "*", "condition": CONDITION | {"value": "*"}}, 1),
        ({"principal": "*", "condition": CONDITION | {"type": "StringNotEquals"}}, 1),
        ({"principal": "*", "condition": CONDITION | {"key": "aws:SourceAccount"}}, 1),
        ({"principal": ACCOUNT, "action": "events:PutRule"}, 1),
        ({"principal": "*", "action": "events:*"}, 2),
        ({"principal": None}, 1),
        ({"principal": 7}, 1),
    ],
)
def test_single_permissions_of_the_bus(check, props, problems):
    outcome = check(bus_policy_scoped, EVENT_PERMISSION, {"eventBusName": "breakglass"} | props)
    assert len(outcome.violations) == problems


@pytest.mark.parametrize(
    ("kind", "props"),
    [
        (EVENT_BUS_POLICY, bus("{", "default")),
        (EVENT_BUS_POLICY, bus("{", None)),
        (EVENT_PERMISSION, {"principal": "*"}),
        ("aws:cloudwatch/eventBus:EventBus", {"eventBusName": "breakglass"}),
    ],
)
@both
def test_other_buses_are_not_applicable(check, policy_, kind, props):
    assert check(policy_, kind, props).not_applicable
