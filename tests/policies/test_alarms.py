import pytest
from breakglass_policies.alarms import ACTIONS, ALARM_ACTION_IN_OWN_REGION, ALARMS
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

HERE = "arn:aws:sns:us-east-1:111111111111:breakglass-watchdog"
THERE = HERE.replace("us-east-1", "eu-west-1")
every_alarm = pytest.mark.parametrize("kind", ALARMS)
every_action = pytest.mark.parametrize("key", ACTIONS)


@every_alarm
@every_action
def test_actions_in_the_own_region_pass(check, kind, key):
    for value in ([HERE, HERE], [], None, ["arn:aws:ssm-incidents::111111111111:response-plan/x"], ["odd"]):
        assert check(ALARM_ACTION_IN_OWN_REGION, kind, {key: value}).passed
    own = {key: [THERE], "region": "eu-west-1"}
    assert check(ALARM_ACTION_IN_OWN_REGION, kind, own, provider_region="us-east-1").passed


@every_alarm
@every_action
def test_each_action_elsewhere_blocks(check, kind, key):
    violations = check(ALARM_ACTION_IN_OWN_REGION, kind, {key: [THERE, HERE, THERE]}).violations
    assert len(violations) == 2
    assert violations[0] == (
        f"{kind.rpartition(':')[2]} 'thing' is in us-east-1, and {key} names breakglass-watchdog (sns) of "
        "eu-west-1, which CloudWatch cannot reach. Name one in us-east-1."
    )
    by_itself = {key: [HERE], "region": "eu-west-1"}
    assert len(check(ALARM_ACTION_IN_OWN_REGION, kind, by_itself).violations) == 1


def test_what_is_known_is_reported_before_the_unknown(check, unknown):
    kind = ALARMS[0]
    outcome = check(
        ALARM_ACTION_IN_OWN_REGION, kind, {"alarmActions": [unknown, THERE], "okActions": [THERE]}
    )
    assert (len(outcome.violations), outcome.unknown) == (2, "alarmActions.0")
    assert check(ALARM_ACTION_IN_OWN_REGION, kind, {"region": unknown}).unknown == "region"
    assert check(ALARM_ACTION_IN_OWN_REGION, kind, {"okActions": unknown}).unknown == "okActions"


def test_other_resources_and_unknown_places_are_not_applicable(check):
    assert check(ALARM_ACTION_IN_OWN_REGION, "aws:sns/topic:Topic", {"alarmActions": [THERE]}).not_applicable
    props = {"alarmActions": [THERE]}
    assert check(ALARM_ACTION_IN_OWN_REGION, ALARMS[0], props, provider_region=None).not_applicable


VALUES = st.recursive(
    st.none() | st.floats() | st.text() | st.sampled_from([UNKNOWN_STRING_VALUE, HERE, THERE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*ACTIONS, "region"]), VALUES), st.none() | st.text())
def test_no_properties_raise_anything_but_unknown(check, props, region):
    check(ALARM_ACTION_IN_OWN_REGION, ALARMS[0], props, provider_region=region)
