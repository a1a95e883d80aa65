"""Clauses of EventBridge patterns, one for each thing that an event can be about, and how they are combined.

Patterns match names and accounts rather than user ARNs: a failed ConsoleLogin carries no `userIdentity.arn`
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html).
They use exact values, `prefix`, `suffix`, `equals-ignore-case`, `anything-but`, `exists` and `$or` only, so
that they can be read, and checked, at a glance.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from breakglass import naming, quotas
from breakglass.naming import Way

T = TypeVar("T")
Pattern = dict[str, Any]
Parts = dict[str, list[Pattern]]
"""Clauses by event source."""

WRITE: Pattern = {"readOnly": [False]}
ROOT_SIGN_IN: Pattern = {"eventName": ["ConsoleLogin"], "userIdentity": {"type": ["Root"]}}
OMITTED: Pattern = {"requestParameters": {"omitted": [{"exists": True}]}}
"""The clause for calls whose parameters were too long to be recorded: more than 100 KB. White space is
enough (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html)."""
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
ORGANIZATION_WRITES: Pattern = {
    "$or": [WRITE, {"eventName": ["AccountDepartedOrganization"]}],
    "errorCode": [{"exists": False}],
}
"""What can silence accounts from outside: policies, moves, closures, trusted access; a denied call changes
nothing. Recorded in the management account; that an account has left is a service event
(https://docs.aws.amazon.com/organizations/latest/APIReference/API_LeaveOrganization.html)."""


class PatternTooLong(Exception):
    """A pattern is longer than EventBridge allows, and cannot be split."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The users and the role that the detections watch, and where the hub and its watchdog are.

    Attributes:
        hub_account_id: Account that holds the users and the hub.
        user_names: Names of the users, in their exact case: patterns are case-sensitive, and so are user
            names in a trust policy.
        role_name: Name of the role, the same in every account.
        watchdog_account_id: Account of the watchdog; the hub's where it has none of its own.
        watchdog_region: Region of the watchdog, never the hub's.
    """

    hub_account_id: str
    user_names: Sequence[str]
    role_name: str
    watchdog_account_id: str
    watchdog_region: str

    @property
    def user_arns(self) -> list[str]:
        """ARNs of the users."""
        return [naming.user_arn(self.hub_account_id, name) for name in self.user_names]

    def place(self, way: Way) -> tuple[str, str]:
        """Return account and Region where a way ends."""
        if way is naming.HUB:
            return self.hub_account_id, naming.HOME_REGION
        return self.watchdog_account_id, self.watchdog_region

    def bus_arn(self, way: Way) -> str:
        """Return the ARN of the bus that a way's relays forward to."""
        return naming.bus_arn(*self.place(way), way.bus)

    def topic_arn(self, way: Way) -> str:
        """Return the ARN of the topic where a way's alerts go."""
        return naming.topic_arn(*self.place(way), way.topic)

    def alarms_topic_arn(self, way: Way) -> str:
        """Return the ARN of the topic where a way's alarms go."""
        return naming.topic_arn(*self.place(way), way.alarms_topic)


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


def heartbeat_by(role_arn: Any) -> Pattern:
    """Return the clause for a heartbeat: the call of the heartbeat's role, whether it succeeded or not.

    It proves trail, relay and bus; what it changes does not matter.
    """
    return {"eventName": ["TagResource"], **by_session_of(role_arn)}


def about(**parameters: Any) -> Pattern:
    """Return the clause for a call whose request names something."""
    return {"requestParameters": parameters}


def prefixes(*texts: str) -> list[Pattern]:
    """Return what matches a value that begins with one of the texts."""
    return [{"prefix": text} for text in texts]


def suffixes(*texts: str) -> list[Pattern]:
    """Return what matches a value that ends with one of the texts."""
    return [{"suffix": text} for text in texts]


def any_case(*names: str) -> list[Pattern]:
    """Return what matches a name of IAM: that is one name in upper and lower case."""
    return [{"equals-ignore-case": name} for name in names]


def queue_named(*names: str) -> list[Pattern]:
    """Return the clauses for calls about queues, and for moving what is in them."""
    return [
        about(queueUrl=suffixes(*(f"/{name}" for name in names))),
        about(sourceArn=suffixes(*(f":{name}" for name in names))),
    ]


def changes_user(watched: Watched) -> list[Pattern]:
    """Return the clauses for IAM calls that name a user, its MFA devices or one of its policies."""
    hub = watched.hub_account_id
    return [
        about(userName=list(watched.user_names)),
        # CreateVirtualMFADevice names no user: only the device's name hints at one.
        about(virtualMFADeviceName=prefixes(*watched.user_names)),
        about(policyArn=[naming.policy_arn(hub, name) for name in naming.USER_POLICIES]),
    ]


def relay_parts() -> Parts:
    """Return, per event source, the clauses that name a part of a relay, the same in every account."""
    rules = prefixes(*(way.relay_rule for way in naming.WAYS))
    alarms = prefixes(naming.ALARM_PREFIX)
    return {
        "aws.events": [about(name=[*rules, "default"]), about(rule=rules), OMITTED],
        "aws.sqs": queue_named(naming.RELAY_QUEUE),
        "aws.scheduler": [
            about(groupName=[naming.SCHEDULE_GROUP]),
            about(name=[naming.SCHEDULE_GROUP, naming.HEARTBEAT_SCHEDULE]),
        ],
        "aws.iam": [about(roleName=any_case(*naming.RELAY_ROLES, naming.HEARTBEAT_ROLE)), OMITTED],
        "aws.monitoring": [
            about(alarmName=alarms),
            about(alarmNames=alarms),
            about(muteTargets={"alarmNames": alarms}),
        ],
    }


def place_parts(watched: Watched, ways: Sequence[Way]) -> Parts:
    """Return, per event source, the clauses that name a part of the places where ways end."""
    buses = [way.bus for way in ways]
    topics = [arn for way in ways for arn in (watched.topic_arn(way), watched.alarms_topic_arn(way))]
    topic_names = [name for way in ways for name in (way.topic, way.alarms_topic)]
    queues = [queue for way in ways for queue in (way.dead_letter_queue, way.drill_queue)]
    hub = naming.HUB in ways
    logs = [*([naming.AUDIT_LOG_GROUP] if hub else []), naming.HEARTBEAT_LOG_GROUP]
    parts = {
        "aws.events": [
            about(name=[*prefixes(naming.RULE_PREFIX), *buses]),
            about(rule=prefixes(naming.RULE_PREFIX)),
            about(eventBusName=[*buses, *suffixes(*(f":event-bus/{bus}" for bus in buses))]),
            *([about(archiveName=[naming.ARCHIVE])] if hub else []),
        ],
        "aws.sns": [
            about(topicArn=suffixes(*(f":{name}" for name in topic_names))),
            about(resourceArn=suffixes(*(f":{name}" for name in topic_names))),
            # Unsubscribe names no topic; the colon keeps out topics whose names only begin alike.
            about(subscriptionArn=prefixes(*(f"{topic}:" for topic in topics))),
        ],
        "aws.sqs": queue_named(*queues),
        "aws.logs": [
            about(logGroupName=logs),
            about(logGroupIdentifier=suffixes(*logs)),
            about(resourceArn=suffixes(*(f":log-group:{log}" for log in logs))),
        ],
    }
    return parts | ({"aws.kms": [about(aliasName=[naming.KEY_ALIAS])]} if hub else {})


def alarm_parts(watched: Watched, account_id: str | None) -> Parts:
    """Return, per event source, the clauses that name a part of the alarm in an account, or in any."""
    parts = relay_parts()
    ways = [way for way in naming.WAYS if account_id in (None, watched.place(way)[0])]
    for source, clauses in place_parts(watched, ways).items() if ways else ():
        parts[source] = parts.get(source, []) + clauses
    return parts


def packed(parts: Sequence[T], build: Callable[[Sequence[T]], Pattern]) -> list[Pattern]:
    """Return few patterns that hold the parts, each in the first with room; `build` makes one of some parts.

    Raises:
        PatternTooLong: One part does not fit on its own.
    """
    held: list[list[T]] = []
    for part in parts:
        checked(build([part]))
        roomy = (some for some in held if len(text(build([*some, part]))) <= quotas.EVENT_PATTERN)
        if (first := next(roomy, None)) is None:
            held.append(first := [])
        first.append(part)
    return [build(some) for some in held]


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
