"""Policy evaluation: documents, each case with its AWS page, and the project's own documents hop by hop."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertpath.iam.evaluate import (
    AccessError,
    Decision,
    Principal,
    Request,
    Verdict,
    by_resource_policy,
    evaluate,
)
from breakglass import documents, naming

DOCS = "https://docs.aws.amazon.com/"
GUIDE = DOCS + "IAM/latest/UserGuide/"
LOGIC = GUIDE + "reference_policies_evaluation-logic.html"
SINGLE_ACCOUNT = GUIDE + "reference_policies_evaluation-logic_policy-eval-basics.html"
CROSS_ACCOUNT = GUIDE + "reference_policies_evaluation-logic-cross-account.html"
BOUNDARIES = GUIDE + "access_policies_boundaries.html"
PRINCIPAL = GUIDE + "reference_policies_elements_principal.html"
NOT_PRINCIPAL = GUIDE + "reference_policies_elements_notprincipal.html"
ACTION = GUIDE + "reference_policies_elements_action.html"
NOT_ACTION = GUIDE + "reference_policies_elements_notaction.html"
RESOURCE = GUIDE + "reference_policies_elements_resource.html"
NOT_RESOURCE = GUIDE + "reference_policies_elements_notresource.html"
VARIABLES = GUIDE + "reference_policies_variables.html"
VERSION = GUIDE + "reference_policies_elements_version.html"
GRAMMAR = GUIDE + "reference_policies_grammar.html"
MFA = GUIDE + "id_credentials_mfa_configure-api-require.html"
ENROLMENT = GUIDE + "reference_policies_examples_aws_my-sec-creds-self-manage.html"
KEYS = GUIDE + "reference_policies_condition-keys.html"
KMS = DOCS + "kms/latest/developerguide/key-policy-default.html"
SNS_KEY = DOCS + "sns/latest/dg/sns-key-management.html"
SNS_POLICY = DOCS + "sns/latest/dg/sns-access-policy-use-cases.html"
BUS_POLICY = DOCS + "eventbridge/latest/userguide/eb-event-bus-perms.html"
DEPUTY = DOCS + "eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html"
SCHEDULER_DEPUTY = DOCS + "scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html"
DLQ = DOCS + "eventbridge/latest/userguide/eb-rule-dlq.html"
LOGS = DOCS + "eventbridge/latest/userguide/eb-use-resource-based.html"
SIGN_IN = DOCS + "signin/latest/userguide/command-line-sign-in.html"

ALLOWED, DENIED, UNPROVEN = Verdict.ALLOWED, Verdict.DENIED, Verdict.UNPROVEN

HUB, MEMBER, STRANGER = "111111111111", "222222222222", "333333333333"
REGION = "us-east-1"
TOPIC = naming.topic_arn(HUB, REGION, naming.HUB.topic)
QUEUE = naming.queue_arn(HUB, REGION, naming.HUB.dead_letter_queue)
BUS = naming.bus_arn(HUB, REGION, naming.HUB.bus)
KEY = f"arn:aws:kms:{REGION}:{HUB}:key/0a1b2c3d-0000-4000-8000-000000000000"
ROLE = naming.role_arn(HUB, "Responder")
SESSION = f"arn:aws:sts::{HUB}:assumed-role/Responder/ann"
USER = naming.user_arn(HUB, "Ann")
EVENTS = Principal(service="events.amazonaws.com")
CLOUDWATCH = Principal(service="cloudwatch.amazonaws.com")


def who(arn):
    return Principal(arn=arn)


def document(*statements, **more):
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def allow(**more):
    return {"Effect": "Allow", "Action": "sns:Publish", "Resource": TOPIC} | more


def deny(**more):
    return allow(Effect="Deny") | more


def without(statement, *names):
    return {name: value for name, value in statement.items() if name not in names}


def publish(principal, **context):
    return Request(principal=principal, action="sns:Publish", resource=TOPIC, context=context)


# ---- one statement of an identity policy: (page, statement, action, resource, context, verdict)

PUBLISH = ("sns:Publish", TOPIC, {})
OWN_USER = {"Action": "iam:GetUser", "Resource": f"arn:aws:iam::{HUB}:user/${{aws:username}}"}
STATEMENTS = [
    (LOGIC, allow(), *PUBLISH, ALLOWED),
    (LOGIC, deny(), *PUBLISH, DENIED),
    (ACTION, allow(Action="SNS:publish"), *PUBLISH, ALLOWED),
    (ACTION, allow(Action="sns:*"), *PUBLISH, ALLOWED),
    (ACTION, allow(Action="*"), *PUBLISH, ALLOWED),
    (ACTION, allow(Action="sns:Pub?ish"), *PUBLISH, ALLOWED),
    (ACTION, allow(Action="sns:Publish?"), *PUBLISH, DENIED),
    (ACTION, allow(Action=["sns:Subscribe", "sns:Publish"]), *PUBLISH, ALLOWED),
    (ACTION, allow(Action=["sns:Subscribe", "sqs:*"]), *PUBLISH, DENIED),
    (ACTION, allow(Action="Publish"), *PUBLISH, UNPROVEN),
    (ACTION, allow(Action=[]), *PUBLISH, UNPROVEN),
    (ACTION, allow(Action={"sns": "Publish"}), *PUBLISH, UNPROVEN),
    (ACTION, without(allow(), "Action"), *PUBLISH, UNPROVEN),
    (NOT_ACTION, allow(NotAction="sns:Publish"), *PUBLISH, UNPROVEN),
    (NOT_ACTION, without(allow(NotAction="sns:Publish"), "Action"), *PUBLISH, DENIED),
    (NOT_ACTION, without(allow(NotAction=["iam:*", "sns:sub*"]), "Action"), *PUBLISH, ALLOWED),
    (RESOURCE, allow(Resource="*"), *PUBLISH, ALLOWED),
    (RESOURCE, allow(Resource=TOPIC.upper()), *PUBLISH, UNPROVEN),
    (RESOURCE, allow(Resource=TOPIC.replace("logins", "Logins")), *PUBLISH, DENIED),
    (RESOURCE, allow(Resource=[QUEUE, TOPIC]), *PUBLISH, ALLOWED),
    (RESOURCE, allow(Resource=f"arn:aws:sns:*:{HUB}:breakglass*"), *PUBLISH, ALLOWED),
    (RESOURCE, allow(Resource="arn:aws:sns:*"), *PUBLISH, ALLOWED),
    (RESOURCE, allow(Resource=f"arn:aws:sns:us-????-1:{HUB}:*"), *PUBLISH, ALLOWED),
    (RESOURCE, allow(Resource=f"arn:aws:sns:*:{MEMBER}:*"), *PUBLISH, DENIED),
    (RESOURCE, allow(Resource="arn:aws:sns:us*console-logins"), *PUBLISH, UNPROVEN),
    (RESOURCE, allow(Resource="topic"), *PUBLISH, UNPROVEN),
    (RESOURCE, allow(Resource=7), *PUBLISH, UNPROVEN),
    (RESOURCE, without(allow(), "Resource"), *PUBLISH, UNPROVEN),
    (NOT_RESOURCE, without(allow(NotResource=QUEUE), "Resource"), *PUBLISH, ALLOWED),
    (NOT_RESOURCE, without(allow(NotResource=[QUEUE, "arn:aws:sns:*"]), "Resource"), *PUBLISH, DENIED),
    (VARIABLES, allow(**OWN_USER), "iam:GetUser", USER, {"aws:username": "Ann"}, ALLOWED),
    (VARIABLES, allow(**OWN_USER), "iam:GetUser", USER, {"aws:username": "Bob"}, DENIED),
    (VARIABLES, allow(**OWN_USER), "iam:GetUser", USER, {}, DENIED),
    (VARIABLES, allow(Resource=[TOPIC, OWN_USER["Resource"]]), *PUBLISH, UNPROVEN),
    (VARIABLES, allow(Resource="arn:aws:sns:us-east-1:${aws:PrincipalAccount}:x"), *PUBLISH, UNPROVEN),
    (
        VARIABLES,
        allow(Resource=TOPIC.replace("breakglassuser", "${aws:PrincipalTag/team, 'breakglassuser'}")),
        *PUBLISH,
        ALLOWED,
    ),
    (
        VARIABLES,
        allow(Resource="arn:aws:s3:::logs-${aws:PrincipalAccount}/*", Action="s3:GetObject"),
        "s3:GetObject",
        f"arn:aws:s3:::logs-{HUB}/a",
        {"aws:PrincipalAccount": HUB},
        ALLOWED,
    ),
    (PRINCIPAL, allow(Principal="*"), *PUBLISH, UNPROVEN),
    (GRAMMAR, allow(Conditions={}), *PUBLISH, UNPROVEN),
    (GRAMMAR, allow(Conditions={}, Action="sqs:*"), *PUBLISH, DENIED),
    (GRAMMAR, deny(Conditions={}), *PUBLISH, DENIED),
    (GRAMMAR, allow(Effect="allow"), *PUBLISH, UNPROVEN),
    (GRAMMAR, without(allow(), "Effect"), *PUBLISH, UNPROVEN),
    (GRAMMAR, allow(Sid=1), *PUBLISH, UNPROVEN),
    (GRAMMAR, "Allow", *PUBLISH, UNPROVEN),
    (GRAMMAR, allow(Condition={"BinaryEquals": {"k:a": "QQ=="}}), *PUBLISH, UNPROVEN),
    (GRAMMAR, allow(Condition={"BinaryEquals": {"k:a": "QQ=="}}, Action="sqs:*"), *PUBLISH, DENIED),
]


@pytest.mark.parametrize(("page", "statement", "action", "resource", "context", "verdict"), STATEMENTS)
def test_one_statement(page, statement, action, resource, context, verdict):
    request = Request(principal=who(USER), action=action, resource=resource, context=context)
    decision = evaluate(request, identity=[document(statement)], resource_account=HUB)
    assert decision.verdict is verdict, (page, decision.reason)


# ---- whole documents as identity policies: (page, document, verdict)

DOCUMENTS = [
    (GRAMMAR, document(allow()) | {"Statement": allow()}, ALLOWED),
    (GRAMMAR, json.dumps(document(allow(), Id="x")), ALLOWED),
    (GRAMMAR, document(), DENIED),
    (GRAMMAR, {"Version": "2012-10-17"}, UNPROVEN),
    (GRAMMAR, document(allow(), Statements=[]), UNPROVEN),
    (GRAMMAR, "{", UNPROVEN),
    (GRAMMAR, "[" * 100_000, UNPROVEN),
    (GRAMMAR, "[]", UNPROVEN),
    (GRAMMAR, json.dumps(document(allow()))[:-1] + ', "Version": "2012-10-17"}', UNPROVEN),
    (GRAMMAR, {"Version": "2012-10-17", "Statement": "x"}, UNPROVEN),
    (VERSION, {"Statement": [allow()]}, ALLOWED),
    (VERSION, {"Version": "2008-10-17", "Statement": [allow()]}, ALLOWED),
    (VERSION, {"Version": "2026-01-01", "Statement": [allow()]}, UNPROVEN),
    (VERSION, {"Version": ["2012-10-17"], "Statement": [allow()]}, UNPROVEN),
    (VERSION, {"Statement": [allow(Resource=TOPIC.replace("logins", "${k:a, 'logins'}"))]}, DENIED),
    (LOGIC, document(allow(), deny()), DENIED),
    (LOGIC, document(allow(), deny(Action="sqs:*")), ALLOWED),
    (LOGIC, document(allow(Condition={"Odd": {"k:a": "x"}}), allow()), ALLOWED),
    (LOGIC, document(allow(Condition={"Odd": {"k:a": "x"}}), allow(Action="sqs:*")), UNPROVEN),
    (LOGIC, document(allow(), deny(Condition={"Odd": {"k:a": "x"}})), UNPROVEN),
    (GRAMMAR, document(allow(), deny(Conditions={})), UNPROVEN),
    (LOGIC, document(deny(Condition={"Odd": {"k:a": "x"}})), DENIED),
    (LOGIC, document(allow(), deny(Condition={"Odd": {"k:a": "x"}}), deny()), DENIED),
    (LOGIC, document(allow(), deny(Condition={"Odd": {"k:a": "x"}}, Resource=QUEUE)), ALLOWED),
    (LOGIC, document(allow(), "x"), UNPROVEN),
    (LOGIC, document(allow(), "x", deny()), DENIED),
]


@pytest.mark.parametrize(("page", "written", "verdict"), DOCUMENTS)
def test_one_document(page, written, verdict):
    decision = evaluate(publish(who(USER)), identity=[written], resource_account=HUB)
    assert decision.verdict is verdict, (page, decision.reason)


# ---- the Principal of a topic policy: (page, part of the statement, who asks, verdict of the policy alone)

ROOT = naming.iam_arn(HUB, "root")
FOREIGN = naming.iam_arn(MEMBER, "user/Ann")
PRINCIPALS = [
    (PRINCIPAL, {"Principal": "*"}, who(USER), ALLOWED),
    (PRINCIPAL, {"Principal": "*"}, EVENTS, ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": "*"}}, who(USER), ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": "*"}}, EVENTS, UNPROVEN),
    (PRINCIPAL, {"Principal": {"Service": "events.amazonaws.com"}}, EVENTS, ALLOWED),
    (PRINCIPAL, {"Principal": {"Service": ["sqs.amazonaws.com", "events.amazonaws.com"]}}, EVENTS, ALLOWED),
    (PRINCIPAL, {"Principal": {"Service": "events.amazonaws.com"}}, CLOUDWATCH, DENIED),
    (PRINCIPAL, {"Principal": {"Service": "events.amazonaws.com"}}, who(USER), DENIED),
    (PRINCIPAL, {"Principal": {"Service": "*"}}, EVENTS, DENIED),
    (PRINCIPAL, {"Principal": {"AWS": HUB}}, EVENTS, DENIED),
    (PRINCIPAL, {"Principal": {"AWS": USER}}, who(USER), ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": USER}}, who(FOREIGN), DENIED),
    (PRINCIPAL, {"Principal": {"AWS": naming.user_arn(HUB, "ann")}}, who(USER), DENIED),
    (PRINCIPAL, {"Principal": {"AWS": [FOREIGN, USER]}}, who(USER), ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": f"arn:aws:iam::{HUB}:user/*"}}, who(USER), UNPROVEN),
    (PRINCIPAL, {"Principal": {"AWS": "Ann"}}, who(USER), UNPROVEN),
    (PRINCIPAL, {"Principal": {"AWS": ROLE}}, who(SESSION), ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": ROLE}}, who(ROLE), ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": SESSION}}, who(SESSION), ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": SESSION}}, who(SESSION.replace("/ann", "/bob")), DENIED),
    (PRINCIPAL, {"Principal": {"AWS": ROLE + "2"}}, who(SESSION), DENIED),
    (PRINCIPAL, {"Principal": {"AWS": ROLE.replace("role/", "role/team/")}}, who(SESSION), UNPROVEN),
    (PRINCIPAL, {"Principal": {"AWS": ROOT}}, who(USER), DENIED),
    (PRINCIPAL, {"Principal": {"AWS": ROOT}}, who(ROOT), ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": MEMBER}}, who(FOREIGN), ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": naming.iam_arn(MEMBER, "root")}}, who(FOREIGN), ALLOWED),
    (PRINCIPAL, {"Principal": {"AWS": STRANGER}}, who(FOREIGN), DENIED),
    (PRINCIPAL, {"Principal": {"AWS": "AIDACKCEVSQ6C2EXAMPLE"}}, who(USER), DENIED),
    (PRINCIPAL, {"Principal": {"AWS": ["AROADBQP57FF2AEXAMPLE", USER]}}, who(USER), ALLOWED),
    (PRINCIPAL, {"Principal": {"Federated": "cognito-identity.amazonaws.com"}}, who(USER), DENIED),
    (PRINCIPAL, {"Principal": {"CanonicalUser": "79a59df900b949e5", "AWS": USER}}, who(USER), ALLOWED),
    (PRINCIPAL, {"Principal": {"Aws": USER}}, who(USER), UNPROVEN),
    (PRINCIPAL, {"Principal": {}}, who(USER), UNPROVEN),
    (PRINCIPAL, {"Principal": USER}, who(USER), UNPROVEN),
    (PRINCIPAL, {"Principal": {"AWS": None}}, who(USER), UNPROVEN),
    (PRINCIPAL, {}, who(USER), UNPROVEN),
    (NOT_PRINCIPAL, {"Principal": "*", "NotPrincipal": "*"}, who(USER), UNPROVEN),
    (NOT_PRINCIPAL, {"NotPrincipal": {"AWS": FOREIGN}}, who(USER), UNPROVEN),
]


@pytest.mark.parametrize(("page", "part", "principal", "verdict"), PRINCIPALS)
def test_one_principal_element(page, part, principal, verdict):
    decision = by_resource_policy(document(allow(**part)), publish(principal), resource_account=HUB)
    assert decision.verdict is verdict, (page, decision.reason)


# (page, NotPrincipal part of a Deny next to an Allow for everybody, who asks, verdict)
LEFT_OUT = [
    (NOT_PRINCIPAL, {"NotPrincipal": {"AWS": FOREIGN}}, who(USER), DENIED),
    (NOT_PRINCIPAL, {"NotPrincipal": {"AWS": [USER, ROOT]}}, who(USER), ALLOWED),
    (NOT_PRINCIPAL, {"NotPrincipal": {"AWS": USER}}, who(USER), UNPROVEN),
    (NOT_PRINCIPAL, {"NotPrincipal": {"AWS": [SESSION, ROLE, HUB]}}, who(SESSION), ALLOWED),
    (NOT_PRINCIPAL, {"NotPrincipal": {"AWS": [ROLE, HUB]}}, who(ROLE), ALLOWED),
    (NOT_PRINCIPAL, {"NotPrincipal": {"AWS": ROLE}}, who(ROLE), UNPROVEN),
    (NOT_PRINCIPAL, {"NotPrincipal": {"AWS": [ROLE, HUB]}}, who(SESSION), UNPROVEN),
    (NOT_PRINCIPAL, {"NotPrincipal": {"Service": "events.amazonaws.com"}}, EVENTS, ALLOWED),
    (NOT_PRINCIPAL, {"NotPrincipal": {"Service": "events.amazonaws.com"}}, CLOUDWATCH, DENIED),
]


@pytest.mark.parametrize(("page", "part", "principal", "verdict"), LEFT_OUT)
def test_a_deny_for_all_but_some(page, part, principal, verdict):
    written = document(allow(Principal="*"), deny(**part))
    decision = by_resource_policy(written, publish(principal), resource_account=HUB)
    assert decision.verdict is verdict, (page, decision.reason)


SPARED = document(allow(Principal="*"), deny(NotPrincipal={"AWS": [USER, ROOT]}))

# ---- several policies: (page, request, policies, verdict); every resource is the hub's

MINE = document(allow())
NONE_OF_IT = document(allow(Action="sqs:*"))
KEY_USE = {"Action": "kms:Decrypt", "Resource": "*"}
MY_KEY = document(allow(**KEY_USE))
DECRYPT = Request(principal=who(USER), action="kms:Decrypt", resource=KEY)
ASSUME = Request(principal=who(USER), action="sts:AssumeRole", resource=ROLE)
MY_ROLE = document(allow(Action="sts:AssumeRole", Resource=ROLE))


def to(principal, **more):
    return document(allow(Principal=principal, **more))


def key_for(principal):
    return to(principal, **KEY_USE)


def trust(principal, **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


OPEN_TRUST = {"Effect": "Allow", "NotPrincipal": {"AWS": FOREIGN}, "Action": "sts:AssumeRole"}
COMBINED = [
    (LOGIC, publish(who(USER)), {}, DENIED),
    (SINGLE_ACCOUNT, publish(who(USER)), {"identity": [MINE]}, ALLOWED),
    (SINGLE_ACCOUNT, publish(who(USER)), {"identity": [NONE_OF_IT, MINE]}, ALLOWED),
    (SINGLE_ACCOUNT, publish(who(USER)), {"resource": to({"AWS": USER})}, ALLOWED),
    (SINGLE_ACCOUNT, publish(who(USER)), {"resource": to({"AWS": HUB})}, DENIED),
    (SINGLE_ACCOUNT, publish(who(USER)), {"resource": to({"AWS": HUB}), "identity": [MINE]}, ALLOWED),
    (SINGLE_ACCOUNT, publish(who(USER)), {"resource": to({"AWS": FOREIGN}), "identity": [MINE]}, ALLOWED),
    (
        LOGIC,
        publish(who(USER)),
        {"identity": [MINE], "resource": document(deny(Principal="*"))},
        DENIED,
    ),
    (LOGIC, publish(who(USER)), {"resource": to("*"), "identity": [document(deny())]}, DENIED),
    (LOGIC, publish(who(USER)), {"resource": "{", "identity": [MINE]}, UNPROVEN),
    (LOGIC, publish(who(USER)), {"resource": "{", "identity": [document(deny())]}, DENIED),
    (CROSS_ACCOUNT, publish(who(FOREIGN)), {"identity": [MINE]}, DENIED),
    (CROSS_ACCOUNT, publish(who(FOREIGN)), {"resource": to({"AWS": MEMBER})}, DENIED),
    (CROSS_ACCOUNT, publish(who(FOREIGN)), {"resource": to({"AWS": FOREIGN})}, DENIED),
    (CROSS_ACCOUNT, publish(who(FOREIGN)), {"resource": to("*"), "identity": [MINE]}, ALLOWED),
    (CROSS_ACCOUNT, publish(who(FOREIGN)), {"resource": to({"AWS": MEMBER}), "identity": [MINE]}, ALLOWED),
    (CROSS_ACCOUNT, publish(who(FOREIGN)), {"resource": to({"AWS": HUB}), "identity": [MINE]}, DENIED),
    (
        CROSS_ACCOUNT,
        publish(who(FOREIGN)),
        {"resource": to({"AWS": MEMBER}), "identity": [MINE], "boundary": NONE_OF_IT},
        DENIED,
    ),
    (BOUNDARIES, publish(who(USER)), {"identity": [MINE], "boundary": NONE_OF_IT}, DENIED),
    (BOUNDARIES, publish(who(USER)), {"identity": [MINE], "boundary": MINE}, ALLOWED),
    (BOUNDARIES, publish(who(USER)), {"boundary": MINE}, DENIED),
    (BOUNDARIES, publish(who(USER)), {"resource": to({"AWS": USER}), "boundary": NONE_OF_IT}, ALLOWED),
    (BOUNDARIES, publish(who(USER)), {"resource": to("*"), "boundary": document(deny())}, DENIED),
    (BOUNDARIES, publish(who(SESSION)), {"resource": to({"AWS": ROLE}), "boundary": NONE_OF_IT}, DENIED),
    (BOUNDARIES, publish(who(SESSION)), {"resource": to({"AWS": SESSION}), "boundary": NONE_OF_IT}, ALLOWED),
    (BOUNDARIES, publish(who(SESSION)), {"resource": to({"AWS": ROLE}), "boundary": MINE}, ALLOWED),
    (BOUNDARIES, publish(who(USER)), {"identity": [MINE], "boundary": "{"}, UNPROVEN),
    (NOT_PRINCIPAL, publish(who(USER)), {"resource": SPARED}, ALLOWED),
    (NOT_PRINCIPAL, publish(who(USER)), {"resource": SPARED, "boundary": MINE}, DENIED),
    (KMS, DECRYPT, {"identity": [MY_KEY], "resource": key_for({"AWS": FOREIGN})}, DENIED),
    (KMS, DECRYPT, {"identity": [MY_KEY], "resource": key_for({"AWS": HUB})}, ALLOWED),
    (KMS, DECRYPT, {"identity": [], "resource": key_for({"AWS": HUB})}, DENIED),
    (KMS, DECRYPT, {"identity": [], "resource": key_for({"AWS": USER})}, ALLOWED),
    (KMS, DECRYPT, {"identity": [MY_KEY]}, UNPROVEN),
    (KMS, DECRYPT, {}, UNPROVEN),
    (SINGLE_ACCOUNT, ASSUME, {"identity": [MY_ROLE], "resource": trust({"AWS": HUB})}, ALLOWED),
    (SINGLE_ACCOUNT, ASSUME, {"resource": trust({"AWS": HUB})}, DENIED),
    (SINGLE_ACCOUNT, ASSUME, {"resource": trust({"AWS": USER})}, ALLOWED),
    (SINGLE_ACCOUNT, ASSUME, {"identity": [MY_ROLE], "resource": trust({"AWS": MEMBER})}, DENIED),
    (SINGLE_ACCOUNT, ASSUME, {"identity": [MY_ROLE]}, UNPROVEN),
    (GRAMMAR, ASSUME, {"resource": trust({"AWS": USER}, Resource="*")}, UNPROVEN),
    (NOT_PRINCIPAL, ASSUME, {"resource": document(OPEN_TRUST)}, UNPROVEN),
    (SINGLE_ACCOUNT, publish(who(ROOT)), {"identity": [MINE]}, UNPROVEN),
    (PRINCIPAL, publish(EVENTS), {"resource": to({"Service": "events.amazonaws.com"})}, ALLOWED),
    (PRINCIPAL, publish(EVENTS), {}, DENIED),
    (PRINCIPAL, replace(ASSUME, principal=EVENTS), {}, UNPROVEN),
]


@pytest.mark.parametrize(("page", "request_", "policies", "verdict"), COMBINED)
def test_policies_together(page, request_, policies, verdict):
    decision = evaluate(request_, **policies, resource_account=HUB)
    assert decision.verdict is verdict, (page, decision.reason)


# ---- the project's documents, hop by hop

RELAY_RULE = naming.rule_arn(MEMBER, "eu-west-1", f"{naming.HUB.relay_rule}-management")
HUB_RULE = naming.rule_arn(HUB, REGION, f"{naming.HUB.bus}/{naming.RULE_PREFIX}console-login")
OTHER_RULE = naming.rule_arn(HUB, REGION, "somebody-elses")
RELAY = naming.role_arn(MEMBER, naming.HUB.relay_role)
RELAY_SESSION = f"arn:aws:sts::{MEMBER}:assumed-role/{naming.HUB.relay_role}/session"
HEARTBEAT = naming.role_arn(HUB, naming.HEARTBEAT_ROLE)
GROUP = naming.schedule_group_arn(HUB, REGION)
SCHEDULER = Principal(service="scheduler.amazonaws.com")
LOG_STREAMS = f"{naming.log_group_arn(HUB, REGION)}:log-stream:2026"

HUB_KEY = documents.hub_key(account_id=HUB)
HARDENED_KEY = document(
    {**HUB_KEY["Statement"][1], "Condition": {"StringEquals": {"aws:SourceAccount": HUB}}}
)
TOPIC_POLICY = documents.alert_topic(account_id=HUB, region=REGION, name=naming.HUB.topic)
ALARMS_TOPIC = naming.topic_arn(HUB, REGION, naming.HUB.alarms_topic)
ALARMS_POLICY = documents.alarms_topic(
    account_id=HUB,
    region=REGION,
    name=naming.HUB.alarms_topic,
    account_ids=[HUB, MEMBER],
    organization_id="o-a1b2c3d4e5",
    for_rules=True,
)
# What SNS gives a new topic (https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html).
DEFAULT_TOPIC_POLICY = {
    "Version": "2008-10-17",
    "Id": "__default_policy_ID",
    "Statement": [
        {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["SNS:Publish", "SNS:Subscribe"],
            "Resource": TOPIC,
            "Condition": {"StringEquals": {"AWS:SourceOwner": HUB}},
        }
    ],
}
QUEUE_POLICY = documents.dead_letter_queue(
    account_id=HUB,
    region=REGION,
    name=naming.HUB.dead_letter_queue,
    rules=[f"{naming.HUB.bus}/{naming.RULE_PREFIX}*"],
)
AUDIT = documents.log_group(group_arn=naming.log_group_arn(HUB, REGION), rules=[HUB_RULE])
OTHER_WAY = naming.rule_arn(MEMBER, "eu-west-1", naming.WATCHDOG.relay_rule)
RELAY_TRUST = documents.relay_trust(
    account_id=MEMBER, rules=[naming.rule_arn(MEMBER, "*", f"{naming.HUB.relay_rule}*")]
)
HEARTBEAT_TRUST = documents.heartbeat_trust(account_id=HUB)


def asks(principal, action, resource, **context):
    keys = {f"aws:{name}": value for name, value in context.items()}
    return Request(principal=principal, action=action, resource=resource, context=keys)


DATA_KEY = asks(EVENTS, "kms:GenerateDataKey", KEY)
FROM_RELAY = {"SourceArn": RELAY_RULE, "SourceAccount": MEMBER}
FROM_GROUP = {"SourceArn": GROUP, "SourceAccount": HUB}
ALARM = TOPIC.replace("sns", "cloudwatch").replace("breakglassuser", "alarm:x")
HOPS = [
    (SNS_KEY, HUB_KEY, DATA_KEY, ALLOWED),
    (SNS_KEY, HUB_KEY, asks(EVENTS, "kms:Decrypt", KEY), ALLOWED),
    (SNS_KEY, HUB_KEY, asks(EVENTS, "kms:GenerateDataKeyPair", KEY), ALLOWED),
    (SNS_KEY, HUB_KEY, asks(EVENTS, "kms:ScheduleKeyDeletion", KEY), DENIED),
    (SNS_KEY, HARDENED_KEY, DATA_KEY, DENIED),
    (SNS_KEY, HUB_KEY, asks(CLOUDWATCH, "kms:Decrypt", KEY, SourceAccount=HUB), DENIED),
    (SNS_POLICY, TOPIC_POLICY, asks(EVENTS, "sns:Publish", TOPIC, SourceAccount=HUB), ALLOWED),
    (SNS_POLICY, TOPIC_POLICY, asks(EVENTS, "sns:Publish", TOPIC), ALLOWED),
    (SNS_POLICY, TOPIC_POLICY, asks(CLOUDWATCH, "sns:Publish", TOPIC, SourceAccount=HUB), DENIED),
    (SNS_POLICY, ALARMS_POLICY, asks(CLOUDWATCH, "sns:Publish", ALARMS_TOPIC, SourceAccount=MEMBER), ALLOWED),
    (
        SNS_POLICY,
        ALARMS_POLICY,
        asks(CLOUDWATCH, "sns:Publish", ALARMS_TOPIC, SourceAccount=STRANGER),
        DENIED,
    ),
    (
        SNS_POLICY,
        ALARMS_POLICY,
        asks(CLOUDWATCH, "sns:Publish", ALARMS_TOPIC, SourceAccount=STRANGER, SourceOrgID="o-a1b2c3d4e5"),
        ALLOWED,
    ),
    (SNS_POLICY, ALARMS_POLICY, asks(CLOUDWATCH, "sns:Publish", ALARMS_TOPIC), DENIED),
    (SNS_POLICY, ALARMS_POLICY, asks(EVENTS, "sns:Publish", ALARMS_TOPIC), ALLOWED),
    (SNS_POLICY, TOPIC_POLICY, asks(SCHEDULER, "sns:Publish", TOPIC, SourceAccount=HUB), DENIED),
    (SNS_POLICY, TOPIC_POLICY, asks(EVENTS, "sns:Subscribe", TOPIC, SourceAccount=HUB), DENIED),
    (SNS_POLICY, TOPIC_POLICY, asks(EVENTS, "sns:Publish", TOPIC + "2", SourceAccount=HUB), DENIED),
    (SNS_POLICY, DEFAULT_TOPIC_POLICY, asks(EVENTS, "sns:Publish", TOPIC, SourceAccount=HUB), DENIED),
    (DLQ, QUEUE_POLICY, asks(EVENTS, "sqs:SendMessage", QUEUE, SourceArn=HUB_RULE), ALLOWED),
    (DLQ, QUEUE_POLICY, asks(EVENTS, "sqs:SendMessage", QUEUE, SourceArn=OTHER_RULE), DENIED),
    (DLQ, QUEUE_POLICY, asks(EVENTS, "sqs:SendMessage", QUEUE), DENIED),
    (LOGS, AUDIT, asks(EVENTS, "logs:CreateLogStream", LOG_STREAMS), ALLOWED),
    (LOGS, AUDIT, asks(EVENTS, "logs:PutLogEvents", LOG_STREAMS, SourceArn=HUB_RULE), ALLOWED),
    (LOGS, AUDIT, asks(EVENTS, "logs:PutLogEvents", LOG_STREAMS, SourceArn=OTHER_RULE), DENIED),
    (LOGS, AUDIT, asks(EVENTS, "logs:PutLogEvents", LOG_STREAMS), DENIED),
    (DEPUTY, RELAY_TRUST, asks(EVENTS, "sts:AssumeRole", RELAY, **FROM_RELAY), ALLOWED),
    (DEPUTY, RELAY_TRUST, asks(EVENTS, "sts:AssumeRole", RELAY, SourceArn=RELAY_RULE), DENIED),
    (DEPUTY, RELAY_TRUST, asks(EVENTS, "sts:AssumeRole", RELAY, SourceAccount=MEMBER), DENIED),
    (
        DEPUTY,
        RELAY_TRUST,
        asks(EVENTS, "sts:AssumeRole", RELAY, SourceArn=OTHER_RULE, SourceAccount=MEMBER),
        DENIED,
    ),
    (DEPUTY, RELAY_TRUST, asks(SCHEDULER, "sts:AssumeRole", RELAY, **FROM_RELAY), DENIED),
    (
        DEPUTY,
        RELAY_TRUST,
        asks(EVENTS, "sts:AssumeRole", RELAY, SourceArn=OTHER_WAY, SourceAccount=MEMBER),
        DENIED,
    ),
    (SCHEDULER_DEPUTY, HEARTBEAT_TRUST, asks(SCHEDULER, "sts:AssumeRole", HEARTBEAT, **FROM_GROUP), ALLOWED),
    (
        SCHEDULER_DEPUTY,
        HEARTBEAT_TRUST,
        asks(SCHEDULER, "sts:AssumeRole", HEARTBEAT, SourceArn=GROUP + "2", SourceAccount=HUB),
        DENIED,
    ),
]


@pytest.mark.parametrize(("page", "policy", "request_", "verdict"), HOPS)
def test_services_on_the_way(page, policy, request_, verdict):
    account = request_.resource.split(":")[4]
    decision = by_resource_policy(policy, request_, resource_account=account)
    assert decision.verdict is verdict, (page, decision.reason)
    assert evaluate(request_, resource=policy, resource_account=account) == decision


BY_ACCOUNT = documents.bus(bus_arn=BUS, account_ids=[HUB, MEMBER], organization_id=None)
BY_ORGANIZATION = documents.bus(bus_arn=BUS, account_ids=[HUB], organization_id="o-example")
FORWARD = documents.relay_permission(bus_arn=BUS)
PUT = asks(who(RELAY_SESSION), "events:PutEvents", BUS, PrincipalOrgID="o-example")
HUB_PUT = asks(who(RELAY_SESSION.replace(MEMBER, HUB)), "events:PutEvents", BUS)
STRANGER_PUT = asks(who(RELAY_SESSION.replace(MEMBER, STRANGER)), "events:PutEvents", BUS)
ELSEWHERE = documents.relay_permission(bus_arn=naming.bus_arn(HUB, "us-west-2", naming.WATCHDOG.bus))
HEARTBEAT_SESSION = f"arn:aws:sts::{HUB}:assumed-role/{naming.HEARTBEAT_ROLE}/session"
BEAT = documents.heartbeat_permission(account_id=HUB)
FIRST_RULE = naming.rule_arn(HUB, REGION, naming.HUB.relay_rule)
SECOND_RULE = naming.rule_arn(HUB, REGION, naming.numbered(naming.HUB.relay_rule, 2))
# (page, bus policy, identity policies of the role, request, verdict)
BUS_HOPS = [
    (BUS_POLICY, BY_ACCOUNT, [FORWARD], PUT, ALLOWED),
    (BUS_POLICY, BY_ACCOUNT, [], PUT, DENIED),
    (BUS_POLICY, BY_ACCOUNT, [ELSEWHERE], PUT, DENIED),
    (BUS_POLICY, None, [FORWARD], PUT, DENIED),
    (BUS_POLICY, BY_ACCOUNT, [FORWARD], STRANGER_PUT, DENIED),
    (BUS_POLICY, BY_ACCOUNT, [FORWARD], HUB_PUT, ALLOWED),
    (BUS_POLICY, None, [FORWARD], HUB_PUT, ALLOWED),
    (BUS_POLICY, BY_ACCOUNT, [], HUB_PUT, DENIED),
    (BUS_POLICY, BY_ORGANIZATION, [FORWARD], PUT, ALLOWED),
    (BUS_POLICY, BY_ORGANIZATION, [FORWARD], STRANGER_PUT, DENIED),
    (BUS_POLICY, BY_ACCOUNT, [FORWARD], replace(PUT, action="events:DisableRule"), DENIED),
    (BUS_POLICY, None, [BEAT], asks(who(HEARTBEAT_SESSION), "events:TagResource", FIRST_RULE), ALLOWED),
    (BUS_POLICY, None, [BEAT], asks(who(HEARTBEAT_SESSION), "events:TagResource", SECOND_RULE), DENIED),
    (BUS_POLICY, None, [BEAT], asks(who(HEARTBEAT_SESSION), "events:DisableRule", FIRST_RULE), DENIED),
    (BUS_POLICY, BY_ACCOUNT, [BEAT], asks(who(HEARTBEAT_SESSION), "events:PutEvents", BUS), DENIED),
]


@pytest.mark.parametrize(("page", "policy", "identity", "request_", "verdict"), BUS_HOPS)
def test_the_way_to_the_hub_bus(page, policy, identity, request_, verdict):
    decision = evaluate(request_, identity=identity, resource=policy, resource_account=HUB)
    assert decision.verdict is verdict, (page, decision.reason)


# ---- the break-glass user and role

BREAK_GLASS_ROLE = naming.role_arn(MEMBER, "BreakGlass")
BREAK_GLASS_USER = naming.user_arn(HUB, "BreakglassUser")
TRUST = documents.role_trust(user_account_id=HUB, user_names=["BreakglassUser"], mfa_max_age=3600)
BARE_TRUST = json.loads(json.dumps(TRUST).replace(f"{HUB}:root", f"{HUB}:user/BreakglassUser"))
# After the user was deleted, AWS shows what it had stored.
ORPHANED_TRUST = trust({"AWS": "AIDACKCEVSQ6C2EXAMPLE"})
MAY_ASSUME = documents.assume_role(role_name="BreakGlass", account_ids=[MEMBER])
MAY_ASSUME_ANYWHERE = documents.assume_role(role_name="BreakGlass", account_ids=None)
MFA_OR_NOTHING = documents.require_mfa(enrolment_open=False)
ENROLLING = documents.require_mfa(enrolment_open=True)
ENROL = documents.mfa_enrolment(account_id=HUB)
CLI = documents.cli_sign_in(account_id=HUB)
USER_POLICIES = [MAY_ASSUME, MFA_OR_NOTHING, CLI]
WITH_MFA = {"MultiFactorAuthPresent": "true", "MultiFactorAuthAge": "600"}
LONG_TERM_KEY = {}


def user_asks(action, resource, user=BREAK_GLASS_USER, **context):
    more = {"PrincipalArn": user, "username": user.split("/")[-1]}
    return asks(who(user), action, resource, **more, **context)


def assumes(role=BREAK_GLASS_ROLE, user=BREAK_GLASS_USER, **context):
    return user_asks("sts:AssumeRole", role, user, **context)


LOCAL = f"arn:aws:signin:us-east-1:{HUB}:oauth2/public-client/localhost"
REMOTE = f"arn:aws:signin:us-east-1:{HUB}:oauth2/public-client/remote"
OTHER_USER = naming.user_arn(HUB, "Other")
# (page, resource policy, identity policies, request, verdict)
USER_HOPS = [
    (MFA, TRUST, USER_POLICIES, assumes(**WITH_MFA), ALLOWED),
    (MFA, TRUST, [MAY_ASSUME_ANYWHERE, MFA_OR_NOTHING], assumes(**WITH_MFA), ALLOWED),
    (MFA, TRUST, USER_POLICIES, assumes(), DENIED),
    (MFA, TRUST, [MAY_ASSUME], assumes(), DENIED),
    (MFA, TRUST, USER_POLICIES, assumes(MultiFactorAuthPresent="false"), DENIED),
    (MFA, TRUST, USER_POLICIES, assumes(**WITH_MFA | {"MultiFactorAuthAge": "7200"}), DENIED),
    (MFA, TRUST, USER_POLICIES, assumes(**WITH_MFA | {"MultiFactorAuthAge": "3600"}), ALLOWED),
    (MFA, TRUST, USER_POLICIES, assumes(MultiFactorAuthPresent="true"), DENIED),
    (CROSS_ACCOUNT, TRUST, [MFA_OR_NOTHING], assumes(**WITH_MFA), DENIED),
    (
        CROSS_ACCOUNT,
        TRUST,
        USER_POLICIES,
        assumes(naming.role_arn(STRANGER, "BreakGlass"), **WITH_MFA),
        DENIED,
    ),
    (CROSS_ACCOUNT, None, USER_POLICIES, assumes(**WITH_MFA), UNPROVEN),
    (KEYS, TRUST, USER_POLICIES, assumes(user=OTHER_USER, **WITH_MFA), DENIED),
    (
        KEYS,
        TRUST,
        USER_POLICIES,
        assumes(user=naming.user_arn(STRANGER, "BreakglassUser"), **WITH_MFA),
        DENIED,
    ),
    (PRINCIPAL, BARE_TRUST, USER_POLICIES, assumes(**WITH_MFA), ALLOWED),
    (PRINCIPAL, ORPHANED_TRUST, USER_POLICIES, assumes(**WITH_MFA), DENIED),
    (
        MFA,
        None,
        [document(allow(Action="*", Resource="*")), MFA_OR_NOTHING],
        user_asks("ec2:RunInstances", "*"),
        DENIED,
    ),
    (
        MFA,
        None,
        [document(allow(Action="*", Resource="*")), MFA_OR_NOTHING],
        user_asks("ec2:RunInstances", "*", **WITH_MFA),
        ALLOWED,
    ),
    (SIGN_IN, None, USER_POLICIES, user_asks("signin:AuthorizeOAuth2Access", LOCAL), ALLOWED),
    (SIGN_IN, None, USER_POLICIES, user_asks("signin:CreateOAuth2Token", REMOTE), DENIED),
    (ENROLMENT, None, [ENROL, ENROLLING], user_asks("iam:EnableMFADevice", BREAK_GLASS_USER), ALLOWED),
    (ENROLMENT, None, [ENROL, ENROLLING], user_asks("iam:EnableMFADevice", OTHER_USER), DENIED),
    (ENROLMENT, None, [ENROL, MFA_OR_NOTHING], user_asks("iam:EnableMFADevice", BREAK_GLASS_USER), DENIED),
    (ENROLMENT, None, [ENROL, ENROLLING], user_asks("iam:ListVirtualMFADevices", "*"), ALLOWED),
    (
        ENROLMENT,
        None,
        [ENROL, ENROLLING],
        user_asks("iam:CreateVirtualMFADevice", f"arn:aws:iam::{HUB}:mfa/BreakglassUser"),
        ALLOWED,
    ),
]


@pytest.mark.parametrize(("page", "resource", "identity", "request_", "verdict"), USER_HOPS)
def test_the_user_and_the_role(page, resource, identity, request_, verdict):
    account = request_.resource.split(":")[4] if ":" in request_.resource else HUB
    decision = evaluate(request_, identity=identity, resource=resource, resource_account=account)
    assert decision.verdict is verdict, (page, decision.reason)


# ---- reasons

REASONS = [
    (
        by_resource_policy(HARDENED_KEY, DATA_KEY, resource_account=HUB),
        (
            "Nothing allows it: Statement[0] (EventBridgeEncryptsAlerts) of the resource's policy: "
            "StringEquals: the request carries no aws:SourceAccount."
        ),
    ),
    (
        by_resource_policy(TOPIC_POLICY, publish(EVENTS, **{"aws:SourceAccount": HUB}), resource_account=HUB),
        "Statement[0] (RulesPublish) of the resource's policy allows it.",
    ),
    (
        by_resource_policy(ORPHANED_TRUST, assumes(), resource_account=MEMBER),
        (
            "Nothing allows it: Statement[0] of the resource's policy: its Principal AIDACKCEVSQ6C2EXAMPLE "
            "is the unique id that AWS stored for an ARN that has since been deleted."
        ),
    ),
    (
        evaluate(assumes(), identity=USER_POLICIES, resource=TRUST, resource_account=MEMBER),
        "Statement[0] (DenyEverythingWithoutMfa) of identity policy 1 denies it explicitly.",
    ),
    (
        evaluate(assumes(**WITH_MFA), identity=USER_POLICIES, resource=TRUST, resource_account=MEMBER),
        (
            "Statement[0] (BreakGlassUserWithMfa) of the resource's policy allows it, and Statement[0] "
            "(AssumeBreakGlassRole) of identity policy 0 allows it."
        ),
    ),
    (
        evaluate(publish(who(USER)), identity=[document(allow(Conditions={}))], resource_account=HUB),
        "Statement[0] of identity policy 0: it has an unknown element 'Conditions'.",
    ),
    (
        evaluate(publish(who(USER)), identity=["x"], resource_account=HUB),
        "identity policy 0 is not JSON: Expecting value: line 1 column 1 (char 0).",
    ),
    (
        evaluate(publish(who(USER)), resource=to({"AWS": HUB}), identity=[], resource_account=HUB),
        (
            "Nothing allows it: Statement[0] of the resource's policy: its Principal is the account, which "
            "leaves the decision to identity policies; there is no policy that could allow it."
        ),
    ),
]


@pytest.mark.parametrize(("decision", "reason"), REASONS)
def test_the_reason_names_statement_and_cause(decision, reason):
    assert decision.reason == reason


# ---- misuse of the API

NO_TEXT: Any = {1: "a"}
NO_CONTEXT: Any = None
NO_LIST: Any = MINE
MISUSE = [
    lambda: Request(principal=EVENTS, action="Publish", resource=TOPIC),
    lambda: publish(EVENTS, **{"aws:SourceArn": 1}),
    lambda: publish(EVENTS, **{"aws:SourceArn": [1]}),
    lambda: publish(EVENTS, **{"aws:SourceArn": "a", "AWS:sourcearn": "b"}),
    lambda: Request(principal=EVENTS, action="a:b", resource="*", context=NO_TEXT),
    lambda: Request(principal=EVENTS, action="a:b", resource="*", context=NO_CONTEXT),
    lambda: evaluate(publish(EVENTS), identity=[MINE], resource_account=HUB),
    lambda: evaluate(publish(EVENTS), boundary=MINE, resource_account=HUB),
    lambda: evaluate(publish(who(USER)), identity=NO_LIST, resource_account=HUB),
    lambda: evaluate(publish(who(USER)), identity="{}", resource_account=HUB),
    lambda: evaluate(publish(who(USER)), resource_account="hub"),
    lambda: by_resource_policy(MINE, publish(EVENTS), resource_account=""),
]


@pytest.mark.parametrize("misuse", MISUSE)
def test_misuse_is_refused(misuse):
    with pytest.raises(AccessError):
        misuse()


@pytest.mark.parametrize(
    ("written", "resource", "matches"),
    [
        ("arn:aws:iam", ROLE, True),
        ("arn:aws:iam:", ROLE, True),
        (f"arn:aws:iam::{HUB}", ROLE, True),
        (f"arn:aws:iam::{STRANGER}", ROLE, False),
        ("arn:aws:events", BUS, True),
        ("arn:aws:events:us-east-1", BUS, True),
        ("arn:aws:events:eu-west-1", BUS, False),
        ("arn:aws:events", ROLE, False),
        ("arn:aws", ROLE, True),
    ],
)
def test_a_short_arn_is_completed_in_an_identity_policy_only(written, resource, matches):
    asked = Request(principal=who(USER), action="iam:GetRole", resource=resource)
    one = document({"Effect": "Allow", "Action": "*", "Resource": written})
    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    denial = document({"Effect": "Deny", "Action": "*", "Resource": written})
    assert evaluate(asked, identity=[one], resource_account=HUB).verdict is (ALLOWED if matches else DENIED)
    denied = evaluate(asked, identity=[everything, denial], resource_account=HUB).verdict
    assert denied is (DENIED if matches else ALLOWED)
    capped = evaluate(asked, identity=[everything], boundary=one, resource_account=HUB).verdict
    assert capped is (ALLOWED if matches else DENIED)
    on_resource = {**one, "Statement": [{**one["Statement"][0], "Principal": {"AWS": USER}}]}
    assert by_resource_policy(on_resource, asked, resource_account=HUB).verdict is DENIED


# ---- what holds for every document

TEXT = (
    st.sampled_from(["*", "sns:Publish", "sqs:*", TOPIC, QUEUE, USER, HUB, "Allow", "Deny", "", "${a}"])
    | st.text()
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXT
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ELEMENTS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
WILD_STATEMENTS = st.dictionaries(st.sampled_from(ELEMENTS) | TEXT, JSON, max_size=6)
WILD_DOCUMENTS = st.fixed_dictionaries(
    {
        "Version": st.just("2012-10-17"),
        "Statement": st.lists(WILD_STATEMENTS | JSON, max_size=3) | WILD_STATEMENTS,
    }
)
WILD = WILD_DOCUMENTS | JSON | TEXT | WILD_DOCUMENTS.map(json.dumps)


@given(WILD, WILD, WILD, JSON)
def test_no_document_and_no_context_raises(one, two, three, context):
    for principal in (who(USER), who(FOREIGN), who(ROLE), EVENTS):
        try:
            request = Request(principal=principal, action="sns:Publish", resource=TOPIC, context=context)
        except AccessError:
            request = publish(principal)
        assert isinstance(by_resource_policy(one, request, resource_account=HUB), Decision)
        if principal is not EVENTS:
            policies = {"identity": [one], "resource": two, "boundary": three}
            assert isinstance(evaluate(request, **policies, resource_account=HUB), Decision)


CONDITIONS = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:SourceAccount": HUB}},
        {"StringNotEquals": {"aws:SourceAccount": HUB}},
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {"BinaryEquals": {"aws:SourceAccount": "QQ=="}},
        {"StringLike": {"aws:SourceAccount": "${aws:username}*"}},
    ]
)
STATEMENT = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.sampled_from(
            ["sns:Publish", "sns:*", "sqs:SendMessage", ["sqs:*", "SNS:Publish"], "Publish"]
        ),
        "Resource": st.sampled_from([TOPIC, QUEUE, "*", ["arn:aws:sns:*", QUEUE]]),
        "Condition": CONDITIONS,
    }
)
PRINCIPAL_ELEMENTS = st.sampled_from(
    [
        "*",
        {"AWS": USER},
        {"AWS": HUB},
        {"AWS": FOREIGN},
        {"Service": "events.amazonaws.com"},
        {"AWS": [HUB, "x"]},
    ]
)
ON_RESOURCE = st.tuples(STATEMENT, PRINCIPAL_ELEMENTS).map(lambda pair: pair[0] | {"Principal": pair[1]})
REQUESTS = st.builds(
    lambda principal, context: Request(
        principal=principal, action="sns:Publish", resource=TOPIC, context=context
    ),
    st.sampled_from([who(USER), who(FOREIGN), who(SESSION)]),
    st.sampled_from([{}, {"aws:SourceAccount": HUB}, {"AWS:SourceAccount": MEMBER, "aws:username": "2"}]),
)


def judged(request, identity, resource):
    policies = {"identity": [document(*identity)], "resource": document(*resource)}
    return evaluate(request, **policies, resource_account=HUB).verdict


@given(REQUESTS, st.lists(STATEMENT, max_size=3), st.lists(ON_RESOURCE, max_size=3), STATEMENT, ON_RESOURCE)
def test_a_deny_never_lets_anything_in(request_, identity, resource, more, more_on_resource):
    before = judged(request_, identity, resource)
    for after in (
        judged(request_, [*identity, more | {"Effect": "Deny"}], resource),
        judged(request_, identity, [*resource, more_on_resource | {"Effect": "Deny"}]),
    ):
        assert after is not ALLOWED or before is ALLOWED


@given(REQUESTS, st.lists(STATEMENT, max_size=3), st.lists(ON_RESOURCE, max_size=3))
def test_an_explicit_deny_wins(request_, identity, resource):
    assert judged(request_, [*identity, deny()], resource) is DENIED
    assert judged(request_, identity, [deny(Principal="*"), *resource]) is DENIED


@given(
    REQUESTS,
    st.lists(STATEMENT, min_size=2, max_size=4),
    st.lists(ON_RESOURCE, min_size=2, max_size=4),
    st.randoms(),
)
def test_order_does_not_matter(request_, identity, resource, random):
    before = judged(request_, identity, resource)
    random.shuffle(identity)
    random.shuffle(resource)
    assert judged(request_, identity, resource) is before


@given(WILD_DOCUMENTS, REQUESTS)
def test_json_text_and_object_are_judged_alike(written, request_):
    text = json.dumps(written)
    parsed = json.loads(text)
    assert by_resource_policy(text, request_, resource_account=HUB) == by_resource_policy(
        parsed, request_, resource_account=HUB
    )


@given(REQUESTS, st.lists(STATEMENT, max_size=3), STATEMENT)
def test_a_boundary_grants_nothing(request_, identity, limit):
    request_ = replace(request_, principal=who(USER))
    without_it = evaluate(request_, identity=[document(*identity)], resource_account=HUB).verdict
    with_it = evaluate(
        request_, identity=[document(*identity)], boundary=document(limit), resource_account=HUB
    ).verdict
    assert with_it is not ALLOWED or without_it is ALLOWED
