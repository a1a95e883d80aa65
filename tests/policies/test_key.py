import json
from typing import Any

import pytest
from breakglass_policies.key import (
    DEFAULT_TOPIC_NAMES,
    ENABLED_BY,
    KEY_ENABLED,
    KEY_POLICY_LETS_PUBLISHERS_IN,
    KEY_POLICY_NO_SOURCE_CONDITIONS,
    KEY_ROTATION,
    LITERAL_KEY_ALIAS,
)
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from breakglass import documents

KEY = "aws:kms/key:Key"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
TOPIC = "aws:sns/topic:Topic"
HOLDERS = [*ENABLED_BY, KEY_POLICY]

EVENTS = "events.amazonaws.com"
CLOUDWATCH = "cloudwatch.amazonaws.com"
BOTH = ["kms:GenerateDataKey*", "kms:Decrypt"]
KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_ARN = f"arn:aws:kms:us-east-1:111111111111:key/{KEY_ID}"
TOPIC_NAME = DEFAULT_TOPIC_NAMES[0]
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


class TestSourceConditions:
    @pytest.mark.parametrize("kind", HOLDERS)
    @pytest.mark.parametrize("key", [*SOURCES, "AWS:SOURCEACCOUNT"])
    @pytest.mark.parametrize("operator", ["StringEquals", "ArnLike", "StringEqualsIfExists", "forAnyValue:x"])
    def test_for_eventbridge_they_block(self, check, kind, key, operator):
        bad = statement(condition={operator: {key: "x", "aws:SecureTransport": "true"}})
        (violation,) = check(KEY_POLICY_NO_SOURCE_CONDITIONS, kind, {"policy": policy(ROOT, bad)}).violations
        assert violation.startswith(
            f"{kind.rpartition(':')[2]} 'thing': statement 2 of its policy asks for aws:"
        )
        assert key.lower() in violation.lower()

    @pytest.mark.parametrize("service", [[EVENTS, CLOUDWATCH], "Events.AmazonAWS.com", [CLOUDWATCH, EVENTS]])
    def test_whoever_else_the_statement_names(self, check, service):
        bad = statement(service, condition={"StringEquals": {"aws:SourceAccount": "1"}})
        assert check(KEY_POLICY_NO_SOURCE_CONDITIONS, KEY, {"policy": policy(bad)}).violations

    def test_for_cloudwatch_only_they_pass(self, check):
        fine = statement(CLOUDWATCH, condition={"StringEquals": {"aws:SourceAccount": "1"}})
        props = {"policy": policy(ROOT, statement(), fine)}
        assert check(KEY_POLICY_NO_SOURCE_CONDITIONS, KEY, props).passed

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
        ],
    )
    def test_a_denial_that_matches_without_a_source_blocks(self, check, condition):
        for principal in ("*", {"AWS": "*"}, {"AWS": ["x", "*"]}):
            props = {"policy": policy(statement(), deny(condition, principal))}
            assert len(check(KEY_POLICY_NO_SOURCE_CONDITIONS, KEY, props).violations) == 1

    @pytest.mark.parametrize(
        "denial",
        [
            deny({"StringEquals": {"aws:SourceAccount": "1"}}),
            deny({"StringNotEquals": {"aws:SourceOrgID": "o"}, "Null": {"aws:SourceOrgID": "false"}}),
            deny(
                {"StringNotEquals": {"aws:SourceOrgID": "o"}, "Bool": {"aws:PrincipalIsAWSService": "false"}}
            ),
            deny({"StringNotEquals": {"aws:SourceOrgID": "o", "aws:PrincipalOrgID": "o"}}),
            deny({"StringNotEquals": {"aws:SourceOrgID": "o"}}, {"AWS": "arn:aws:iam::111111111111:root"}),
            deny({"StringNotEquals": {"aws:SourceOrgID": "o"}}, Action="kms:ScheduleKeyDeletion"),
        ],
    )
    def test_a_denial_that_does_not_concern_eventbridge_passes(self, check, denial):
        assert check(KEY_POLICY_NO_SOURCE_CONDITIONS, KEY, {"policy": policy(statement(), denial)}).passed

    @pytest.mark.parametrize(
        "document",
        [
            None,
            "",
            "{",
            7,
            policy(ROOT),
            policy(ROOT, statement(CLOUDWATCH)),
            policy(statement(["s3.amazonaws.com"])),
        ],
    )
    def test_keys_without_eventbridge_are_not_applicable(self, check, document):
        outcome = check(KEY_POLICY_NO_SOURCE_CONDITIONS, KEY, {"policy": document})
        assert outcome.not_applicable == "the key policy does not let EventBridge in"
        assert check(KEY_POLICY_NO_SOURCE_CONDITIONS, TOPIC, {"policy": document}).not_applicable

    @pytest.mark.parametrize("document", [EVENTS, [EVENTS], '{"Statement": "events.amazonaws.com"}'])
    def test_what_names_eventbridge_and_cannot_be_read_blocks(self, check, document):
        (violation,) = check(KEY_POLICY_NO_SOURCE_CONDITIONS, KEY, {"policy": document}).violations
        assert violation.startswith("could not read the key policy of Key 'thing': ")

    @pytest.mark.parametrize("condition", ["x", ["x"], {"StringEquals": "aws:SourceAccount"}, 7])
    def test_odd_conditions_are_left_to_aws(self, check, condition):
        props = {"policy": policy(statement(condition=condition))}
        assert check(KEY_POLICY_NO_SOURCE_CONDITIONS, KEY, props).passed

    def test_unknown_at_preview_is_left_to_the_engine(self, check, unknown):
        assert check(KEY_POLICY_NO_SOURCE_CONDITIONS, KEY, {"policy": unknown}).unknown == "policy"


def key(document, **more):
    return (KEY, {"policy": document, "arn": KEY_ARN, "keyId": KEY_ID, **more})


def topic(key_id, name=TOPIC_NAME):
    return (TOPIC, {"name": name, "kmsMasterKeyId": key_id})


class TestPublishers:
    @pytest.mark.parametrize("reference", [KEY_ARN, KEY_ID])
    def test_the_key_of_an_alerting_topic_must_let_eventbridge_in(self, check_stack, reference):
        fine = [key(policy(ROOT, statement())), topic(reference)]
        assert check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, fine).passed
        for document in (policy(ROOT), None, policy(statement(CLOUDWATCH))):
            (violation,) = check_stack(
                KEY_POLICY_LETS_PUBLISHERS_IN, [key(document), topic(reference)]
            ).violations
            assert violation.startswith(
                "Key 'thing-0': its policy does not allow kms:GenerateDataKey* and kms:Decr"
            )

    @pytest.mark.parametrize(
        ("action", "missing"),
        [
            (BOTH, None),
            ("kms:*", None),
            ("*", None),
            (["KMS:generatedatakey", "kms:decrypt"], None),
            (["kms:GenerateDataKey*"], "kms:Decrypt"),
            ("kms:Decrypt", "kms:GenerateDataKey*"),
            (["kms:Encrypt", "kms:DescribeKey"], "kms:GenerateDataKey* and kms:Decrypt"),
            ([], "kms:GenerateDataKey* and kms:Decrypt"),
        ],
    )
    @pytest.mark.parametrize("service", [EVENTS, CLOUDWATCH])
    def test_whom_a_key_lets_in_it_lets_in_whole(self, check_stack, action, missing, service):
        outcome = check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, [key(policy(statement(service, action)))])
        if missing is None:
            assert outcome.passed
        else:
            (violation,) = outcome.violations
            assert f"does not allow {missing} to {service}, " in violation

    def test_statements_add_up_and_not_action_is_understood(self, check_stack):
        apart = policy(*(statement(action=action) for action in BOTH))
        rest = {k: v for k, v in statement(NotAction="kms:PutKeyPolicy").items() if k != "Action"}
        for document in (apart, policy(rest)):
            assert check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, [key(document), topic(KEY_ARN)]).passed
        rest["NotAction"] = "kms:Decrypt"
        assert check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, [key(policy(rest))]).violations

    def test_at_the_first_preview_the_key_is_told_by_what_the_topic_was_made_of(self, check_stack, unknown):
        later = {"arn": unknown, "keyId": unknown}
        made_of = {(1, "kmsMasterKeyId"): 0}
        resources = [key(policy(ROOT), **later), topic(unknown), (TOPIC, {"name": DEFAULT_TOPIC_NAMES[1]})]
        assert check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources, made_of=made_of).violations
        resources[0] = key(json.dumps(OWN), **later)
        assert check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources, made_of=made_of).passed

    def test_a_key_made_of_something_else_is_left_to_the_engine(self, check_stack, unknown):
        resources = [key(policy(ROOT)), topic(unknown), ("aws:kms/alias:Alias", {})]
        made_of = {(1, "kmsMasterKeyId"): 2}
        assert (
            check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources, made_of=made_of).unknown == "kmsMasterKeyId"
        )

    def test_an_unknown_key_that_the_program_did_not_set_is_none(self, check_stack, unknown):
        resources = [key(policy(ROOT, statement())), topic(unknown)]
        assert check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources).passed

    def test_a_key_policy_takes_the_place_of_the_key_s_own(self, check_stack, unknown):
        for resources, made_of in (
            ([key(None), topic(KEY_ARN), (KEY_POLICY, {"keyId": KEY_ID})], {}),
            (
                [key(None, arn=unknown, keyId=unknown), topic(unknown), (KEY_POLICY, {"keyId": unknown})],
                {(1, "kmsMasterKeyId"): 0, (2, "keyId"): 0},
            ),
        ):
            for document, fine in ((policy(statement()), True), (policy(ROOT), False), ("{", False)):
                resources[2][1]["policy"] = document
                outcome = check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources, made_of=made_of)
                assert outcome.passed is fine
                assert all(v.startswith("KeyPolicy 'thing-2': ") for v in outcome.violations)

    def test_services_and_topics_are_those_of_the_configuration(self, check_stack):
        resources = [key(policy(statement())), topic(KEY_ARN, "alarm")]
        config = {"topicNames": ["alarm"], "services": [EVENTS, CLOUDWATCH]}
        (violation,) = check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources, config=config).violations
        assert f" to {CLOUDWATCH}, " in violation
        assert check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources).passed

    @pytest.mark.parametrize(
        "resources",
        [
            [],
            [key(policy(ROOT))],
            [key("{")],
            [key(policy(ROOT)), topic(KEY_ARN, "other")],
            [key(policy(ROOT)), topic(None)],
            [key(policy(ROOT)), topic("alias/breakglassSNS")],
            [topic(KEY_ARN)],
        ],
    )
    def test_other_stacks_are_not_applicable(self, check_stack, resources):
        outcome = check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources)
        assert outcome.not_applicable == "no key of the stack encrypts alerts"

    def test_what_is_known_is_reported_before_the_unknown(self, check_stack, unknown):
        resources = [key(unknown, arn="x", keyId="y"), key(policy(ROOT)), topic(KEY_ARN)]
        outcome = check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources)
        assert outcome.unknown == "policy"
        assert len(outcome.violations) == 1


class TestRotationAndState:
    ALERTS = policy(statement())

    @pytest.mark.parametrize("value", [False, None, "true"])
    def test_a_key_that_is_not_rotated_blocks(self, check, value):
        props = {"policy": self.ALERTS, "enableKeyRotation": value}
        (violation,) = check(KEY_ROTATION, KEY, props).violations
        assert violation == "Key 'thing' is not rotated. Set enableKeyRotation to true."
        assert check(KEY_ROTATION, KEY, props | {"enableKeyRotation": True}).passed

    @pytest.mark.parametrize(("kind", "name"), ENABLED_BY.items())
    def test_a_disabled_key_blocks(self, check, kind, name):
        (violation,) = check(KEY_ENABLED, kind, {"policy": self.ALERTS, name: False}).violations
        assert violation.endswith(f"Set {name} to true.")
        assert check(KEY_ENABLED, kind, {"policy": self.ALERTS, name: True}).passed
        assert check(KEY_ENABLED, kind, {"policy": self.ALERTS}).passed

    @pytest.mark.parametrize("rule", [KEY_ROTATION, KEY_ENABLED])
    def test_keys_may_be_named_by_the_configuration(self, check, rule):
        props = {"enableKeyRotation": False, "isEnabled": False}
        assert check(rule, KEY, props, config={"resourceNames": ["thing"]}).violations
        for document in (None, "{", policy(ROOT), policy(statement(Effect="Deny"))):
            outcome = check(rule, KEY, props | {"policy": document}, config={"resourceNames": ["other"]})
            assert outcome.not_applicable == "the key does not encrypt alerts"
        assert check(rule, TOPIC, props).not_applicable

    def test_what_is_unknown_is_left_to_the_engine_when_it_decides(self, check, unknown):
        assert check(KEY_ROTATION, KEY, {"policy": unknown}).unknown == "policy"
        assert check(KEY_ROTATION, KEY, {"enableKeyRotation": unknown}).unknown == "enableKeyRotation"
        assert check(KEY_ENABLED, KEY, {"isEnabled": unknown}).unknown == "isEnabled"
        assert check(KEY_ROTATION, KEY, {"policy": unknown, "enableKeyRotation": True}).passed


class TestAlias:
    @pytest.mark.parametrize("name", DEFAULT_TOPIC_NAMES)
    @pytest.mark.parametrize(
        ("key_id", "reason"),
        [
            ("alias/breakglassSNS", "an alias, which can be pointed at a key"),
            (
                "arn:aws:kms:us-east-1:111111111111:alias/breakglassSNS",
                "an alias, which can be pointed at a key",
            ),
            ("alias/aws/sns", "the key of AWS, "),
            ("arn:aws:kms:us-east-1:111111111111:alias/aws/sns", "the key of AWS, "),
        ],
    )
    def test_a_literal_alias_blocks(self, check, name, key_id, reason):
        (violation,) = check(LITERAL_KEY_ALIAS, TOPIC, {"name": name, "kmsMasterKeyId": key_id}).violations
        assert violation.startswith(f"Topic 'thing' is encrypted with {key_id}, {reason}")

    @pytest.mark.parametrize("key_id", [KEY_ARN, KEY_ID, None, "", 7, UNKNOWN_STRING_VALUE])
    def test_the_key_itself_no_key_and_a_key_to_come_pass(self, check, key_id):
        assert check(LITERAL_KEY_ALIAS, TOPIC, {"name": TOPIC_NAME, "kmsMasterKeyId": key_id}).passed
        assert check(LITERAL_KEY_ALIAS, TOPIC, {"name": TOPIC_NAME}).passed

    def test_other_topics_are_not_applicable(self, check):
        bad = {"kmsMasterKeyId": "alias/aws/sns"}
        for name in ("other", None, [TOPIC_NAME]):
            assert check(LITERAL_KEY_ALIAS, TOPIC, bad | {"name": name}).not_applicable
        assert check(LITERAL_KEY_ALIAS, KEY, bad | {"name": TOPIC_NAME}).not_applicable
        config = {"topicNames": ["alarm"]}
        assert check(LITERAL_KEY_ALIAS, TOPIC, bad | {"name": "alarm"}, config=config).violations

    def test_a_name_unknown_at_preview_is_left_to_the_engine(self, check, unknown):
        assert check(LITERAL_KEY_ALIAS, TOPIC, {"name": unknown}).unknown == "name"


def test_the_program_s_own_document_passes(check, check_stack):
    for document in (OWN, json.dumps(OWN)):
        props = {"policy": document, "enableKeyRotation": True, "isEnabled": True}
        for rule in (KEY_POLICY_NO_SOURCE_CONDITIONS, KEY_ROTATION, KEY_ENABLED):
            assert check(rule, KEY, props).passed
        config = {"services": [EVENTS, CLOUDWATCH]}
        resources = [key(document), topic(KEY_ARN)]
        assert check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources, config=config).passed


WORDS = [
    UNKNOWN_STRING_VALUE,
    EVENTS,
    "*",
    "Service",
    "AWS",
    "Allow",
    "Deny",
    "Null",
    *SOURCES,
    KEY_ARN,
    TOPIC_NAME,
]
TEXTS = st.text() | st.sampled_from(WORDS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ELEMENTS = st.sampled_from(["Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"])
STATEMENTS = st.dictionaries(ELEMENTS, VALUES) | st.builds(statement, VALUES, VALUES, VALUES)
POLICIES = VALUES | st.lists(STATEMENTS, max_size=3).map(lambda found: {"Statement": found})
NAMES = ("name", "arn", "keyId", "kmsMasterKeyId", "isEnabled", "enableKeyRotation")
PROPS = st.fixed_dictionaries({"policy": POLICIES}, optional=dict.fromkeys(NAMES, VALUES))
RESOURCE_RULES = [KEY_POLICY_NO_SOURCE_CONDITIONS, KEY_ROTATION, KEY_ENABLED, LITERAL_KEY_ALIAS]


@given(st.sampled_from(RESOURCE_RULES), st.sampled_from([*HOLDERS, TOPIC]), PROPS)
def test_no_properties_raise_anything_but_unknown(check, rule, kind, props):
    check(rule, kind, props)


@given(st.lists(st.tuples(st.sampled_from([*HOLDERS, TOPIC]), PROPS), max_size=5))
def test_no_resources_raise_anything_but_unknown(check_stack, resources):
    check_stack(KEY_POLICY_LETS_PUBLISHERS_IN, resources)
