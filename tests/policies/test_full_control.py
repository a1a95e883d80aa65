"""Full control of IAM, judged by what can be done."""

import json
import re
from typing import Any

import pytest
from breakglass_policies.full_control import ANOTHER, AWS_MANAGED, ITSELF, full_control
from hypothesis import given
from hypothesis import strategies as st
from moto.iam.aws_managed_policies import aws_managed_policies_data


def allow(action: Any = "iam:*", resource: Any = "*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def without(statement, key):
    return {name: value for name, value in statement.items() if name != key}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def means(value, held_by="user"):
    """Return the actions that give full control to what holds the policy."""
    found = full_control(value, held_by)
    assert isinstance(found, tuple), found
    return found


NOT_ACTION = without(allow(), "Action")
NOT_RESOURCE = without(allow(), "Resource")

VERBS = ("Add", "Attach", "Create", "Deactivate", "Delete", "Detach", "Put", "Set", "Update")
KINDS = ("user", "role", "group", "policy")
FULL = {
    "iam:*": allow(),
    "everything": allow("*"),
    "case": allow("IAM:*"),
    "two stars": allow("iam:**"),
    "service wildcard": allow("*:*"),
    "question mark that every action has": allow("iam:?*"),
    "list": allow(["s3:GetObject", "iam:*"]),
    "by initial letters": allow([f"iam:{letter}*" for letter in "acdpsu"]),
    "by verbs": allow([f"iam:{verb}*" for verb in VERBS]),
    "condition": allow(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
    "list of resources": allow(resource=["arn:aws:s3:::x", "*"]),
    "every IAM ARN": allow(resource="arn:aws:iam::*:*"),
    "every partition": allow(resource="arn:*:iam::*:*"),
    "China": allow(resource="arn:aws-cn:iam::*:*"),
    "short ARN": allow(resource="arn:aws:iam::*"),
    "shorter ARN": allow(resource="arn:aws:iam"),
    "short ARN of the account": allow(resource="arn:aws:iam::111111111111"),
    "one account": allow(resource="arn:aws:iam::111111111111:*"),
    "some accounts": allow(resource="arn:aws:iam::111*:*"),
    "some accounts by their end": allow(resource="arn:aws:iam::*1:*"),
    "all but a digit of an account": allow("*", resource="arn:aws:*:*:11111111111?:*"),
    "own account": allow(resource="arn:aws:iam::${aws:PrincipalAccount}:*"),
    "every kind": allow(resource=[f"arn:aws:iam::*:{kind}/*" for kind in KINDS]),
    "double star": allow(resource="**"),
    "NotResource": {**NOT_RESOURCE, "NotResource": "arn:aws:s3:::x"},
    "NotResource one role": {**NOT_RESOURCE, "NotResource": ["arn:aws:iam::*:role/Admin"]},
    "NotResource every role": {**NOT_RESOURCE, "NotResource": ["arn:aws:iam::*:role/*"]},
    "NotResource another account": {**NOT_RESOURCE, "NotResource": "arn:aws:iam::999999999999:*"},
    "NotResource some accounts": {**NOT_RESOURCE, "NotResource": "arn:aws:iam::1*:*"},
    "NotResource some names": {**NOT_RESOURCE, "NotResource": "arn:aws:iam::*:*/any*"},
    "names by their first letter": allow(resource=[f"*/{one}*" for one in "bcdefghijklmnopqrstuvwxyz"]),
    "NotAction other service": {**NOT_ACTION, "NotAction": ["s3:*"]},
    "NotAction text": {**NOT_ACTION, "NotAction": "organizations:*"},
    "NotAction reads": {**NOT_ACTION, "NotAction": ["iam:Get*", "iam:List*"]},
    "NotAction some writes": {**NOT_ACTION, "NotAction": ["iam:Create*", "iam:Delete*"]},
    "NotAction what makes administrators": {
        **NOT_ACTION,
        "NotAction": ["iam:Put*", "iam:Attach*", "iam:CreatePolicyVersion"],
    },
    "NotAction nothing": {**NOT_ACTION, "NotAction": []},
    "writes by verb": allow([f"iam:{verb}*" for verb in ("Create", "Put", "Attach", "Delete", "Update")]),
    "one action on everything": allow("iam:AttachUserPolicy"),
    "self-service": allow(resource="arn:aws:iam::*:user/${aws:username}"),
    "roles only": allow(resource="arn:aws:iam::*:role/*"),
    "lower-case element names": {"effect": "Allow", "ACTION": "iam:*", "resource": "*"},
}

NOT_FULL = {
    "other service": allow("s3:*"),
    "similar service": allow(["iamx:*", "ima:*"]),
    "reads": allow(["iam:Get*", "iam:List*", "iam:Generate*", "iam:Simulate*"]),
    "one verb": allow("iam:Create*"),
    "pass role": allow("iam:PassRole"),
    "one role": allow(resource="arn:aws:iam::*:role/app"),
    "some roles": allow(resource="arn:aws:iam::*:role/app-*"),
    "own MFA device": allow(["iam:EnableMFADevice"], resource="arn:aws:iam::*:user/${aws:username}"),
    "users' credentials": allow(["iam:CreateAccessKey", "iam:UpdateLoginProfile"]),
    "trust policies": allow("iam:UpdateAssumeRolePolicy"),
    "another path": allow(resource=["arn:aws:iam::*:user/app/*", "arn:aws:iam::*:role/app/*"]),
    "by a tag": allow(resource="arn:aws:iam::*:role/${aws:PrincipalTag/team}"),
    "other resources": allow("*", resource="arn:aws:s3:::*"),
    "deny": allow() | {"Effect": "Deny"},
    "deny without MFA": {"Effect": "Deny", "NotAction": ["iam:ListUsers"], "Resource": "*"},
    "NotAction credentials too": {
        **NOT_ACTION,
        "NotAction": ["iam:Put*", "iam:Attach*", "iam:Create*", "iam:UpdateA*", "iam:UpdateLoginProfile"],
    },
    "NotAction all of IAM": {**NOT_ACTION, "NotAction": ["iam:*", "organizations:*", "account:*"]},
    "NotAction all of IAM in capitals": {**NOT_ACTION, "NotAction": ["IAM:*"]},
    "NotAction everything": {**NOT_ACTION, "NotAction": ["*"]},
    "NotAction on one bucket": {**NOT_ACTION, "NotAction": ["s3:GetObject"], "Resource": "arn:aws:s3:::x"},
    "NotResource everything": {**NOT_RESOURCE, "NotResource": "*"},
    "NotResource all of IAM": {**NOT_RESOURCE, "NotResource": "arn:aws:iam::*:*"},
    "no actions": allow([]),
    "no resources": allow(resource=[]),
    "brackets are no wildcards": allow("[i]am:*"),
}


@pytest.mark.parametrize("statement", FULL.values(), ids=FULL.keys())
@pytest.mark.parametrize("shape", ["list", "object", "text"])
def test_full_access_is_found(statement, shape):
    value = document(statement)
    if shape == "object":
        value["Statement"] = statement
    assert means(json.dumps(value) if shape == "text" else value)


MINE = "arn:aws:iam::111111111111:policy/Boundary"
DELEGATED = allow(["iam:CreateUser", "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:CreateRole"])
ATTACHED = allow(["iam:AttachUserPolicy", "iam:DetachUserPolicy"])


@pytest.mark.parametrize("operator", ["StringEquals", "ArnEquals"])
@pytest.mark.parametrize(
    ("statement", "key"), [(DELEGATED, "iam:PermissionsBoundary"), (ATTACHED, "iam:PolicyARN")]
)
def test_delegation_as_aws_shows_it_is_not_full_access(statement, key, operator):
    """See access_policies_boundaries.html and access_controlling.html of the IAM user guide."""
    keys = allow(["iam:CreateAccessKey", "iam:CreateLoginProfile"])
    limited = statement | {"Condition": {operator: {key: [MINE, MINE + "2"]}}}
    assert means(document(limited, keys)) == ()
    assert means(document(limited, statement))
    for policy in ("*", MINE):
        assert means(document(limited, allow("iam:CreatePolicyVersion", resource=policy)))
    assert means(document(limited, allow("iam:DeleteUserPermissionsBoundary")))


@pytest.mark.parametrize(
    ("statement", "condition"),
    [
        (DELEGATED, {"StringEqualsIfExists": {"iam:PermissionsBoundary": MINE}}),
        (DELEGATED, {"ForAllValues:StringEquals": {"iam:PermissionsBoundary": MINE}}),
        (DELEGATED, {"StringNotEquals": {"iam:PermissionsBoundary": MINE}}),
        (DELEGATED, {"StringLike": {"iam:PermissionsBoundary": "*"}}),
        (
            DELEGATED,
            {"StringEquals": {"iam:PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}},
        ),
        (DELEGATED, {"StringEquals": {"iam:PermissionsBoundary": "${aws:PrincipalTag/boundary}"}}),
        (DELEGATED, {"ArnEquals": {"iam:PolicyARN": MINE}}),
        (ATTACHED, {"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/*"}}),
        (ATTACHED, {"ArnEquals": {"iam:PolicyARN": [MINE, "arn:aws:iam::aws:policy/IAMFullAccess"]}}),
        (ATTACHED, {"ArnNotEquals": {"iam:PolicyARN": MINE}}),
    ],
)
def test_what_does_not_limit_delegation_is_full_access(statement, condition):
    assert means(document(statement | {"Condition": condition}))


@pytest.mark.parametrize("statement", NOT_FULL.values(), ids=NOT_FULL.keys())
def test_less_is_not_full_access(statement):
    assert means(document(statement)) == ()


def test_full_access_cut_into_statements_is_found():
    first, second = ANOTHER[0]
    assert means(document(allow(first), allow("s3:*"), allow(second))) == (first, second)
    assert means(document(allow(first), allow("s3:*"))) == ()


@pytest.mark.parametrize(("held_by", "action"), [(kind, one) for kind in ITSELF for one in ITSELF[kind]])
def test_one_action_is_enough_for_a_holder_that_grants_itself_the_rest(held_by, action):
    assert means(document(allow(action)), held_by) == (action,)
    on_some = allow(action, resource="arn:aws:iam::*:*/app-*")
    assert means(document(on_some), held_by) == ()


@pytest.mark.parametrize("pair", ANOTHER)
def test_a_pair_is_enough_for_any_holder(pair):
    for held_by in ITSELF:
        assert means(document(allow(list(pair))), held_by)


def test_what_a_user_may_do_to_roles_is_not_yet_full_control():
    assert means(document(allow(["iam:AttachRolePolicy", "iam:PutRolePolicy"])), "user") == ()
    assert means(document(allow(["iam:AttachUserPolicy", "iam:PutUserPolicy"])), "role") == ()


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_a_partition_is_everything(partition):
    assert means(document(allow(resource=f"arn:{partition}:iam::*:*")))


def test_the_policies_of_aws_are_judged_by_their_texts():
    """If moto knows new policies, this says which of them give full control."""
    found = {}
    for name, policy in json.loads(aws_managed_policies_data).items():
        text = json.dumps(policy["Document"])
        if not re.search(r'"(iam:[*ACPU]|\*"|NotAction)', text):  # quick: no statement can be about writes
            continue
        holders = tuple(kind for kind in ("user", "role", "group") if means(policy["Document"], kind))
        if holders:
            found[name] = holders
    assert found == AWS_MANAGED


def test_a_deny_statement_does_not_excuse():
    assert means(document(allow("*"), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
ELEMENTS = st.sampled_from(["Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"])
PATTERNS = st.sampled_from(["*", "iam:*", "s3:*", "arn:aws:iam::*:*", "Allow", "Deny"]) | JSON
STATEMENTS = st.dictionaries(ELEMENTS, PATTERNS | st.lists(PATTERNS, max_size=2)) | JSON
DOCUMENTS = st.fixed_dictionaries({"Statement": STATEMENTS | st.lists(STATEMENTS, max_size=3)}) | JSON


@given(DOCUMENTS | DOCUMENTS.map(json.dumps) | st.text())
def test_no_document_raises(value):
    for held_by in ITSELF:
        full_control(value, held_by)


@given(st.lists(st.sampled_from(list(NOT_FULL.values())), max_size=4), st.sampled_from(list(FULL.values())))
def test_nothing_that_is_added_hides_full_access(others, full):
    assert means(document(*others, full))
    assert means(document(full, *others))
