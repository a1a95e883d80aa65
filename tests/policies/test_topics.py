"""The topics: the hub's encrypted, all open to their publishers only, read by people."""

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
ALARMS = "breakglass-alarms"
WATCHDOG, WATCHDOG_ALARMS = "breakglass-watchdog", "breakglass-watchdog-alarms"
PLAIN = (ALARMS, WATCHDOG, WATCHDOG_ALARMS)
KEY = "arn:aws:kms:us-east-1:111111111111:key/1"
ARNS = {name: f"arn:aws:sns:us-east-1:111111111111:{name}" for name in (ALERTS, *PLAIN, "other")}
SOURCE = {"StringEquals": {"aws:SourceAccount": "111111111111"}}


@pytest.mark.parametrize("key", [KEY, KEY.rpartition("/")[2], UNKNOWN_STRING_VALUE])
def test_the_hubs_alert_topic_has_a_key_and_the_others_have_none(check, key):
    assert check(topic_encrypted, TOPIC, {"name": ALERTS, "kmsMasterKeyId": key}).passed
    for name in PLAIN:
        (violation,) = check(topic_encrypted, TOPIC, {"name": name, "kmsMasterKeyId": key}).violations
        assert violation.startswith(f"Topic 'thing' ({name}) has a kmsMasterKeyId")


@pytest.mark.parametrize("props", [{}, {"kmsMasterKeyId": None}, {"kmsMasterKeyId": ""}])
def test_a_missing_key_blocks_on_the_alert_topic_only(check, props):
    (violation,) = check(topic_encrypted, TOPIC, {"name": ALERTS} | props).violations
    assert violation.startswith(f"Topic 'thing' ({ALERTS}) has no kmsMasterKeyId.")
    for name in PLAIN:
        assert check(topic_encrypted, TOPIC, {"name": name} | props).passed


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
    }
    return {key: value for key, value in (given | changes).items() if value is not None}


def alarms(**changes):
    """A statement that lets CloudWatch in."""
    service = {"Principal": {"Service": "cloudwatch.amazonaws.com"}, "Condition": SOURCE}
    return statement(**service | changes)


def policy(*statements: dict[str, Any], name: str = ALERTS):
    return {"arn": ARNS[name], "policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


policies = pytest.mark.parametrize(
    "policy_", [topic_lets_publishers_in, topic_policy_scoped], ids=lambda policy: policy.name
)


def own_document(name):
    place = {"account_id": "111111111111", "region": "us-east-1", "name": name}
    if name in (ALERTS, WATCHDOG):
        return documents.alert_topic(**place)
    return documents.alarms_topic(
        **place, account_ids=["111111111111"], organization_id=None, for_rules=name == ALARMS
    )


@policies
@pytest.mark.parametrize(
    ("name", "component"),
    [
        (ALERTS, "BreakGlassAlerts"),
        (ALARMS, "BreakGlassAlerts"),
        (WATCHDOG, "BreakGlassWatchdog"),
        (WATCHDOG_ALARMS, "BreakGlassWatchdog"),
    ],
)
def test_the_programs_own_documents_pass(check, policy_, name, component):
    document = own_document(name)
    for value in (document, json.dumps(document)):
        for account in (None, "111111111111"):
            our = {"component": component, "account": account}
            assert check(policy_, TOPIC_POLICY, {"arn": ARNS[name], "policy": value}, **our).passed
            assert check(policy_, TOPIC, {"name": name, "policy": value}, **our).passed


@policies
@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": "*", "Condition": SOURCE},
        {"Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Condition": None},
        {"Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"AWS:SourceOwner": "111111111111"}}},
        {"Action": ["SNS:Publish"]},
        {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Effect": "Deny", "Principal": "*", "Action": "sns:DeleteTopic", "Condition": None},
        {
            "Principal": {"Service": "s3.amazonaws.com"},
            "Condition": {"StringEquals": {"aws:SourceOrgID": "o-abcdefghij"}},
        },
    ],
)
def test_what_is_limited_passes(check, policy_, changes):
    props = policy(statement(), statement(**changes))
    assert check(policy_, TOPIC_POLICY, props).passed


@pytest.mark.parametrize(
    "condition",
    [
        SOURCE,
        {"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:111111111111:rule/*"}},
        {"StringEquals": {"aws:SourceOrgID": "o-abcdefghij"}},
    ],
)
def test_a_condition_for_eventbridge_blocks_whatever_it_says(check, condition):
    """AWS's pages disagree whether EventBridge sends SNS a source; if not, every alert is lost unheard."""
    (violation,) = check(
        topic_lets_publishers_in, TOPIC_POLICY, policy(statement(Condition=condition))
    ).violations
    assert "Allow it sns:Publish without a condition: whether it sends one's keys is not known." in violation


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


@pytest.mark.parametrize("name", [ALARMS, WATCHDOG_ALARMS])
def test_alarms_are_publishers_of_their_topics_and_where_a_policy_names_them(check, name):
    def violations(*statements, topic=name):
        resources = [one | {"Resource": ARNS[topic]} for one in statements]
        props = policy(*resources, name=topic)
        return check(topic_lets_publishers_in, TOPIC_POLICY, props, account="111111111111").violations

    foreign = alarms(Condition={"StringEquals": {"aws:SourceAccount": "222222222222"}})
    assert violations(statement(), alarms()) == ()
    for statements in ([statement()], [statement(), foreign]):
        (violation,) = violations(*statements)
        assert "does not let cloudwatch.amazonaws.com publish" in violation
        assert "Allow it sns:Publish for the accounts of the alarms." in violation
    assert violations(statement(), topic=ALERTS) == ()
    assert violations(statement(), alarms(), topic=ALERTS) == ()
    (violation,) = violations(statement(), foreign, topic=ALERTS)
    assert "does not let cloudwatch.amazonaws.com publish" in violation


def test_the_rule_about_the_key_publishes_to_the_hubs_topic_for_alarms(check):
    def violations(name):
        props = policy(alarms(Resource=ARNS[name]), name=name)
        return check(topic_lets_publishers_in, TOPIC_POLICY, props).violations

    (violation,) = violations(ALARMS)
    assert "does not let events.amazonaws.com publish" in violation
    assert violations(WATCHDOG_ALARMS) == ()


@pytest.mark.parametrize("alarm", naming.PLACE_ALARMS)
def test_all_alarms_of_ours_must_be_let_in(check, alarm):
    ours = {"component": "BreakGlassAlerts", "account": "111111111111"}
    arn = {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:*:*:alarm:{alarm}"}}
    denial = statement(Effect="Deny", Principal="*", Action="*", Resource=ARNS[ALARMS], Condition=arn)
    let_in = [one | {"Resource": ARNS[ALARMS]} for one in (statement(), alarms())]
    assert check(topic_lets_publishers_in, TOPIC_POLICY, policy(*let_in, name=ALARMS), **ours).passed
    props = policy(*let_in, denial, name=ALARMS)
    assert check(topic_lets_publishers_in, TOPIC_POLICY, props, **ours).violations


def test_an_alarm_that_the_policy_names_does_not_stand_for_what_is_ours(check):
    other = {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:111111111111:alarm:zzz"}}
    props = policy(
        statement(Resource=ARNS[ALARMS]), alarms(Resource=ARNS[ALARMS], Condition=other), name=ALARMS
    )
    assert check(topic_lets_publishers_in, TOPIC_POLICY, props).passed
    ours = {"component": "BreakGlassAlerts", "account": "111111111111"}
    (violation,) = check(topic_lets_publishers_in, TOPIC_POLICY, props, **ours).violations
    assert "does not let cloudwatch.amazonaws.com publish" in violation


SERVICE = "lets cloudwatch.amazonaws.com for other accounts in, or may do so"
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
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:*:*:alarm:x"}}}, SERVICE),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "*"}}}, SERVICE),
        ({"Condition": {"StringLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:*"}}}, SERVICE),
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
    props = policy(statement(), alarms(Sid="Open", **changes))
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
    odd = {"StringLike": {"aws:SourceAccount": "2*"}}
    bad = policy(statement(Condition=odd), alarms(Condition=odd))
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


STACK = [(TOPIC, {"name": ALERTS}), (TOPIC_SUBSCRIPTION, {"topic": ARNS[WATCHDOG]})]
OURS = (TOPIC_SUBSCRIPTION, {"topic": ARNS[ALERTS]})


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_subscriptions_are_reported(check_stack, count):
    (violation,) = check_stack(subscriptions_at_least, STACK + count * [OURS]).violations
    assert violation.startswith(f"{count} of at least 2 advised subscriptions of the topic {ALERTS}")


@pytest.mark.parametrize("count", [2, 3])
def test_enough_subscriptions_pass(check_stack, count, unknown):
    stack = [(TOPIC_SUBSCRIPTION, {"topic": unknown}), *STACK, *count * [OURS]]
    assert check_stack(subscriptions_at_least, stack).passed


OUR_QUEUE = "arn:aws:sqs:us-east-1:111111111111:breakglass-hub-drill"


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
        queue_of("arn:aws:sqs:us-east-1:111111111111:my-breakglass-hub-drill"),
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
    for stack in ([], [OURS], [(TOPIC, {"name": WATCHDOG})]):
        assert check_stack(subscriptions_at_least, stack).not_applicable
