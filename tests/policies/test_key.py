"""The key for alerts: who may use it, and that it can be used."""

import json
from typing import Any

import pytest
from breakglass_policies.key import ENABLED_BY, key_enabled, key_lets_publishers_in, key_rotation

from breakglass import documents, naming

KEY = "aws:kms/key:Key"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
TOPIC = "aws:sns/topic:Topic"
HOLDERS = [*ENABLED_BY, KEY_POLICY]

EVENTS = "events.amazonaws.com"
CLOUDWATCH = "cloudwatch.amazonaws.com"
BOTH = ["kms:GenerateDataKey*", "kms:Decrypt"]
OWN = documents.hub_key(account_id="111111111111")
SOURCES = ["aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths"]


def statement(service: Any = EVENTS, action: Any = BOTH, condition: Any = None, **more: Any):
    found = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": "*", **more}
    return {**found, "Condition": condition} if condition else found


ROOT = statement(action="kms:*", Principal={"AWS": "arn:aws:iam::111111111111:root"})


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deny(condition: Any, principal: Any = "*", **more: Any):
    return statement(Effect="Deny", Principal=principal, condition=condition, **{"Action": "kms:*", **more})


class TestConditionsOnTheSource:
    """EventBridge sends KMS no source."""

    @pytest.mark.parametrize("kind", HOLDERS)
    @pytest.mark.parametrize("key", [*SOURCES, "AWS:SOURCEACCOUNT"])
    @pytest.mark.parametrize("operator", ["StringEquals", "StringLike", "ForAnyValue:StringEquals"])
    def test_for_eventbridge_they_block(self, check, kind, key, operator):
        bad = statement(condition={operator: {key: "x"}, "Bool": {"aws:SecureTransport": "true"}})
        violations = check(key_lets_publishers_in, kind, {"policy": policy(ROOT, bad)}).violations
        assert len(violations) == 2  # one for each action
        for violation in violations:
            title = f"{kind.rpartition(':')[2]} 'thing'"
            assert violation.startswith(f"{title} does not let events.amazonaws.com use kms:")
            assert f"the request carries no {key}" in violation

    def test_a_policy_may_name_the_key_by_its_arn(self, check):
        arn = "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        props = {"policy": policy(ROOT, statement(Resource=arn))}
        assert check(key_lets_publishers_in, KEY, props).passed

    @pytest.mark.parametrize("operator", ["StringEqualsIfExists", "StringLikeIfExists", "ArnLikeIfExists"])
    @pytest.mark.parametrize("key", SOURCES)
    def test_if_exists_lets_a_request_without_a_source_pass(self, check, operator, key):
        fine = statement(condition={operator: {key: "arn:aws:events:us-east-1:111111111111:rule/x"}})
        assert check(key_lets_publishers_in, KEY, {"policy": policy(ROOT, fine)}).passed

    @pytest.mark.parametrize("service", [[EVENTS, CLOUDWATCH], [CLOUDWATCH, EVENTS]])
    def test_another_service_in_the_statement_changes_nothing(self, check, service):
        bad = statement(service, condition={"StringEquals": {"aws:SourceAccount": "111111111111"}})
        violations = check(key_lets_publishers_in, KEY, {"policy": policy(bad)}).violations
        assert len(violations) == 2
        assert all(EVENTS in violation for violation in violations)

    def test_for_cloudwatch_they_pass(self, check):
        for key, value in (
            ("aws:SourceAccount", "111111111111"),
            ("aws:SourceArn", "arn:aws:cloudwatch:us-east-1:111111111111:alarm:breakglass-*"),
        ):
            fine = statement(CLOUDWATCH, condition={"StringLike": {key: value}})
            assert check(key_lets_publishers_in, KEY, {"policy": policy(ROOT, statement(), fine)}).passed

    @pytest.mark.parametrize(
        "condition",
        [
            {"StringNotEquals": {"aws:SourceAccount": "1"}},
            {
                "StringNotEqualsIfExists": {"aws:SourceOrgID": "o-1"},
                "Bool": {"aws:PrincipalIsAWSService": "true"},
            },
            {"StringEqualsIfExists": {"aws:SourceOrgID": "o-1"}},
            {"ForAllValues:StringLike": {"aws:SourceOrgPaths": "x"}},
            {"Null": {"aws:SourceArn": "true"}},
            # A service principal belongs to no organization, so both conditions are met.
            {"StringNotEquals": {"aws:SourceOrgID": "o", "aws:PrincipalOrgID": "o"}},
        ],
    )
    def test_a_denial_that_matches_without_a_source_blocks(self, check, condition):
        for principal in ("*", {"AWS": "*"}, {"AWS": ["arn:aws:iam::111111111111:root", "*"]}):
            props = {"policy": policy(statement(), deny(condition, principal))}
            assert len(check(key_lets_publishers_in, KEY, props).violations) == 2

    @pytest.mark.parametrize(
        "denial",
        [
            deny({"StringEquals": {"aws:SourceAccount": "1"}}),
            deny({"StringNotEquals": {"aws:SourceOrgID": "o"}, "Null": {"aws:SourceOrgID": "false"}}),
            deny(
                {"StringNotEquals": {"aws:SourceOrgID": "o"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
            ),
            deny({"StringNotEquals": {"aws:SourceOrgID": "o"}}, {"AWS": "arn:aws:iam::111111111111:root"}),
            deny({"StringNotEquals": {"aws:SourceOrgID": "o"}}, Action="kms:ScheduleKeyDeletion"),
        ],
    )
    def test_a_denial_that_does_not_concern_eventbridge_passes(self, check, denial):
        assert check(key_lets_publishers_in, KEY, {"policy": policy(statement(), denial)}).passed

    @pytest.mark.parametrize("condition", ["x", ["x"], {"StringEquals": "aws:SourceAccount"}, 7])
    def test_a_condition_that_cannot_be_judged_blocks(self, check, condition):
        props = {"policy": policy(statement(condition=condition))}
        assert check(key_lets_publishers_in, KEY, props).violations


class TestActions:
    @pytest.mark.parametrize(
        ("action", "missing"),
        [
            (BOTH, []),
            ("kms:*", []),
            ("*", []),
            (["KMS:generatedatakey", "kms:decrypt"], []),
            (["kms:GenerateDataKey*"], ["kms:Decrypt"]),
            ("kms:Decrypt", ["kms:GenerateDataKey"]),
            (["kms:Encrypt", "kms:DescribeKey"], ["kms:GenerateDataKey", "kms:Decrypt"]),
            ([], ["kms:GenerateDataKey", "kms:Decrypt"]),
        ],
    )
    @pytest.mark.parametrize("service", [EVENTS, CLOUDWATCH])
    def test_a_service_that_the_policy_names_needs_both(self, check, action, missing, service):
        violations = check(
            key_lets_publishers_in, KEY, {"policy": policy(statement(service, action))}
        ).violations
        assert len(violations) == len(missing)
        for violation, name in zip(violations, missing, strict=True):
            assert f"does not let {service} use {name}, so its alerts are lost" in violation

    def test_statements_add_up_and_not_action_is_understood(self, check):
        apart = policy(*(statement(action=action) for action in BOTH))
        rest = {k: v for k, v in statement(NotAction="kms:PutKeyPolicy").items() if k != "Action"}
        for document in (apart, policy(rest)):
            assert check(key_lets_publishers_in, KEY, {"policy": document}).passed
        rest["NotAction"] = "kms:Decrypt"
        assert check(key_lets_publishers_in, KEY, {"policy": policy(rest)}).violations


class TestOurKey:
    def test_eventbridge_must_be_let_in(self, check):
        """Alarms go to topics without a key."""

        def violations(document):
            return check(
                key_lets_publishers_in, KEY, {"policy": document}, component="BreakGlassAlerts"
            ).violations

        assert len(violations(policy(ROOT))) == 2
        assert len(violations(None)) == 2
        assert violations(policy(ROOT, statement())) == ()
        assert violations(json.dumps(OWN)) == ()

    def test_the_alarms_of_another_account_do_not_count(self, check):
        foreign = statement(CLOUDWATCH, condition={"StringEquals": {"aws:SourceAccount": "222222222222"}})
        props = {"policy": policy(statement(), foreign)}
        assert check(key_lets_publishers_in, KEY, props).passed
        assert len(check(key_lets_publishers_in, KEY, props, account="111111111111").violations) == 2


class TestApplicability:
    @pytest.mark.parametrize(
        "document", [None, "", "{", 7, policy(ROOT), policy(statement(["s3.amazonaws.com"]))]
    )
    @pytest.mark.parametrize("policy_", [key_lets_publishers_in, key_rotation, key_enabled])
    def test_keys_that_no_publisher_uses_are_not_applicable(self, check, policy_, document):
        assert check(policy_, KEY, {"policy": document}).not_applicable
        assert check(policy_, TOPIC, {"policy": document}).not_applicable

    @pytest.mark.parametrize("document", [EVENTS, [EVENTS], '{"Statement": "events.amazonaws.com"}'])
    def test_a_document_that_names_eventbridge_and_cannot_be_read_blocks(self, check, document):
        assert len(check(key_lets_publishers_in, KEY, {"policy": document}).violations) == 2

    def test_a_policy_that_is_unknown_at_preview_is_left_to_the_engine_if_it_is_ours(self, check, unknown):
        ours = check(key_lets_publishers_in, KEY, {"policy": unknown}, component="BreakGlassAlerts")
        assert ours.unknown == "policy"
        for policy_ in (key_lets_publishers_in, key_rotation, key_enabled):
            assert check(policy_, KEY, {"policy": unknown}).not_applicable


class TestRotationAndState:
    ALERTS = policy(statement())

    @pytest.mark.parametrize("value", [False, None, "true"])
    def test_a_key_that_is_not_rotated_blocks(self, check, value):
        props = {"policy": self.ALERTS, "enableKeyRotation": value}
        (violation,) = check(key_rotation, KEY, props).violations
        assert violation == "Key 'thing' is not rotated. Set enableKeyRotation to true."
        assert check(key_rotation, KEY, props | {"enableKeyRotation": True}).passed

    @pytest.mark.parametrize(("kind", "name"), ENABLED_BY.items())
    def test_a_disabled_key_blocks(self, check, kind, name):
        (violation,) = check(key_enabled, kind, {"policy": self.ALERTS, name: False}).violations
        assert violation.endswith(f"Set {name} to true.")
        assert check(key_enabled, kind, {"policy": self.ALERTS, name: True}).passed
        assert check(key_enabled, kind, {"policy": self.ALERTS}).passed

    def test_our_key_is_told_by_its_component(self, check):
        props = {"enableKeyRotation": False, "isEnabled": False, "policy": policy(ROOT)}
        for policy_ in (key_rotation, key_enabled):
            assert check(policy_, KEY, props, component="BreakGlassAlerts").violations

    def test_a_property_that_is_unknown_at_preview_is_left_to_the_engine(self, check, unknown):
        props = {"policy": self.ALERTS, "enableKeyRotation": unknown, "isEnabled": unknown}
        assert check(key_rotation, KEY, props).unknown == "enableKeyRotation"
        assert check(key_enabled, KEY, props).unknown == "isEnabled"


@pytest.mark.parametrize("document", [OWN, json.dumps(OWN)])
def test_the_program_s_own_document_passes(check, document):
    props = {"policy": document, "enableKeyRotation": True, "isEnabled": True}
    for policy_ in (key_lets_publishers_in, key_rotation, key_enabled):
        assert check(policy_, KEY, props, component="BreakGlassAlerts", account="111111111111").passed


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringLike", "aws:PrincipalServiceName", "events.*"),
        ("Bool", "aws:ViaAWSService", "false"),
        ("DateLessThan", "aws:CurrentTime", "2099-12-01T00:00:00Z"),
        ("StringEquals", "aws:RequestedRegion", "us-east-1"),
        ("Null", "kms:EncryptionContext:aws:sns:topicArn", "false"),
    ],
)
def test_a_denial_by_a_key_that_aws_sends_or_may_send_blocks(check, operator, key, value):
    props = {"policy": policy(ROOT, statement(), deny({operator: {key: value}}))}
    assert len(check(key_lets_publishers_in, KEY, props).violations) == 2


@pytest.mark.parametrize("region", [":", "a:b", "", 7])
def test_an_odd_region_is_not_taken_for_a_part_of_the_arn(check, region):
    props = {"policy": json.dumps(OWN), "region": region}
    assert check(key_lets_publishers_in, KEY, props, component="BreakGlassAlerts").passed


@pytest.mark.parametrize("alarm", naming.PLACE_ALARMS)
def test_where_alarms_use_a_key_all_of_them_must_be_let_in(check, alarm):
    arn = {"ArnLike": {"aws:SourceArn": f"arn:aws:cloudwatch:*:*:alarm:{alarm}"}}
    props = {"policy": policy(ROOT, statement(), statement(CLOUDWATCH), deny(arn))}
    assert len(check(key_lets_publishers_in, KEY, props).violations) == 2
