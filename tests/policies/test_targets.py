import pytest
from breakglass_policies.placement import EVENT_RULE, EVENT_TARGET
from breakglass_policies.targets import hub_forwards_nowhere, no_role_on_target, target_has_dlq

RULE = "capture-breakglass-user-sign-in"
QUEUE = "arn:aws:sqs:us-east-1:111111111111:breakglass-hub-dlq"
BUS = "arn:aws:events:us-east-1:111111111111:event-bus/other"
ROLE = "arn:aws:iam::111111111111:role/BreakGlassRelay"
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
        (with_queue("breakglass-hub-dlq"), "has as its dead-letter queue breakglass-hub-dlq, which"),
        (with_queue(topic_arn(ALERTS)), "has as its dead-letter queue arn:aws:sns:"),
        (with_queue(QUEUE + ".fifo"), "has the dead-letter queue breakglass-hub-dlq.fifo, and"),
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


OWN_BUSES = [
    ("breakglass", "breakglass"),
    ("arn:aws:events:us-east-1:111111111111:event-bus/breakglass", "breakglass"),
    ("breakglass-watchdog", "breakglass-watchdog"),
    ("arn:aws:events:us-west-2:111111111111:event-bus/breakglass-watchdog", "breakglass-watchdog"),
]


@pytest.mark.parametrize(("bus", "name"), OWN_BUSES)
def test_hub_and_watchdog_may_deliver_but_not_forward(check, bus, name):
    target = {"rule": "anything", "eventBusName": bus}
    for arn in (topic_arn(ALERTS), QUEUE, "odd", None):
        assert check(hub_forwards_nowhere, EVENT_TARGET, target | {"arn": arn}).passed
    (violation,) = check(hub_forwards_nowhere, EVENT_TARGET, target | {"arn": BUS}).violations
    assert violation.startswith(f"EventTarget 'thing' forwards from the bus {name} to event-bus/other")


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
