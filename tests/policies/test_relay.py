"""The roles of relays and heartbeat: who may use them, and what for."""

import json
from typing import Any

import pytest
from breakglass_policies.relay import (
    ROLE,
    ROLE_POLICY,
    ROLE_POLICY_ATTACHMENT,
    relay_role_confined,
    schedule_trust_names_group,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from breakglass import documents, naming

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
HEARTBEAT_GROUP = f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule-group/breakglass"
RULE_ARN = f"arn:aws:events:*:{ACCOUNT}:rule/breakglass-relay*"
RELAY_TRUST = documents.relay_trust(account_id=ACCOUNT, rules=[RULE_ARN])
RELAY_PERMISSION = documents.relay_permission(bus_arn=HUB)
HEARTBEAT_TRUST = documents.heartbeat_trust(account_id=ACCOUNT)
NO_RULE = "is not limited to rules of the relay to the hub"
NO_ACCOUNT = "is not limited to an account"
NO_GROUP = "is not limited to schedules of a group"


def test_the_programs_own_roles_pass(check):
    permission = {"role": RELAY, "policy": json.dumps(RELAY_PERMISSION)}
    assert check(relay_role_confined, ROLE_POLICY, permission).passed
    trust = {"name": RELAY, "assumeRolePolicy": json.dumps(RELAY_TRUST)}
    for inline in (None, [], [{"policy": json.dumps(RELAY_PERMISSION)}], [{}], ["odd"]):
        assert check(relay_role_confined, ROLE, trust | {"inlinePolicies": inline}).passed
    heartbeat = {"name": HEARTBEAT, "assumeRolePolicy": HEARTBEAT_TRUST}
    assert check(schedule_trust_names_group, ROLE, heartbeat).passed


@pytest.mark.parametrize(
    ("role", "rules"),
    [
        (RELAY, f"arn:aws:events:*:{ACCOUNT}:rule/breakglass-relay*"),
        ("BreakGlassWatchdogRelay", f"arn:aws:events:*:{ACCOUNT}:rule/breakglass-watchdog*"),
        ("BreakGlassKeyRelay", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/capture-breakglass-key-change"),
    ],
)
def test_each_role_is_for_its_own_rules_and_for_none_of_the_other_way(check, role, rules):
    for other in naming.RELAY_ROLES:
        trust = documents.relay_trust(account_id=ACCOUNT, rules=[rules])
        outcome = check(relay_role_confined, ROLE, {"name": other, "assumeRolePolicy": trust})
        assert outcome.passed == (other == role)


OTHERS, MORE, SHUT_OUT = (
    "trusts principals other than",
    "allows actions other than sts:AssumeRole",
    "does not let",
)
TRUST_PROBLEMS = [
    ({"Principal": "*"}, [OTHERS]),
    ({"Principal": None}, [OTHERS, SHUT_OUT]),
    ({"Principal": {"AWS": ACCOUNT}}, [OTHERS, SHUT_OUT]),
    ({"Principal": {"Service": "lambda.amazonaws.com"}}, [OTHERS, SHUT_OUT]),
    ({"Principal": None, "NotPrincipal": {"Service": "lambda.amazonaws.com"}}, [OTHERS, SHUT_OUT]),
    ({"Action": ["sts:AssumeRole", "sts:TagSession"]}, [MORE]),
    ({"Action": "sts:*"}, [MORE]),
]


def problems_of(check, policy, name, trust):
    return check(policy, ROLE, {"name": name, "assumeRolePolicy": trust}).violations


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        *TRUST_PROBLEMS,
        ({"Principal": {"Service": ["events.amazonaws.com", "lambda.amazonaws.com"]}}, [OTHERS]),
        ({"Condition": None}, [NO_RULE, NO_ACCOUNT]),
        ({"Condition": OWN_ACCOUNT}, [NO_RULE]),
        ({"Condition": source(f"arn:aws:events:*:{ACCOUNT}:rule/*", also=OWN_ACCOUNT)}, [NO_RULE]),
        ({"Condition": source(RULE_ARN.replace(ACCOUNT, "*"), also=OWN_ACCOUNT)}, [NO_RULE]),
        ({"Condition": source([RULE_ARN, "*"], also=OWN_ACCOUNT)}, [NO_RULE]),
        ({"Condition": source(RULE_ARN, "ArnLikeIfExists", also=OWN_ACCOUNT)}, [NO_RULE]),
        ({"Condition": source(RULE_ARN, "ArnNotLike", also=OWN_ACCOUNT)}, [SHUT_OUT, NO_RULE]),
        (
            {"Condition": {"StringEquals": {"aws:SourceArn": RULE_ARN, "aws:SourceAccount": ACCOUNT}}},
            [SHUT_OUT],
        ),
        ({"Condition": source(RULE_ARN)}, [NO_ACCOUNT]),
        ({"Condition": source(RULE_ARN, also={"StringLike": {"aws:SourceAccount": "*"}})}, [NO_ACCOUNT]),
        (
            {
                "Condition": source(
                    RULE_ARN, also=OWN_ACCOUNT | {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
                )
            },
            [SHUT_OUT],
        ),
    ],
)
def test_a_relay_role_for_others_or_not_for_the_relay_blocks(check, changes, problems):
    violations = problems_of(check, relay_role_confined, RELAY, changed(RELAY_TRUST, **changes))
    assert len(violations) == len(problems)
    for violation, problem in zip(violations, problems, strict=True):
        assert violation.startswith("Role 'thing' of the relay: ")
        assert problem in violation
        assert "(OurOwnResourcesOnly)" in violation


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        *TRUST_PROBLEMS,
        ({"Principal": {"Service": "events.amazonaws.com"}}, [OTHERS, SHUT_OUT]),
        ({"Condition": None}, [NO_GROUP]),
        ({"Condition": OWN_ACCOUNT}, [NO_GROUP]),
        ({"Condition": source(f"arn:aws:scheduler:*:{ACCOUNT}:schedule/breakglass/x")}, [SHUT_OUT, NO_GROUP]),
        ({"Condition": source("arn:aws:scheduler:*:*:schedule-group/breakglass")}, [NO_GROUP]),
        ({"Condition": source(f"arn:aws:scheduler:*:{ACCOUNT}:*")}, [NO_GROUP]),
        (
            {"Condition": source(f"arn:aws:scheduler:*:{ACCOUNT}:schedule-group/x", "StringEquals")},
            [SHUT_OUT],
        ),
    ],
)
def test_a_heartbeat_role_for_others_or_not_for_scheduler_blocks(check, changes, problems):
    violations = problems_of(
        check, schedule_trust_names_group, HEARTBEAT, changed(HEARTBEAT_TRUST, **changes)
    )
    assert len(violations) == len(problems)
    for violation, problem in zip(violations, problems, strict=True):
        assert violation.startswith("Role 'thing' of the heartbeat: ")
        assert problem in violation


def test_another_group_of_the_account_may_be_named(check):
    for arn in (f"arn:aws:scheduler:*:{ACCOUNT}:schedule-group/x", HEARTBEAT_GROUP):
        trust = changed(HEARTBEAT_TRUST, Condition=source(arn))
        assert problems_of(check, schedule_trust_names_group, HEARTBEAT, trust) == ()


def test_a_denial_that_shuts_eventbridge_out_of_the_relay_role_blocks(check):
    own = RELAY_TRUST["Statement"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
    for condition in ({}, {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}}):
        trust = {**RELAY_TRUST, "Statement": [*own, deny | condition]}
        (violation,) = problems_of(check, relay_role_confined, RELAY, trust)
        assert "does not let events.amazonaws.com use it for rules of the relay to the hub" in violation
    mine = {
        **RELAY_TRUST,
        "Statement": [*own, deny | {"Condition": {"BoolIfExists": {"aws:SecureTransport": "false"}}}],
    }
    assert problems_of(check, relay_role_confined, RELAY, mine) == ()


def test_the_trust_policy_of_another_account_blocks(check):
    props = {"name": RELAY, "assumeRolePolicy": RELAY_TRUST}
    assert check(relay_role_confined, ROLE, props, account=ACCOUNT).passed
    (violation,) = check(relay_role_confined, ROLE, props, account="2" * 12).violations
    assert SHUT_OUT in violation


@pytest.mark.parametrize(
    ("policy", "name"), [(relay_role_confined, RELAY), (schedule_trust_names_group, HEARTBEAT)]
)
def test_a_trust_policy_that_cannot_be_read_or_used_blocks(check, policy, name, unknown):
    for document in ODD_DOCUMENTS:
        (violation,) = problems_of(check, policy, name, document)
        assert "its trust policy cannot be read" in violation
    (violation,) = problems_of(check, policy, name, changed(RELAY_TRUST, Effect="Deny"))
    assert SHUT_OUT in violation
    assert check(policy, ROLE, {"name": unknown}).unknown == "name"
    assert check(policy, ROLE, {"name": name, "assumeRolePolicy": unknown}).unknown == "assumeRolePolicy"


PERMISSION_PROBLEMS = [
    ({"Action": "events:*"}, "allows more than events:PutEvents"),
    ({"Action": ["events:PutEvents", "events:PutRule"]}, "allows more than events:PutEvents"),
    ({"Action": None, "NotAction": "iam:*"}, "allows more than events:PutEvents"),
    ({"Resource": "*"}, "is not limited to one event bus"),
    ({"Resource": [HUB, HUB + "*"]}, "is not limited to one event bus"),
    ({"Resource": [HUB, HUB + "-watchdog"]}, "is not limited to one event bus"),
    ({"Resource": HUB.replace("us-east-1", "*")}, "is not limited to one event bus"),
    ({"Resource": HUB.replace("event-bus", "rule")}, "is not limited to one event bus"),
    ({"Resource": None}, "is not limited to one event bus"),
    ({"Resource": None, "NotResource": HUB}, "is not limited to one event bus"),
]


@pytest.mark.parametrize(("changes", "problem"), PERMISSION_PROBLEMS)
def test_a_relay_role_that_does_more_blocks(check, changes, problem):
    policy = changed(RELAY_PERMISSION, **changes)
    (violation,) = check(relay_role_confined, ROLE_POLICY, {"role": RELAY, "policy": policy}).violations
    assert violation.startswith(f"RolePolicy 'thing' of the relay: statement 1 (Forward) {problem}")
    role = {"name": RELAY, "assumeRolePolicy": RELAY_TRUST, "inlinePolicies": [{"policy": policy}]}
    (violation,) = check(relay_role_confined, ROLE, role).violations
    assert problem in violation


@pytest.mark.parametrize(
    ("kind", "props"),
    [
        (ROLE_POLICY_ATTACHMENT, {"role": RELAY, "policyArn": UNKNOWN_STRING_VALUE}),
        (ROLE, {"name": RELAY, "assumeRolePolicy": RELAY_TRUST, "managedPolicyArns": [UNKNOWN_STRING_VALUE]}),
    ],
)
def test_a_managed_policy_on_the_relay_role_blocks(check, kind, props):
    (violation,) = check(relay_role_confined, kind, props).violations
    assert "it has a managed policy" in violation


def test_an_odd_permission_blocks_and_an_unknown_one_is_left_to_the_engine(check, unknown):
    for document in ODD_DOCUMENTS:
        (violation,) = check(relay_role_confined, ROLE_POLICY, {"role": RELAY, "policy": document}).violations
        assert "its policy cannot be read" in violation
    assert check(relay_role_confined, ROLE_POLICY, {"role": RELAY, "policy": unknown}).unknown == "policy"
    nothing_known = {"name": RELAY, "assumeRolePolicy": {}, "managedPolicyArns": unknown}
    outcome = check(relay_role_confined, ROLE, nothing_known)
    assert (outcome.unknown, len(outcome.violations)) == ("managedPolicyArns", 1)
    partly = {"name": RELAY, "assumeRolePolicy": unknown, "managedPolicyArns": ["arn:aws:iam::aws:policy/X"]}
    outcome = check(relay_role_confined, ROLE, partly)
    assert (outcome.unknown, len(outcome.violations)) == ("assumeRolePolicy", 1)


@pytest.mark.parametrize(
    "policy", [relay_role_confined, schedule_trust_names_group], ids=lambda policy: policy.name
)
@pytest.mark.parametrize(
    ("kind", "props"),
    [
        (ROLE, {"name": "Other"}),
        (ROLE, {"name": {"odd": []}}),
        (ROLE, {"name": ["odd"]}),
        (ROLE, {}),
        (ROLE_POLICY, {"role": "Other"}),
        ("aws:iam/user:User", {"name": RELAY}),
    ],
)
def test_other_resources_are_not_applicable(check, policy, kind, props):
    assert check(policy, kind, props).not_applicable
