import pytest
from breakglass_policies.targets import (
    EVENT_RULE,
    EVENT_TARGET,
    TOPIC,
    hub_forwards_nowhere,
    no_role_on_target,
    tamper_also_reaches_plain_topic,
    target_has_dlq,
)
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


ours = pytest.mark.parametrize("policy", [target_has_dlq, no_role_on_target], ids=lambda policy: policy.name)


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
def test_other_resources_are_not_applicable(check, policy, kind, props):
    assert check(policy, kind, props).not_applicable


@ours
def test_a_rule_unknown_at_preview_is_left_to_the_engine(check, policy, unknown):
    assert check(policy, EVENT_TARGET, {"rule": unknown}).unknown == "rule"


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
    assert check(target_has_dlq, EVENT_TARGET, target, provider_region=provider_region).passed


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
    (violation,) = check(target_has_dlq, EVENT_TARGET, props).violations
    assert violation.startswith(f"EventTarget 'thing' ({RULE}) {problem}")
    assert " Set deadLetterConfig.arn to a standard queue in " in violation


def test_a_queue_unknown_at_preview_is_left_to_the_engine(check, unknown):
    assert check(target_has_dlq, EVENT_TARGET, with_queue(unknown)).unknown == "deadLetterConfig.arn"
    assert check(target_has_dlq, EVENT_TARGET, with_queue(QUEUE) | {"region": unknown}).unknown == "region"


@pytest.mark.parametrize("service", ["sns", "sqs", "logs", "lambda"])
def test_a_role_on_a_target_with_a_policy_of_its_own_blocks(check, service, unknown):
    arn = f"arn:aws:{service}:us-east-1:111111111111:thing"
    target = {"rule": RULE, "arn": arn}
    for role in (ROLE, unknown):
        (violation,) = check(no_role_on_target, EVENT_TARGET, target | {"roleArn": role}).violations
        assert "Remove roleArn" in violation
    for role in (None, ""):
        assert check(no_role_on_target, EVENT_TARGET, target | {"roleArn": role}).passed
    assert check(no_role_on_target, EVENT_TARGET, {"rule": RULE, "arn": unknown}).passed


@pytest.mark.parametrize("arn", [BUS, "not an ARN", None, 7])
def test_a_role_on_other_targets_passes(check, arn):
    target = {"rule": "breakglass-relay", "arn": arn, "roleArn": ROLE}
    assert check(no_role_on_target, EVENT_TARGET, target).passed


def test_a_role_on_a_target_unknown_at_preview_is_left_to_the_engine(check, unknown):
    props = {"rule": RULE, "arn": unknown, "roleArn": ROLE}
    assert check(no_role_on_target, EVENT_TARGET, props).unknown == "arn"


HUB = ["breakglass", "arn:aws:events:us-east-1:111111111111:event-bus/breakglass"]


@pytest.mark.parametrize("bus", HUB)
def test_the_hub_may_deliver_but_not_forward(check, bus):
    target = {"rule": "anything", "eventBusName": bus}
    for arn in (topic_arn(ALERTS), QUEUE, "odd", None):
        assert check(hub_forwards_nowhere, EVENT_TARGET, target | {"arn": arn}).passed
    (violation,) = check(hub_forwards_nowhere, EVENT_TARGET, target | {"arn": BUS}).violations
    assert violation.startswith("EventTarget 'thing' forwards from the hub breakglass to event-bus/other")


@pytest.mark.parametrize(
    ("kind", "bus"),
    [(EVENT_TARGET, bus) for bus in (None, "", "default", "other", 7)] + [(EVENT_RULE, "breakglass")],
)
def test_other_buses_may_forward(check, kind, bus):
    assert check(hub_forwards_nowhere, kind, {"eventBusName": bus, "arn": BUS}).not_applicable


def test_a_bus_unknown_at_preview_is_left_to_the_engine(check, unknown):
    assert check(hub_forwards_nowhere, EVENT_TARGET, {"eventBusName": unknown}).unknown == "eventBusName"
    unknown_target = {"eventBusName": "breakglass", "arn": unknown}
    assert check(hub_forwards_nowhere, EVENT_TARGET, unknown_target).unknown == "arn"


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
    assert check_stack(tamper_also_reaches_plain_topic, COMPLETE).passed


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
        (violation,) = check_stack(tamper_also_reaches_plain_topic, [*resources, *added]).violations
        assert violation.startswith("EventRule 'thing-")
        assert f"({rule['name']}) has no target that is the topic {topic} of its own Region" in violation


def test_buses_that_are_both_left_to_the_provider_are_the_same(check_stack, unknown):
    """As a stack rule sees key-change at the first preview."""
    later = {"eventBusName": unknown}
    others = [r for r in COMPLETE if KEY["name"] not in (r[1].get("name"), r[1].get("rule"))]
    rule = (EVENT_RULE, KEY | later)
    targets = [(EVENT_TARGET, to(KEY, topic) | later) for topic in (ALERTS, PLAIN)]
    assert check_stack(tamper_also_reaches_plain_topic, [*others, rule, *targets]).passed
    (violation,) = check_stack(tamper_also_reaches_plain_topic, [*others, rule, targets[0]]).violations
    assert PLAIN in violation
    known = (EVENT_TARGET, to(KEY, PLAIN))
    outcome = check_stack(tamper_also_reaches_plain_topic, [*others, rule, targets[0], known])
    assert (outcome.unknown, outcome.violations) == ("eventBusName", ())


def test_a_missing_rule_is_reported_where_the_topics_are(check_stack):
    violations = check_stack(tamper_also_reaches_plain_topic, COMPLETE[:2]).violations
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
    assert check_stack(tamper_also_reaches_plain_topic, resources).not_applicable


def test_what_is_unknown_at_preview_is_left_to_the_engine_when_it_decides(check_stack, unknown):
    target = to(KEY, PLAIN)
    resources = [r for r in COMPLETE if r != (EVENT_TARGET, target)]
    for key in ("rule", "eventBusName", "arn"):
        later = (EVENT_TARGET, target | {key: unknown})
        outcome = check_stack(tamper_also_reaches_plain_topic, [later, *resources])
        assert (outcome.unknown, outcome.violations) == (key, ())
        assert check_stack(tamper_also_reaches_plain_topic, [later, *COMPLETE]).passed
    known_first = [later, *(r for r in resources if r != (EVENT_TARGET, to(CHANGE, PLAIN)))]
    assert len(check_stack(tamper_also_reaches_plain_topic, known_first).violations) == 1
