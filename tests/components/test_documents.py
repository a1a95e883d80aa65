"""Policy documents: what they say, what they must never say, and AWS's limits on their length."""

import json

import pytest

from components import documents, naming

HUB = "111111111111"
ALL_DOCUMENTS = {
    "assume_role": documents.assume_role(role_name="BreakGlassRole", account_ids=None),
    "cli_sign_in": documents.cli_sign_in(account_id=HUB),
    "require_mfa": documents.require_mfa(enrolment_open=False),
    "require_mfa, open": documents.require_mfa(enrolment_open=True),
    "mfa_enrolment": documents.mfa_enrolment(account_id=HUB),
    "role_trust": documents.role_trust(
        user_account_id=HUB, user_names=["BreakglassUser"], mfa_max_age=3600
    ),
    "alert_key": documents.alert_key(account_id=HUB),
    "alert_topic": documents.alert_topic(account_id=HUB, region="us-east-1"),
    "dead_letter_queue": documents.dead_letter_queue(account_id=HUB, region="us-east-1"),
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


def test_the_key_policy_lets_eventbridge_encrypt_without_source_conditions():
    """EventBridge sends no aws:Source… to KMS: with such a condition every alert is lost in silence."""
    grants = statements(documents.alert_key(account_id=HUB))
    events = grants["EventBridgeEncryptsAlerts"]
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert events["Action"] == ["kms:GenerateDataKey*", "kms:Decrypt"]
    assert all("Condition" not in statement for statement in grants.values())


def test_the_topic_policy_names_the_account():
    (statement,) = documents.alert_topic(account_id=HUB, region="us-east-1")["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    assert statement["Resource"] == naming.topic_arn(HUB, "us-east-1")
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": HUB}}


def test_only_our_own_rules_may_use_the_dead_letter_queue():
    (statement,) = documents.dead_letter_queue(account_id=HUB, region="us-east-1")["Statement"]
    assert statement["Condition"] == {
        "ArnLike": {"aws:SourceArn": f"arn:aws:events:us-east-1:{HUB}:rule/capture-breakglass-*"}
    }
