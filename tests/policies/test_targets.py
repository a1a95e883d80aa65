import pytest
from breakglass_policies.targets import (
    EVENT_RULE,
    EVENT_TARGET,
    HUB_FORWARDS_NOWHERE,
    NO_ROLE_ON_TARGET,
    TAMPER_ALSO_REACHES_PLAIN_TOPIC,
    TARGET_HAS_DLQ,
    TOPIC,
)
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

RULE = "capture-breakglass-user-sign-in"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:breakglass-alerts-dlq"
BUS = "arn:aws:events:us-east-1:111111111111:event-bus/other"
ROLE = "arn:aws:iam::111111111111:role/BreakGlassRelay"
PLAIN = "breakglass-watchdog"
ALERTS = "breakglassuser-console-logins"


def topic_arn(name, region="us-east-1"):
    return f"arn:aws:sns:{region}:111111111111:{name}"


def with_queue(arn):
    return {"rule": RULE, "deadLetterConfig": {"arn": arn}}


ours = pytest.mark.parametrize("rule", [TARGET_HAS_DLQ, NO_ROLE_ON_TARGET], ids=lambda rule: rule.name)


@ours
@pytest.mark.parametrize(
    ("kind", "props"),
    [
        (EVENT_TARGET, {"rule": "nightly", "roleArn": ROLE, "arn": QUEUE}),
        (EVENT_TARGET, {"rule": 7}),
        (EVENT_TARGET, {}),
        (EVENT_RULE, {"rule": RULE, "roleArn": ROLE, "arn": QUEUE}),
    ],
)
def test_other_resources_are_not_applicable(check, rule, kind, props):
    reason = "the resource is not a target of an EventBridge rule of the alert path"
    assert check(rule, kind, props).not_applicable == reason


@ours
def test_names_come_from_the_configuration(check, rule):
    bad = {"rule": "alarm-x", "roleArn": ROLE, "arn": QUEUE}
    config = {"rulePrefixes": ["alarm-"]}
    assert len(check(rule, EVENT_TARGET, bad, config=config).violations) == 1
    assert check(rule, EVENT_TARGET, bad | {"rule": RULE}, config=config).not_applicable


@ours
def test_a_rule_unknown_at_preview_is_left_to_the_engine(check, rule, unknown):
    assert check(rule, EVENT_TARGET, {"rule": unknown}).unknown == "rule"


@pytest.mark.parametrize(
    ("props", "provider_region"),
    [
        ({}, "us-east-1"),
        ({"region": "us-east-1"}, "eu-west-1"),
        ({"region": "us-east-1"}, None),
        ({}, None),
    ],
)
def test_a_queue_of_the_own_region_passes(check, props, provider_region):
    target = with_queue(QUEUE) | props
    assert check(TARGET_HAS_DLQ, EVENT_TARGET, target, provider_region=provider_region).passed


@pytest.mark.parametrize(
    ("props", "problem"),
    [
        ({"rule": RULE}, "has no dead-letter queue"),
        ({"rule": RULE, "deadLetterConfig": None}, "has no dead-letter queue"),
        ({"rule": RULE, "deadLetterConfig": {}}, "has no dead-letter queue"),
        ({"rule": RULE, "deadLetterConfig": QUEUE}, "has no dead-letter queue"),
        (with_queue(""), "has no dead-letter queue"),
        (with_queue(7), "has as its dead-letter queue 7, which is not the ARN of an SQS queue"),
        (with_queue("breakglass-alerts-dlq"), "has as its dead-letter queue breakglass-alerts-dlq, which"),
        (with_queue(topic_arn(ALERTS)), "has as its dead-letter queue arn:aws:sns:"),
        (with_queue(QUEUE + ".fifo"), "has the dead-letter queue breakglass-alerts-dlq.fifo, and"),
        (
            with_queue(QUEUE) | {"region": "eu-west-1"},
            "is in eu-west-1 and its dead-letter queue in us-east-1",
        ),
    ],
)
def test_a_target_without_a_queue_that_works_blocks(check, props, problem):
    (violation,) = check(TARGET_HAS_DLQ, EVENT_TARGET, props).violations
    assert violation.startswith(f"EventTarget 'thing' ({RULE}) {problem}")
    assert " Set deadLetterConfig.arn to a standard queue in " in violation


def test_a_queue_unknown_at_preview_is_left_to_the_engine(check, unknown):
    assert check(TARGET_HAS_DLQ, EVENT_TARGET, with_queue(unknown)).unknown == "deadLetterConfig.arn"
    assert check(TARGET_HAS_DLQ, EVENT_TARGET, with_queue(QUEUE) | {"region": unknown}).unknown == "region"


@pytest.mark.parametrize("service", ["sns", "sqs", "logs", "lambda"])
def test_a_role_on_a_target_with_a_policy_of_its_own_blocks(check, service, unknown):
    arn = f"arn:aws:{service}:us-east-1:111111111111:thing"
    target = {"rule": RULE, "arn": arn}
    for role in (ROLE, unknown):
        (violation,) = check(NO_ROLE_ON_TARGET, EVENT_TARGET, target | {"roleArn": role}).violations
        assert "Take roleArn away" in violation
    for role in (None, ""):
        assert check(NO_ROLE_ON_TARGET, EVENT_TARGET, target | {"roleArn": role}).passed
    assert check(NO_ROLE_ON_TARGET, EVENT_TARGET, {"rule": RULE, "arn": unknown}).passed


@pytest.mark.parametrize("arn", [BUS, "not an ARN", None, 7])
def test_a_role_on_other_targets_passes(check, arn):
    target = {"rule": "breakglass-relay", "arn": arn, "roleArn": ROLE}
    assert check(NO_ROLE_ON_TARGET, EVENT_TARGET, target).passed


def test_a_role_on_a_target_unknown_at_preview_is_left_to_the_engine(check, unknown):
    props = {"rule": RULE, "arn": unknown, "roleArn": ROLE}
    assert check(NO_ROLE_ON_TARGET, EVENT_TARGET, props).unknown == "arn"


HUB = ["breakglass", "arn:aws:events:us-east-1:111111111111:event-bus/breakglass"]


@pytest.mark.parametrize("bus", HUB)
def test_the_hub_may_deliver_but_not_forward(check, bus):
    target = {"rule": "anything", "eventBusName": bus}
    for arn in (topic_arn(ALERTS), QUEUE, "odd", None):
        assert check(HUB_FORWARDS_NOWHERE, EVENT_TARGET, target | {"arn": arn}).passed
    (violation,) = check(HUB_FORWARDS_NOWHERE, EVENT_TARGET, target | {"arn": BUS}).violations
    assert violation.startswith("EventTarget 'thing' forwards from the hub breakglass to event-bus/other")


@pytest.mark.parametrize(
    ("kind", "bus"),
    [(EVENT_TARGET, bus) for bus in (None, "", "default", "other", 7)] + [(EVENT_RULE, "breakglass")],
)
def test_other_buses_may_forward(check, kind, bus):
    outcome = check(HUB_FORWARDS_NOWHERE, kind, {"eventBusName": bus, "arn": BUS})
    assert outcome.not_applicable == "the resource is not a target on the hub's event bus"


def test_the_hub_comes_from_the_configuration_and_may_be_unknown(check, unknown):
    config = {"eventBusName": "b"}
    target = {"eventBusName": "b", "arn": BUS}
    assert check(HUB_FORWARDS_NOWHERE, EVENT_TARGET, target, config=config).violations
    assert check(HUB_FORWARDS_NOWHERE, EVENT_TARGET, {"eventBusName": unknown}).unknown == "eventBusName"
    unknown_target = {"eventBusName": "breakglass", "arn": unknown}
    assert check(HUB_FORWARDS_NOWHERE, EVENT_TARGET, unknown_target).unknown == "arn"


CHANGE = {"name": "capture-breakglass-alerting-change", "eventBusName": "breakglass"}
CHANGE_2 = CHANGE | {"name": "capture-breakglass-alerting-change-2"}
KEY = {"name": "capture-breakglass-key-change", "eventBusName": "default"}


def to(rule, topic):
    return {"rule": rule["name"], "eventBusName": rule["eventBusName"], "arn": topic_arn(topic)}


COMPLETE = [
    (TOPIC, {"name": ALERTS}),
    (TOPIC, {"name": PLAIN}),
    *((EVENT_RULE, rule | {"namePrefix": UNKNOWN_STRING_VALUE}) for rule in (CHANGE, CHANGE_2)),
    (EVENT_RULE, {"name": KEY["name"], "eventPattern": UNKNOWN_STRING_VALUE}),  # no bus is the default bus
    *((EVENT_TARGET, to(rule, topic)) for rule in (CHANGE, CHANGE_2, KEY) for topic in (ALERTS, PLAIN)),
    (EVENT_RULE, {"name": RULE}),
]


def test_rules_about_tampering_with_both_topics_pass(check_stack):
    assert check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, COMPLETE).passed


@pytest.mark.parametrize("rule", [CHANGE, CHANGE_2, KEY])
@pytest.mark.parametrize("topic", [ALERTS, PLAIN])
@pytest.mark.parametrize(
    "instead",
    [
        {"arn": topic_arn("other")},
        {"arn": topic_arn(ALERTS).replace(":sns:", ":sqs:")},
        {"arn": None},
        {"arn": 7},
        {"region": "eu-west-1"},
        {"eventBusName": "other"},
        {"rule": RULE},
    ],
)
def test_each_topic_is_needed(check_stack, rule, topic, instead):
    target = to(rule, topic)
    resources = [r for r in COMPLETE if r != (EVENT_TARGET, target)]
    assert len(resources) == len(COMPLETE) - 1
    for added in ([], [(EVENT_TARGET, target | instead)]):
        (violation,) = check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, [*resources, *added]).violations
        assert violation.startswith(f"no target of the EventBridge rule {rule['name']} is the topic {topic} ")


def test_buses_that_are_both_left_to_the_provider_are_the_same(check_stack, unknown):
    """As a stack rule sees key-change at the first preview."""
    later = {"eventBusName": unknown}
    others = [r for r in COMPLETE if KEY["name"] not in (r[1].get("name"), r[1].get("rule"))]
    rule = (EVENT_RULE, KEY | later)
    targets = [(EVENT_TARGET, to(KEY, topic) | later) for topic in (ALERTS, PLAIN)]
    assert check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, [*others, rule, *targets]).passed
    (violation,) = check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, [*others, rule, targets[0]]).violations
    assert PLAIN in violation
    known = (EVENT_TARGET, to(KEY, PLAIN))
    outcome = check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, [*others, rule, targets[0], known])
    assert (outcome.unknown, outcome.violations) == ("eventBusName", ())


def test_a_missing_rule_is_reported_where_the_topics_are(check_stack):
    violations = check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, COMPLETE[:2]).violations
    assert [violation.partition(",")[0].rpartition(" ")[2] for violation in violations] == [
        "capture-breakglass-alerting-change",
        "capture-breakglass-key-change",
    ]


@pytest.mark.parametrize(
    "resources",
    [
        [],
        [(TOPIC, {"name": ALERTS}), (EVENT_RULE, {"name": RULE})],
        [(TOPIC, {"name": PLAIN})],
        [(EVENT_RULE, {"name": "breakglass-relay"}), (EVENT_TARGET, {"rule": UNKNOWN_STRING_VALUE})],
    ],
)
def test_other_stacks_are_not_applicable(check_stack, resources):
    assert check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, resources).not_applicable


def test_tamper_names_come_from_the_configuration(check_stack):
    config = {"topicName": "a", "watchdogTopicName": "b", "tamperRulePrefixes": ["x-"]}
    rule = {"name": "x-1", "eventBusName": "default"}
    resources = [(EVENT_RULE, rule), *((EVENT_TARGET, to(rule, topic)) for topic in "ab")]
    assert check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, resources, config=config).passed
    assert len(check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, resources[:1], config=config).violations) == 2
    assert check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, COMPLETE, config=config).not_applicable


def test_what_is_unknown_at_preview_is_left_to_the_engine_when_it_decides(check_stack, unknown):
    target = to(KEY, PLAIN)
    resources = [r for r in COMPLETE if r != (EVENT_TARGET, target)]
    for key in ("rule", "eventBusName", "arn"):
        later = (EVENT_TARGET, target | {key: unknown})
        outcome = check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, [later, *resources])
        assert (outcome.unknown, outcome.violations) == (key, ())
        assert check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, [later, *COMPLETE]).passed
    known_first = [later, *(r for r in resources if r != (EVENT_TARGET, to(CHANGE, PLAIN)))]
    assert len(check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, known_first).violations) == 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.sampled_from([UNKNOWN_STRING_VALUE, QUEUE, BUS, "breakglass", RULE, KEY["name"], topic_arn(PLAIN)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["arn", "x"]), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(["name", "rule", "eventBusName", "arn", "roleArn", "deadLetterConfig", "region"])
PROPS = st.dictionaries(KEYS, VALUES)


@given(PROPS)
def test_no_properties_raise_anything_but_unknown(check, props):
    for rule in (TARGET_HAS_DLQ, NO_ROLE_ON_TARGET, HUB_FORWARDS_NOWHERE):
        check(rule, EVENT_TARGET, props)
        check(rule, EVENT_TARGET, props | {"rule": RULE})


@given(st.lists(st.tuples(st.sampled_from([EVENT_RULE, EVENT_TARGET, TOPIC]), PROPS), max_size=8))
def test_no_resources_raise_anything_but_unknown(check_stack, resources):
    check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, resources)
    check_stack(TAMPER_ALSO_REACHES_PLAIN_TOPIC, [*COMPLETE, *resources])
