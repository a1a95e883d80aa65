import pytest
from breakglass_policies.alarms import ACTIONS, ALARMS, alarm_action_in_own_region

HERE = "arn:aws:sns:us-east-1:111111111111:breakglass-watchdog"
THERE = HERE.replace("us-east-1", "eu-west-1")
every_alarm = pytest.mark.parametrize("kind", ALARMS)
every_action = pytest.mark.parametrize("key", ACTIONS)


@every_alarm
@every_action
def test_actions_in_the_own_region_pass(check, kind, key):
    for value in (
        [HERE, HERE],
        [],
        None,
        ["arn:aws:ssm-incidents::111111111111:response-plan/x"],
        ["odd", 7],
        HERE,
        {},
    ):
        assert check(alarm_action_in_own_region, kind, {key: value}).passed
    own = {key: [THERE], "region": "eu-west-1"}
    assert check(alarm_action_in_own_region, kind, own, provider_region="us-east-1").passed


@every_alarm
@every_action
def test_each_action_elsewhere_blocks(check, kind, key):
    violations = check(alarm_action_in_own_region, kind, {key: [THERE, HERE, THERE]}).violations
    assert len(violations) == 2
    assert violations[0] == (
        f"{kind.rpartition(':')[2]} 'thing' is in us-east-1, and {key} names breakglass-watchdog (sns) of "
        "eu-west-1, which CloudWatch cannot reach. Name one in us-east-1."
    )
    by_itself = {key: [HERE], "region": "eu-west-1"}
    assert len(check(alarm_action_in_own_region, kind, by_itself).violations) == 1


def test_what_is_known_is_reported_before_the_unknown(check, unknown):
    kind = ALARMS[0]
    props = {"alarmActions": [unknown, THERE], "okActions": [THERE]}
    ours = check(alarm_action_in_own_region, kind, props, component="BreakGlassAlerts")
    assert (len(ours.violations), ours.unknown) == (2, "alarmActions.0")
    assert check(alarm_action_in_own_region, kind, {"region": unknown}).unknown == "region"


def test_an_unknown_action_of_another_program_is_judged_at_the_deployment(check, unknown):
    kind = ALARMS[0]
    outcome = check(alarm_action_in_own_region, kind, {"alarmActions": [unknown, THERE]})
    assert (len(outcome.violations), outcome.unknown) == (1, None)
    assert check(alarm_action_in_own_region, kind, {"okActions": unknown}).passed


def test_other_resources_and_unknown_places_are_not_applicable(check):
    assert check(alarm_action_in_own_region, "aws:sns/topic:Topic", {"alarmActions": [THERE]}).not_applicable
    props = {"alarmActions": [THERE]}
    for region in ({}, {"region": ""}, {"region": 7}):
        assert check(
            alarm_action_in_own_region, ALARMS[0], props | region, provider_region=None
        ).not_applicable
