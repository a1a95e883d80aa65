"""Clauses of EventBridge patterns, one for each thing that an event can be about, and how they are combined.

Patterns match names and accounts rather than user ARNs: a failed ConsoleLogin carries no `userIdentity.arn`
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html).
They use exact values, `prefix`, `suffix`, `anything-but`, `exists` and `$or` only, so that they can be read,
and checked, at a glance.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from breakglass import naming, quotas

T = TypeVar("T")
Pattern = dict[str, Any]

WRITE: Pattern = {"readOnly": [False]}
ROOT_SIGN_IN: Pattern = {"eventName": ["ConsoleLogin"], "userIdentity": {"type": ["Root"]}}
REGION_SWITCHED: Pattern = {"source": ["aws.account"], "detail-type": ["Region Opt-In Status Change"]}
TRAIL_WRITES: Pattern = {
    "eventName": [
        "StopLogging",
        "DeleteTrail",
        "UpdateTrail",
        "PutEventSelectors",
        "PutInsightSelectors",
        "DeregisterOrganizationDelegatedAdmin",
    ]
}
"""Calls after which CloudTrail, and with it every detection, may see fewer events."""


class PatternTooLong(Exception):
    """A pattern is longer than EventBridge allows, and cannot be split."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The users and the role that the detections watch, and their hub.

    Attributes:
        hub_account_id: Account that holds the users and the hub.
        user_names: Names of the users, in their exact case: patterns are case-sensitive, and so are user
            names in a trust policy.
        role_name: Name of the role, the same in every account.
        hub_region: Region of the hub.
    """

    hub_account_id: str
    user_names: Sequence[str]
    role_name: str
    hub_region: str = naming.HOME_REGION

    @property
    def user_arns(self) -> list[str]:
        """ARNs of the users."""
        return [naming.user_arn(self.hub_account_id, name) for name in self.user_names]


def by_user(watched: Watched) -> Pattern:
    """Return the clause for what a user does: sign-ins, and calls with its keys or sessions."""
    return {"userIdentity": {"type": ["IAMUser"], "userName": list(watched.user_names)}}


def by_session_of(*arns: Any) -> Pattern:
    """Return the clause for what sessions of roles or federated users do, by the ARN of who issued them.

    The session's own name is the caller's choice and says nothing.
    """
    return {"userIdentity": {"sessionContext": {"sessionIssuer": {"arn": list(arns)}}}}


def by_role_session(watched: Watched) -> Pattern:
    """Return the clause for sessions of the role in any account: the hub knows no list of accounts."""
    return by_session_of({"suffix": f":role/{watched.role_name}"})


def about(**parameters: Any) -> Pattern:
    """Return the clause for a call whose request names something."""
    return {"requestParameters": parameters}


def prefixes(*texts: str) -> list[Pattern]:
    """Return what matches a value that begins with one of the texts."""
    return [{"prefix": text} for text in texts]


def changes_user(watched: Watched) -> list[Pattern]:
    """Return the clauses for IAM calls that name a user, its MFA devices or one of its policies."""
    hub = watched.hub_account_id
    return [
        about(userName=list(watched.user_names)),
        # CreateVirtualMFADevice names no user: only the device's name hints at one.
        about(virtualMFADeviceName=prefixes(*watched.user_names)),
        about(policyArn=[naming.policy_arn(hub, name) for name in naming.USER_POLICIES]),
    ]


def relay_parts() -> dict[str, list[Pattern]]:
    """Return, per event source, the clauses that name a part of a relay, the same in every account."""
    return {
        "aws.events": [about(name=prefixes(naming.RELAY_RULE)), about(rule=prefixes(naming.RELAY_RULE))],
        "aws.sqs": [about(queueUrl=[{"suffix": f"/{naming.RELAY_QUEUE}"}])],
        "aws.scheduler": [
            about(groupName=[naming.SCHEDULE_GROUP]),
            about(name=[naming.SCHEDULE_GROUP, naming.HEARTBEAT_SCHEDULE]),
        ],
        "aws.iam": [about(roleName=[naming.RELAY_ROLE, naming.HEARTBEAT_ROLE])],
    }


def hub_parts(watched: Watched) -> dict[str, list[Pattern]]:
    """Return, per event source, the clauses that name a part of the hub, which only its account has."""
    topics = [
        naming.topic_arn(watched.hub_account_id, watched.hub_region, topic)
        for topic in (naming.TOPIC, naming.WATCHDOG_TOPIC)
    ]
    return {
        "aws.events": [
            about(name=[*prefixes(naming.RULE_PREFIX), naming.HUB_BUS]),
            about(rule=prefixes(naming.RULE_PREFIX)),
            about(eventBusName=[naming.HUB_BUS, {"suffix": f":event-bus/{naming.HUB_BUS}"}]),
            about(archiveName=[naming.ARCHIVE]),
        ],
        "aws.sns": [
            about(topicArn=topics),
            # Unsubscribe names no topic; the colon keeps out topics whose names only begin alike.
            about(subscriptionArn=prefixes(*(f"{topic}:" for topic in topics))),
        ],
        "aws.sqs": [about(queueUrl=[{"suffix": f"/{naming.DEAD_LETTER_QUEUE}"}])],
        "aws.kms": [about(aliasName=[naming.KEY_ALIAS])],
        "aws.logs": [
            about(logGroupName=[naming.AUDIT_LOG_GROUP]),
            about(logGroupIdentifier=[{"suffix": naming.AUDIT_LOG_GROUP}]),
            about(resourceArn=[{"suffix": f":log-group:{naming.AUDIT_LOG_GROUP}"}]),
        ],
        "aws.monitoring": [
            about(alarmName=prefixes(naming.ALARM_PREFIX)),
            about(alarmNames=prefixes(naming.ALARM_PREFIX)),
        ],
    }


def alarm_parts(watched: Watched, account_id: str) -> dict[str, list[Pattern]]:
    """Return, per event source, the clauses that name a part of the alarm path in an account."""
    parts = relay_parts()
    if account_id == watched.hub_account_id:
        for source, clauses in hub_parts(watched).items():
            parts[source] = parts.get(source, []) + clauses
    return parts


def packed(parts: Sequence[T], build: Callable[[Sequence[T]], Pattern]) -> list[Pattern]:
    """Return as few patterns as can hold the parts, in their order; `build` makes the pattern of some.

    Raises:
        PatternTooLong: One part does not fit on its own.
    """
    patterns: list[Pattern] = []
    held: list[T] = []
    for part in parts:
        checked(build([part]))
        if held and len(text(build([*held, part]))) > quotas.EVENT_PATTERN:
            patterns.append(build(held))
            held = []
        held.append(part)
    return [*patterns, build(held)]


def either(clauses: Sequence[Pattern]) -> Pattern:
    """Return the pattern that matches where one of the clauses does; `$or` needs two at least."""
    return {"$or": list(clauses)} if len(clauses) > 1 else clauses[0]


def text(pattern: Pattern) -> str:
    """Return the pattern as JSON without white space, as it is deployed and counted."""
    return json.dumps(pattern, separators=(",", ":"))


def checked(pattern: Pattern) -> Pattern:
    """Return the pattern; raises PatternTooLong when EventBridge would refuse it for its length."""
    if len(text(pattern)) > quotas.EVENT_PATTERN:
        raise PatternTooLong(
            f"event pattern of {len(text(pattern))} characters, at most {quotas.EVENT_PATTERN} are allowed"
        )
    return pattern
