"""The alert path is complete in us-east-1."""

import json

import pytest
from breakglass_policies.placement import RULES, us_east_1_alerting_present
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TOPIC = "aws:sns/topic:Topic"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
USER = "aws:iam/user:User"

TOPIC_NAME = "breakglassuser-console-logins"
TOPIC_ARN = f"arn:aws:sns:us-east-1:111111111111:{TOPIC_NAME}"
OTHER_ARN = "arn:aws:logs:us-east-1:111111111111:log-group:/breakglass/audit"
USED = (USER, {"name": "BreakglassUser"})
SIGN_IN = "capture-breakglass-user-sign-in"

COMPLETE = [
    *((RULE, {"name": name}) for name in RULES),
    *((TARGET, {"rule": name, "arn": TOPIC_ARN}) for name in RULES),
    (TARGET, {"rule": SIGN_IN, "arn": OTHER_ARN}),
    (TOPIC, {"name": TOPIC_NAME, "arn": UNKNOWN_STRING_VALUE}),
    (SUBSCRIPTION, {"topic": TOPIC_ARN, "protocol": "email"}),
    (RULE, {"name": "breakglass-relay", "region": "eu-west-1"}),
    USED,
]


def without(kind, **props):
    kept = [(k, p) for k, p in COMPLETE if k != kind or not props.items() <= p.items()]
    assert len(kept) == len(COMPLETE) - 1, "exactly one resource is taken away"
    return kept


def test_complete_alerting_passes(check_stack):
    assert check_stack(us_east_1_alerting_present, COMPLETE).passed


def test_the_region_may_come_from_the_resource_or_its_provider(check_stack):
    own = [(kind, {"region": "us-east-1"} | props) for kind, props in COMPLETE]
    for region in ("eu-west-1", None):
        assert check_stack(us_east_1_alerting_present, own, provider_region=region).passed


def test_nothing_of_it_is_one_violation_per_absence(check_stack):
    violations = check_stack(us_east_1_alerting_present, [USED]).violations
    assert [violation.partition(",")[0] for violation in violations] == [
        "The EventBridge rule capture-breakglass-user-sign-in is missing in us-east-1",
        "The EventBridge rule capture-breakglass-user-switch-role is missing in us-east-1",
        "The EventBridge rule capture-breakglass-user-assume-role is missing in us-east-1",
        f"The SNS topic {TOPIC_NAME} is missing in us-east-1",
        f"No subscription of the SNS topic {TOPIC_NAME} is in us-east-1",
    ]
    assert all(" Create " in violation and "us-east-1" in violation for violation in violations)


ABSENCES = [
    (RULE, {"name": SIGN_IN}, f"The EventBridge rule {SIGN_IN} is missing in us-east-1"),
    (
        TARGET,
        {"rule": SIGN_IN, "arn": TOPIC_ARN},
        f"No target of the EventBridge rule {SIGN_IN} is the topic",
    ),
    (TOPIC, {"name": TOPIC_NAME}, f"The SNS topic {TOPIC_NAME} is missing in us-east-1"),
    (SUBSCRIPTION, {"topic": TOPIC_ARN}, f"No subscription of the SNS topic {TOPIC_NAME} is in us-east-1"),
]


@pytest.mark.parametrize(("kind", "props", "message"), ABSENCES)
def test_each_part_is_needed(check_stack, kind, props, message):
    (violation,) = check_stack(us_east_1_alerting_present, without(kind, **props)).violations
    assert violation.startswith(message)


@pytest.mark.parametrize(("kind", "props", "message"), ABSENCES)
@pytest.mark.parametrize("region", ["eu-west-1", "", 7])
def test_a_part_elsewhere_is_missing(check_stack, kind, props, message, region):
    resources = [*without(kind, **props), (kind, props | {"region": region})]
    (violation,) = check_stack(us_east_1_alerting_present, resources).violations
    assert violation.startswith(message)


@pytest.mark.parametrize("kind", [TARGET, SUBSCRIPTION])
@pytest.mark.parametrize(
    "arn",
    [
        TOPIC_ARN.replace("us-east-1", "eu-west-1"),
        TOPIC_ARN + "-2",
        TOPIC_ARN.replace(":sns:", ":sqs:"),
        TOPIC_NAME,
        None,
        7,
    ],
)
def test_another_topic_does_not_count(check_stack, kind, arn):
    props, key = ({"rule": SIGN_IN}, "arn") if kind == TARGET else ({}, "topic")
    resources = [*without(kind, **props, **{key: TOPIC_ARN}), (kind, props | {key: arn})]
    assert len(check_stack(us_east_1_alerting_present, resources).violations) == 1


@pytest.mark.parametrize(
    ("queue", "is_recipient"),
    [("breakglass-hub-drill", False), ("alerts", True), ("my-breakglass-hub-drill", True)],
)
def test_the_drill_queue_is_no_recipient_and_any_other_queue_is(check_stack, queue, is_recipient, unknown):
    queue_arn = f"arn:aws:sqs:us-east-1:111111111111:{queue}"
    nobody = without(SUBSCRIPTION, topic=TOPIC_ARN)

    def outcome(endpoint):
        props = {"topic": TOPIC_ARN, "protocol": "sqs", "endpoint": endpoint}
        return check_stack(us_east_1_alerting_present, [*nobody, (SUBSCRIPTION, props)])

    if is_recipient:
        assert outcome(queue_arn).passed
    else:
        (violation,) = outcome(queue_arn).violations
        assert violation.startswith(f"No subscription of the SNS topic {TOPIC_NAME} is in us-east-1")
    assert outcome(unknown).unknown == "endpoint"


@pytest.mark.parametrize(("kind", "props", "message"), ABSENCES)
def test_what_is_unknown_at_preview_is_left_to_the_engine_when_it_decides(
    check_stack, kind, props, message, unknown
):
    for key in props:
        candidate = (kind, props | {key: unknown})
        outcome = check_stack(us_east_1_alerting_present, [*without(kind, **props), candidate])
        assert outcome.unknown == key
        assert not outcome.violations
        assert check_stack(us_east_1_alerting_present, [candidate, *COMPLETE]).passed


def test_what_is_known_to_be_missing_is_reported_before_the_unknown(check_stack, unknown):
    outcome = check_stack(us_east_1_alerting_present, [USED, (RULE, {"name": unknown})])
    assert outcome.unknown == "name"
    assert [violation.partition(",")[0] for violation in outcome.violations] == [
        f"The SNS topic {TOPIC_NAME} is missing in us-east-1",
        f"No subscription of the SNS topic {TOPIC_NAME} is in us-east-1",
    ]


@pytest.mark.parametrize(
    ("resources", "required"),
    [
        ([], False),
        ([("aws:s3/bucket:Bucket", {"bucket": UNKNOWN_STRING_VALUE})], False),
        ([(USER, {"name": "Someone"}), (TOPIC, {"name": "other"})], False),
        ([(USER, {})], False),
        ([(USER, {"name": ["BreakglassUser"]})], False),
        ([USED], True),
        ([(USER, {"name": UNKNOWN_STRING_VALUE}), USED], True),
    ],
)
def test_when_alerting_is_required(check_stack, resources, required):
    outcome = check_stack(us_east_1_alerting_present, resources)
    assert bool(outcome.violations) is required
    assert bool(outcome.not_applicable) is not required


def test_alerting_is_required_for_our_users_whatever_their_names(check_stack):
    resources = [(USER, {"name": "emergency"})]
    assert check_stack(us_east_1_alerting_present, resources, components={0: "BreakGlassUser"}).violations
    assert check_stack(us_east_1_alerting_present, resources).not_applicable


def test_alerting_is_required_whole_where_a_part_of_ours_is(check_stack):
    resources = [(RULE, {"name": SIGN_IN})]
    assert check_stack(us_east_1_alerting_present, resources, components={0: "BreakGlassAlerts"}).violations
    assert check_stack(us_east_1_alerting_present, resources).not_applicable
    relay = check_stack(us_east_1_alerting_present, resources, components={0: "BreakGlassRelay"})
    assert relay.not_applicable


def hears(user: str, name: str = "notify", **props: str) -> tuple[str, dict[str, str]]:
    pattern = {
        "detail-type": ["AWS Console Sign In via CloudTrail"],
        "detail": {"userIdentity": {"userName": [user]}},
    }
    return RULE, {"name": name, "eventPattern": json.dumps(pattern), **props}


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ([hears("BreakglassUser", region="eu-west-1")], ["notify"]),
        (
            [
                hears("BreakglassUser", "a", region="eu-west-1"),
                hears("BreakglassUser", "b", region="us-west-2"),
            ],
            ["a", "b"],
        ),
        # Of a relay's rules one is in us-east-1.
        ([hears("BreakglassUser", region="eu-west-1"), hears("BreakglassUser")], []),
    ],
)
def test_rules_of_any_name_that_wait_for_sign_ins_elsewhere_are_named(check_stack, rules, named):
    outcome = check_stack(us_east_1_alerting_present, rules)
    assert len(outcome.violations) == len(named)
    for name, violation in zip(named, outcome.violations, strict=True):
        assert f"({name}) waits for sign-ins of break-glass users in " in violation
        assert 'Create the rule with region="us-east-1".' in violation


@pytest.mark.parametrize(
    "rule",
    [
        hears("Someone", region="eu-west-1"),
        (RULE, {"name": "nightly", "scheduleExpression": "rate(1 day)", "region": "eu-west-1"}),
        (RULE, {"name": "odd", "eventPattern": "{", "region": "eu-west-1"}),
        (RULE, {"name": "later", "eventPattern": UNKNOWN_STRING_VALUE, "region": "eu-west-1"}),
    ],
)
def test_rules_about_something_else_are_left_alone(check_stack, rule):
    assert check_stack(us_east_1_alerting_present, [rule]).not_applicable


def test_a_user_of_ours_is_heard_under_the_name_of_the_settings(check_stack):
    resources = [(USER, {"name": "emergency"}), hears("emergency", region="eu-west-1")]
    outcome = check_stack(us_east_1_alerting_present, resources, components={0: "BreakGlassUser"})
    assert any("(notify) waits for sign-ins" in violation for violation in outcome.violations)


def test_a_user_name_unknown_at_preview_is_left_to_the_engine(check_stack, unknown):
    assert check_stack(us_east_1_alerting_present, [(USER, {"name": unknown})]).unknown == "name"


@given(st.permutations(COMPLETE))
def test_the_order_of_resources_does_not_matter(check_stack, resources):
    assert check_stack(us_east_1_alerting_present, resources).passed
