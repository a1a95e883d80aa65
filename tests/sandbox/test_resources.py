"""Every resource type the sandbox offers, held to the installed SDK and walked through its life."""

import json

import pytest

from sandbox import sdk
from sandbox.provider import live_state
from sandbox.resources import RESOURCES

ACCOUNT = "111111111111"


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


POLICY = document(Action="s3:ListAllMyBuckets", Resource="*")
OTHER_POLICY = document(Action="s3:GetBucketLocation", Resource="*")
TRUST = document(Action="sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
FULL_ACCESS = "arn:aws:iam::aws:policy/IAMFullAccess"
TOPIC_ARN = f"arn:aws:sns:us-east-1:{ACCOUNT}:given"
PATTERN = json.dumps({"source": ["aws.signin"]})

# Inputs, and the same with one thing changed in place; None where every change replaces.
LIVES = {
    "aws:iam/user:User": ({"name": "u", "path": "/", "forceDestroy": True}, {"forceDestroy": False}),
    "aws:iam/policy:Policy": (
        {"name": "p", "path": "/", "description": "d", "policy": POLICY},
        {"policy": OTHER_POLICY},
    ),
    "aws:iam/role:Role": (
        {
            "name": "r",
            "path": "/",
            "description": "d",
            "assumeRolePolicy": TRUST,
            "maxSessionDuration": 3600,
            "permissionsBoundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        },
        {"maxSessionDuration": 7200, "description": "other"},
    ),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": (
        {"user": "given", "policyArn": FULL_ACCESS},
        None,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (
        {"role": "given", "policyArn": FULL_ACCESS},
        None,
    ),
    "aws:kms/key:Key": (
        {
            "description": "d",
            "policy": POLICY,
            "enableKeyRotation": True,
            "deletionWindowInDays": 10,
            "isEnabled": True,
        },
        {"policy": OTHER_POLICY, "enableKeyRotation": False, "isEnabled": False},
    ),
    "aws:kms/alias:Alias": ({"name": "alias/a", "targetKeyId": "<key>"}, {"targetKeyId": "<other key>"}),
    "aws:sns/topic:Topic": (
        {"name": "t", "displayName": "Alarm", "kmsMasterKeyId": "alias/aws/sns"},
        {"displayName": "Other"},
    ),
    "aws:sns/topicPolicy:TopicPolicy": ({"arn": TOPIC_ARN, "policy": POLICY}, {"policy": OTHER_POLICY}),
    "aws:sns/topicSubscription:TopicSubscription": (
        {"topic": TOPIC_ARN, "protocol": "email", "endpoint": "a@example.com"},
        None,
    ),
    "aws:sqs/queue:Queue": (
        {"name": "q", "messageRetentionSeconds": 1209600, "sqsManagedSseEnabled": True},
        {"messageRetentionSeconds": 600, "sqsManagedSseEnabled": False},
    ),
    "aws:sqs/queuePolicy:QueuePolicy": ({"queueUrl": "<queue>", "policy": POLICY}, {"policy": OTHER_POLICY}),
    "aws:cloudwatch/eventRule:EventRule": (
        {
            "name": "e",
            "description": "d",
            "eventPattern": PATTERN,
            "state": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        },
        {"state": "DISABLED", "eventPattern": PATTERN.replace("signin", "sts")},
    ),
    "aws:cloudwatch/eventTarget:EventTarget": (
        {
            "rule": "given",
            "targetId": "SendToSNS",
            "arn": TOPIC_ARN,
            "inputTransformer": {"inputPaths": {"a": "$.account"}, "inputTemplate": '"<a>"'},
            "deadLetterConfig": {"arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"},
            "retryPolicy": {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 1},
        },
        {"retryPolicy": {"maximumEventAgeInSeconds": 90, "maximumRetryAttempts": 2}},
    ),
}


@pytest.fixture(scope="module")
def surroundings(account):
    """What the resources under test refer to: in a Region of its own table entry it is simply there."""
    iam, kms = account.client("iam", "us-east-1"), account.client("kms", "us-east-1")
    iam.create_user(UserName="given")
    iam.create_role(RoleName="given", AssumeRolePolicyDocument=TRUST)
    account.client("sns", "us-east-1").create_topic(Name="given")
    account.client("events", "us-east-1").put_rule(Name="given", EventPattern=PATTERN)
    return {
        "<key>": kms.create_key()["KeyMetadata"]["KeyId"],
        "<other key>": kms.create_key()["KeyMetadata"]["KeyId"],
        "<queue>": account.client("sqs", "us-east-1").create_queue(QueueName="given")["QueueUrl"],
    }


def filled_in(inputs, surroundings):
    return {
        name: surroundings.get(value, value) if isinstance(value, str) else value
        for name, value in inputs.items()
    }


every_type = pytest.mark.parametrize("token", sorted(RESOURCES))


def test_every_type_has_a_life_here():
    assert LIVES.keys() == RESOURCES.keys()


@every_type
def test_inputs_are_inputs_of_the_installed_sdk(token):
    kind = RESOURCES[token]
    assert kind.inputs <= sdk.input_names(token)
    assert kind.replace_on <= kind.inputs
    assert kind.kept <= kind.inputs
    assert ("region" in sdk.input_names(token)) == kind.regional


@every_type
def test_outputs_are_outputs_of_the_installed_sdk_and_no_inputs(token):
    kind = RESOURCES[token]
    assert kind.outputs <= sdk.output_names(token)
    assert not kind.outputs & kind.inputs


@every_type
def test_a_resource_is_created_read_changed_and_deleted(token, account, surroundings):
    kind = RESOURCES[token]
    api = account.client(kind.service, "us-east-1")
    given, change = LIVES[token]
    inputs = filled_in(given, surroundings)
    assert set(inputs) == kind.inputs, "the life must use every input that the sandbox offers"

    id = kind.create(api, inputs)
    state = live_state(kind, api, id, inputs)
    assert state is not None
    assert {name: state[name] for name in inputs} == inputs
    assert state.keys() == kind.inputs | kind.outputs | ({"region"} if kind.regional else set())
    # What moto keeps is answered by moto, not from the inputs.
    live = kind.read(api, id, inputs)
    assert live is not None
    assert live.keys() == (kind.inputs | kind.outputs) - kind.kept

    if change is None:
        assert kind.replace_on == kind.inputs
    else:
        changed = inputs | filled_in(change, surroundings)
        kind.update(api, id, changed)
        after = live_state(kind, api, id, changed)
        assert after is not None
        assert {name: after[name] for name in changed} == changed

    kind.delete(api, id, inputs)
    if token != "aws:sns/topicPolicy:TopicPolicy":  # a topic always has one
        assert live_state(kind, api, id, inputs) is None


def test_a_change_behind_pulumi_s_back_is_read_as_it_is(account):
    kind = RESOURCES["aws:cloudwatch/eventRule:EventRule"]
    api = account.client("events", "us-east-1")
    inputs = {"name": "drift", "eventPattern": PATTERN, "state": "ENABLED"}
    id = kind.create(api, inputs)
    api.disable_rule(Name=id)
    state = live_state(kind, api, id, inputs)
    assert state is not None
    assert state["state"] == "DISABLED"
