"""Is what is deployed what this version renders?"""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertpath.model import UNKNOWN
from breakglass import naming
from drill.check import live
from drill.check.compare import as_rendered, canonical, difference
from drill.check.finding import State
from tests.drill.conftest import Look, states

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Action": "a"}, {"Action": ["a"]}),
        ({"Action": ["a", "b"]}, {"Action": ["b", "a"]}),
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}'),
        ({"a": None}, {}),
        (3600.0, 3600),
        ({"Statement": [{"Sid": "x"}, {"Sid": "y"}]}, '{"Statement": [{"Sid": "y"}, {"Sid": "x"}]}'),
    ],
)
def test_what_says_the_same_is_the_same(one: Any, other: Any) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Action": "a"}, {"Action": "A"}),
        ({"Action": ["a", "b"]}, {"Action": "a"}),
        ({"Effect": "Allow"}, {"Effect": "Deny"}),
        ({"errorCode": [None]}, {}),
        ("{not json", "{not Json"),
        (True, "true"),
        (True, 1.5),
        (None, ""),
    ],
)
def test_what_says_something_else_is_different(one: Any, other: Any) -> None:
    assert canonical(one) != canonical(other)


@given(JSON)
def test_a_document_is_the_same_as_its_text(value: Any) -> None:
    document = {"document": value}
    assert canonical(json.dumps(document)) == canonical(document)


@given(JSON)
def test_one_form_is_one_form(value: Any) -> None:
    assert canonical(canonical(value)) == canonical(value)


@given(JSON, JSON)
def test_a_difference_is_always_a_short_text(wanted: Any, found: Any) -> None:
    assert difference("policy", wanted, found).startswith("policy")


def test_a_changed_document_names_its_statements() -> None:
    def document(*statements: dict[str, str]) -> str:
        return json.dumps({"Statement": statements})

    wanted = document({"Sid": "A", "Effect": "Allow"}, {"Sid": "B"}, {"Effect": "Deny"})
    found = document({"Sid": "A", "Effect": "Deny"}, {"Sid": "B"}, {"Sid": "C"})
    said = difference("policy", wanted, found)
    assert said == "policy: statement A differs, statement number 3 differs, statement C is new"


def test_what_a_stranger_has_set_is_seen() -> None:
    said = difference("roleArn", None, "arn:aws:iam::1:role/x")
    assert said == "roleArn is arn:aws:iam::1:role/x, must not be set"


def test_every_rendered_property_is_compared_or_excused(look: Look) -> None:
    for stack_state in look():
        for resource in stack_state.rendered:
            found = stack_state.look(resource)
            assert found is not None, resource
            missing = resource.properties.keys() - found.keys() - live.NOT_COMPARED.keys()
            assert not missing, f"drill/check/live.py does not read {missing} of {resource.type}"


def test_a_deployed_account_differs_in_nothing(look: Look) -> None:
    for stack_state in look():
        findings = list(as_rendered(stack_state, stack_state.rendered, noun="all"))
        assert State.NOT_READY not in [finding.state for finding in findings], findings


def test_what_this_version_does_not_know_yet_is_not_taken_for_equal(look: Look) -> None:
    (stack_state,) = look("mgmt")
    (alias,) = [one for one in stack_state.rendered if one.type.endswith("kms/alias:Alias")]
    early = replace(alias, properties={**alias.properties, "targetKeyId": UNKNOWN})
    (finding,) = as_rendered(stack_state, [early], noun="alias")
    assert states([finding]) == ["could not tell"]
    assert "targetKeyId is not known from this version" in finding.text


def test_what_the_emulated_aws_does_not_answer_is_said_to_be_emulated(look: Look) -> None:
    (stack_state,) = look("mgmt")
    (log,) = [one for one in stack_state.rendered if one.properties.get("name") == naming.AUDIT_LOG_GROUP]
    (finding,) = as_rendered(stack_state, [log], noun="log")
    assert states([finding]) == ["could not tell"]
    said = "deletionProtectionEnabled is not known from AWS's answer, which is emulated here"
    assert said in finding.text
