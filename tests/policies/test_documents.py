import json
from typing import Any

import pytest
from breakglass_policies.documents import Unreadable, full_access_findings, parse
from hypothesis import given
from hypothesis import strategies as st


def allow(action: Any = "iam:*", resource: Any = "*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def without(statement, key):
    return {name: value for name, value in statement.items() if name != key}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def findings(value):
    statements = parse(value)
    assert isinstance(statements, list), statements
    return full_access_findings(statements)


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
    "one account": allow(resource="arn:aws:iam::111111111111:*"),
    "own account": allow(resource="arn:aws:iam::${aws:PrincipalAccount}:*"),
    "every kind": allow(resource=[f"arn:aws:iam::*:{kind}/*" for kind in KINDS]),
    "double star": allow(resource="**"),
    "NotResource": {**NOT_RESOURCE, "NotResource": "arn:aws:s3:::x"},
    "NotResource one role": {**NOT_RESOURCE, "NotResource": ["arn:aws:iam::*:role/Admin"]},
    "NotResource every role": {**NOT_RESOURCE, "NotResource": ["arn:aws:iam::*:role/*"]},
    "NotResource another account": {**NOT_RESOURCE, "NotResource": "arn:aws:iam::999999999999:*"},
    "NotAction other service": {**NOT_ACTION, "NotAction": ["s3:*"]},
    "NotAction text": {**NOT_ACTION, "NotAction": "organizations:*"},
    "NotAction reads": {**NOT_ACTION, "NotAction": ["iam:Get*", "iam:List*"]},
    "NotAction some writes": {**NOT_ACTION, "NotAction": ["iam:Create*", "iam:Delete*"]},
    "NotAction nothing": {**NOT_ACTION, "NotAction": []},
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
    "roles only": allow(resource="arn:aws:iam::*:role/*"),
    "self-service": allow(resource="arn:aws:iam::*:user/${aws:username}"),
    "other resources": allow("*", resource="arn:aws:s3:::*"),
    "deny": allow() | {"Effect": "Deny"},
    "deny without MFA": {"Effect": "Deny", "NotAction": ["iam:ListUsers"], "Resource": "*"},
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
    assert findings(json.dumps(value) if shape == "text" else value)


@pytest.mark.parametrize("statement", NOT_FULL.values(), ids=NOT_FULL.keys())
def test_less_is_not_full_access(statement):
    assert findings(document(statement)) == []


def test_full_access_cut_into_statements_is_found():
    halves = [allow(["iam:A*", "iam:C*", "iam:D*"]), allow("s3:*"), allow(["iam:P*", "iam:S*", "iam:U*"])]
    assert findings(document(*halves)) == [
        *("Action::iam:A*", "Action::iam:C*", "Action::iam:D*", "Resource::*"),
        *("Action::iam:P*", "Action::iam:S*", "Action::iam:U*"),
    ]
    assert findings(document(*halves[:2])) == []


def test_a_deny_statement_does_not_excuse():
    assert findings(document(allow("*"), {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow(["s3:*", "iam:*"]), ["Action::iam:*", "Resource::*"]),
        ({**NOT_ACTION, "NotAction": ["s3:*"]}, ["NotAction::s3:*", "Resource::*"]),
        ({**NOT_RESOURCE, "NotResource": "arn:aws:s3:::x"}, ["Action::iam:*", "NotResource::arn:aws:s3:::x"]),
    ],
)
def test_findings_name_what_grants(statement, expected):
    assert findings(document(statement)) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "it is missing"),
        ("", "it is missing"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("1" * 5_000, "it is not JSON"),
        ({"Statement": object()}, "it is not JSON"),
        ("[]", "it holds JSON of type list, not an object"),
        ("null", "it holds JSON of type NoneType, not an object"),
        (["x"], "it is of type list, not a JSON object"),
        (7, "it is of type int, not a JSON object"),
        ({}, "it has no Statement"),
        ({"Statement": None}, "it has no Statement"),
        ('{"Statement": [], "Statement": []}', "the same key twice"),
        ({"Statement": [], "statement": []}, "the same key twice"),
        ({"Statement": "Allow"}, "statement 1 is of type str, not an object"),
        (document(allow("s3:*"), 7), "statement 2 is of type int, not an object"),
        (document({"Action": "*", "Resource": "*"}), "the Effect of statement 1 is neither Allow nor Deny"),
        (document(allow() | {"Effect": "allow"}), "the Effect of statement 1 is neither Allow nor Deny"),
        (document(NOT_ACTION), "statement 1 has neither Action nor NotAction"),
        (document(NOT_RESOURCE), "statement 1 has neither Resource nor NotResource"),
        (document(allow(NotAction="s3:*")), "statement 1 has both Action and NotAction"),
        (document(allow(action=[["iam:*"]])), "the Action of statement 1 is neither a string nor a list"),
        (document(allow(resource={"x": 1})), "the Resource of statement 1 is neither a string nor a list"),
    ],
)
def test_an_odd_document_is_unreadable(value, reason):
    parsed = parse(value)
    assert isinstance(parsed, Unreadable)
    assert reason in parsed.reason


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
    parsed = parse(value)
    if isinstance(parsed, Unreadable):
        assert parsed.reason
    else:
        full_access_findings(parsed)


@given(st.lists(st.sampled_from(list(NOT_FULL.values())), max_size=4), st.sampled_from(list(FULL.values())))
def test_nothing_that_is_added_hides_full_access(others, full):
    assert findings(document(*others, full))
    assert findings(document(full, *others))
