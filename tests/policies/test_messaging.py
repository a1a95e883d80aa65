import json

import pytest
from breakglass_policies.messaging import (
    SUBSCRIPTIONS_AT_LEAST,
    TOPIC,
    TOPIC_ENCRYPTED,
    TOPIC_POLICY,
    TOPIC_POLICY_SCOPED,
    TOPIC_SUBSCRIPTION,
)
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from breakglass import documents

ALERTS = "breakglassuser-console-logins"
PLAIN = "breakglass-watchdog"
KEY = "arn:aws:kms:us-east-1:111111111111:key/1"
ARNS = {name: f"arn:aws:sns:us-east-1:111111111111:{name}" for name in (ALERTS, PLAIN, "other")}
SOURCE = {"StringEquals": {"aws:SourceAccount": "111111111111"}}


@pytest.mark.parametrize("key", [KEY, "alias/breakglassSNS", UNKNOWN_STRING_VALUE])
def test_the_alert_topic_has_a_key_and_the_watchdog_has_none(check, key):
    assert check(TOPIC_ENCRYPTED, TOPIC, {"name": ALERTS, "kmsMasterKeyId": key}).passed
    (violation,) = check(TOPIC_ENCRYPTED, TOPIC, {"name": PLAIN, "kmsMasterKeyId": key}).violations
    assert violation.startswith(f"Topic 'thing' ({PLAIN}) has a kmsMasterKeyId")


@pytest.mark.parametrize("props", [{}, {"kmsMasterKeyId": None}, {"kmsMasterKeyId": ""}])
def test_a_missing_key_blocks_on_the_alert_topic_only(check, props):
    (violation,) = check(TOPIC_ENCRYPTED, TOPIC, {"name": ALERTS} | props).violations
    assert violation.startswith(f"Topic 'thing' ({ALERTS}) has no kmsMasterKeyId.")
    assert check(TOPIC_ENCRYPTED, TOPIC, {"name": PLAIN} | props).passed


@pytest.mark.parametrize("key", ["alias/aws/sns", "arn:aws:kms:us-east-1:111111111111:alias/aws/sns"])
def test_a_key_that_eventbridge_may_not_use_blocks(check, key):
    (violation,) = check(TOPIC_ENCRYPTED, TOPIC, {"name": ALERTS, "kmsMasterKeyId": key}).violations
    assert "is encrypted with AWS's own key" in violation


def test_topics_are_ours_by_name(check, unknown):
    for kind, name in ((TOPIC, "other"), (TOPIC, None), (TOPIC, [ALERTS]), (TOPIC_POLICY, ALERTS)):
        assert check(TOPIC_ENCRYPTED, kind, {"name": name}).not_applicable
    assert check(TOPIC_ENCRYPTED, TOPIC, {"name": unknown}).unknown == "name"
    config = {"topicName": "a", "watchdogTopicName": "b"}
    assert check(TOPIC_ENCRYPTED, TOPIC, {"name": "a"}, config=config).violations
    assert check(TOPIC_ENCRYPTED, TOPIC, {"name": "b", "kmsMasterKeyId": KEY}, config=config).violations
    assert check(TOPIC_ENCRYPTED, TOPIC, {"name": ALERTS}, config=config).not_applicable


def statement(**changes):
    given = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": ARNS[ALERTS],
        "Condition": SOURCE,
    }
    return {key: value for key, value in (given | changes).items() if value is not None}


def policy(*statements):
    return {"arn": ARNS[ALERTS], "policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


@pytest.mark.parametrize("name", [ALERTS, PLAIN])
def test_the_programs_own_documents_pass(check, name):
    document = documents.topic(account_id="111111111111", region="us-east-1", name=name)
    for value in (document, json.dumps(document)):
        assert check(TOPIC_POLICY_SCOPED, TOPIC_POLICY, {"arn": ARNS[name], "policy": value}).passed
        assert check(TOPIC_POLICY_SCOPED, TOPIC, {"name": name, "policy": value}).passed


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Condition": None},
        {"Action": ["SNS:Publish"]},
        {"Effect": "Deny", "Principal": "*", "Action": "sns:*", "Condition": None},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:111111111111:rule/*"}}},
    ],
)
def test_what_is_limited_passes(check, changes):
    assert check(TOPIC_POLICY_SCOPED, TOPIC_POLICY, policy(statement(**changes))).passed


SERVICE = "lets a service in for every account that uses it"
EVERYBODY = "lets everybody in"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Condition": None}, SERVICE),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "*"}}}, SERVICE),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceAccount": "111111111111"}}}, SERVICE),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/x"}}}, SERVICE),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "*"}}}, SERVICE),
        ({"Principal": "*", "Condition": None}, EVERYBODY),
        ({"Principal": {"AWS": ["*"]}, "Condition": None}, EVERYBODY),
        ({"Principal": None, "NotPrincipal": {"AWS": "111111111111"}, "Condition": None}, EVERYBODY),
        ({"Principal": None}, "names no principal"),
        ({"Action": "sns:*"}, "allows more than sns:Publish"),
        ({"Action": ["sns:Publish", "sns:Subscribe"]}, "allows more than sns:Publish"),
        ({"Action": None, "NotAction": "sns:DeleteTopic"}, "allows more than sns:Publish"),
    ],
)
def test_what_is_not_limited_blocks(check, changes, problem):
    for sid, where in ((None, "statement 2"), ("Open", "statement 2 (Open)")):
        props = policy(statement(), statement(Sid=sid, **changes))
        (violation,) = check(TOPIC_POLICY_SCOPED, TOPIC_POLICY, props).violations
        assert violation.startswith(f"TopicPolicy 'thing' ({ALERTS}): {where} of its policy {problem}")


@pytest.mark.parametrize("document", [None, "", "{", "[]", 7, "{}", {"Statement": [7]}])
def test_a_policy_that_cannot_be_read_blocks(check, document):
    props = {"arn": ARNS[ALERTS], "policy": document}
    (violation,) = check(TOPIC_POLICY_SCOPED, TOPIC_POLICY, props).violations
    assert "could not read the policy" in violation


def test_topic_policies_are_ours_by_arn(check, unknown):
    bad = policy(statement(Condition=None))
    for kind, props in (
        (TOPIC_POLICY, bad | {"arn": ARNS["other"]}),
        (TOPIC_POLICY, bad | {"arn": ALERTS}),
        (TOPIC_POLICY, bad | {"arn": None}),
        (TOPIC, {"name": ALERTS}),
        (TOPIC, {"name": "other", "policy": bad["policy"]}),
        (TOPIC_SUBSCRIPTION, bad),
    ):
        assert check(TOPIC_POLICY_SCOPED, kind, props).not_applicable
    assert check(TOPIC_POLICY_SCOPED, TOPIC_POLICY, bad | {"arn": unknown}).unknown == "arn"
    assert check(TOPIC_POLICY_SCOPED, TOPIC_POLICY, bad | {"policy": unknown}).unknown == "policy"
    config = {"topicName": "other"}
    assert check(TOPIC_POLICY_SCOPED, TOPIC_POLICY, bad | {"arn": ARNS["other"]}, config=config).violations


STACK = [(TOPIC, {"name": ALERTS}), (TOPIC_SUBSCRIPTION, {"topic": ARNS[PLAIN]})]
OURS = (TOPIC_SUBSCRIPTION, {"topic": ARNS[ALERTS]})


@pytest.mark.parametrize(("count", "minimum"), [(0, None), (1, None), (1, 2.0), (2, 3)])
def test_too_few_subscriptions_are_told(check_stack, count, minimum):
    config = {} if minimum is None else {"minimum": minimum}
    (violation,) = check_stack(SUBSCRIPTIONS_AT_LEAST, STACK + count * [OURS], config=config).violations
    advised = 2 if minimum is None else int(minimum)
    assert violation.startswith(f"{count} of at least {advised} advised subscriptions of the topic {ALERTS}")


@pytest.mark.parametrize(("count", "minimum"), [(2, 2), (3, 2), (1, 1)])
def test_enough_subscriptions_pass(check_stack, count, minimum, unknown):
    stack = [(TOPIC_SUBSCRIPTION, {"topic": unknown}), *STACK, *count * [OURS]]
    assert check_stack(SUBSCRIPTIONS_AT_LEAST, stack, config={"minimum": minimum}).passed


OUR_QUEUE = "arn:aws:sqs:us-east-1:111111111111:breakglass-drill"


def queue_of(arn):
    return (TOPIC_SUBSCRIPTION, {"topic": ARNS[ALERTS], "protocol": "sqs", "endpoint": arn})


def test_the_drill_queue_is_no_recipient(check_stack):
    stack = [*STACK, OURS, queue_of(OUR_QUEUE), queue_of(OUR_QUEUE)]
    (violation,) = check_stack(SUBSCRIPTIONS_AT_LEAST, stack).violations
    assert violation.startswith(f"1 of at least 2 advised subscriptions of the topic {ALERTS}")
    assert check_stack(SUBSCRIPTIONS_AT_LEAST, [*stack, OURS]).passed


@pytest.mark.parametrize(
    "other",
    [
        queue_of("arn:aws:sqs:us-east-1:111111111111:alerts"),
        queue_of("arn:aws:sqs:us-east-1:111111111111:my-breakglass-drill"),
        queue_of(None),
        (TOPIC_SUBSCRIPTION, {"topic": ARNS[ALERTS], "protocol": "email", "endpoint": OUR_QUEUE}),
    ],
)
def test_any_other_queue_is_a_recipient(check_stack, other):
    assert check_stack(SUBSCRIPTIONS_AT_LEAST, [*STACK, OURS, other]).passed


def test_a_queue_unknown_at_preview_is_left_to_the_engine(check_stack, unknown):
    outcome = check_stack(SUBSCRIPTIONS_AT_LEAST, [*STACK, OURS, queue_of(unknown)])
    assert (outcome.unknown, outcome.violations) == ("endpoint", ())
    assert check_stack(SUBSCRIPTIONS_AT_LEAST, [*STACK, queue_of(unknown), OURS, OURS]).passed


def test_subscriptions_unknown_at_preview_are_left_to_the_engine(check_stack, unknown):
    stack = [*STACK, OURS, (TOPIC_SUBSCRIPTION, {"topic": unknown})]
    outcome = check_stack(SUBSCRIPTIONS_AT_LEAST, stack)
    assert (outcome.unknown, outcome.violations) == ("topic", ())


def test_stacks_without_the_topic_are_not_applicable(check_stack):
    for stack in ([], [OURS], [(TOPIC, {"name": PLAIN})]):
        assert check_stack(SUBSCRIPTIONS_AT_LEAST, stack).not_applicable


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.text()
    | st.sampled_from([UNKNOWN_STRING_VALUE, ARNS[ALERTS], ALERTS, PLAIN, "{", policy(statement())["policy"]])
    | st.sampled_from(["sqs", OUR_QUEUE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PROPS = st.dictionaries(
    st.sampled_from(["name", "arn", "policy", "kmsMasterKeyId", "topic", "protocol", "endpoint"]), VALUES
)


@given(PROPS)
def test_no_properties_raise_anything_but_unknown(check, props):
    for props_of_ours in (props, props | {"name": ALERTS}, props | {"arn": ARNS[PLAIN]}):
        check(TOPIC_ENCRYPTED, TOPIC, props_of_ours)
        check(TOPIC_POLICY_SCOPED, TOPIC, props_of_ours)
        check(TOPIC_POLICY_SCOPED, TOPIC_POLICY, props_of_ours)


@given(st.lists(st.tuples(st.sampled_from([TOPIC, TOPIC_SUBSCRIPTION]), PROPS), max_size=6))
def test_no_resources_raise_anything_but_unknown(check_stack, resources):
    check_stack(SUBSCRIPTIONS_AT_LEAST, resources)
    check_stack(SUBSCRIPTIONS_AT_LEAST, [*STACK, *resources])
