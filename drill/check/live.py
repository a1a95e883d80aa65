"""What is deployed: reads each rendered resource out of AWS, with pulumi-aws's names for its properties.

A property that AWS's answer does not hold although it should is `UNKNOWN`: could not tell, not a difference.
What several resources need is asked once per account object, so one account object serves one run.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from alertpath.model import UNKNOWN, Resource
from breakglass import naming
from drill.account import Account, is_missing

Properties = Mapping[str, Any]

NOT_COMPARED = {
    "region": "where the resource was looked for",
    "tags": "no part of what makes the alarm ring",
    "deletionWindowInDays": "no property of the key: it counts when somebody schedules its deletion",
    "forceDestroy": "no property of the user: it counts when Pulumi deletes it",
}
"""Rendered properties that the live ones are not compared with, each with the reason."""

SEEN_ONLY = frozenset(
    {
        "actionsEnabled",
        "alarmState",
        "alarmReason",
        "arn",
        "created",
        "keyId",
        "keyState",
        "messages",
        "pendingConfirmation",
    }
)
"""Live properties that no program sets unless it renders them; what else is set there, a stranger has set."""


def read(account: Account, wanted: Resource) -> Properties | None:
    """Return the live properties of a rendered resource, or None where it does not exist.

    Raises:
        ClientError, BotoCoreError, NotSignedIn: AWS's answer is not to be had (`account.CANNOT_TELL`).
    """
    reader = _READERS[wanted.type]
    try:
        return reader(account, wanted)
    except Exception as error:
        if is_missing(error):
            return None
        raise


def _client(account: Account, service: str, wanted: Resource) -> Any:
    return account.client(service, wanted.home[1])


def _named(answer: Properties, names: Mapping[str, str]) -> dict[str, Any]:
    return {ours: answer.get(theirs) for ours, theirs in names.items()}


@cache
def event_bus(account: Account, region: str, name: str) -> dict[str, Any]:
    """Return an event bus, as AWS names its properties."""
    return account.client("events", region).describe_event_bus(Name=name)


def _event_bus(account: Account, wanted: Resource) -> Properties:
    live = event_bus(account, wanted.home[1], wanted["name"])
    log = live.get("LogConfig")
    return {
        **_named(live, {"name": "Name"}),
        "description": live.get("Description", UNKNOWN),
        "logConfig": UNKNOWN
        if log is None
        else _named(log, {"level": "Level", "includeDetail": "IncludeDetail"}),
    }


def _event_bus_policy(account: Account, wanted: Resource) -> Properties | None:
    live = event_bus(account, wanted.home[1], wanted["eventBusName"])
    if not live.get("Policy"):
        return None
    return {"eventBusName": live["Name"], "policy": live["Policy"]}


def _event_archive(account: Account, wanted: Resource) -> Properties:
    live = _client(account, "events", wanted).describe_archive(ArchiveName=wanted["name"])
    names = {"name": "ArchiveName", "eventSourceArn": "EventSourceArn", "retentionDays": "RetentionDays"}
    return _named(live, names)


def _event_rule(account: Account, wanted: Resource) -> Properties:
    bus = wanted["eventBusName"] or "default"
    live = _client(account, "events", wanted).describe_rule(Name=wanted["name"], EventBusName=bus)
    names = {"name": "Name", "description": "Description", "eventPattern": "EventPattern", "state": "State"}
    return {**_named(live, names), "eventBusName": wanted["eventBusName"]}


@cache
def targets(account: Account, region: str, bus: str, rule: str) -> list[dict[str, Any]]:
    """Return all targets of a rule, as AWS names their properties."""
    pages = account.client("events", region).get_paginator("list_targets_by_rule")
    found = pages.paginate(Rule=rule, EventBusName=bus)
    return [target for page in found for target in page["Targets"]]


def _event_target(account: Account, wanted: Resource) -> Properties | None:
    bus = wanted["eventBusName"] or "default"
    for target in targets(account, wanted.home[1], bus, wanted["rule"]):
        if target["Id"] == wanted["targetId"]:
            return {"rule": wanted["rule"], "eventBusName": wanted["eventBusName"], **_target(target)}
    return None


def _target(target: Properties) -> dict[str, Any]:
    transformer, letters = target.get("InputTransformer"), target.get("DeadLetterConfig")
    retry = target.get("RetryPolicy")
    paths = {"inputPaths": "InputPathsMap", "inputTemplate": "InputTemplate"}
    ages = {
        "maximumEventAgeInSeconds": "MaximumEventAgeInSeconds",
        "maximumRetryAttempts": "MaximumRetryAttempts",
    }
    names = {"targetId": "Id", "arn": "Arn", "roleArn": "RoleArn", "input": "Input", "inputPath": "InputPath"}
    return {
        **_named(target, names),
        "inputTransformer": _named(transformer, paths) if transformer else None,
        "deadLetterConfig": _named(letters, {"arn": "Arn"}) if letters else None,
        "retryPolicy": _named(retry, ages) if retry else None,
    }


def _log_group(account: Account, wanted: Resource) -> Properties | None:
    pages = _client(account, "logs", wanted).get_paginator("describe_log_groups")
    for page in pages.paginate(logGroupNamePrefix=wanted["name"]):
        for group in page["logGroups"]:
            if group["logGroupName"] == wanted["name"]:
                return {
                    "name": group["logGroupName"],
                    "retentionInDays": group.get("retentionInDays"),
                    "deletionProtectionEnabled": group.get("deletionProtectionEnabled", UNKNOWN),
                }
    return None


def _log_resource_policy(account: Account, wanted: Resource) -> Properties | None:
    arn = wanted["resourceArn"]
    found = _client(account, "logs", wanted).describe_resource_policies(
        resourceArn=arn, policyScope="RESOURCE"
    )
    for policy in found["resourcePolicies"]:
        if policy.get("resourceArn") == arn:
            return {"resourceArn": arn, "policyDocument": policy["policyDocument"]}
    return None


def _metric_alarm(account: Account, wanted: Resource) -> Properties | None:
    found = _client(account, "cloudwatch", wanted).describe_alarms(AlarmNames=[wanted["name"]])
    for alarm in found["MetricAlarms"]:
        return {
            **_named(alarm, _ALARM),
            # Without it AWS takes the number of evaluation periods.
            "datapointsToAlarm": wanted["datapointsToAlarm"] and alarm.get("DatapointsToAlarm"),
            "dimensions": {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])},
            "evaluationWindow": _evaluation_window(alarm.get("EvaluationWindow")),
        }
    return None


def _evaluation_window(window: Properties | None) -> Properties | str | None:
    """Return a window of the clock, without a time zone that is AWS's default; None for another kind."""
    if window is None:
        return UNKNOWN
    if "WallClockWindow" not in window:
        return None
    zone = window["WallClockWindow"].get("Timezone", "UTC")
    return {"wallClockWindow": {} if zone == "UTC" else {"timezone": zone}}


_ALARM = {
    "name": "AlarmName",
    "alarmDescription": "AlarmDescription",
    "alarmActions": "AlarmActions",
    "actionsEnabled": "ActionsEnabled",
    "namespace": "Namespace",
    "metricName": "MetricName",
    "statistic": "Statistic",
    "period": "Period",
    "evaluationPeriods": "EvaluationPeriods",
    "threshold": "Threshold",
    "comparisonOperator": "ComparisonOperator",
    "treatMissingData": "TreatMissingData",
    "alarmState": "StateValue",
    "alarmReason": "StateReason",
}


@cache
def user(account: Account, name: str) -> dict[str, Any]:
    """Return a user, as AWS names its properties."""
    return account.client("iam").get_user(UserName=name)["User"]


def _user(account: Account, wanted: Resource) -> Properties:
    return _named(user(account, wanted["name"]), {"name": "UserName", "path": "Path"})


def _policy(account: Account, wanted: Resource) -> Properties:
    iam = account.client("iam")
    arn = f"arn:aws:iam::{account.id}:policy/{wanted['name']}"
    live = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=live["DefaultVersionId"])["PolicyVersion"]
    return {"name": live["PolicyName"], "path": live["Path"], "policy": json.dumps(version["Document"])}


def _role(account: Account, wanted: Resource) -> Properties:
    live = account.client("iam").get_role(RoleName=wanted["name"])["Role"]
    return {
        **_named(live, {"name": "RoleName", "path": "Path", "description": "Description"}),
        # An hour is AWS's default, for roles that say nothing about it.
        "maxSessionDuration": wanted["maxSessionDuration"] and live["MaxSessionDuration"],
        "assumeRolePolicy": json.dumps(live["AssumeRolePolicyDocument"]),
        "permissionsBoundary": live.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    }


def _role_policy(account: Account, wanted: Resource) -> Properties:
    live = account.client("iam").get_role_policy(RoleName=wanted["role"], PolicyName=wanted["name"])
    document = json.dumps(live["PolicyDocument"])
    return {"role": live["RoleName"], "name": live["PolicyName"], "policy": document}


@cache
def attached_to_user(account: Account, user: str) -> list[str]:
    """Return the ARNs of the managed policies attached to a user."""
    pages = account.client("iam").get_paginator("list_attached_user_policies").paginate(UserName=user)
    return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]


@cache
def attached_to_role(account: Account, role: str) -> list[str]:
    """Return the ARNs of the managed policies attached to a role."""
    pages = account.client("iam").get_paginator("list_attached_role_policies").paginate(RoleName=role)
    return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]


def _user_policy_attachment(account: Account, wanted: Resource) -> Properties | None:
    attached = wanted["policyArn"] in attached_to_user(account, wanted["user"])
    return {"user": wanted["user"], "policyArn": wanted["policyArn"]} if attached else None


def _role_policy_attachment(account: Account, wanted: Resource) -> Properties | None:
    attached = wanted["policyArn"] in attached_to_role(account, wanted["role"])
    return {"role": wanted["role"], "policyArn": wanted["policyArn"]} if attached else None


@cache
def key(account: Account, region: str, alias: str = naming.KEY_ALIAS) -> dict[str, Any]:
    """Return the key that an alias stands for, as AWS names its properties."""
    return account.client("kms", region).describe_key(KeyId=alias)["KeyMetadata"]


def _alias(account: Account, wanted: Resource) -> Properties:
    live = key(account, wanted.home[1], wanted["name"])
    return {"name": wanted["name"], "targetKeyId": live["KeyId"]}


def _key(account: Account, wanted: Resource) -> Properties:
    kms = _client(account, "kms", wanted)
    live = key(account, wanted.home[1])
    return {
        "description": live.get("Description"),
        "isEnabled": live["Enabled"],
        "enableKeyRotation": kms.get_key_rotation_status(KeyId=live["KeyId"])["KeyRotationEnabled"],
        "policy": kms.get_key_policy(KeyId=live["KeyId"], PolicyName="default")["Policy"],
        "keyId": live["KeyId"],
        "arn": live["Arn"],
        "keyState": live["KeyState"],
    }


def _schedule_group(account: Account, wanted: Resource) -> Properties:
    live = _client(account, "scheduler", wanted).get_schedule_group(Name=wanted["name"])
    return {"name": live["Name"]}


def _schedule(account: Account, wanted: Resource) -> Properties:
    scheduler = _client(account, "scheduler", wanted)
    live = scheduler.get_schedule(Name=wanted["name"], GroupName=wanted["groupName"])
    target = live["Target"]
    bridge = target.get("EventBridgeParameters") or {}
    names = {
        "name": "Name",
        "groupName": "GroupName",
        "state": "State",
        "scheduleExpression": "ScheduleExpression",
        "created": "CreationDate",
    }
    return {
        **_named(live, names),
        "flexibleTimeWindow": _named(live["FlexibleTimeWindow"], {"mode": "Mode"}),
        "target": {
            **_named(target, {"arn": "Arn", "roleArn": "RoleArn", "input": "Input"}),
            "eventbridgeParameters": _named(bridge, {"detailType": "DetailType", "source": "Source"}),
        },
    }


@cache
def _topic_attributes(account: Account, arn: str) -> dict[str, Any]:
    return account.client("sns", arn.split(":")[3]).get_topic_attributes(TopicArn=arn)["Attributes"]


def _topic(account: Account, wanted: Resource) -> Properties:
    arn = f"arn:aws:sns:{wanted.home[1]}:{account.id}:{wanted['name']}"
    live = _topic_attributes(account, arn)
    return {
        "name": arn.rsplit(":", 1)[-1],
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
    found = [one for page in pages.paginate(TopicArn=topic_arn) for one in page["Subscriptions"]]
    # One that was ended stays in the list for a while.
    return [one for one in found if one["SubscriptionArn"] != "Deleted"]


def _topic_subscription(account: Account, wanted: Resource) -> Properties | None:
    found = [
        one
        for one in subscriptions(account, wanted["topic"])
        if one["Protocol"] == wanted["protocol"] and wanted["endpoint"] in (one["Endpoint"], UNKNOWN)
    ]
    if not found:
        return None
    return {
        **_named(found[0], {"topic": "TopicArn", "protocol": "Protocol"}),
        "endpoint": wanted["endpoint"],
        "pendingConfirmation": all(is_pending(one) for one in found),
    }


def is_pending(subscription: Properties) -> bool:
    """Whether a subscription waits for somebody to follow the link in AWS's mail."""
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
        "messages": sum(int(live.get(name, 0)) for name in _WAITING),
    }


_WAITING = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def _queue_policy(account: Account, wanted: Resource) -> Properties | None:
    live = _queue_attributes(account, wanted.home[1], wanted["queueUrl"].rsplit("/", 1)[-1])
    return {"queueUrl": wanted["queueUrl"], "policy": live["Policy"]} if live.get("Policy") else None


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
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _role_policy_attachment,
    "aws:iam/user:User": _user,
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": _user_policy_attachment,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/key:Key": _key,
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:scheduler/scheduleGroup:ScheduleGroup": _schedule_group,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_policy,
}
