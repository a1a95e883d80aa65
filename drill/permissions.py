"""`python -m drill policy`: the IAM policy that a command needs, and nothing more. Asks AWS nothing.

What each action can be narrowed to is in the Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/).
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import typer

from breakglass import naming
from breakglass.documents import Document
from breakglass.naming import Way
from drill.options import project_stacks
from drill.stacks import Stack

_READ_ROLE = ("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies")
_READ_RULE = ("events:DescribeRule", "events:ListTargetsByRule")
_READ_QUEUE = ("sqs:GetQueueAttributes", "sqs:GetQueueUrl")


def _check(stack: Stack) -> Iterator[Document]:
    """Yield what `check` and `report` call: nothing that changes anything."""
    account, home, components = stack.account_id, naming.HOME_REGION, stack.settings.components
    yield _allow("*", "cloudtrail:DescribeTrails", "ec2:DescribeRegions")
    # The trail of an organisation is in the management account, whichever that is.
    trails = naming.trail_arn("*", "*", "*")
    yield _allow(trails, "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus")
    yield _allow(naming.bus_arn(account, "*", "default"), "events:DescribeEventBus")
    if "user" in components:
        yield _allow("*", "iam:GenerateCredentialReport", "iam:GetCredentialReport")
        yield _allow(
            _users(stack),
            "iam:GetLoginProfile",
            "iam:GetUser",
            "iam:ListAccessKeys",
            "iam:ListAttachedUserPolicies",
            "iam:ListGroupsForUser",
            "iam:ListMFADevices",
            "iam:ListSSHPublicKeys",
            "iam:ListServiceSpecificCredentials",
            "iam:ListSigningCertificates",
            "iam:ListUserPolicies",
        )
        policies = [naming.policy_arn(account, name) for name in naming.USER_POLICIES]
        yield _allow(policies, "iam:GetPolicy", "iam:GetPolicyVersion")
    if "role" in components:
        yield _allow(naming.role_arn(account, stack.settings.role.name), *_READ_ROLE)
    if "relay" in components:
        names = (*(way.relay_role for way in naming.WAYS), naming.HEARTBEAT_ROLE)
        yield _allow([naming.role_arn(account, name) for name in names], *_READ_ROLE)
        rules = [naming.rule_arn(account, "*", f"{way.relay_rule}*") for way in naming.WAYS]
        yield _allow(rules, *_READ_RULE)
        yield _allow(naming.alarm_arn(account, home, f"{naming.ALARM_PREFIX}*"), "cloudwatch:DescribeAlarms")
        yield _allow(naming.queue_arn(account, "*", naming.RELAY_QUEUE), *_READ_QUEUE)
        yield _allow(naming.schedule_arn(account, "*"), "scheduler:GetSchedule")
        yield _allow(naming.schedule_group_arn(account, "*"), "scheduler:GetScheduleGroup")
    ways = _ways(stack)
    if ways:
        yield _allow(
            "*",
            "events:ListRules",
            "events:TestEventPattern",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
        )
    for way in ways:
        region = stack.settings.watched.place(way)[1]
        yield _allow(
            naming.alarm_arn(account, region, f"{naming.ALARM_PREFIX}*"), "cloudwatch:DescribeAlarms"
        )
        yield _allow(naming.bus_arn(account, region, way.bus), "events:DescribeEventBus")
        rules = f"{way.bus}/{naming.RULE_PREFIX}*"
        yield _allow(naming.rule_arn(account, region, rules), *_READ_RULE)
        queues = (way.dead_letter_queue, way.drill_queue)
        yield _allow([naming.queue_arn(account, region, name) for name in queues], *_READ_QUEUE)
        heartbeats = naming.log_group_arn(account, region, naming.HEARTBEAT_LOG_GROUP)
        yield _allow(f"{heartbeats}:*", "logs:FilterLogEvents")
        topics = [stack.settings.watched.topic_arn(way), stack.settings.watched.alarms_topic_arn(way)]
        yield _allow(topics, "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic")
    if naming.HUB in ways:
        yield _allow(naming.archive_arn(account, home), "events:DescribeArchive")
        yield _allow(naming.rule_arn(account, home, naming.KEY_RULE), *_READ_RULE)
        yield _allow(naming.role_arn(account, naming.KEY_ROLE), *_READ_ROLE)
        # AWS chooses the key's id; its alias is ours.
        # https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
        yield _allow(
            naming.key_arn(account, home, "*"),
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": naming.KEY_ALIAS}},
        )
        yield _allow(_audit_log(stack), "logs:FilterLogEvents")


def _fire(stack: Stack) -> Iterator[Document]:
    account = stack.account_id
    yield _allow("*", "ec2:DescribeRegions")
    # One call can hold several events, each with a source; without any source, "for all values" would be met.
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    only_drills = {
        "ForAllValues:StringEquals": {"events:source": naming.DRILL_SOURCE},
        "Null": {"events:source": "false"},
    }
    yield _allow(naming.bus_arn(account, "*", "default"), "events:PutEvents", condition=only_drills)
    if stack.settings.is_hub:
        yield _allow(_audit_log(stack), "logs:FilterLogEvents")
    for way in _ways(stack):
        yield _allow(stack.settings.watched.topic_arn(way), "sns:ListSubscriptionsByTopic")
        # DeleteMessage is also the permission for DeleteMessageBatch.
        queue = naming.queue_arn(account, stack.settings.watched.place(way)[1], way.drill_queue)
        yield _allow(queue, "sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage")


def _password(stack: Stack) -> Iterator[Document]:
    if "user" in stack.settings.components:
        yield _allow("*", "iam:GetAccountPasswordPolicy")
        yield _allow(_users(stack), "iam:CreateLoginProfile", "iam:GetLoginProfile", "iam:UpdateLoginProfile")


def _users(stack: Stack) -> list[str]:
    return sorted(naming.user_arn(stack.account_id, name) for name in stack.settings.user.names)


def _ways(stack: Stack) -> list[Way]:
    """Return which of hub and watchdog the stack creates."""
    return [way for way in naming.WAYS if way.component in stack.settings.components]


def _audit_log(stack: Stack) -> str:
    # The part after the colon stands for the log streams, and for the group itself.
    return f"{naming.log_group_arn(stack.account_id, naming.HOME_REGION)}:*"


def _allow(resources: str | list[str], *actions: str, condition: Document | None = None) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resources}
    return {**statement, "Condition": condition} if condition else statement


_NEEDED = {"check": _check, "fire": _fire, "report": _check, "password": _password}


def document(command: str, stack: Stack) -> Document:
    """Return the policy that a command needs in the account of a stack; it may have no statement."""
    return {"Version": "2012-10-17", "Statement": list(_NEEDED[command](stack))}


def policy(
    command: Annotated[
        Literal["check", "fire", "report", "password"],
        typer.Argument(metavar="COMMAND", help="check, fire, report or password."),
    ] = "check",
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack", metavar="STACK", help="For this stack's account; by default the hub's account."
        ),
    ] = None,
) -> None:
    """Print the IAM policy that a command needs in one account. Makes no call to AWS."""
    by_name = {known.name: known for known in project_stacks(() if stack is None else (stack,))}
    name = next(iter(by_name)) if stack is None else stack
    if name not in by_name:
        raise typer.BadParameter(f"--stack {name}: must be one of {', '.join(by_name)}")
    needed = document(command, by_name[name])
    if not needed["Statement"]:
        raise typer.BadParameter(
            f"{command} does nothing in the account of stack {name}: that account has no break-glass users"
        )
    print(json.dumps(needed, indent=2))
