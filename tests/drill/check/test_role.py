"""The role is as intended, and only the users can assume it."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from breakglass import documents
from drill import stacks
from drill.check import stack_state as stack_states
from drill.check.finding import CheckFinding
from drill.check.probes import role
from drill.check.runner import answer
from drill.check.stack_state import StackState
from tests.drill import deployed
from tests.drill.conftest import Broken, Look, mends, states, unseen

HUB, MEMBER, STRANGER = "111111111111", "222222222222", "333333333333"
URN = "break-glass-role-role"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
TRUST = documents.role_trust(user_account_id=HUB, user_names=["BreakglassUser"], mfa_max_age=3600)
(STATEMENT,) = TRUST["Statement"]
USER = f"arn:aws:iam::{HUB}:user/BreakglassUser"


# ---- as rendered


def of_the_role(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], None]:
    """Only in the answers about the break-glass role: the relay's roles are asked for as well."""

    def changed(answer: dict[str, Any]) -> None:
        if answer["Role"]["RoleName"] == "BreakGlassRole":
            change(answer["Role"])

    return changed


def test_the_deployed_role_is_ready(look: Look) -> None:
    for stack_state in look():
        assert [finding.text for finding in answer(role.permissions, stack_state)] == [
            "role and attachments match this version: 2 resources",
            "role BreakGlassRole: no further policy attached",
            "role BreakGlassRole: no inline policy",
        ]


# (operation, how its answer changes, what is said)
CHANGED = [
    (
        "GetRole",
        of_the_role(lambda role: role.update(MaxSessionDuration=43200)),
        "role BreakGlassRole: maxSessionDuration is 43200, must be 3600",
    ),
    (
        "GetRole",
        of_the_role(lambda role: role.update(PermissionsBoundary={"PermissionsBoundaryArn": ADMIN})),
        "role BreakGlassRole: permissionsBoundary is",
    ),
    (
        "ListAttachedRolePolicies",
        lambda answer: answer.update(AttachedPolicies=[]),
        "attachment of IAMFullAccess does not exist",
    ),
    (
        "ListAttachedRolePolicies",
        lambda answer: answer["AttachedPolicies"].append({"PolicyName": "A", "PolicyArn": ADMIN}),
        f"role BreakGlassRole has a further policy {ADMIN}",
    ),
    (
        "ListRolePolicies",
        lambda answer: answer.update(PolicyNames=["backdoor"]),
        "role BreakGlassRole has an inline policy backdoor",
    ),
]


@pytest.mark.parametrize(("operation", "change", "text"), CHANGED)
def test_what_is_not_as_meant_is_named_with_its_fix(
    look: Look, broken: Broken, operation: str, change: Any, text: str
) -> None:
    broken.answer(operation, change)
    (stack_state,) = look("member")
    wrong = [one for one in answer(role.permissions, stack_state) if one.state.value == "not ready"]
    assert len(wrong) == 1, wrong
    assert wrong[0].text.startswith(text)
    assert "pulumi up -s member" in mends(wrong[0]) or "BreakGlassRole --policy-" in mends(wrong[0])


def test_a_role_that_is_gone_is_said_once(look: Look, broken: Broken) -> None:
    broken.refuse("GetRole", "NoSuchEntity")
    (stack_state,) = look("member")
    findings = answer(role.permissions, stack_state)
    assert states(findings) == ["not ready"]
    assert findings[0].text.startswith("role BreakGlassRole does not exist")
    (finding,) = answer(role.trust, stack_state)
    assert finding.text == "role BreakGlassRole does not exist: nobody can assume it"
    assert "pulumi up -s member" in mends(finding)


def test_what_cannot_be_read_hides_nothing_else(look: Look, broken: Broken) -> None:
    broken.refuse("ListAttachedRolePolicies", "AccessDenied")
    broken.answer("ListRolePolicies", lambda answer: answer.update(PolicyNames=["backdoor"]))
    (stack_state,) = look("member")
    findings = answer(role.permissions, stack_state)
    assert states(findings) == ["could not tell", "could not tell", "not ready"]
    assert findings[1].text == (
        "access denied to ListAttachedRolePolicies: `python -m drill policy` prints what is needed"
    )


UNREADABLE = [
    ("AccessDenied", "access denied to GetRole: `python -m drill policy` prints what is needed"),
    ("Throttling", "throttled at GetRole, 5 times: try again later"),
]


@pytest.mark.parametrize(("code", "text"), UNREADABLE)
def test_a_role_that_cannot_be_read_is_not_taken_for_ready(
    look: Look, broken: Broken, code: str, text: str
) -> None:
    broken.refuse("GetRole", code)
    (stack_state,) = look("member")
    (finding,) = answer(role.trust, stack_state)
    assert (finding.state.value, finding.text) == ("could not tell", text)
    assert answer(role.permissions, stack_state)[0].text == f"cannot be read: {text}"


def test_an_answer_without_lists_has_nothing_further(look: Look, broken: Broken) -> None:
    broken.answer("ListRolePolicies", lambda answer: answer.clear())
    (stack_state,) = look("member")
    assert states(answer(role.permissions, stack_state)) == ["ready"] * 3


# ---- trust


@pytest.fixture(scope="module")
def seen(aws: str) -> dict[str, StackState]:
    everything = stacks.load()
    accounts = [deployed.account(stack.account_id, aws) for stack in everything]
    found = stack_states.prepare(everything, accounts, only=("mgmt", "member"), progress=unseen)
    return {one.stack.name: one for one in found}


def trusting(stack_state: StackState, document: object) -> list[CheckFinding]:
    """The findings where the live trust policy is this one."""
    found = {"assumeRolePolicy": json.dumps(document)}
    return answer(role.trust, replace(stack_state, live={**stack_state.live, URN: found}))


def changed(**more: Any) -> dict[str, Any]:
    return TRUST | {"Statement": [STATEMENT | more]}


def also(**more: Any) -> dict[str, Any]:
    return TRUST | {"Statement": [STATEMENT, {"Effect": "Allow", "Action": "sts:AssumeRole"} | more]}


def conditions(**more: Any) -> dict[str, Any]:
    return {"Condition": {name: value for name, value in (STATEMENT["Condition"] | more).items() if value}}


def said(findings: list[CheckFinding], state: str) -> list[str]:
    return [finding.text for finding in findings if finding.state.value == state]


@pytest.mark.parametrize("stack", ["mgmt", "member"])
def test_only_the_user_with_a_fresh_mfa_sign_in_can_assume_the_role(
    seen: dict[str, StackState], stack: str
) -> None:
    findings = answer(role.trust, seen[stack])
    assert states(findings) == ["ready", "ready"]
    assert findings[0].text == "BreakglassUser (just signed in with MFA) can assume it"
    assert "others were tried and cannot: without MFA" in findings[1].text


ANY = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}
NOBODY = conditions(ArnEquals={"aws:PrincipalArn": f"arn:aws:iam::{HUB}:user/Other"})

# (trust policy, stack, who is said to get in)
LET_IN = [
    (changed(**conditions(Bool=None, NumericLessThanEquals=None)), "member", "(no MFA, by an access key)"),
    (changed(**conditions(NumericLessThanEquals=None)), "member", "(MFA 3601 seconds ago)"),
    (
        changed(
            **conditions(
                Bool=None, NumericLessThanEquals=None, BoolIfExists={"aws:MultiFactorAuthPresent": "true"}
            )
        ),
        "member",
        "BreakglassUser (no MFA, by an access key)",
    ),
    (
        changed(**conditions(NumericLessThanEquals={"aws:MultiFactorAuthAge": "7200"})),
        "mgmt",
        "(MFA 3601 seconds ago)",
    ),
    (changed(**conditions(ArnEquals=None)), "member", "another user of the hub account"),
    (also(Principal={"AWS": f"arn:aws:iam::{HUB}:root"}), "member", "a role's session of the hub account"),
    (also(Principal={"AWS": HUB}), "mgmt", "root of the hub account"),
    (also(Principal={"AWS": f"arn:aws:iam::{MEMBER}:root"}), "member", "another user of this account"),
    (also(Principal={"AWS": f"arn:aws:iam::{STRANGER}:root"}), "member", f"user of account {STRANGER}"),
    (
        also(Principal={"AWS": STRANGER}),
        "mgmt",
        f"BreakglassUser of account {STRANGER} can assume it: Statement[1] of the trust policy allows it.",
    ),
    (
        also(Principal={"AWS": f"arn:aws:iam::{HUB}:role/path/Admin"}),
        "member",
        f"arn:aws:iam::{HUB}:role/path/Admin",
    ),
    (also(Principal={"AWS": [f"arn:aws:iam::{STRANGER}:user/eve"]}), "member", "user/eve can assume it"),
    (
        also(Principal={"AWS": f"arn:aws:sts::{HUB}:assumed-role/Admin/ann"}),
        "member",
        "assumed-role/Admin/ann can assume it",
    ),
    (
        changed(
            **conditions(ArnEquals=None, ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{HUB}:user/Break*"})
        ),
        "member",
        f"arn:aws:iam::{HUB}:user/Breakx can assume it",
    ),
    (
        also(
            Principal={"AWS": "*"}, Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin*"}}
        ),
        "member",
        ":role/Adminx",
    ),
    (also(Principal="*"), "mgmt", "a role's session of the hub account"),
    (also(Principal={"Service": "ec2.amazonaws.com"}), "member", "Service ec2.amazonaws.com"),
    (
        also(
            Principal={"Service": ["lambda.amazonaws.com"]},
            Condition={"StringEquals": {"aws:SourceAccount": HUB}},
        ),
        "member",
        "Service lambda.amazonaws.com",
    ),
    (
        also(
            Principal={"Federated": f"arn:aws:iam::{HUB}:saml-provider/Okta"}, Action="sts:AssumeRoleWithSAML"
        ),
        "mgmt",
        "Federated arn:aws:iam::111111111111:saml-provider/Okta",
    ),
]


@pytest.mark.parametrize(("document", "stack", "who"), LET_IN)
def test_whoever_else_gets_in_is_named(
    seen: dict[str, StackState], document: object, stack: str, who: str
) -> None:
    findings = trusting(seen[stack], document)
    wrong = [finding for finding in findings if finding.state.value == "not ready"]
    assert any(who in finding.text for finding in wrong), wrong
    assert all(f"pulumi up -s {stack}" in mends(finding) for finding in wrong)


# (trust policy, why the user cannot)
SHUT_OUT = [
    (changed(**NOBODY), "ArnEquals: aws:PrincipalArn is"),
    (changed(Principal={"AWS": "AIDACKCEVSQ6C2EXAMPLE"}), "has since been deleted"),
    (changed(Action="sts:TagSession"), "it is not about the action sts:AssumeRole"),
    (TRUST | {"Statement": [STATEMENT, STATEMENT | {"Effect": "Deny", "Sid": "No"}]}, "denies it explicitly"),
    (TRUST | {"Statement": []}, "no statement of the trust policy applies"),
    (changed(**conditions(NumericLessThanEquals={"aws:MultiFactorAuthAge": "10"})), "aws:MultiFactorAuthAge"),
]


@pytest.mark.parametrize(("document", "why"), SHUT_OUT)
def test_a_user_who_cannot_get_in_is_not_ready(
    seen: dict[str, StackState], document: object, why: str
) -> None:
    findings = trusting(seen["member"], document)
    text = said(findings, "not ready")[0]
    assert text.startswith("BreakglassUser (just signed in with MFA) cannot assume it: ")
    assert why in text
    assert "pulumi up -s member" in mends(findings[0])


# (trust policy, what cannot be told)
UNTOLD = [
    (changed(**conditions(IpAddress={"aws:SourceIp": "192.0.2.0/24"})), "'IpAddress of aws:SourceIp'"),
    (changed(**conditions(StringEquals={"sts:ExternalId": "x"})), "'StringEquals of sts:ExternalId'"),
    (changed(**conditions(Odd={"aws:PrincipalArn": USER})), "'Odd'"),
    (
        changed(**conditions(ArnEquals={"aws:PrincipalArn": f"arn:aws:iam::{HUB}:user/${{aws:username}}"})),
        "of",
    ),
    (changed(Condition=[]), "the Condition is a list instead of an object"),
    (changed(Condition={"Bool": {}}), "names no condition key"),
    (changed(Effect="Perhaps"), "its Effect is"),
    (changed(Surprise=1), "unknown element 'Surprise'"),
    (TRUST | {"Statement": ["x"]}, "instead of an object"),
    ({"Version": "2012-10-17"}, "the trust policy has no Statement"),
    ({}, "the trust policy has no Statement"),
    ([], "is a list instead of a JSON object"),
    ("%7Bodd", "instead of a JSON object"),
    (None, "instead of a JSON object"),
]


@pytest.mark.parametrize(("document", "why"), UNTOLD)
def test_what_the_document_leaves_open_is_not_taken_for_ready(
    seen: dict[str, StackState], document: object, why: str
) -> None:
    findings = trusting(seen["member"], document)
    assert said(findings, "not ready") == []
    assert any(why in text for text in said(findings, "could not tell")), findings


def test_one_reason_for_everybody_is_said_once(seen: dict[str, StackState]) -> None:
    findings = trusting(seen["member"], {})
    assert states(findings) == ["could not tell", "could not tell"]
    assert " and " in findings[1].text
    assert " more can assume it: the trust policy has no Statement." in findings[1].text


@pytest.mark.parametrize("pattern", ["*Admin*", "*", "arn:aws:iam::*:*", 7])
def test_a_pattern_of_principals_that_nobody_can_be_made_up_from_leaves_it_open(
    seen: dict[str, StackState], pattern: object
) -> None:
    document = also(Principal={"AWS": "*"}, Condition={"StringLike": {"aws:PrincipalArn": pattern}})
    texts = said(trusting(seen["member"], document), "could not tell")
    assert f"the trust policy names {pattern}: it is unknown whether that is a principal" in texts


def test_a_statement_that_more_than_our_conditions_narrow_lets_nobody_in_for_sure(
    seen: dict[str, StackState],
) -> None:
    document = also(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-example"}})
    findings = trusting(seen["member"], document)
    assert said(findings, "not ready") == []
    assert any("'StringEquals of aws:PrincipalOrgID'" in text for text in said(findings, "could not tell"))
    assert said(findings, "ready") == ["BreakglassUser (just signed in with MFA) can assume it"]


def test_a_hardened_trust_policy_keeps_the_others_out_for_sure(seen: dict[str, StackState]) -> None:
    document = changed(**conditions(IpAddress={"aws:SourceIp": "192.0.2.0/24"}))
    findings = trusting(seen["member"], document)
    assert states(findings) == ["could not tell", "ready"]


def test_each_user_is_tried(seen: dict[str, StackState]) -> None:
    stack_state = seen["member"]
    settings = stack_state.stack.settings
    names = replace(settings.user, names=("BreakglassUser", "Second"))
    two = replace(stack_state, stack=replace(stack_state.stack, settings=replace(settings, user=names)))
    findings = answer(role.trust, two)
    assert said(findings, "ready")[0] == "BreakglassUser (just signed in with MFA) can assume it"
    assert said(findings, "not ready")[0].startswith("Second (just signed in with MFA) cannot assume it")
