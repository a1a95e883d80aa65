"""The topics of alerts: encrypted, open to their publishers only, read by people."""

import json
from typing import Any

import pytest
from breakglass_policies.topics import (
    TOPIC,
    TOPIC_POLICY,
    TOPIC_SUBSCRIPTION,
    subscriptions_at_least,
    topic_encrypted,
    topic_lets_publishers_in,
    topic_policy_scoped,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from breakglass import documents, naming

ALERTS = "breakglassuser-console-logins"
PLAIN = "breakglass-watchdog"
KEY = "arn:aws:kms:us-east-1:111111111111:key/1"
ARNS = {name: f"arn:aws:sns:us-east-1:111111111111:{name}" for name in (ALERTS, PLAIN, "other")}
SOURCE = {"StringEquals": {"aws:SourceAccount": "111111111111"}}


@pytest.mark.parametrize("key", [KEY, KEY.rpartition("/")[2], UNKNOWN_STRING_VALUE])
def test_the_alert_topic_has_a_key_and_the_watchdog_has_none(check, key):
    assert check(topic_encrypted, TOPIC, {"name": ALERTS, "kmsMasterKeyId": key}).passed
    (violation,) = check(topic_encrypted, TOPIC, {"name": PLAIN, "kmsMasterKeyId": key}).violations
    assert violation.startswith(f"Topic 'thing' ({PLAIN}) has a kmsMasterKeyId")


@pytest.mark.parametrize("props", [{}, {"kmsMasterKeyId": None}, {"kmsMasterKeyId": ""}])
def test_a_missing_key_blocks_on_the_alert_topic_only(check, props):
    (violation,) = check(topic_encrypted, TOPIC, {"name": ALERTS} | props).violations
    assert violation.startswith(f"Topic 'thing' ({ALERTS}) has no kmsMasterKeyId.")
    assert check(topic_encrypted, TOPIC, {"name": PLAIN} | props).passed


@pytest.mark.parametrize(
    ("alias", "problem"),
    [
        ("alias/aws/sns", "is encrypted with AWS's own key, which EventBridge may not use."),
        (
            "alias/mine",
            "is encrypted with alias/mine: an alias can be pointed at a key that shuts EventBridge out.",
        ),
    ],
)
def test_an_alias_instead_of_a_key_blocks(check, alias, problem):
    for key in (alias, f"arn:aws:kms:us-east-1:111111111111:{alias}"):
        (violation,) = check(topic_encrypted, TOPIC, {"name": ALERTS, "kmsMasterKeyId": key}).violations
        assert f"({ALERTS}) {problem}" in violation


def test_topics_are_ours_by_name(check, unknown):
    for kind, name in ((TOPIC, "other"), (TOPIC, None), (TOPIC, [ALERTS]), (TOPIC_POLICY, ALERTS)):
        assert check(topic_encrypted, kind, {"name": name}).not_applicable
    assert check(topic_encrypted, TOPIC, {"name": unknown}).unknown == "name"


def statement(**changes):
    given = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": ARNS[ALERTS],
        "Condition": SOURCE,
    }
    return {key: value for key, value in (given | changes).items() if value is not None}


def policy(*statements: dict[str, Any], name: str = ALERTS):
    return {"arn": ARNS[name], "policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


policies = pytest.mark.parametrize(
    "policy_", [topic_lets_publishers_in, topic_policy_scoped], ids=lambda policy: policy.name
)


@policies
@pytest.mark.parametrize("name", [ALERTS, PLAIN])
def test_the_programs_own_documents_pass(check, policy_, name):
    document = documents.topic(account_id="111111111111", region="us-east-1", name=name)
    for value in (document, json.dumps(document)):
        for account in (None, "111111111111"):
            our = {"component": "BreakGlassAlerts", "account": account}
            assert check(policy_, TOPIC_POLICY, {"arn": ARNS[name], "policy": value}, **our).passed
            assert check(policy_, TOPIC, {"name": name, "policy": value}, **our).passed


@policies
@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Condition": None},
        {"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"AWS:SourceOwner": "111111111111"}}},
        {"Action": ["SNS:Publish"]},
        {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Effect": "Deny", "Principal": "*", "Action": "sns:DeleteTopic", "Condition": None},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:111111111111:rule/*"}}},
        {"Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:111111111111:rule/mine"}}},
        {"Condition": {"StringEquals": {"aws:SourceOrgID": "o-abcdefghij"}}},
    ],
)
def test_what_is_limited_passes(check, policy_, changes):
    props = policy(statement(), statement(**changes))
    assert check(policy_, TOPIC_POLICY, props).passed


def test_a_rule_that_the_policy_names_is_a_publisher(check):
    one = {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:111111111111:rule/mine"}}
    assert check(topic_lets_publishers_in, TOPIC_POLICY, policy(statement(Condition=one))).passed
    foreign = {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:222222222222:rule/mine"}}
    assert check(topic_lets_publishers_in, TOPIC_POLICY, policy(statement(Condition=foreign))).violations


@pytest.mark.parametrize(
    "statements",
    [
        [],
        [statement(Principal={"AWS": "111111111111"})],
        [statement(Action="sns:Subscribe")],
        [statement(Resource=ARNS["other"])],
        [statement(Condition={"StringEquals": {"aws:SourceAccount": "222222222222"}})],
        [statement(Condition={"StringEquals": {"aws:SourceAccount": "*"}})],
        [statement(Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})],
        [statement(Condition="odd")],
        *(
            [statement(), statement(Effect="Deny", Principal="*", Action="sns:*", Condition=condition)]
            for condition in (
                None,
                {"StringNotEquals": {"aws:PrincipalOrgID": "o-1", "aws:SourceOrgID": "o-1"}},
                {"Null": {"aws:SourceVpce": "true"}},
                {"Bool": {"aws:PrincipalIsAWSService": "true"}},
                {"StringLike": {"aws:SourceArn": "arn:aws:events:*"}},
                {"NotIpAddressIfExists": {"aws:SourceIp": "10.0.0.0/8"}},
            )
        ),
    ],
)
def test_a_policy_that_shuts_eventbridge_out_blocks(check, statements):
    for kind, props in ((TOPIC_POLICY, policy(*statements)), (TOPIC, policy(*statements) | {"name": ALERTS})):
        (violation,) = check(topic_lets_publishers_in, kind, props, account="111111111111").violations
        title = f"{kind.rpartition(':')[2]} 'thing' ({ALERTS})"
        assert violation.startswith(
            f"{title} does not let events.amazonaws.com publish, so its alerts are lost"
        )


def test_alarms_are_publishers_of_our_topics_and_where_the_policy_names_them(check):
    alarms = statement(Principal={"Service": "cloudwatch.amazonaws.com"})
    foreign = alarms | {"Condition": {"StringEquals": {"aws:SourceAccount": "222222222222"}}}
    ours = {"component": "BreakGlassAlerts"}
    assert check(topic_lets_publishers_in, TOPIC_POLICY, policy(statement())).passed
    assert check(topic_lets_publishers_in, TOPIC_POLICY, policy(statement(), alarms), **ours).passed
    for props, where in ((policy(statement()), ours), (policy(statement(), foreign), {})):
        (violation,) = check(topic_lets_publishers_in, TOPIC_POLICY, props, **where).violations
        assert "does not let cloudwatch.amazonaws.com publish" in violation


@pytest.mark.parametrize("alarm", naming.ALARMS)
def test_all_alarms_of_ours_must_be_let_in(check, alarm):
    ours = {"component": "BreakGlassAlerts", "account": "111111111111"}
    alarms = statement(Principal={"Service": "cloudwatch.amazonaws.com"})
    arn = {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:*:*:alarm:{alarm}"}}
    denial = statement(Effect="Deny", Principal="*", Action="*", Condition=arn)
    props = policy(statement(), alarms, denial)
    assert check(topic_lets_publishers_in, TOPIC_POLICY, props, **ours).violations


@pytest.mark.parametrize("service", ["events", "cloudwatch"])
def test_what_the_policy_names_does_not_stand_for_what_is_ours(check, service):
    arns = {
        "events": "events:us-east-1:111111111111:rule/zzz",
        "cloudwatch": "cloudwatch:*:111111111111:alarm:zzz",
    }
    other = {"ArnLike": {"aws:SourceArn": f"arn:aws:{arns[service]}"}}
    statements = [
        statement(
            Principal={"Service": f"{name}.amazonaws.com"}, Condition=other if name == service else SOURCE
        )
        for name in arns
    ]
    assert check(topic_lets_publishers_in, TOPIC_POLICY, policy(*statements)).passed
    ours = {"component": "BreakGlassAlerts", "account": "111111111111"}
    (violation,) = check(topic_lets_publishers_in, TOPIC_POLICY, policy(*statements), **ours).violations
    assert f"does not let {service}.amazonaws.com publish" in violation


SERVICE = "lets events.amazonaws.com for other accounts in, or may do so"
EVERYBODY = "lets everybody in, or may do so"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Condition": None}, SERVICE),
        ({"Condition": {"StringLike": {"aws:SourceAccount": "*"}}}, SERVICE),
        ({"Condition": {"StringLike": {"aws:SourceAccount": "1111*"}}}, SERVICE),
        ({"Condition": {"StringNotEquals": {"aws:SourceAccount": "111111111111"}}}, SERVICE),
        ({"Condition": {"StringEqualsIfExists": {"aws:SourceAccount": "111111111111"}}}, SERVICE),
        ({"Condition": {"StringEquals": {"aws:SourceIp": "10.0.0.1"}}}, SERVICE),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:events:*:*:rule/x"}}}, SERVICE),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "*"}}}, SERVICE),
        ({"Condition": {"StringLike": {"aws:SourceArn": "arn:aws:events:us-east-1:*"}}}, SERVICE),
        ({"Condition": {"StringLike": {"aws:SourceOrgID": "o-*"}}}, SERVICE),
        ({"Condition": {"ForAllValues:StringLike": {"aws:SourceOrgPaths": "o-1/*"}}}, SERVICE),
        (
            {"Principal": {"Service": ["s3.amazonaws.com"]}, "Condition": None},
            "lets s3.amazonaws.com for other",
        ),
        ({"Principal": "*", "Condition": {"Bool": {"aws:PrincipalIsAWSService": "true"}}}, SERVICE),
        ({"Principal": "*", "Condition": None}, EVERYBODY),
        ({"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, EVERYBODY),
        ({"Principal": {"AWS": ["*"]}, "Condition": None}, EVERYBODY),
        ({"Principal": None, "NotPrincipal": {"AWS": "111111111111"}, "Condition": None}, EVERYBODY),
    ],
)
def test_what_is_open_to_strangers_blocks(check, changes, problem):
    props = policy(statement(), statement(Sid="Open", **changes))
    (violation,) = check(topic_policy_scoped, TOPIC_POLICY, props).violations
    assert violation.startswith(f"TopicPolicy 'thing' ({ALERTS}) {problem}")
    assert "aws:SourceAccount" in violation
    assert "Statement[1] (Open)" in violation


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"Principal": None}, "names no principal"),
        ({"Action": "sns:*"}, "allows more than sns:Publish"),
        ({"Action": ["sns:Publish", "sns:Subscribe"]}, "allows more than sns:Publish"),
        ({"Action": None, "NotAction": "sns:DeleteTopic"}, "allows more than sns:Publish"),
    ],
)
def test_a_statement_that_allows_more_or_names_nobody_blocks(check, changes, problem):
    for sid, where in ((None, "statement 2"), ("Open", "statement 2 (Open)")):
        props = policy(statement(), statement(Sid=sid, **changes))
        (violation,) = check(topic_policy_scoped, TOPIC_POLICY, props).violations
        assert violation.startswith(f"TopicPolicy 'thing' ({ALERTS}) {problem} in {where} of its policy")


def test_a_denial_keeps_strangers_out_only_if_they_cannot_avoid_it(check):
    everybody = statement(Principal="*", Condition=None)

    def outcome(condition):
        denial = statement(Effect="Deny", Principal="*", Action="sns:*", Condition=condition)
        return check(topic_policy_scoped, TOPIC_POLICY, policy(everybody, denial))

    assert outcome({"StringNotEquals": {"aws:SourceAccount": "111111111111"}}).passed
    assert outcome({"StringNotEquals": {"aws:SourceIp": "10.0.0.1"}}).violations
    assert outcome({"StringNotLike": {"aws:SourceAccount": "1111*"}}).violations


@pytest.mark.parametrize("document", [None, "", "{", "[]", 7, "{}", {"Statement": [7]}])
def test_a_policy_that_cannot_be_read_blocks(check, document):
    props = {"arn": ARNS[ALERTS], "policy": document}
    (violation,) = check(topic_policy_scoped, TOPIC_POLICY, props).violations
    assert "has a policy that cannot be read" in violation
    assert check(topic_lets_publishers_in, TOPIC_POLICY, props).violations


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringEquals", "aws:PrincipalServiceName", "events.amazonaws.com"),
        ("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", "events.amazonaws.com"),
        ("Bool", "aws:ViaAWSService", "false"),
        ("DateLessThan", "aws:CurrentTime", "2099-12-01T00:00:00Z"),
        ("StringEquals", "aws:RequestedRegion", "us-east-1"),
        ("StringEquals", "aws:ResourceAccount", "111111111111"),
    ],
)
def test_a_denial_by_a_key_that_aws_sends_blocks(check, operator, key, value):
    denial = statement(Effect="Deny", Principal="*", Condition={operator: {key: value}})
    assert check(topic_lets_publishers_in, TOPIC_POLICY, policy(statement(), denial)).violations


@policies
def test_an_odd_region_is_not_taken_for_a_part_of_the_arn(check, policy_):
    for region in (":", "", 7):
        props = policy(statement()) | {"name": ALERTS, "region": region}
        assert check(policy_, TOPIC, props).passed


def test_element_names_in_another_case_are_not_overlooked(check):
    props = {"arn": ARNS[ALERTS], "policy": json.dumps({"statement": [statement(Principal="*")]})}
    assert check(topic_policy_scoped, TOPIC_POLICY, props).violations


@policies
def test_topic_policies_are_ours_by_arn(check, policy_, unknown):
    bad = policy(statement(Condition={"StringLike": {"aws:SourceAccount": "2*"}}))
    assert check(policy_, TOPIC_POLICY, bad).violations
    for kind, props in (
        (TOPIC_POLICY, bad | {"arn": ARNS["other"]}),
        (TOPIC_POLICY, bad | {"arn": ALERTS}),
        (TOPIC_POLICY, bad | {"arn": None}),
        (TOPIC, {"name": ALERTS}),
        (TOPIC, {"name": "other", "policy": bad["policy"]}),
        (TOPIC_SUBSCRIPTION, bad),
    ):
        assert check(policy_, kind, props).not_applicable
    assert check(policy_, TOPIC_POLICY, bad | {"arn": unknown}).not_applicable
    ours = check(policy_, TOPIC_POLICY, bad | {"arn": unknown}, component="BreakGlassAlerts")
    assert ours.unknown == "arn"
    assert check(policy_, TOPIC_POLICY, bad | {"policy": unknown}).unknown == "policy"


STACK = [(TOPIC, {"name": ALERTS}), (TOPIC_SUBSCRIPTION, {"topic": ARNS[PLAIN]})]
OURS = (TOPIC_SUBSCRIPTION, {"topic": ARNS[ALERTS]})


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_subscriptions_are_reported(check_stack, count):
    (violation,) = check_stack(subscriptions_at_least, STACK + count * [OURS]).violations
    assert violation.startswith(f"{count} of at least 2 advised subscriptions of the topic {ALERTS}")


@pytest.mark.parametrize("count", [2, 3])
def test_enough_subscriptions_pass(check_stack, count, unknown):
    stack = [(TOPIC_SUBSCRIPTION, {"topic": unknown}), *STACK, *count * [OURS]]
    assert check_stack(subscriptions_at_least, stack).passed


OUR_QUEUE = "arn:aws:sqs:us-east-1:111111111111:breakglass-drill"


def queue_of(arn):
    return (TOPIC_SUBSCRIPTION, {"topic": ARNS[ALERTS], "protocol": "sqs", "endpoint": arn})


def test_the_drill_queue_is_no_recipient(check_stack):
    stack = [*STACK, OURS, queue_of(OUR_QUEUE), queue_of(OUR_QUEUE)]
    (violation,) = check_stack(subscriptions_at_least, stack).violations
    assert violation.startswith(f"1 of at least 2 advised subscriptions of the topic {ALERTS}")
    assert check_stack(subscriptions_at_least, [*stack, OURS]).passed


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
    assert check_stack(subscriptions_at_least, [*STACK, OURS, other]).passed


def test_a_queue_unknown_at_preview_is_left_to_the_engine(check_stack, unknown):
    outcome = check_stack(subscriptions_at_least, [*STACK, OURS, queue_of(unknown)])
    assert (outcome.unknown, outcome.violations) == ("endpoint", ())
    assert check_stack(subscriptions_at_least, [*STACK, queue_of(unknown), OURS, OURS]).passed


def test_subscriptions_unknown_at_preview_are_left_to_the_engine(check_stack, unknown):
    stack = [*STACK, OURS, (TOPIC_SUBSCRIPTION, {"topic": unknown})]
    outcome = check_stack(subscriptions_at_least, stack)
    assert (outcome.unknown, outcome.violations) == ("topic", ())


def test_stacks_without_the_topic_are_not_applicable(check_stack):
    for stack in ([], [OURS], [(TOPIC, {"name": PLAIN})]):
        assert check_stack(subscriptions_at_least, stack).not_applicable
