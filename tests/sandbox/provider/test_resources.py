"""Every resource type the sandbox offers, held to the installed SDK and walked through its life."""

import json

import pytest

from sandbox.provider import sdk
from sandbox.provider.plugin import live_state
from sandbox.provider.resources import RESOURCES

ACCOUNT = "111111111111"


def document(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


POLICY = document(Action="s3:ListAllMyBuckets", Resource="*")
OTHER_POLICY = document(Action="s3:GetBucketLocation", Resource="*")
TRUST = document(Action="sts:AssumeRole", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
FULL_ACCESS = "arn:aws:iam::aws:policy/IAMFullAccess"
TOPIC_ARN = f"arn:aws:sns:us-east-1:{ACCOUNT}:given"
PATTERN = json.dumps({"source": ["aws.signin"]})
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/given"
QUEUE_ARN = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
BUS_ARN = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/given"
LOG_GROUP_ARN = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/given"
CONDITION = {"StringEquals": {"events:source": "aws.signin"}}


def bus_policy(*accounts):
    statement = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS_ARN}
    statements = [
        statement | {"Sid": f"From{account}", "Principal": {"AWS": account}, "Condition": CONDITION}
        for account in accounts
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


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
    "aws:iam/group:Group": ({"name": "g", "path": "/"}, None),
    "aws:iam/accessKey:AccessKey": ({"user": "given", "status": "Inactive"}, None),
    "aws:iam/userLoginProfile:UserLoginProfile": ({"user": "given", "passwordLength": 30}, None),
    "aws:iam/virtualMfaDevice:VirtualMfaDevice": ({"virtualMfaDeviceName": "m", "path": "/"}, None),
    "aws:iam/userPolicy:UserPolicy": (
        {"user": "given", "name": "p", "policy": POLICY},
        {"policy": OTHER_POLICY},
    ),
    "aws:iam/groupPolicy:GroupPolicy": (
        {"group": "given", "name": "p", "policy": POLICY},
        {"policy": OTHER_POLICY},
    ),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": (
        {"group": "given", "policyArn": FULL_ACCESS},
        None,
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
        {"name": "q", "messageRetentionSeconds": 1209600, "sqsManagedSseEnabled": True, "policy": POLICY},
        {"messageRetentionSeconds": 600, "sqsManagedSseEnabled": False, "policy": OTHER_POLICY},
    ),
    "aws:sqs/queuePolicy:QueuePolicy": ({"queueUrl": "<queue>", "policy": POLICY}, {"policy": OTHER_POLICY}),
    "aws:cloudwatch/eventRule:EventRule": (
        {
            "name": "e",
            "eventBusName": "given",
            "description": "d",
            "eventPattern": PATTERN,
            "state": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        },
        {"state": "DISABLED", "eventPattern": PATTERN.replace("signin", "sts")},
    ),
    "aws:cloudwatch/eventTarget:EventTarget": (
        {
            "rule": "given",
            "eventBusName": "given",
            "targetId": "SendToSNS",
            "arn": TOPIC_ARN,
            "roleArn": ROLE_ARN,
            "inputTransformer": {"inputPaths": {"a": "$.account"}, "inputTemplate": '"<a>"'},
            "deadLetterConfig": {"arn": QUEUE_ARN},
            "retryPolicy": {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 1},
        },
        {"retryPolicy": {"maximumEventAgeInSeconds": 90, "maximumRetryAttempts": 2}},
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        {"role": "given", "name": "put-events", "policy": POLICY},
        {"policy": OTHER_POLICY},
    ),
    "aws:cloudwatch/eventBus:EventBus": (
        {"name": "b", "description": "d", "logConfig": {"level": "ERROR", "includeDetail": "FULL"}},
        {"description": "other", "logConfig": {"level": "OFF"}},
    ),
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": (
        {"eventBusName": "given", "policy": bus_policy("222222222222", "333333333333")},
        {"policy": bus_policy("222222222222")},
    ),
    "aws:cloudwatch/eventArchive:EventArchive": (
        {
            "name": "a",
            "eventSourceArn": BUS_ARN,
            "eventPattern": PATTERN,
            "retentionDays": 90,
            "description": "d",
        },
        {"retentionDays": 30, "description": "other", "eventPattern": PATTERN.replace("signin", "sts")},
    ),
    "aws:cloudwatch/logGroup:LogGroup": (
        {"name": "/l", "retentionInDays": 400, "deletionProtectionEnabled": False},
        {"retentionInDays": 0, "deletionProtectionEnabled": True},
    ),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": (
        {"resourceArn": LOG_GROUP_ARN, "policyDocument": POLICY},
        {"policyDocument": OTHER_POLICY},
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        {
            "name": "m",
            "alarmDescription": "d",
            "namespace": "AWS/Events",
            "metricName": "Invocations",
            "dimensions": {"EventBusName": "given", "RuleName": "heartbeat"},
            "statistic": "Sum",
            "period": 86400,
            "evaluationPeriods": 2,
            "datapointsToAlarm": 2,
            "threshold": 17,
            "comparisonOperator": "LessThanThreshold",
            "treatMissingData": "breaching",
            "alarmActions": [TOPIC_ARN],
            "okActions": [TOPIC_ARN],
            "actionsEnabled": True,
            "evaluationWindow": {"wallClockWindow": {"timezone": "UTC"}},
            "warmUpConfiguration": {
                "warmUpPeriodDurationInMinutes": 300,
                "onlyStartEvaluatingAfterWarmUpPeriodEnds": True,
            },
            # AWS takes this or a metric; here each input is used once.
            "metricQueries": [
                {"id": "q", "expression": "SELECT SUM(a) FROM b", "period": 300, "returnData": True}
            ],
        },
        {
            "threshold": 34,
            "actionsEnabled": False,
            "okActions": [],
            "evaluationWindow": {"wallClockWindow": {}},
        },
    ),
    "aws:scheduler/scheduleGroup:ScheduleGroup": ({"name": "g"}, None),
    "aws:scheduler/schedule:Schedule": (
        {
            "name": "s",
            "groupName": "given",
            "description": "d",
            "scheduleExpression": "cron(0 12 * * ? *)",
            "flexibleTimeWindow": {"mode": "OFF"},
            "target": {
                "arn": BUS_ARN,
                "roleArn": ROLE_ARN,
                "input": "{}",
                "eventbridgeParameters": {"detailType": "Heartbeat", "source": "breakglass.heartbeat"},
                "retryPolicy": {"maximumEventAgeInSeconds": 60, "maximumRetryAttempts": 1},
                "deadLetterConfig": {"arn": QUEUE_ARN},
            },
            "state": "ENABLED",
        },
        # Without a retry policy: AWS fills one in, which must not look like a change.
        {"state": "DISABLED", "target": {"arn": BUS_ARN, "roleArn": ROLE_ARN}},
    ),
}


@pytest.fixture(scope="module")
def surroundings(account):
    """What the resources under test refer to: in a Region of its own table entry it is simply there."""
    iam, kms = account.client("iam", "us-east-1"), account.client("kms", "us-east-1")
    iam.create_user(UserName="given")
    iam.create_group(GroupName="given")
    iam.create_role(RoleName="given", AssumeRolePolicyDocument=TRUST)
    account.client("sns", "us-east-1").create_topic(Name="given")
    account.client("events", "us-east-1").create_event_bus(Name="given")
    account.client("events", "us-east-1").put_rule(Name="given", EventBusName="given", EventPattern=PATTERN)
    account.client("scheduler", "us-east-1").create_schedule_group(Name="given")
    account.client("logs", "us-east-1").create_log_group(logGroupName="/given")
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
    assert kind.inputs <= sdk.python_names(token).keys()
    assert kind.replace_on <= kind.inputs
    assert kind.kept <= kind.inputs
    assert ("region" in sdk.python_names(token)) == kind.regional


@every_type
def test_outputs_are_outputs_of_the_installed_sdk_and_no_inputs(token):
    kind = RESOURCES[token]
    assert kind.outputs <= sdk.computed_names(token)
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


def test_a_rule_disabled_behind_pulumi_s_back_is_read_as_it_is(account):
    kind = RESOURCES["aws:cloudwatch/eventRule:EventRule"]
    api = account.client("events", "us-east-1")
    inputs = {"name": "drift", "eventPattern": PATTERN, "state": "ENABLED"}
    id = kind.create(api, inputs)
    api.disable_rule(Name=id)
    state = live_state(kind, api, id, inputs)
    assert state is not None
    assert state["state"] == "DISABLED"


def test_a_schedule_disabled_behind_pulumi_s_back_is_read_as_it_is(account):
    kind = RESOURCES["aws:scheduler/schedule:Schedule"]
    api = account.client("scheduler", "us-east-1")
    window, target = {"mode": "OFF"}, {"arn": BUS_ARN, "roleArn": ROLE_ARN}
    inputs = {"name": "drift", "scheduleExpression": "rate(1 day)", "state": "ENABLED"}
    inputs |= {"flexibleTimeWindow": window, "target": target}
    id = kind.create(api, inputs)
    api.update_schedule(
        Name="drift",
        ScheduleExpression="rate(1 day)",
        State="DISABLED",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": BUS_ARN, "RoleArn": ROLE_ARN},
    )
    state = live_state(kind, api, id, inputs)
    assert state is not None
    assert state == inputs | {
        "state": "DISABLED", "groupName": "default", "region": "us-east-1", "arn": state["arn"]
    }  # fmt: skip


def test_an_alarm_silenced_behind_pulumi_s_back_is_read_as_it_is(account):
    kind = RESOURCES["aws:cloudwatch/metricAlarm:MetricAlarm"]
    api = account.client("cloudwatch", "us-east-1")
    inputs = LIVES["aws:cloudwatch/metricAlarm:MetricAlarm"][0] | {"name": "silenced"}
    id = kind.create(api, inputs)
    api.disable_alarm_actions(AlarmNames=[id])
    state = live_state(kind, api, id, inputs)
    assert state is not None
    assert state["actionsEnabled"] is False


@pytest.mark.parametrize(
    ("bus", "rule_id", "target_id"), [(None, "i", "i-t"), ("given", "given/i", "given-i-t")]
)
def test_ids_name_the_bus_unless_it_is_the_default_one(account, surroundings, bus, rule_id, target_id):
    api = account.client("events", "us-east-1")
    where = {} if bus is None else {"eventBusName": bus}
    rule = RESOURCES["aws:cloudwatch/eventRule:EventRule"]
    target = RESOURCES["aws:cloudwatch/eventTarget:EventTarget"]
    assert rule.create(api, where | {"name": "i", "eventPattern": PATTERN}) == rule_id
    assert target.create(api, where | {"rule": "i", "targetId": "t", "arn": BUS_ARN}) == target_id
    target.delete(api, target_id, where | {"rule": "i", "targetId": "t"})
    rule.delete(api, rule_id, where)


def test_a_protected_log_group_is_not_deleted(account):
    kind = RESOURCES["aws:cloudwatch/logGroup:LogGroup"]
    api = account.client("logs", "us-east-1")
    inputs = {"name": "/protected", "deletionProtectionEnabled": True}
    id = kind.create(api, inputs)
    with pytest.raises(
        RuntimeError, match=r"/protected is protected .* deletionProtectionEnabled false first"
    ):
        kind.delete(api, id, inputs)
    assert live_state(kind, api, id, inputs) is not None
    kind.delete(api, id, inputs | {"deletionProtectionEnabled": False})
    assert live_state(kind, api, id, inputs) is None


def test_a_bus_policy_statement_without_sid_is_refused(account, surroundings):
    kind = RESOURCES["aws:cloudwatch/eventBusPolicy:EventBusPolicy"]
    with pytest.raises(RuntimeError, match=r"event bus given: .* give each one a Sid"):
        kind.create(
            account.client("events", "us-east-1"),
            {"eventBusName": "given", "policy": POLICY},
        )


def test_a_nested_property_that_the_sandbox_would_ignore_is_refused(account, surroundings):
    kind = RESOURCES["aws:cloudwatch/eventBus:EventBus"]
    inputs = {"name": "n", "logConfig": {"level": "ERROR", "detail": "FULL"}}
    with pytest.raises(RuntimeError, match="does not emulate detail here: only level, includeDetail"):
        kind.create(account.client("events", "us-east-1"), inputs)
