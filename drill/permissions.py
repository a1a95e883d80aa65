"""`python -m drill policy`: the IAM policy that a command needs, and nothing more. Asks AWS nothing.

What each action can be narrowed to is in the Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/).
"""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal

import typer

from breakglass import naming
from breakglass.documents import Document
from drill import stacks
from drill.stacks import Stack


class Kind(Enum):
    """What an action works on; the value is part of a statement's Sid."""

    ACCOUNT = "TheAccount"
    ALARMS = "TheAlarms"
    ARCHIVE = "TheArchive"
    AUDIT_LOG = "TheAuditLog"
    DEAD_LETTERS = "DeadLetters"
    DEFAULT_BUSES = "DefaultBuses"
    DRILL_QUEUE = "TheDrillQueue"
    HUB_BUS = "TheHubBus"
    HUB_RULES = "TheHubRules"
    KEY = "TheKey"
    RELAY_ROLES = "RelayRoles"
    RELAY_RULES = "RelayRules"
    ROLE = "TheRole"
    SCHEDULES = "Schedules"
    SCHEDULE_GROUPS = "ScheduleGroups"
    TOPICS = "TheTopics"
    TRAILS = "Trails"
    USERS = "TheUsers"
    USER_POLICIES = "UserPolicies"


_ACCOUNT = (Kind.ACCOUNT,)
_QUEUES = (Kind.DEAD_LETTERS, Kind.DRILL_QUEUE)
_ROLES = (Kind.ROLE, Kind.RELAY_ROLES)
_RULES = (Kind.HUB_RULES, Kind.RELAY_RULES)
_USERS = (Kind.USERS,)

Actions = Mapping[str, tuple[Kind, ...]]
"""IAM actions, each with what it is used on. `Kind.ACCOUNT` is for those that AWS narrows to no resource."""

CHECK: Actions = {
    "cloudtrail:DescribeTrails": _ACCOUNT,
    "cloudtrail:GetEventSelectors": (Kind.TRAILS,),
    "cloudtrail:GetTrailStatus": (Kind.TRAILS,),
    "cloudwatch:DescribeAlarms": (Kind.ALARMS,),
    "ec2:DescribeRegions": _ACCOUNT,
    "events:DescribeArchive": (Kind.ARCHIVE,),
    "events:DescribeEventBus": (Kind.DEFAULT_BUSES, Kind.HUB_BUS),
    "events:DescribeRule": _RULES,
    "events:ListRules": _ACCOUNT,
    "events:ListTargetsByRule": _RULES,
    "events:TestEventPattern": _ACCOUNT,
    "iam:GenerateCredentialReport": _ACCOUNT,
    "iam:GetCredentialReport": _ACCOUNT,
    "iam:GetLoginProfile": _USERS,
    "iam:GetPolicy": (Kind.USER_POLICIES,),
    "iam:GetPolicyVersion": (Kind.USER_POLICIES,),
    "iam:GetRole": _ROLES,
    "iam:GetRolePolicy": _ROLES,
    "iam:GetUser": _USERS,
    "iam:ListAccessKeys": _USERS,
    "iam:ListAttachedRolePolicies": _ROLES,
    "iam:ListAttachedUserPolicies": _USERS,
    "iam:ListGroupsForUser": _USERS,
    "iam:ListMFADevices": _USERS,
    "iam:ListRolePolicies": _ROLES,
    "iam:ListSSHPublicKeys": _USERS,
    "iam:ListServiceSpecificCredentials": _USERS,
    "iam:ListSigningCertificates": _USERS,
    "iam:ListUserPolicies": _USERS,
    "kms:DescribeKey": (Kind.KEY,),
    "kms:GetKeyPolicy": (Kind.KEY,),
    "kms:GetKeyRotationStatus": (Kind.KEY,),
    "logs:DescribeLogGroups": _ACCOUNT,
    "logs:DescribeResourcePolicies": _ACCOUNT,
    "logs:FilterLogEvents": (Kind.AUDIT_LOG,),
    "scheduler:GetSchedule": (Kind.SCHEDULES,),
    "scheduler:GetScheduleGroup": (Kind.SCHEDULE_GROUPS,),
    "sns:GetTopicAttributes": (Kind.TOPICS,),
    "sns:ListSubscriptionsByTopic": (Kind.TOPICS,),
    "sqs:GetQueueAttributes": _QUEUES,
    "sqs:GetQueueUrl": _QUEUES,
}
"""What `check` and `report` call: nothing that changes anything."""

FIRE: Actions = {
    "ec2:DescribeRegions": _ACCOUNT,
    "events:PutEvents": (Kind.DEFAULT_BUSES,),
    "logs:FilterLogEvents": (Kind.AUDIT_LOG,),
    "sns:ListSubscriptionsByTopic": (Kind.TOPICS,),
    "sqs:DeleteMessage": (Kind.DRILL_QUEUE,),
    "sqs:GetQueueUrl": (Kind.DRILL_QUEUE,),
    "sqs:ReceiveMessage": (Kind.DRILL_QUEUE,),
}
"""What `fire` calls. DeleteMessage is also the permission for DeleteMessageBatch."""

PASSWORD: Actions = {
    "iam:CreateLoginProfile": _USERS,
    "iam:GetAccountPasswordPolicy": _ACCOUNT,
    "iam:GetLoginProfile": _USERS,
    "iam:UpdateLoginProfile": _USERS,
}
"""What `password` calls."""

COMPONENT = {
    Kind.ALARMS: "alerts",
    Kind.ARCHIVE: "alerts",
    Kind.AUDIT_LOG: "alerts",
    Kind.DRILL_QUEUE: "alerts",
    Kind.HUB_BUS: "alerts",
    Kind.HUB_RULES: "alerts",
    Kind.KEY: "alerts",
    Kind.TOPICS: "alerts",
    Kind.RELAY_ROLES: "relay",
    Kind.RELAY_RULES: "relay",
    Kind.SCHEDULES: "relay",
    Kind.SCHEDULE_GROUPS: "relay",
    Kind.ROLE: "role",
    Kind.USERS: "user",
    Kind.USER_POLICIES: "user",
}
"""The component that brings a kind; the others are in every account."""

_CALLED_FOR = {
    "events:ListRules": "alerts",
    "events:TestEventPattern": "alerts",
    "iam:GenerateCredentialReport": "user",
    "iam:GetAccountPasswordPolicy": "user",
    "iam:GetCredentialReport": "user",
    "logs:DescribeLogGroups": "alerts",
    "logs:DescribeResourcePolicies": "alerts",
}
"""Actions on the whole account that are called for one component only."""

CONDITIONS: Mapping[str, Document] = {
    # Several events can come in one call, each with a source; without any, "for all values" would hold.
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    "events:PutEvents": {
        "ForAllValues:StringEquals": {"events:source": naming.DRILL_SOURCE},
        "Null": {"events:source": "false"},
    },
    # The key's id is AWS's choice; its alias is ours.
    # https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    "kms": {"ForAnyValue:StringEquals": {"kms:ResourceAliases": naming.KEY_ALIAS}},
}
"""Conditions, by action or by its service."""


def resources(stack: Stack) -> dict[Kind, list[str]]:
    """Return the ARNs of what a stack's account has of each kind, in any Region (`*`) where relays are."""
    account, home = stack.account_id, stack.settings.watched.hub_region
    has_hub = "alerts" in stack.settings.components
    found = {
        Kind.ACCOUNT: ["*"],
        Kind.ALARMS: [f"arn:aws:cloudwatch:{home}:{account}:alarm:{naming.ALARM_PREFIX}*"],
        Kind.ARCHIVE: [f"arn:aws:events:{home}:{account}:archive/{naming.ARCHIVE}"],
        # As for its policy: the part behind the colon stands for the streams, and for the group itself.
        Kind.AUDIT_LOG: [f"{naming.log_group_arn(account, home)}:*"],
        Kind.DEAD_LETTERS: [
            *([naming.queue_arn(account, "*", naming.RELAY_QUEUE)] if _has(stack, "relay") else []),
            *([naming.queue_arn(account, home)] if has_hub else []),
        ],
        Kind.DEFAULT_BUSES: [naming.bus_arn(account, "*", "default")],
        Kind.DRILL_QUEUE: [naming.queue_arn(account, home, naming.DRILL_QUEUE)],
        Kind.HUB_BUS: [naming.bus_arn(account, home, naming.HUB_BUS)],
        Kind.HUB_RULES: [naming.rule_arn(account, home, name) for name in naming.HUB_RULES],
        Kind.KEY: [f"arn:aws:kms:{home}:{account}:key/*"],
        Kind.RELAY_ROLES: [
            naming.role_arn(account, name) for name in (naming.RELAY_ROLE, naming.HEARTBEAT_ROLE)
        ],
        Kind.RELAY_RULES: [naming.rule_arn(account, "*", f"{naming.RELAY_RULE}*")],
        Kind.ROLE: [naming.role_arn(account, stack.settings.role.name)],
        Kind.SCHEDULES: [
            f"arn:aws:scheduler:*:{account}:schedule/{naming.SCHEDULE_GROUP}/{naming.HEARTBEAT_SCHEDULE}"
        ],
        Kind.SCHEDULE_GROUPS: [naming.schedule_group_arn(account, "*")],
        Kind.TOPICS: [
            naming.topic_arn(account, home, name) for name in (naming.TOPIC, naming.WATCHDOG_TOPIC)
        ],
        # The trail of an organisation is in the management account, whichever that is.
        Kind.TRAILS: ["arn:aws:cloudtrail:*:*:trail/*"],
        Kind.USERS: [naming.user_arn(account, name) for name in stack.settings.user.names],
        Kind.USER_POLICIES: [naming.policy_arn(account, name) for name in naming.USER_POLICIES],
    }
    return {kind: arns for kind, arns in found.items() if arns and _has(stack, COMPONENT.get(kind, ""))}


def _has(stack: Stack, component: str) -> bool:
    return not component or component in stack.settings.components


def document(stack: Stack, actions: Actions) -> Document:
    """Return the policy for some actions in the account of a stack, statements and all lists in order."""
    there = resources(stack)
    grouped: dict[tuple[str, tuple[Kind, ...]], list[str]] = {}
    for action, kinds in actions.items():
        own = tuple(kind for kind in kinds if kind in there)
        if own and _has(stack, _CALLED_FOR.get(action, "")):
            # One statement holds all that AWS narrows to nothing; the others are of one service each.
            service = "" if own == _ACCOUNT else action.split(":")[0]
            grouped.setdefault((service, own), []).append(action)
    statements = [
        _statement(service, kinds, sorted(listed), sorted(arn for kind in kinds for arn in there[kind]))
        for (service, kinds), listed in grouped.items()
    ]
    return {"Version": "2012-10-17", "Statement": sorted(statements, key=lambda one: one["Sid"])}


def _statement(service: str, kinds: tuple[Kind, ...], actions: list[str], arns: list[str]) -> dict[str, Any]:
    condition = CONDITIONS.get(actions[0]) or CONDITIONS.get(service)
    return {
        "Sid": f"{service.capitalize()}On{'And'.join(kind.value for kind in kinds)}",
        "Effect": "Allow",
        "Action": actions,
        "Resource": arns,
        **({"Condition": dict(condition)} if condition else {}),
    }


def check_policy(stack: Stack) -> Document:
    """Return what `check` and `report` need in the account of a stack."""
    return document(stack, CHECK)


def fire_policy(stack: Stack) -> Document:
    """Return what `fire` needs in the account of a stack."""
    return document(stack, FIRE)


def password_policy(stack: Stack) -> Document:
    """Return what `password` needs in the account of a stack."""
    return document(stack, PASSWORD)


_MAKERS = {
    "check": check_policy,
    "fire": fire_policy,
    "report": check_policy,
    "password": password_policy,
}


def policy(
    command: Annotated[
        Literal["check", "fire", "report", "password"],
        typer.Argument(metavar="COMMAND", help="check, fire, report or password."),
    ] = "check",
    stack: Annotated[
        str | None,
        typer.Option("--stack", metavar="STACK", help="For the account of this stack; without it the hub's."),
    ] = None,
) -> None:
    """Print the IAM policy that a command needs in one account. Asks AWS nothing."""
    try:
        known = stacks.load()
    except stacks.UnreadableStack as error:
        raise typer.BadParameter(str(error)) from error
    found = [one for one in known if stack in (None, one.name)]
    if not found:
        names = ", ".join(one.name for one in known)
        raise typer.BadParameter(f"--stack {stack}: must be one of {names}")
    made = _MAKERS[command](found[0])
    if not made["Statement"]:
        raise typer.BadParameter(
            f"{command} does nothing in the account of stack {found[0].name}: "
            "there are no users and no alerting there"
        )
    print(json.dumps(made, indent=2))
