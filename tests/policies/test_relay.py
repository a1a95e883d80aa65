import json
from typing import Any

import pytest
from breakglass_policies.relay import (
    BUS_POLICY_SCOPED,
    EVENT_BUS_POLICY,
    EVENT_PERMISSION,
    RELAY_ROLE_CONFINED,
    ROLE,
    ROLE_POLICY,
    ROLE_POLICY_ATTACHMENT,
    RULES,
    SCHEDULE_TRUST_NAMES_GROUP,
)
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from breakglass import documents

ACCOUNT = "111111111111"
HUB = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/breakglass"
RELAY, HEARTBEAT = "BreakGlassRelay", "BreakGlassHeartbeat"
ODD_DOCUMENTS = [None, "", "{", "[]", 7, "{}", {"Statement": [7]}]


def changed(document, **changes):
    """Return the policy as JSON text, with its statement changed; None takes an element away."""
    (statement,) = document["Statement"]
    kept = {key: value for key, value in (statement | changes).items() if value is not None}
    return json.dumps(document | {"Statement": [kept]})


def source(arn: str | list[str], operator: str = "ArnLike", also: dict[str, Any] | None = None):
    return {operator: {"aws:SourceArn": arn}, **(also or {})}


OWN_ACCOUNT = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
RULE_ARN = f"arn:aws:events:*:{ACCOUNT}:rule/breakglass-relay*"
RELAY_TRUST = documents.relay_trust(account_id=ACCOUNT)
RELAY_PERMISSION = documents.relay_permission(hubs=[HUB])
HEARTBEAT_TRUST = documents.heartbeat_trust(account_id=ACCOUNT)
NO_RULE = "is not limited to the relay's rules"
NO_ACCOUNT = "is not limited to an account"
NO_GROUP = "is not limited to schedules of a group"


def test_the_programs_own_roles_pass(check):
    permission = {"role": RELAY, "policy": json.dumps(RELAY_PERMISSION)}
    assert check(RELAY_ROLE_CONFINED, ROLE_POLICY, permission).passed
    trust = {"name": RELAY, "assumeRolePolicy": json.dumps(RELAY_TRUST)}
    for inline in (None, [], [{"policy": json.dumps(RELAY_PERMISSION)}], [{}], ["odd"]):
        assert check(RELAY_ROLE_CONFINED, ROLE, trust | {"inlinePolicies": inline}).passed
    heartbeat = {"name": HEARTBEAT, "assumeRolePolicy": HEARTBEAT_TRUST}
    assert check(SCHEDULE_TRUST_NAMES_GROUP, ROLE, heartbeat).passed


TRUST_PROBLEMS = [
    ({"Principal": "*"}, "trusts somebody else than"),
    ({"Principal": None}, "trusts somebody else than"),
    (
        {"Principal": {"Service": ["events.amazonaws.com", "lambda.amazonaws.com"]}},
        "trusts somebody else than",
    ),
    ({"Principal": {"AWS": ACCOUNT}}, "trusts somebody else than"),
    ({"Principal": None, "NotPrincipal": {"Service": "events.amazonaws.com"}}, "trusts somebody else than"),
    ({"Action": ["sts:AssumeRole", "sts:TagSession"]}, "allows more, or something else, than sts:AssumeRole"),
    ({"Action": "sts:*"}, "allows more, or something else, than sts:AssumeRole"),
]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        *TRUST_PROBLEMS,
        ({"Condition": OWN_ACCOUNT}, NO_RULE),
        ({"Condition": source(f"arn:aws:events:*:{ACCOUNT}:rule/*", also=OWN_ACCOUNT)}, NO_RULE),
        ({"Condition": source(RULE_ARN.replace(ACCOUNT, "*"), also=OWN_ACCOUNT)}, NO_RULE),
        ({"Condition": source([RULE_ARN, "*"], also=OWN_ACCOUNT)}, NO_RULE),
        ({"Condition": source(RULE_ARN, "ArnLikeIfExists", also=OWN_ACCOUNT)}, NO_RULE),
        (
            {
                "Condition": OWN_ACCOUNT
                | {"StringEquals": {"aws:SourceArn": RULE_ARN} | OWN_ACCOUNT["StringEquals"]}
            },
            NO_RULE,
        ),
        ({"Condition": source(RULE_ARN)}, NO_ACCOUNT),
        ({"Condition": source(RULE_ARN, also={"StringLike": {"aws:SourceAccount": "*"}})}, NO_ACCOUNT),
    ],
)
def test_a_relay_role_for_others_blocks(check, changes, problem):
    props = {"name": RELAY, "assumeRolePolicy": changed(RELAY_TRUST, **changes)}
    (violation,) = check(RELAY_ROLE_CONFINED, ROLE, props).violations
    assert violation.startswith("Role 'thing' of the relay: statement 1 (OurOwnResourcesOnly) of its trust")
    assert problem in violation


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        *TRUST_PROBLEMS[:1],
        *TRUST_PROBLEMS[5:],
        (
            {"Principal": {"Service": "events.amazonaws.com"}},
            "trusts somebody else than scheduler.amazonaws.com",
        ),
        ({"Condition": None}, NO_GROUP),
        ({"Condition": OWN_ACCOUNT}, NO_GROUP),
        ({"Condition": source(f"arn:aws:scheduler:*:{ACCOUNT}:schedule/breakglass/x")}, NO_GROUP),
        ({"Condition": source("arn:aws:scheduler:*:*:schedule-group/breakglass")}, NO_GROUP),
        ({"Condition": source(f"arn:aws:scheduler:*:{ACCOUNT}:*")}, NO_GROUP),
        ({"Condition": source(f"arn:aws:scheduler:*:{ACCOUNT}:schedule-group/x", "StringEquals")}, NO_GROUP),
    ],
)
def test_a_heartbeat_role_that_scheduler_cannot_use_blocks(check, changes, problem):
    props = {"name": HEARTBEAT, "assumeRolePolicy": changed(HEARTBEAT_TRUST, **changes)}
    (violation,) = check(SCHEDULE_TRUST_NAMES_GROUP, ROLE, props).violations
    assert violation.startswith("Role 'thing' of the heartbeat: statement 1")
    assert problem in violation


@pytest.mark.parametrize(
    ("rule", "name"), [(RELAY_ROLE_CONFINED, RELAY), (SCHEDULE_TRUST_NAMES_GROUP, HEARTBEAT)]
)
def test_a_trust_policy_that_cannot_be_read_or_used_blocks(check, rule, name, unknown):
    for document in ODD_DOCUMENTS:
        (violation,) = check(rule, ROLE, {"name": name, "assumeRolePolicy": document}).violations
        assert "could not read its trust policy" in violation
    nobody = changed(RELAY_TRUST, Effect="Deny")
    (violation,) = check(rule, ROLE, {"name": name, "assumeRolePolicy": nobody}).violations
    assert "its trust policy lets nobody use it" in violation
    assert check(rule, ROLE, {"name": unknown}).unknown == "name"
    assert check(rule, ROLE, {"name": name, "assumeRolePolicy": unknown}).unknown == "assumeRolePolicy"


PERMISSION_PROBLEMS = [
    ({"Action": "events:*"}, "allows more than events:PutEvents"),
    ({"Action": ["events:PutEvents", "events:PutRule"]}, "allows more than events:PutEvents"),
    ({"Action": None, "NotAction": "iam:*"}, "allows more than events:PutEvents"),
    ({"Resource": "*"}, "is not limited to event buses"),
    ({"Resource": [HUB, HUB + "*"]}, "is not limited to event buses"),
    ({"Resource": HUB.replace("us-east-1", "*")}, "is not limited to event buses"),
    ({"Resource": HUB.replace("event-bus", "rule")}, "is not limited to event buses"),
    ({"Resource": None}, "is not limited to event buses"),
    ({"Resource": None, "NotResource": HUB}, "is not limited to event buses"),
]


@pytest.mark.parametrize(("changes", "problem"), PERMISSION_PROBLEMS)
def test_a_relay_role_that_does_more_blocks(check, changes, problem):
    policy = changed(RELAY_PERMISSION, **changes)
    (violation,) = check(RELAY_ROLE_CONFINED, ROLE_POLICY, {"role": RELAY, "policy": policy}).violations
    assert violation.startswith(f"RolePolicy 'thing' of the relay: statement 1 (ForwardToTheHub) {problem}")
    role = {"name": RELAY, "assumeRolePolicy": RELAY_TRUST, "inlinePolicies": [{"policy": policy}]}
    (violation,) = check(RELAY_ROLE_CONFINED, ROLE, role).violations
    assert problem in violation


@pytest.mark.parametrize(
    ("kind", "props"),
    [
        (ROLE_POLICY_ATTACHMENT, {"role": RELAY, "policyArn": UNKNOWN_STRING_VALUE}),
        (ROLE, {"name": RELAY, "assumeRolePolicy": RELAY_TRUST, "managedPolicyArns": [UNKNOWN_STRING_VALUE]}),
    ],
)
def test_a_managed_policy_on_the_relay_role_blocks(check, kind, props):
    (violation,) = check(RELAY_ROLE_CONFINED, kind, props).violations
    assert "it has a managed policy" in violation


def test_an_odd_permission_blocks_and_an_unknown_one_is_left_to_the_engine(check, unknown):
    for document in ODD_DOCUMENTS:
        (violation,) = check(RELAY_ROLE_CONFINED, ROLE_POLICY, {"role": RELAY, "policy": document}).violations
        assert "could not read its policy" in violation
    assert check(RELAY_ROLE_CONFINED, ROLE_POLICY, {"role": RELAY, "policy": unknown}).unknown == "policy"
    partly = {"name": RELAY, "assumeRolePolicy": unknown, "managedPolicyArns": ["arn:aws:iam::aws:policy/X"]}
    outcome = check(RELAY_ROLE_CONFINED, ROLE, partly)
    assert (outcome.unknown, len(outcome.violations)) == ("assumeRolePolicy", 1)


@pytest.mark.parametrize(
    "rule", [RELAY_ROLE_CONFINED, SCHEDULE_TRUST_NAMES_GROUP], ids=lambda rule: rule.name
)
@pytest.mark.parametrize(
    ("kind", "props"),
    [
        (ROLE, {"name": "Other"}),
        (ROLE, {}),
        (ROLE_POLICY, {"role": "Other"}),
        ("aws:iam/user:User", {"name": RELAY}),
    ],
)
def test_other_resources_are_not_applicable(check, rule, kind, props):
    assert check(rule, kind, props).not_applicable


def test_names_come_from_the_configuration(check):
    config = {"relayRoleName": "R", "relayRulePrefix": "forward-", "heartbeatRoleName": "H"}
    trust = json.dumps(RELAY_TRUST).replace("rule/breakglass-relay", "rule/forward-")
    assert check(RELAY_ROLE_CONFINED, ROLE, {"name": "R", "assumeRolePolicy": trust}, config=config).passed
    assert check(RELAY_ROLE_CONFINED, ROLE, {"name": RELAY}, config=config).not_applicable
    assert check(SCHEDULE_TRUST_NAMES_GROUP, ROLE, {"name": "H"}, config=config).violations


ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}


def bus(policy: Any, name: str | None = "breakglass") -> dict[str, Any]:
    return {"eventBusName": name, "policy": policy}


@pytest.mark.parametrize("organization", [None, "o-abcdefghij"])
def test_the_programs_own_bus_policy_passes(check, organization):
    document = documents.hub_bus(
        account_id=ACCOUNT, region="us-east-1", member_account_ids=["2" * 12], organization_id=organization
    )
    for name in ("breakglass", HUB):
        assert check(BUS_POLICY_SCOPED, EVENT_BUS_POLICY, bus(json.dumps(document), name)).passed


STATEMENT = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "events:PutEvents", "Resource": HUB}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Principal": "*"}, "lets every AWS account"),
        ({"Principal": {"AWS": "*"}}, "lets every AWS account"),
        ({"Principal": None, "NotPrincipal": {"AWS": ACCOUNT}}, "lets every AWS account"),
        ({"Principal": None, "NotPrincipal": "*", "Condition": ORGANIZATION}, "lets every AWS account"),
        (
            {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}},
            "lets every AWS account",
        ),
        (
            {"Principal": "*", "Condition": {"StringEqualsIfExists": ORGANIZATION["StringEquals"]}},
            "lets every",
        ),
        ({"Principal": "*", "Condition": OWN_ACCOUNT}, "lets every AWS account"),
        ({"Principal": None}, "names no principal"),
        ({"Action": "events:*"}, "allows more than events:PutEvents"),
        ({"Action": ["events:PutEvents", "events:DisableRule"]}, "allows more than events:PutEvents"),
    ],
)
def test_a_bus_that_is_open_blocks(check, changes, problem):
    policy = changed({"Statement": [STATEMENT]}, **changes)
    (violation,) = check(BUS_POLICY_SCOPED, EVENT_BUS_POLICY, bus(policy)).violations
    assert violation.startswith(f"EventBusPolicy 'thing' (breakglass): statement 1 {problem}")


def test_an_odd_bus_policy_blocks_and_an_unknown_one_is_left_to_the_engine(check, unknown):
    for document in ODD_DOCUMENTS:
        (violation,) = check(BUS_POLICY_SCOPED, EVENT_BUS_POLICY, bus(document)).violations
        assert "could not read the policy" in violation
    assert check(BUS_POLICY_SCOPED, EVENT_BUS_POLICY, bus(unknown)).unknown == "policy"
    assert check(BUS_POLICY_SCOPED, EVENT_BUS_POLICY, bus("{", unknown)).unknown == "eventBusName"


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
    ],
)
def test_single_permissions_of_the_bus(check, props, problems):
    outcome = check(BUS_POLICY_SCOPED, EVENT_PERMISSION, {"eventBusName": "breakglass"} | props)
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
def test_other_buses_are_not_applicable(check, kind, props):
    assert check(BUS_POLICY_SCOPED, kind, props).not_applicable
    config = {"eventBusName": "b"}
    assert check(BUS_POLICY_SCOPED, EVENT_BUS_POLICY, bus("{", "b"), config=config).violations


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.sampled_from(
        [UNKNOWN_STRING_VALUE, "*", "{", json.dumps(RELAY_TRUST), json.dumps(RELAY_PERMISSION)]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["policy", "x"]), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["assumeRolePolicy", "policy", "inlinePolicies", "managedPolicyArns", "principal", "action", "condition"]
)
KINDS = st.sampled_from([ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT, EVENT_BUS_POLICY, EVENT_PERMISSION])
NAMES = st.fixed_dictionaries(
    {
        "name": st.sampled_from([RELAY, HEARTBEAT]) | VALUES,
        "role": st.just(RELAY) | VALUES,
        "eventBusName": st.just("breakglass") | VALUES,
    }
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@given(KINDS, NAMES, st.dictionaries(KEYS, VALUES))
def test_no_properties_raise_anything_but_unknown(check, rule, kind, names, props):
    check(rule, kind, names | props)
