"""The hub exists in us-east-1 only, the watchdog anywhere else."""

import pytest
from breakglass_policies.placement import PARTS, us_east_1_placement

RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
ALIAS = "aws:kms/alias:Alias"
QUEUE = "aws:sqs/queue:Queue"
BUS = "aws:cloudwatch/eventBus:EventBus"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"

TOPIC_ARN = "arn:aws:sns:us-east-1:111111111111:breakglassuser-console-logins"
ALARMS_ARN = "arn:aws:sns:us-east-1:111111111111:breakglass-alarms"
WATCHDOG_ARN = "arn:aws:sns:us-west-2:111111111111:breakglass-watchdog"
ALERTING = [
    (RULE, {"name": "capture-breakglass-user-sign-in"}),
    (RULE, {"name": "capture-breakglass-anything-else"}),
    (RULE, {"namePrefix": "capture-breakglass-"}),
    (TARGET, {"rule": "capture-breakglass-user-assume-role"}),
    (TOPIC, {"name": "breakglassuser-console-logins"}),
    (TOPIC_POLICY, {"arn": TOPIC_ARN}),
    (SUBSCRIPTION, {"topic": TOPIC_ARN}),
    (ALIAS, {"name": "alias/breakglassSNS"}),
    (QUEUE, {"name": "breakglass-hub-dlq"}),
    (TOPIC, {"name": "breakglass-alarms"}),
    (TOPIC_POLICY, {"arn": ALARMS_ARN}),
    (SUBSCRIPTION, {"topic": ALARMS_ARN}),
    (BUS, {"name": "breakglass"}),
    (LOG_GROUP, {"name": "/breakglass/audit"}),
]
WATCHDOG = [
    (RULE, {"name": "capture-breakglass-alert", "eventBusName": "breakglass-watchdog"}),
    (TARGET, {"rule": "capture-breakglass-alert", "eventBusName": "breakglass-watchdog"}),
    (TOPIC, {"name": "breakglass-watchdog"}),
    (TOPIC, {"name": "breakglass-watchdog-alarms"}),
    (TOPIC_POLICY, {"arn": WATCHDOG_ARN}),
    (SUBSCRIPTION, {"topic": f"{WATCHDOG_ARN}-alarms"}),
    (QUEUE, {"name": "breakglass-watchdog-dlq"}),
    (BUS, {"name": "breakglass-watchdog"}),
]
OTHER = [
    (RULE, {"name": "breakglass-relay"}),
    (RULE, {}),
    (RULE, {"name": None, "namePrefix": None}),
    (RULE, {"name": "x-capture-breakglass-user-sign-in"}),
    (RULE, {"name": 7}),
    (TARGET, {"rule": "breakglass-relay", "arn": TOPIC_ARN}),
    (TARGET, {}),
    (TOPIC, {"name": "breakglass-watchdog-2"}),
    (BUS, {"name": "default"}),
    (LOG_GROUP, {"name": "/breakglass/audit/other"}),
    (TOPIC, {"namePrefix": "breakglassuser-console-logins"}),
    (TOPIC_POLICY, {"arn": "arn:aws:sns:eu-west-1:111111111111:breakglass-watchdog-2"}),
    (TOPIC_POLICY, {"arn": "breakglassuser-console-logins"}),
    (SUBSCRIPTION, {"topic": "arn:aws:sqs:eu-west-1:111111111111:breakglassuser-console-logins"}),
    (SUBSCRIPTION, {}),
    (ALIAS, {"name": "alias/other"}),
    (QUEUE, {"name": "breakglass-relays-dlq"}),
    ("aws:iam/user:User", {"name": "capture-breakglass-user"}),
    ("pulumi:pulumi:Stack", {}),
]


@pytest.mark.parametrize(("kind", "props"), ALERTING)
def test_alerting_in_us_east_1_passes(check, kind, props):
    assert check(us_east_1_placement, kind, props, provider_region="us-east-1").passed
    own = props | {"region": "us-east-1"}
    assert check(us_east_1_placement, kind, own, provider_region="eu-west-1").passed
    assert check(us_east_1_placement, kind, own, provider_region=None).passed


@pytest.mark.parametrize(("kind", "props"), ALERTING)
def test_alerting_elsewhere_blocks(check, kind, props):
    by_provider = check(us_east_1_placement, kind, props, provider_region="eu-west-1")
    by_itself = check(us_east_1_placement, kind, props | {"region": "eu-west-1"}, provider_region="us-east-1")
    assert by_provider == by_itself
    (violation,) = by_itself.violations
    assert violation.startswith(f"{kind.rpartition(':')[2]} 'thing' ({next(iter(props.values()))})")
    assert violation.endswith('is placed in eu-west-1. Set region="us-east-1" on it.')


@pytest.mark.parametrize(("kind", "props"), ALERTING)
@pytest.mark.parametrize("region", [None, "", 7, ["us-east-1"]])
def test_alerting_whose_region_cannot_be_told_blocks(check, kind, props, region):
    (violation,) = check(
        us_east_1_placement, kind, props | {"region": region}, provider_region=None
    ).violations
    assert " is in an unknown Region: " in violation
    assert 'Set region="us-east-1" on it.' in violation


@pytest.mark.parametrize(("kind", "props"), WATCHDOG)
def test_the_watchdog_is_anywhere_but_in_us_east_1(check, kind, props, unknown):
    def outcome(region, provider_region=None):
        return check(us_east_1_placement, kind, props | {"region": region}, provider_region=provider_region)

    assert outcome("us-west-2", "us-east-1").passed
    assert outcome(None, "us-west-2").passed
    for found in (outcome("us-east-1", "us-west-2"), outcome(None, "us-east-1")):
        (violation,) = found.violations
        assert "is of the watchdog, and in us-east-1 like the hub" in violation
    for odd in (None, "", 7, ["us-west-2"]):
        (violation,) = outcome(odd).violations
        assert "is in an unknown Region" in violation
        assert "another one than us-east-1, such as us-west-2" in violation
    assert outcome(unknown).unknown == "region"


@pytest.mark.parametrize(("kind", "key"), [(TOPIC_POLICY, "arn"), (SUBSCRIPTION, "topic")])
def test_a_topic_of_the_watchdog_in_us_east_1_blocks(check, kind, key):
    props = {key: WATCHDOG_ARN.replace("us-west-2", "us-east-1")}
    (violation,) = check(us_east_1_placement, kind, props | {"region": "us-west-2"}).violations
    assert "is of the watchdog, and in us-east-1 like the hub" in violation


@pytest.mark.parametrize(("kind", "props"), OTHER)
def test_other_resources_are_not_applicable(check, kind, props):
    outcome = check(us_east_1_placement, kind, props, provider_region="eu-west-1")
    assert outcome.not_applicable
    assert not outcome.violations


@pytest.mark.parametrize(("kind", "key"), [(TOPIC_POLICY, "arn"), (SUBSCRIPTION, "topic")])
def test_a_topic_arn_of_another_region_blocks(check, kind, key):
    props = {key: TOPIC_ARN.replace("us-east-1", "eu-west-1")}
    (violation,) = check(us_east_1_placement, kind, props).violations
    assert violation.endswith("names a topic in eu-west-1. Name the one in us-east-1.")
    both = check(us_east_1_placement, kind, props | {"region": "eu-west-1"}).violations
    assert len(both) == 2


@pytest.mark.parametrize(
    ("kind", "keys"), [(kind, keys) for kind, (keys, _) in PARTS.items()], ids=[*PARTS.keys()]
)
def test_a_name_unknown_at_preview_is_left_to_the_engine(check, kind, keys, unknown):
    for key in keys:
        outcome = check(us_east_1_placement, kind, {key: unknown}, provider_region="eu-west-1")
        if kind in (TOPIC_POLICY, SUBSCRIPTION):  # of a topic of the same program, which is judged itself
            assert outcome.not_applicable
        else:
            assert outcome.unknown == key


@pytest.mark.parametrize(("kind", "props"), ALERTING)
def test_a_region_unknown_at_preview_is_left_to_the_engine(check, kind, props, unknown):
    assert check(us_east_1_placement, kind, props | {"region": unknown}).unknown == "region"
    assert check(us_east_1_placement, kind, props, provider_region=unknown).unknown == "region"
