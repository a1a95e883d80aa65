"""The statements of a policy document."""

from typing import Any

import pytest
from breakglass_policies.statements import Named, Unreadable, statements


def allow(action: Any = "iam:*", resource: Any = "*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


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
        (document(allow(NotAction="s3:*")), "statement 1 has both Action and NotAction"),
        (document(allow(action=[["iam:*"]])), "the Action of statement 1 is neither a string nor a list"),
        (document(allow(resource={"x": 1})), "the Resource of statement 1 is neither a string nor a list"),
        (document(allow(Principal="everybody")), "the Principal of statement 1 is neither * nor an object"),
        (
            document(allow(Principal={"AWS": 7})),
            "the Principal of statement 1 is neither a string nor a list",
        ),
        (document(allow(Principal="*", NotPrincipal="*")), "statement 1 has both Principal and NotPrincipal"),
        (document(allow(Condition=["Bool"])), "the Condition of statement 1 is not an object of objects"),
    ],
)
def test_an_odd_document_is_unreadable(value, reason):
    parsed = statements(value)
    assert isinstance(parsed, Unreadable)
    assert reason in str(parsed)


def test_a_statement_is_taken_apart():
    written = allow(
        ["S3:Get*"],
        Sid="Read",
        Principal={"Service": "events.amazonaws.com", "AWS": ["*"]},
        Condition={"StringEquals": {"aws:SourceAccount": ["1", 2]}},
    )
    other = {"effect": "Deny", "notaction": "a:b", "NOTRESOURCE": "x", "NotPrincipal": "*"}
    found = statements(document(written, other))
    assert isinstance(found, list)
    first, second = found
    assert (first.where, first.allows, first.actions, first.resources) == (
        "statement 1 (Read)",
        True,
        ("s3:get*",),
        ("*",),
    )
    assert first.principals == (Named("service", "events.amazonaws.com"), Named("aws", "*"))
    assert first.to_everybody
    assert [*first.conditions] == [("StringEquals", "aws:sourceaccount", ["1", "2"])]
    assert (second.where, second.allows, second.not_action, second.not_resource, second.not_principal) == (
        "statement 2",
        False,
        True,
        True,
        True,
    )


@pytest.mark.parametrize(
    ("statement", "only"),
    [
        (allow("sns:Publish"), True),
        (allow(["SNS:publish"]), True),
        (allow(["sns:Publish", "sns:Subscribe"]), False),
        (allow("sns:*"), False),
        ({"Effect": "Allow", "NotAction": "sns:Publish"}, False),
        ({"Effect": "Allow"}, False),
    ],
)
def test_whether_a_statement_allows_one_action_only(statement, only):
    found = statements(document(statement))
    assert isinstance(found, list)
    assert found[0].only_allows("sns:Publish") is only
