"""What is deployed: reads each rendered resource out of AWS, with pulumi-aws's names for its properties.

A property that should be in AWS's answer but is missing is `UNKNOWN`: unknown, not a difference.
What several resources need is read once per account object, so use an account object for one run only.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from alertpath.model import UNKNOWN, Resource
from breakglass import naming
from drill.account import Account, is_missing

Properties = Mapping[str, Any]

NOT_COMPARED = {
    "region": "where the resource was read",
    "tags": "the alarm does not depend on them",
    "deletionWindowInDays": "not a property of the key: used when its deletion is scheduled",
    "forceDestroy": "not a property of the user: used when Pulumi deletes it",
}
"""Rendered properties that the live ones are not compared with, each with the reason."""

SEEN_ONLY = {
    *("actionsEnabled", "alarmState", "alarmReason"),
    *("arn", "keyId", "keyState"),
    *("created", "messages", "pendingConfirmation"),
}
"""Live properties that the program need not render; any other was set by someone else."""


def read(account: Account, wanted: Resource) -> Properties | None:
    """Return the live properties of a rendered resource, or None if it does not exist.

    Raises:
        ClientError, BotoCoreError, NotSignedIn: AWS gave no usable answer (`account.CANNOT_TELL`).
    """
    reader = _READERS[wanted.type]
    try:
        return reader(account, wanted)
    except Exception as error:
        if is_missing(error):
            return None
        raise


def _same(answer: Properties, *names: str) -> dict[str, Any]:
    """Return properties that pulumi-aws calls as AWS does, but with a small first letter."""
    return {name[0].lower() + name[1:]: answer.get(name) for name in names}


@cache
def event_bus(account: Account, region: str, name: str) -> dict[str, Any]:
    """Return an event bus, as AWS names its properties."""
    return account.client("events", region).describe_event_bus(Name=name)


def _event_bus(account: Account, wanted: Resource) -> Properties:
    live = event_bus(account, wanted.home[1], wanted["name"])
    log = live.get("LogConfig")
    return {
        "name": live.get("Name"),
        "description": live.get("Description", UNKNOWN),
        "logConfig": UNKNOWN if log is None else _same(log, "Level", "IncludeDetail"),
    }


def _event_bus_policy(account: Account, wanted: Resource) -> Properties | None:
    live = event_bus(account, wanted.home[1], wanted["eventBusName"])
    if not live.get("Policy"):
        return None
    return {"eventBusName": live["Name"], "policy": live["Policy"]}


def _event_archive(account: Account, wanted: Resource) -> Properties:
    live = account.client("events", wanted.home[1]).describe_archive(ArchiveName=wanted["name"])
    properties = _same(live, "EventSourceArn", "EventPattern", "RetentionDays")
    return {"name": live.get("ArchiveName"), **properties}


def _event_rule(account: Account, wanted: Resource) -> Properties:
    bus = wanted["eventBusName"] or "default"
    live = account.client("events", wanted.home[1]).describe_rule(Name=wanted["name"], EventBusName=bus)
    properties = _same(live, "Name", "Description", "EventPattern", "State")
    return {**properties, "eventBusName": wanted["eventBusName"]}


@cache
def targets(account: Account, region: str, bus: str, rule: str) -> list[dict[str, Any]]:
    """Return all targets of a rule, as AWS names their properties."""
    pages = account.client("events", region).get_paginator("list_targets_by_rule")
    return list(pages.paginate(Rule=rule, EventBusName=bus).search("Targets[]"))


def _event_target(account: Account, wanted: Resource) -> Properties | None:
    bus = wanted["eventBusName"] or "default"
    for target in targets(account, wanted.home[1], bus, wanted["rule"]):
        if target["Id"] == wanted["targetId"]:
            return {"rule": wanted["rule"], "eventBusName": wanted["eventBusName"], **_target(target)}
    return None


def _target(target: Properties) -> dict[str, Any]:
    properties = {
        "targetId": target.get("Id"),
        **_same(target, "Arn", "RoleArn", "Input", "InputPath"),
        # None: what the program renders and the target lacks is missing, not unchanged.
        **dict.fromkeys(("inputTransformer", "deadLetterConfig", "retryPolicy")),
    }
    if transformer := target.get("InputTransformer"):
        paths = transformer.get("InputPathsMap")
        properties["inputTransformer"] = {"inputPaths": paths, **_same(transformer, "InputTemplate")}
    if letters := target.get("DeadLetterConfig"):
        properties["deadLetterConfig"] = _same(letters, "Arn")
    if retry := target.get("RetryPolicy"):
        properties["retryPolicy"] = _same(retry, "MaximumEventAgeInSeconds", "MaximumRetryAttempts")
    return properties


def _log_group(account: Account, wanted: Resource) -> Properties | None:
    pages = account.client("logs", wanted.home[1]).get_paginator("describe_log_groups")
    for group in pages.paginate(logGroupNamePrefix=wanted["name"]).search("logGroups[]"):
        if group["logGroupName"] == wanted["name"]:
            protected = group.get("deletionProtectionEnabled", UNKNOWN)
            if wanted["deletionProtectionEnabled"] is None and protected in (False, UNKNOWN):
                protected = None  # nobody asked for protection, and AWS may call its absence false
            return {
                "name": group["logGroupName"],
                "retentionInDays": group.get("retentionInDays"),
                "deletionProtectionEnabled": protected,
            }
    return None


def _log_resource_policy(account: Account, wanted: Resource) -> Properties | None:
    arn = wanted["resourceArn"]
    logs = account.client("logs", wanted.home[1])
    answer = logs.describe_resource_policies(resourceArn=arn, policyScope="RESOURCE")
    for policy in answer["resourcePolicies"]:
        if policy.get("resourceArn") == arn:
            return {"resourceArn": arn, "policyDocument": policy["policyDocument"]}
    return None


def _metric_alarm(account: Account, wanted: Resource) -> Properties | None:
    answer = account.client("cloudwatch", wanted.home[1]).describe_alarms(AlarmNames=[wanted["name"]])
    for alarm in answer["MetricAlarms"]:
        return {
            "name": alarm.get("AlarmName"),
            "alarmState": alarm.get("StateValue"),
            "alarmReason": alarm.get("StateReason"),
            **_same(alarm, "AlarmDescription", "AlarmActions", "ActionsEnabled", "Namespace", "MetricName"),
            **_same(alarm, "Statistic", "Period", "EvaluationPeriods", "Threshold"),
            **_same(alarm, "ComparisonOperator", "TreatMissingData"),
            # AWS's default is the number of evaluation periods.
            "datapointsToAlarm": wanted["datapointsToAlarm"] and alarm.get("DatapointsToAlarm"),
            "dimensions": {entry["Name"]: entry["Value"] for entry in alarm.get("Dimensions", [])} or None,
            "metricQueries": [_metric_query(query) for query in alarm.get("Metrics") or ()] or None,
            "evaluationWindow": _evaluation_window(alarm.get("EvaluationWindow")),
            "warmUpConfiguration": _warm_up(alarm.get("WarmUpConfiguration")),
        }
    return None


def _metric_query(query: Properties) -> dict[str, Any]:
    return _same(query, "Id", "Expression", "Period", "ReturnData")


def _warm_up(configuration: Properties | None) -> Properties | str:
    if configuration is None:
        return UNKNOWN
    return {
        "warmUpPeriodDurationInMinutes": configuration.get("WarmUpPeriodDurationInMinutes"),
        "onlyStartEvaluatingAfterWarmUpPeriodEnds": configuration.get(
            "OnlyStartEvaluatingAfterWarmUpPeriodEnds"
        ),
    }


def _evaluation_window(window: Properties | None) -> Properties | str | None:
    """Return a wall-clock window, its time zone only if it is not AWS's default; None for another kind."""
    if window is None:
        return UNKNOWN
    if "WallClockWindow" not in window:
        return None
    zone = window["WallClockWindow"].get("Timezone", "UTC")
    return {"wallClockWindow": {} if zone == "UTC" else {"timezone": zone}}


@cache
def user(account: Account, name: str) -> dict[str, Any]:
    """Return a user, as AWS names its properties."""
    return account.client("iam").get_user(UserName=name)["User"]


def _user(account: Account, wanted: Resource) -> Properties:
    live = user(account, wanted["name"])
    return {"name": live.get("UserName"), **_same(live, "Path")}


def _policy(account: Account, wanted: Resource) -> Properties:
    iam = account.client("iam")
    arn = naming.policy_arn(account.id, wanted["name"])
    live = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=live["DefaultVersionId"])["PolicyVersion"]
    return {"name": live["PolicyName"], "path": live["Path"], "policy": json.dumps(version["Document"])}


def _role(account: Account, wanted: Resource) -> Properties:
    live = account.client("iam").get_role(RoleName=wanted["name"])["Role"]
    return {
        "name": live.get("RoleName"),
        **_same(live, "Path", "Description"),
        # An hour is AWS's default.
        "maxSessionDuration": wanted["maxSessionDuration"] and live["MaxSessionDuration"],
        "assumeRolePolicy": json.dumps(live["AssumeRolePolicyDocument"]),
        "permissionsBoundary": live.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    }


def _role_policy(account: Account, wanted: Resource) -> Properties:
    live = account.client("iam").get_role_policy(RoleName=wanted["role"], PolicyName=wanted["name"])
    document = json.dumps(live["PolicyDocument"])
    return {"role": live["RoleName"], "name": live["PolicyName"], "policy": document}


@cache
def iam_list(account: Account, operation: str, key: str, **parameters: str) -> list[Any]:
    """Return all entries that a list operation of IAM has under `key`; boto3 has no paginator for some."""
    call = getattr(account.client("iam"), operation)
    answer = call(**parameters)
    entries = list(answer.get(key) or ())
    while answer.get("IsTruncated") and answer.get("Marker"):
        answer = call(**parameters, Marker=answer["Marker"])
        entries += answer.get(key) or ()
    return entries


def attached(account: Account, kind: Literal["user", "role"], name: str) -> list[str]:
    """Return the ARNs of the managed policies attached to a user or a role."""
    operation, who = f"list_attached_{kind}_policies", {f"{kind.title()}Name": name}
    return [policy["PolicyArn"] for policy in iam_list(account, operation, "AttachedPolicies", **who)]


def _policy_attachment(account: Account, wanted: Resource) -> Properties | None:
    kind = "user" if wanted["user"] else "role"
    arn = wanted["policyArn"]
    return {kind: wanted[kind], "policyArn": arn} if arn in attached(account, kind, wanted[kind]) else None


@cache
def key(account: Account, region: str, alias: str = naming.KEY_ALIAS) -> dict[str, Any]:
    """Return the key that an alias points to, as AWS names its properties."""
    return account.client("kms", region).describe_key(KeyId=alias)["KeyMetadata"]


def _alias(account: Account, wanted: Resource) -> Properties:
    live = key(account, wanted.home[1], wanted["name"])
    return {"name": wanted["name"], "targetKeyId": live["KeyId"]}


def _key(account: Account, wanted: Resource) -> Properties:
    kms = account.client("kms", wanted.home[1])
    live = key(account, wanted.home[1])
    return {
        **_same(live, "Description", "KeyId", "Arn", "KeyState"),
        "isEnabled": live["Enabled"],
        "enableKeyRotation": kms.get_key_rotation_status(KeyId=live["KeyId"])["KeyRotationEnabled"],
        "policy": kms.get_key_policy(KeyId=live["KeyId"], PolicyName="default")["Policy"],
    }


def _schedule_group(account: Account, wanted: Resource) -> Properties:
    live = account.client("scheduler", wanted.home[1]).get_schedule_group(Name=wanted["name"])
    return {"name": live["Name"]}


def _schedule(account: Account, wanted: Resource) -> Properties:
    scheduler = account.client("scheduler", wanted.home[1])
    live = scheduler.get_schedule(Name=wanted["name"], GroupName=wanted["groupName"])
    target = live["Target"]
    return {
        **_same(live, "Name", "GroupName", "State", "ScheduleExpression"),
        "created": live.get("CreationDate"),
        "flexibleTimeWindow": _same(live["FlexibleTimeWindow"], "Mode", "MaximumWindowInMinutes"),
        "target": {
            **_same(target, "Arn", "RoleArn", "Input"),
            "retryPolicy": _same(
                target.get("RetryPolicy") or {}, "MaximumEventAgeInSeconds", "MaximumRetryAttempts"
            ),
            "deadLetterConfig": _same(target.get("DeadLetterConfig") or {}, "Arn"),
        },
    }


@cache
def _topic_attributes(account: Account, arn: str) -> dict[str, Any]:
    return account.client("sns", arn.split(":")[3]).get_topic_attributes(TopicArn=arn)["Attributes"]


def _topic(account: Account, wanted: Resource) -> Properties:
    live = _topic_attributes(account, naming.topic_arn(account.id, wanted.home[1], wanted["name"]))
    return {
        "name": wanted["name"],
        "displayName": live.get("DisplayName") or None,
        "kmsMasterKeyId": live.get("KmsMasterKeyId") or None,
    }


def _topic_policy(account: Account, wanted: Resource) -> Properties:
    live = _topic_attributes(account, wanted["arn"])
    return {"arn": wanted["arn"], "policy": live.get("Policy")}


@cache
def subscriptions(account: Account, topic_arn: str) -> list[dict[str, Any]]:
    """Return all subscriptions of a topic, as AWS names their properties."""
    pages = account.client("sns", topic_arn.split(":")[3]).get_paginator("list_subscriptions_by_topic")
    # An ended subscription stays in the list for a while.
    return list(pages.paginate(TopicArn=topic_arn).search("Subscriptions[?SubscriptionArn != 'Deleted'][]"))


def _topic_subscription(account: Account, wanted: Resource) -> Properties | None:
    matching = [
        live
        for live in subscriptions(account, wanted["topic"])
        if live["Protocol"] == wanted["protocol"] and wanted["endpoint"] in (live["Endpoint"], UNKNOWN)
    ]
    if not matching:
        return None
    return {
        "topic": matching[0].get("TopicArn"),
        "protocol": matching[0].get("Protocol"),
        "endpoint": wanted["endpoint"],
        "pendingConfirmation": all(map(is_pending, matching)),
    }


def is_pending(subscription: Properties) -> bool:
    """Whether a subscription waits for its recipient to follow the link in AWS's mail."""
    return not subscription["SubscriptionArn"].startswith("arn:")


@cache
def _queue_attributes(account: Account, region: str, name: str) -> dict[str, Any]:
    sqs = account.client("sqs", region)
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]


def _queue(account: Account, wanted: Resource) -> Properties:
    live = _queue_attributes(account, wanted.home[1], wanted["name"])
    return {
        "name": live["QueueArn"].rsplit(":", 1)[-1],
        "messageRetentionSeconds": int(live["MessageRetentionPeriod"]),
        "sqsManagedSseEnabled": live.get("SqsManagedSseEnabled") == "true",
        "policy": live.get("Policy"),
        # Those that wait, that are invisible, and that are delayed.
        "messages": sum(
            int(number) for name, number in live.items() if name.startswith("ApproximateNumberOfMessages")
        ),
    }


_READERS = {
    "aws:cloudwatch/eventArchive:EventArchive": _event_archive,
    "aws:cloudwatch/eventBus:EventBus": _event_bus,
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": _event_bus_policy,
    "aws:cloudwatch/eventRule:EventRule": _event_rule,
    "aws:cloudwatch/eventTarget:EventTarget": _event_target,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": _log_resource_policy,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _metric_alarm,
    "aws:iam/policy:Policy": _policy,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _policy_attachment,
    "aws:iam/user:User": _user,
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": _policy_attachment,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/key:Key": _key,
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _schedule_group,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
    "aws:sqs/queue:Queue": _queue,
}
