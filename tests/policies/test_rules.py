import json

import pytest
from breakglass_policies.rules import (
    ALL_MANAGEMENT_EVENTS,
    EVENT_RULE,
    PATTERN_WITHIN_LIMITS,
    RULE_ENABLED,
    RULE_SEES_READ_ONLY_EVENTS,
    RULES,
)
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

NAME = "capture-breakglass-user-sign-in"
OURS = {"name": NAME, "state": ALL_MANAGEMENT_EVENTS, "eventPattern": '{"source": ["aws.signin"]}'}
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@every_rule
@pytest.mark.parametrize("name", [{"name": NAME}, {"name": "breakglass-relay-2"}, {"namePrefix": NAME}])
def test_a_rule_as_it_should_be_passes(check, rule, name):
    without_name = {key: value for key, value in OURS.items() if key != "name"}
    assert check(rule, EVENT_RULE, without_name | name).passed


@every_rule
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
def test_other_resources_are_not_applicable(check, rule, kind, props):
    assert (
        check(rule, kind, props).not_applicable == "the resource is not an EventBridge rule of the alert path"
    )


@every_rule
def test_names_come_from_the_configuration(check, rule):
    config = {"rulePrefixes": ["alarm-"]}
    bad = {"name": "alarm-x", "state": "DISABLED", "eventPattern": "{"}
    assert len(check(rule, EVENT_RULE, bad, config=config).violations) == 1
    assert check(rule, EVENT_RULE, bad | {"name": NAME}, config=config).not_applicable


@every_rule
def test_a_name_unknown_at_preview_is_left_to_the_engine(check, rule, unknown):
    assert check(rule, EVENT_RULE, {"name": unknown}).unknown == "name"
    assert check(rule, EVENT_RULE, {"namePrefix": unknown}).unknown == "namePrefix"
    assert check(rule, EVENT_RULE, OURS | {"namePrefix": unknown}).passed


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED", "enabled", "", None, 7])
def test_any_other_state_misses_read_only_events(check, state):
    (violation,) = check(RULE_SEES_READ_ONLY_EVENTS, EVENT_RULE, OURS | {"state": state}).violations
    assert violation.startswith(f"EventRule 'thing' ({NAME}) has the state ")
    assert violation.endswith(f'Set state="{ALL_MANAGEMENT_EVENTS}" on it.')


def test_a_missing_state_counts_as_enabled(check):
    (violation,) = check(RULE_SEES_READ_ONLY_EVENTS, EVENT_RULE, {"name": NAME}).violations
    assert "has the state ENABLED (because none is given)" in violation
    assert check(RULE_SEES_READ_ONLY_EVENTS, EVENT_RULE, {"name": NAME, "isEnabled": True}).violations


def test_a_schedule_takes_no_such_state(check):
    props = {"name": NAME, "scheduleExpression": "rate(1 day)"}
    assert check(RULE_SEES_READ_ONLY_EVENTS, EVENT_RULE, props).not_applicable
    assert check(PATTERN_WITHIN_LIMITS, EVENT_RULE, props).not_applicable


@pytest.mark.parametrize("off", [{"state": "DISABLED"}, {"isEnabled": False}])
def test_a_disabled_rule_blocks(check, off):
    (violation,) = check(RULE_ENABLED, EVENT_RULE, OURS | off).violations
    assert violation.startswith(f"EventRule 'thing' ({NAME}) is disabled")


@pytest.mark.parametrize("on", [{}, {"state": "ENABLED"}, {"isEnabled": True}, {"isEnabled": None}])
def test_a_rule_that_is_not_disabled_is_enabled(check, on):
    assert check(RULE_ENABLED, EVENT_RULE, {"name": NAME} | on).passed


@pytest.mark.parametrize("rule", [RULE_SEES_READ_ONLY_EVENTS, RULE_ENABLED], ids=lambda rule: rule.name)
def test_a_state_unknown_at_preview_is_left_to_the_engine(check, rule, unknown):
    assert check(rule, EVENT_RULE, OURS | {"state": unknown}).unknown == "state"


def pattern_of(length: int) -> str:
    return json.dumps({"source": ["x" * (length - len('{"source":[""]}'))]})


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (None, "is not a JSON object"),
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "is not a JSON object that names at least one field"),
        ("[]", "is not a JSON object"),
        ('"aws.signin"', "is not a JSON object"),
        (7, "is not a JSON object"),
        ({}, "is not a JSON object"),
        (pattern_of(2049), "is 2049 characters long, and EventBridge takes 2048"),
    ],
)
def test_a_pattern_that_aws_would_refuse_blocks(check, pattern, problem):
    (violation,) = check(PATTERN_WITHIN_LIMITS, EVENT_RULE, OURS | {"eventPattern": pattern}).violations
    assert violation.startswith(f"EventRule 'thing' ({NAME}): its event pattern {problem}")


def test_white_space_does_not_count(check):
    spaced = json.dumps(json.loads(pattern_of(2048)), indent=40)
    assert len(spaced) > 2048
    assert check(PATTERN_WITHIN_LIMITS, EVENT_RULE, OURS | {"eventPattern": spaced}).passed
    assert check(PATTERN_WITHIN_LIMITS, EVENT_RULE, OURS | {"eventPattern": {"source": ["x"]}}).passed


@pytest.mark.parametrize("maximum", [3000, 3000.0])
def test_the_maximum_comes_from_the_configuration(check, maximum):
    config = {"maxCharacters": maximum}
    longer = OURS | {"eventPattern": pattern_of(3000)}
    assert check(PATTERN_WITHIN_LIMITS, EVENT_RULE, longer, config=config).passed
    (violation,) = check(
        PATTERN_WITHIN_LIMITS, EVENT_RULE, OURS | {"eventPattern": pattern_of(3001)}, config=config
    ).violations
    assert "EventBridge takes 3000." in violation


def test_a_pattern_unknown_at_preview_is_not_judged_yet(check, unknown):
    outcome = check(PATTERN_WITHIN_LIMITS, EVENT_RULE, OURS | {"eventPattern": unknown})
    assert outcome.not_applicable == "the event pattern is not known until deployment"
    assert not outcome.violations


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text()
    | st.sampled_from([UNKNOWN_STRING_VALUE, NAME, "DISABLED", "{", '{"a": NaN}']),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["name", "namePrefix", "state", "isEnabled", "eventPattern", "scheduleExpression"])


@every_rule
@given(st.dictionaries(KEYS, VALUES))
def test_no_properties_raise_anything_but_unknown(check, rule, props):
    check(rule, EVENT_RULE, props)
    check(rule, EVENT_RULE, props | {"name": NAME})
