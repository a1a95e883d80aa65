"""Policy documents: what they say, what they must never say, and AWS's limits on their length."""

import json

import pytest

from breakglass import documents, naming

HUB = "111111111111"
MEMBER = "222222222222"
BUS = naming.bus_arn(HUB, "us-east-1", naming.HUB.bus)
LOG_GROUP = naming.log_group_arn(HUB, "us-east-1")
RULES = ["arn:aws:events:us-east-1:111111111111:rule/breakglass/capture-breakglass-*"]
RELAY_RULES = ["arn:aws:events:*:111111111111:rule/breakglass-relay*"]
ALL_DOCUMENTS = {
    "assume_role": documents.assume_role(role_name="BreakGlassRole", account_ids=None),
    "cli_sign_in": documents.cli_sign_in(account_id=HUB),
    "require_mfa": documents.require_mfa(enrolment_open=False),
    "require_mfa, open": documents.require_mfa(enrolment_open=True),
    "mfa_enrolment": documents.mfa_enrolment(account_id=HUB),
    "role_trust": documents.role_trust(
        user_account_id=HUB, user_names=["BreakglassUser"], mfa_max_age=3600
    ),
    "hub_key": documents.hub_key(account_id=HUB),
    "alert_topic": documents.alert_topic(account_id=HUB, region="us-east-1", name="t"),
    "alarms_topic": documents.alarms_topic(
        account_id=HUB, region="us-east-1", name="t", account_ids=[HUB, MEMBER],
        organization_id="o-abcdefghij", for_rules=True,
    ),
    "dead_letter_queue": documents.dead_letter_queue(
        account_id=HUB, region="us-east-1", name="q", rules=["a*", "bus/b*"]
    ),
    "drill_queue": documents.drill_queue(account_id=HUB, region="us-east-1", name="q", topic="t"),
    "bus": documents.bus(bus_arn=BUS, account_ids=[HUB, MEMBER], organization_id=None),
    "log_group": documents.log_group(group_arn=LOG_GROUP, rules=RULES),
    "relay_trust": documents.relay_trust(account_id=HUB, rules=RELAY_RULES),
    "relay_permission": documents.relay_permission(bus_arn=BUS),
    "heartbeat_trust": documents.heartbeat_trust(account_id=HUB),
    "heartbeat_permission": documents.heartbeat_permission(account_id=HUB),
}  # fmt: skip


def statements(document):
    return {statement["Sid"]: statement for statement in document["Statement"]}


@pytest.mark.parametrize("document", ALL_DOCUMENTS.values(), ids=ALL_DOCUMENTS)
def test_every_document_is_current_plain_json_with_named_statements(document):
    assert json.loads(json.dumps(document)) == document
    assert document["Version"] == "2012-10-17"
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(sids) == len(set(sids)) > 0
    assert all(sid.isalnum() for sid in sids)


@pytest.mark.parametrize("document", ALL_DOCUMENTS.values(), ids=ALL_DOCUMENTS)
def test_no_document_lets_everybody_in(document):
    for statement in document["Statement"]:
        assert statement.get("Principal") not in ("*", {"AWS": "*"}, {"AWS": ["*"]})


def test_the_user_may_assume_the_role_everywhere_or_in_listed_accounts():
    everywhere = documents.assume_role(role_name="R", account_ids=None)
    listed = documents.assume_role(role_name="R", account_ids=["222222222222", "333333333333"])
    assert everywhere["Statement"][0]["Resource"] == ["arn:aws:iam::*:role/R"]
    assert listed["Statement"][0]["Resource"] == [
        "arn:aws:iam::222222222222:role/R",
        "arn:aws:iam::333333333333:role/R",
    ]


def test_a_hundred_accounts_fit_into_a_managed_policy():
    accounts = [f"{number:012}" for number in range(100)]
    document = documents.assume_role(role_name="BreakGlassRole", account_ids=accounts)
    assert len(json.dumps(document, separators=(",", ":"))) <= 6144


def test_command_line_sign_in_is_allowed_on_the_same_machine_only():
    (statement,) = documents.cli_sign_in(account_id=HUB)["Statement"]
    assert statement["Resource"] == f"arn:aws:signin:*:{HUB}:oauth2/public-client/localhost"
    assert statement["Action"] == ["signin:AuthorizeOAuth2Access", "signin:CreateOAuth2Token"]


def test_without_mfa_everything_but_the_cli_sign_in_is_denied():
    (statement,) = documents.require_mfa(enrolment_open=False)["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Resource"] == "*"
    assert statement["NotAction"] == ["signin:AuthorizeOAuth2Access", "signin:CreateOAuth2Token"]
    # Bool would let requests of a long-term key through: they carry no MFA context at all.
    assert statement["Condition"] == {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}


def test_enrolment_is_exempt_only_while_it_is_open():
    (statement,) = documents.require_mfa(enrolment_open=True)["Statement"]
    exempt = set(statement["NotAction"]) - set(documents.CLI_SIGN_IN_ACTIONS)
    allowed = {
        action
        for statement in documents.mfa_enrolment(account_id=HUB)["Statement"]
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
    }
    assert exempt == allowed == set(documents.MFA_ENROLMENT_ACTIONS)


def test_enrolment_reaches_the_user_s_own_devices_only():
    enrolment = statements(documents.mfa_enrolment(account_id=HUB))
    assert enrolment["EnrolOwnDevices"]["Resource"] == f"arn:aws:iam::{HUB}:user/${{aws:username}}"
    assert enrolment["CreateVirtualDevice"]["Resource"] == f"arn:aws:iam::{HUB}:mfa/*"


def test_the_trust_survives_that_a_user_is_created_again():
    (statement,) = documents.role_trust(user_account_id=HUB, user_names=["A", "B"], mfa_max_age=900)[
        "Statement"
    ]
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{HUB}:root"}
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": [f"arn:aws:iam::{HUB}:user/A", f"arn:aws:iam::{HUB}:user/B"]},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "NumericLessThanEquals": {"aws:MultiFactorAuthAge": "900"},
    }


ENCRYPT = ["kms:GenerateDataKey*", "kms:Decrypt"]
FROM_US = {"StringEquals": {"aws:SourceAccount": HUB}}


def test_the_key_policy_lets_eventbridge_encrypt_without_source_conditions():
    """EventBridge sends no aws:Source… to KMS: with such a condition every alert is lost in silence."""
    grants = statements(documents.hub_key(account_id=HUB))
    events = grants["EventBridgeEncryptsAlerts"]
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert events["Action"] == ENCRYPT
    assert "Condition" not in events


def test_the_key_is_for_nobody_else():
    """Alarms have topics of their own, without a key."""
    assert statements(documents.hub_key(account_id=HUB)).keys() == {
        "AccountAdministersTheKey",
        "EventBridgeEncryptsAlerts",
    }


RULES_PUBLISH = {
    "Sid": "RulesPublish",
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sns:Publish",
    "Resource": f"arn:aws:sns:us-east-1:{HUB}:t",
}
"""Without a condition: whether EventBridge sends aws:SourceAccount to SNS is not known for sure."""


def alarms_publish(sid, condition):
    principal = {"Service": "cloudwatch.amazonaws.com"}
    return RULES_PUBLISH | {"Sid": sid, "Principal": principal, "Condition": {"StringEquals": condition}}


def test_rules_may_publish_alerts_and_nobody_else():
    assert ALL_DOCUMENTS["alert_topic"]["Statement"] == [RULES_PUBLISH]


OF_LISTED = alarms_publish("AlarmsPublish", {"aws:SourceAccount": [HUB, MEMBER]})
OF_ORGANIZATION = alarms_publish("AlarmsOfTheOrganizationPublish", {"aws:SourceOrgID": "o-abcdefghij"})


@pytest.mark.parametrize(
    ("organization_id", "for_rules", "expected"),
    [
        (None, False, [OF_LISTED]),
        (None, True, [OF_LISTED, RULES_PUBLISH]),
        ("o-abcdefghij", False, [OF_LISTED, OF_ORGANIZATION]),
        ("o-abcdefghij", True, [OF_LISTED, OF_ORGANIZATION, RULES_PUBLISH]),
    ],
)
def test_alarms_of_the_accounts_that_relay_may_publish(organization_id, for_rules, expected):
    document = documents.alarms_topic(
        account_id=HUB, region="us-east-1", name="t", account_ids=[HUB, MEMBER],
        organization_id=organization_id, for_rules=for_rules,
    )  # fmt: skip
    assert document["Statement"] == expected


def test_only_the_named_rules_may_use_the_dead_letter_queue():
    document = documents.dead_letter_queue(account_id=HUB, region="r", name="q", rules=["a*", "bus/b*"])
    (statement,) = document["Statement"]
    assert statement["Condition"] == {
        "ArnLike": {
            "aws:SourceArn": [f"arn:aws:events:r:{HUB}:rule/a*", f"arn:aws:events:r:{HUB}:rule/bus/b*"]
        }
    }


def test_only_its_topic_may_use_a_drill_queue():
    assert ALL_DOCUMENTS["drill_queue"]["Statement"] == [
        {
            "Sid": "TopicShowsWhatItSends",
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": f"arn:aws:sqs:us-east-1:{HUB}:q",
            "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{HUB}:t"}},
        }
    ]


def test_listed_accounts_may_only_put_events_on_a_bus():
    (statement,) = ALL_DOCUMENTS["bus"]["Statement"]
    assert statement["Action"] == "events:PutEvents"
    assert statement["Resource"] == f"arn:aws:events:us-east-1:{HUB}:event-bus/breakglass"
    assert statement["Principal"] == {"AWS": [f"arn:aws:iam::{HUB}:root", "arn:aws:iam::222222222222:root"]}


def test_an_organisation_is_let_in_by_its_id_alone():
    document = documents.bus(bus_arn=BUS, account_ids=[HUB], organization_id="o-a1b2c3d4e5")
    everyone = statements(document)["RelaysOfTheOrganization"]
    assert everyone["Principal"] == "*"
    assert everyone["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    assert everyone["Action"] == "events:PutEvents"


def test_a_relay_s_role_is_for_its_own_rules_of_the_account():
    (statement,) = ALL_DOCUMENTS["relay_trust"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Condition"] == FROM_US | {"ArnLike": {"aws:SourceArn": RELAY_RULES}}


def test_a_relay_s_role_may_put_events_on_one_bus():
    (statement,) = ALL_DOCUMENTS["relay_permission"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", BUS)


def test_a_heartbeat_tags_the_first_rule_of_the_relay_to_the_hub():
    beat, keep = documents.heartbeat_permission(account_id=HUB)["Statement"]
    assert (beat["Action"], beat["Resource"]) == (
        "events:TagResource",
        f"arn:aws:events:*:{HUB}:rule/breakglass-relay",
    )
    assert (keep["Action"], keep["Resource"]) == (
        "sqs:SendMessage",
        f"arn:aws:sqs:*:{HUB}:breakglass-relays-dlq",
    )


def test_the_heartbeat_s_role_is_for_schedules_of_our_group():
    (statement,) = documents.heartbeat_trust(account_id=HUB)["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"] == FROM_US | {
        "ArnLike": {"aws:SourceArn": f"arn:aws:scheduler:*:{HUB}:schedule-group/breakglass"}
    }


def test_a_log_group_is_written_by_our_rules_alone():
    log = statements(ALL_DOCUMENTS["log_group"])
    assert log["RulesRecord"]["Condition"] == {"ArnLike": {"aws:SourceArn": RULES}}
    for statement in log.values():
        assert statement["Resource"] == f"arn:aws:logs:us-east-1:{HUB}:log-group:/breakglass/audit:*"


MEMBERS = [f"{number:012}" for number in range(200)]
FAR = "ap-southeast-2"
EIGHT = [f"BreakglassUser{number}" for number in range(8)]


@pytest.mark.parametrize(
    ("document", "limit"),
    [
        (documents.role_trust(user_account_id=HUB, user_names=EIGHT, mfa_max_age=14400), 2048),
        (documents.relay_trust(account_id=HUB, rules=RELAY_RULES), 2048),
        (documents.heartbeat_trust(account_id=HUB), 2048),
        (documents.assume_role(role_name="BreakGlassRole", account_ids=MEMBERS[:100]), 6144),
        (documents.relay_permission(bus_arn=naming.bus_arn(HUB, FAR, naming.WATCHDOG.bus)), 10240),
        (
            documents.bus(
                bus_arn=naming.bus_arn(HUB, FAR, naming.WATCHDOG.bus),
                account_ids=[HUB, *MEMBERS],
                organization_id="o-" + "a" * 32,
            ),
            10240,
        ),
        (
            documents.alarms_topic(
                account_id=HUB,
                region=FAR,
                name=naming.WATCHDOG.alarms_topic,
                account_ids=[HUB, *MEMBERS],
                organization_id="o-" + "a" * 32,
                for_rules=True,
            ),
            30 * 1024,
        ),
        (documents.hub_key(account_id=HUB), 32768),
        (
            documents.dead_letter_queue(
                account_id=HUB, region=FAR, name=naming.WATCHDOG.dead_letter_queue, rules=RULES * 2
            ),
            8192,
        ),
        (documents.log_group(group_arn=LOG_GROUP, rules=RULES * 2), 5120),
    ],
)
def test_documents_stay_within_aws_s_limits_at_scale(document, limit):
    """200 members, 8 users; Regions do not lengthen any document."""
    assert len(json.dumps(document, separators=(",", ":"))) <= limit


@pytest.mark.parametrize("name", ["dead_letter_queue", "drill_queue"])
def test_a_queue_policy_holds_at_most_ten_conditions(name):
    conditions = [
        operator
        for statement in ALL_DOCUMENTS[name]["Statement"]
        for operator in statement["Condition"].values()
    ]
    assert sum(len(keys) for keys in conditions) <= 10
