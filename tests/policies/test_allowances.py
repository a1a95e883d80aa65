import json

import pytest
from breakglass_policies.allowances import Principal, parse_allowances
from breakglass_policies.arns import is_account_id
from breakglass_policies.documents import Unreadable
from hypothesis import given
from hypothesis import strategies as st

ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": "*"}


def one(**changes):
    statement = {key: value for key, value in (ALLOW | changes).items() if value is not None}
    allowances = parse_allowances({"Statement": statement})
    assert not isinstance(allowances, Unreadable), allowances
    (allowance,) = allowances
    return allowance


def test_only_allow_statements_count_and_keep_their_place():
    deny = ALLOW | {"Effect": "Deny"}
    text = json.dumps({"Statement": [deny, ALLOW | {"Sid": "Second"}, ALLOW]})
    allowances = parse_allowances(text)
    assert not isinstance(allowances, Unreadable)
    assert [allowance.where for allowance in allowances] == ["statement 2 (Second)", "statement 3"]


@pytest.mark.parametrize(
    ("principal", "principals", "everybody"),
    [
        ("*", {Principal("aws", "*")}, True),
        ({"AWS": "*"}, {Principal("aws", "*")}, True),
        ({"aws": ["*", "111111111111"]}, {Principal("aws", "*"), Principal("aws", "111111111111")}, True),
        ({"Service": "events.amazonaws.com"}, {Principal("service", "events.amazonaws.com")}, False),
        (None, set(), False),
        ({}, set(), False),
    ],
)
def test_principals(principal, principals, everybody):
    allowance = one(Principal=principal)
    assert set(allowance.principals) == principals
    assert allowance.to_everybody is everybody


def test_everybody_but_somebody_is_everybody():
    allowance = one(Principal=None, NotPrincipal={"AWS": "111111111111"})
    assert allowance.to_everybody
    assert allowance.not_principal


@pytest.mark.parametrize(
    ("changes", "only"),
    [
        ({}, True),
        ({"Action": ["SNS:publish"]}, True),
        ({"Action": ["sns:Publish", "sns:Subscribe"]}, False),
        ({"Action": "sns:*"}, False),
        ({"Action": None}, False),
        ({"Action": None, "NotAction": "sns:Publish"}, False),
    ],
)
def test_only_allows(changes, only):
    assert one(**changes).only_allows("sns:Publish") is only


@pytest.mark.parametrize(
    ("condition", "required"),
    [
        (None, False),
        ({}, False),
        ({"StringEquals": {"aws:SourceAccount": "111111111111"}}, True),
        ({"stringequals": {"AWS:sourceaccount": ["111111111111", "222222222222"]}}, True),
        ({"StringLike": {"aws:SourceAccount": 111111111111}}, True),
        ({"ForAnyValue:StringEquals": {"aws:SourceAccount": "111111111111"}}, True),
        ({"StringEquals": {"aws:SourceAccount": ["111111111111", "*"]}}, False),
        ({"StringEquals": {"aws:SourceAccount": []}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": "111111111111"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": "111111111111"}}, False),
        ({"StringEqualsIfExists": {"aws:SourceAccount": "111111111111"}}, False),
        ({"ForAllValues:StringEquals": {"aws:SourceAccount": "111111111111"}}, False),
        ({"Null": {"aws:SourceAccount": "false"}}, False),
    ],
)
def test_requires(condition, required):
    assert one(Condition=condition).requires("aws:SourceAccount", is_account_id) is required


@pytest.mark.parametrize(
    ("operator", "required"), [("ArnLike", True), ("ArnEquals", True), ("StringEquals", False)]
)
def test_a_wildcard_that_never_matches_is_not_counted(operator, required):
    condition = {operator: {"aws:SourceArn": "arn:aws:events:*:111111111111:rule/x*"}}
    assert one(Condition=condition).requires("aws:SourceArn", bool) is required


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": "111111111111"},
        {"Principal": {"AWS": 7}},
        {"NotPrincipal": "*"},
        {"NotAction": "sns:*"},
        {"Action": [7]},
        {"Condition": "x"},
        {"Condition": {"StringEquals": "x"}},
        {"Effect": "allow"},
    ],
)
def test_odd_statements_are_unreadable(changes):
    assert isinstance(parse_allowances({"Statement": [ALLOW | changes]}), Unreadable)


@pytest.mark.parametrize("document", [None, "", "{", "[]", {}, 7, {"Statement": ["x"]}])
def test_odd_documents_are_unreadable(document):
    assert isinstance(parse_allowances(document), Unreadable)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
STATEMENTS = st.dictionaries(
    st.sampled_from(["Sid", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "Condition"]),
    JSON,
)


@given(st.lists(STATEMENTS.map(lambda statement: statement | {"Effect": "Allow"}) | JSON, max_size=3))
def test_no_document_raises(statements):
    parse_allowances({"Statement": statements})
