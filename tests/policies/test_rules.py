import json

import pytest
from breakglass_policies.rules import EVENT_RULE, STATE, pattern_within_limits, rule_state

NAME = "capture-breakglass-user-sign-in"
OURS = {"name": NAME, "state": STATE, "eventPattern": '{"source": ["aws.signin"]}'}
both = pytest.mark.parametrize("policy", [rule_state, pattern_within_limits], ids=lambda policy: policy.name)


@both
@pytest.mark.parametrize("name", [{"name": NAME}, {"name": "breakglass-relay-2"}, {"namePrefix": NAME}])
def test_a_rule_as_it_should_be_passes(check, policy, name):
    without_name = {key: value for key, value in OURS.items() if key != "name"}
    assert check(policy, EVENT_RULE, without_name | name).passed


@both
@pytest.mark.parametrize(
    ("kind", "props"),
    [
        (EVENT_RULE, {"name": "nightly", "state": "DISABLED", "eventPattern": "{"}),
        (EVENT_RULE, {"name": "", "isEnabled": False}),
        (EVENT_RULE, {"name": 7}),
        (EVENT_RULE, {}),
        ("aws:cloudwatch/eventTarget:EventTarget", {"name": NAME, "state": "DISABLED"}),
    ],
)
def test_other_resources_are_not_applicable(check, policy, kind, props):
    assert check(policy, kind, props).not_applicable


@both
def test_a_name_unknown_at_preview_is_left_to_the_engine(check, policy, unknown):
    assert check(policy, EVENT_RULE, {"name": unknown}).unknown == "name"
    assert check(policy, EVENT_RULE, {"namePrefix": unknown}).unknown == "namePrefix"
    assert check(policy, EVENT_RULE, OURS | {"namePrefix": unknown}).passed


@pytest.mark.parametrize("state", ["ENABLED", "enabled", "", None, 7])
def test_any_other_state_misses_read_only_events(check, state):
    (violation,) = check(rule_state, EVENT_RULE, OURS | {"state": state}).violations
    assert violation.startswith(f"EventRule 'thing' ({NAME}) has the state ")
    assert violation.endswith(f'Set state="{STATE}" on it.')


def test_a_missing_state_counts_as_enabled(check):
    (violation,) = check(rule_state, EVENT_RULE, {"name": NAME}).violations
    assert "has the state ENABLED (because none is given)" in violation
    assert check(rule_state, EVENT_RULE, {"name": NAME, "isEnabled": True}).violations


def test_a_schedule_takes_no_such_state(check):
    props = {"name": NAME, "scheduleExpression": "rate(1 day)"}
    assert check(rule_state, EVENT_RULE, props).not_applicable
    assert check(pattern_within_limits, EVENT_RULE, props).not_applicable


@pytest.mark.parametrize(
    "off", [{"state": "DISABLED"}, {"isEnabled": False}, {"state": None, "isEnabled": False}]
)
def test_a_disabled_rule_blocks(check, off):
    (violation,) = check(rule_state, EVENT_RULE, OURS | off).violations
    assert violation.startswith(f"EventRule 'thing' ({NAME}) is disabled, so it alerts nobody.")
    assert check(rule_state, EVENT_RULE, OURS | {"isEnabled": True}).passed


def test_a_state_unknown_at_preview_is_left_to_the_engine(check, unknown):
    assert check(rule_state, EVENT_RULE, OURS | {"state": unknown}).unknown == "state"


def pattern_of(length: int) -> str:
    return json.dumps({"source": ["x" * (length - len('{"source":[""]}'))]})


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (None, "is not a JSON object"),
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "is not a JSON object with at least one field"),
        ("[]", "is not a JSON object"),
        ('"aws.signin"', "is not a JSON object"),
        (7, "is not a JSON object"),
        ({}, "is not a JSON object"),
        (pattern_of(2049), "is 2049 characters long, and EventBridge takes 2048"),
    ],
)
def test_a_pattern_that_aws_would_refuse_blocks(check, pattern, problem):
    (violation,) = check(pattern_within_limits, EVENT_RULE, OURS | {"eventPattern": pattern}).violations
    assert violation.startswith(f"EventRule 'thing' ({NAME}) has an event pattern that {problem}")


def test_white_space_does_not_count(check):
    spaced = json.dumps(json.loads(pattern_of(2048)), indent=40)
    assert len(spaced) > 2048
    assert check(pattern_within_limits, EVENT_RULE, OURS | {"eventPattern": spaced}).passed
    assert check(pattern_within_limits, EVENT_RULE, OURS | {"eventPattern": {"source": ["x"]}}).passed


def test_a_pattern_unknown_at_preview_is_not_judged_yet(check, unknown):
    for props in ({"eventPattern": unknown}, {"eventPattern": None, "scheduleExpression": unknown}):
        outcome = check(pattern_within_limits, EVENT_RULE, OURS | props)
        assert outcome.not_applicable
        assert not outcome.violations
