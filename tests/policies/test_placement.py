import pytest
from breakglass_policies.placement import NAMED_BY, US_EAST_1_PLACEMENT
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

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
WATCHDOG_ARN = "arn:aws:sns:us-east-1:111111111111:breakglass-watchdog"
ALERTING = [
    (RULE, {"name": "capture-breakglass-user-sign-in"}),
    (RULE, {"name": "capture-breakglass-anything-else"}),
    (RULE, {"namePrefix": "capture-breakglass-"}),
    (TARGET, {"rule": "capture-breakglass-user-assume-role"}),
    (TOPIC, {"name": "breakglassuser-console-logins"}),
    (TOPIC_POLICY, {"arn": TOPIC_ARN}),
    (SUBSCRIPTION, {"topic": TOPIC_ARN}),
    (ALIAS, {"name": "alias/breakglassSNS"}),
    (QUEUE, {"name": "breakglass-alerts-dlq"}),
    (TOPIC, {"name": "breakglass-watchdog"}),
    (TOPIC_POLICY, {"arn": WATCHDOG_ARN}),
    (SUBSCRIPTION, {"topic": WATCHDOG_ARN}),
    (BUS, {"name": "breakglass"}),
    (LOG_GROUP, {"name": "/breakglass/audit"}),
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
    (QUEUE, {"name": "breakglass-relay-dlq"}),
    ("aws:iam/user:User", {"name": "capture-breakglass-user"}),
    ("pulumi:pulumi:Stack", {}),
]


@pytest.mark.parametrize(("kind", "props"), ALERTING)
def test_alerting_in_us_east_1_passes(check, kind, props):
    assert check(US_EAST_1_PLACEMENT, kind, props, provider_region="us-east-1").passed
    own = props | {"region": "us-east-1"}
    assert check(US_EAST_1_PLACEMENT, kind, own, provider_region="eu-west-1").passed
    assert check(US_EAST_1_PLACEMENT, kind, own, provider_region=None).passed


@pytest.mark.parametrize(("kind", "props"), ALERTING)
def test_alerting_elsewhere_blocks(check, kind, props):
    by_provider = check(US_EAST_1_PLACEMENT, kind, props, provider_region="eu-west-1")
    by_itself = check(US_EAST_1_PLACEMENT, kind, props | {"region": "eu-west-1"}, provider_region="us-east-1")
    assert by_provider == by_itself
    (violation,) = by_itself.violations
    assert violation.startswith(f"{kind.rpartition(':')[2]} 'thing' ({next(iter(props.values()))})")
    assert violation.endswith('is placed in eu-west-1. Set region="us-east-1" on it.')


@pytest.mark.parametrize(("kind", "props"), ALERTING)
@pytest.mark.parametrize("region", [None, "", 7, ["us-east-1"]])
def test_alerting_whose_region_cannot_be_told_blocks(check, kind, props, region):
    (violation,) = check(
        US_EAST_1_PLACEMENT, kind, props | {"region": region}, provider_region=None
    ).violations
    assert violation.startswith("could not tell in which Region ")
    assert 'Set region="us-east-1" on it.' in violation


@pytest.mark.parametrize(("kind", "props"), OTHER)
def test_other_resources_are_not_applicable(check, kind, props):
    outcome = check(US_EAST_1_PLACEMENT, kind, props, provider_region="eu-west-1")
    assert outcome.not_applicable == "the resource is not part of the alert path"
    assert not outcome.violations


@pytest.mark.parametrize(("kind", "key"), [(TOPIC_POLICY, "arn"), (SUBSCRIPTION, "topic")])
def test_a_topic_arn_of_another_region_blocks(check, kind, key):
    props = {key: TOPIC_ARN.replace("us-east-1", "eu-west-1")}
    (violation,) = check(US_EAST_1_PLACEMENT, kind, props).violations
    assert violation.endswith("names a topic in eu-west-1. Name the one in us-east-1.")
    both = check(US_EAST_1_PLACEMENT, kind, props | {"region": "eu-west-1"}).violations
    assert len(both) == 2


@pytest.mark.parametrize(
    ("kind", "keys"), [(kind, keys) for kind, keys in NAMED_BY.items()], ids=[*NAMED_BY.keys()]
)
def test_a_name_unknown_at_preview_is_left_to_the_engine(check, kind, keys, unknown):
    for key in keys:
        outcome = check(US_EAST_1_PLACEMENT, kind, {key: unknown}, provider_region="eu-west-1")
        assert outcome.unknown == key


@pytest.mark.parametrize(("kind", "props"), ALERTING)
def test_a_region_unknown_at_preview_is_left_to_the_engine(check, kind, props, unknown):
    assert check(US_EAST_1_PLACEMENT, kind, props | {"region": unknown}).unknown == "region"
    assert check(US_EAST_1_PLACEMENT, kind, props, provider_region=unknown).unknown == "region"


def test_names_come_from_the_configuration(check):
    config = {
        "ruleNamePrefix": "alarm-",
        "topicName": "t",
        "keyAlias": "alias/k",
        "queueName": "q",
        "watchdogTopicName": "w",
        "eventBusName": "b",
        "logGroupName": "l",
    }
    renamed = [
        (RULE, {"name": "alarm-x"}),
        (TARGET, {"rule": "alarm-x"}),
        (TOPIC, {"name": "t"}),
        (TOPIC_POLICY, {"arn": "arn:aws:sns:us-east-1:111111111111:t"}),
        (SUBSCRIPTION, {"topic": "arn:aws:sns:us-east-1:111111111111:t"}),
        (ALIAS, {"name": "alias/k"}),
        (QUEUE, {"name": "q"}),
        (TOPIC, {"name": "w"}),
        (BUS, {"name": "b"}),
        (LOG_GROUP, {"name": "l"}),
    ]
    for kind, props in renamed:
        outcome = check(US_EAST_1_PLACEMENT, kind, props, provider_region="eu-west-1", config=config)
        assert len(outcome.violations) == 1
        assert check(US_EAST_1_PLACEMENT, kind, props, provider_region="eu-west-1").not_applicable
    for kind, props in ALERTING:
        assert check(US_EAST_1_PLACEMENT, kind, props, provider_region="x", config=config).not_applicable


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text()
    | st.sampled_from([UNKNOWN_STRING_VALUE, TOPIC_ARN, "eu-west-1", "capture-breakglass-x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(["name", "namePrefix", "rule", "arn", "topic", "region"])


@given(st.sampled_from([*NAMED_BY]), st.dictionaries(KEYS, VALUES), st.none() | st.text())
def test_no_properties_raise_anything_but_unknown(check, kind, props, region):
    check(US_EAST_1_PLACEMENT, kind, props, provider_region=region)
