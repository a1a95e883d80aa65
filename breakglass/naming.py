"""Physical names and ARNs, made from account id and fixed names.

Nothing here is an output of a resource: every ARN is known before anything exists, so that a policy
document is known at preview (a policy pack skips what is unknown) and each stack can be previewed
without the other's state. Names shared with AWS's Terraform sample are kept, because people type them.
"""

from dataclasses import dataclass

PARTITION = "aws"
HOME_REGION = "us-east-1"

DEFAULT_USER_NAMES = ("BreakglassUser",)
DEFAULT_ROLE_NAMES = ("BreakGlassRole",)
"""The names that users and role have where the settings do not say otherwise.

The policy pack knows break-glass access by them in programs other than ours; a fork adds its own.
"""

ASSUME_ROLE_POLICY = "BreakGlassAssumeRole"
SIGN_IN_POLICY = "BreakGlassCliSignIn"
REQUIRE_MFA_POLICY = "BreakGlassRequireMfa"
MFA_ENROLMENT_POLICY = "BreakGlassMfaEnrolment"

USER_POLICIES = (ASSUME_ROLE_POLICY, SIGN_IN_POLICY, REQUIRE_MFA_POLICY, MFA_ENROLMENT_POLICY)


@dataclass(frozen=True, kw_only=True)
class Way:
    """One of the two ways by which an event reaches people, by the names of its parts. They share none.

    Attributes:
        name: `hub` or `watchdog`, the place where the way ends.
        component: Component that creates the place, as the settings list it.
        relay_rule: Beginning of the names of the rules that forward to it. Neither begins with the other.
        relay_role: Role with which EventBridge forwards.
        target: Id of the target that forwards.
        bus: Where the relays of all accounts and Regions forward to.
        topic: Where alerts go.
        alarms_topic: Where CloudWatch alarms go: a flood on the other topic must not silence these.
        dead_letter_queue: Where EventBridge keeps what the rules of this place could not deliver.
        drill_queue: Where a drill sees what the topic sends.
    """

    name: str
    component: str
    relay_rule: str
    relay_role: str
    target: str
    bus: str
    topic: str
    alarms_topic: str
    dead_letter_queue: str
    drill_queue: str


HUB = Way(
    name="hub",
    component="alerts",
    relay_rule="breakglass-relay",
    relay_role="BreakGlassRelay",
    target="Hub",
    bus="breakglass",
    topic="breakglassuser-console-logins",
    alarms_topic="breakglass-alarms",
    dead_letter_queue="breakglass-hub-dlq",
    drill_queue="breakglass-hub-drill",
)
WATCHDOG = Way(
    name="watchdog",
    component="watchdog",
    relay_rule="breakglass-watchdog",
    relay_role="BreakGlassWatchdogRelay",
    target="Watchdog",
    bus="breakglass-watchdog",
    topic="breakglass-watchdog",
    alarms_topic="breakglass-watchdog-alarms",
    dead_letter_queue="breakglass-watchdog-dlq",
    drill_queue="breakglass-watchdog-drill",
)
WAYS = (HUB, WATCHDOG)
WATCHDOG_REGION = "us-west-2"
"""The watchdog's Region where the settings do not say otherwise: on by default, with EventBridge's highest
quotas, and none of those where AWS records console sign-ins."""

BUSES = tuple(way.bus for way in WAYS)
TOPICS = tuple(topic for way in WAYS for topic in (way.topic, way.alarms_topic))

ARCHIVE = "breakglass"
KEY_ALIAS = "alias/breakglassSNS"
AUDIT_LOG_GROUP = "/breakglass/audit"
HEARTBEAT_LOG_GROUP = "/breakglass/heartbeats"
ALARM_PREFIX = "breakglass-"
PLACE_ALARMS = tuple(
    ALARM_PREFIX + noun
    for noun in (
        "dead-letters",
        "new-dead-letters",
        "lost-events",
        "failed-notifications",
        "flood",
        "missing-heartbeats",
    )
)
"""The alarms of the hub, and of the watchdog in its Region."""
RELAY_ALARMS = tuple(
    f"{ALARM_PREFIX}relay-{noun}" for noun in ("dead-letters", "new-dead-letters", "lost-events")
)
"""The alarms of each account's relays, in us-east-1."""
RULE_PREFIX = "capture-breakglass-"
RECORD_RULE = f"{RULE_PREFIX}record"
HEARTBEAT_RULE = f"{RULE_PREFIX}heartbeat"
KEY_RULE = f"{RULE_PREFIX}key-change"
"""The one rule of a hub that is on a default bus: AWS chooses the key's id, so no relay can know it."""
ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""State of every rule. AssumeRole is a read-only event, and by the letter of the EventBridge guide only rules
in this state receive those (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html)."""
SNS_TARGET_ID = "SendToSNS"
ALARMS_TARGET_ID = "SendToAlarms"
RECORD_TARGET_ID = "Record"

RELAY_QUEUE = "breakglass-relays-dlq"
KEY_ROLE = "BreakGlassKeyRelay"
"""Role of the hub with which the rule key-change tells the watchdog's bus."""
RELAY_ROLES = (*(way.relay_role for way in WAYS), KEY_ROLE)
SCHEDULE_GROUP = "breakglass"
HEARTBEAT_SCHEDULE = "breakglass-heartbeat"
HEARTBEAT_ROLE = "BreakGlassHeartbeat"
HEARTBEAT_TAG = ("breakglass-heartbeat", "hourly")
"""Key and value of the tag that each heartbeat puts on a rule that has it already, so nothing changes."""
OWN_QUEUES = (RELAY_QUEUE, *(queue for way in WAYS for queue in (way.dead_letter_queue, way.drill_queue)))
"""Queues that are not recipients: nobody is told of what they hold."""
OWN_SOURCES = "breakglass."
DRILL_SOURCE = "breakglass.drill"
DRILL_TYPE = "Break-glass drill"
QUIET_DRILL_TYPE = "Break-glass drill, quiet"
"""Detail-types of a drill's events: one that notifies people, and one that is only recorded."""


def numbered(name: str, number: int) -> str:
    """Return the name of one of several rules: `breakglass-relay`, `breakglass-relay-2` …"""
    return name if number == 1 else f"{name}-{number}"


def iam_arn(account_id: str, resource: str) -> str:
    """Return the ARN of an IAM resource such as `user/BreakglassUser` (IAM ARNs carry no Region)."""
    return f"arn:{PARTITION}:iam::{account_id}:{resource}"


def user_arn(account_id: str, name: str) -> str:
    """Return the ARN of an IAM user at path `/`."""
    return iam_arn(account_id, f"user/{name}")


def role_arn(account_id: str, name: str) -> str:
    """Return the ARN of an IAM role at path `/`; `account_id` may be `*` in a policy."""
    return iam_arn(account_id, f"role/{name}")


def policy_arn(account_id: str, name: str) -> str:
    """Return the ARN of a customer managed policy at path `/`."""
    return iam_arn(account_id, f"policy/{name}")


def topic_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of an SNS topic."""
    return f"arn:{PARTITION}:sns:{region}:{account_id}:{name}"


def queue_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of an SQS queue."""
    return f"arn:{PARTITION}:sqs:{region}:{account_id}:{name}"


def function_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of a Lambda function."""
    return f"arn:{PARTITION}:lambda:{region}:{account_id}:function:{name}"


def rule_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of an EventBridge rule; `name` is `BUS/NAME` on another than the default bus."""
    return f"arn:{PARTITION}:events:{region}:{account_id}:rule/{name}"


def bus_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of an EventBridge event bus."""
    return f"arn:{PARTITION}:events:{region}:{account_id}:event-bus/{name}"


def log_group_arn(account_id: str, region: str, name: str = AUDIT_LOG_GROUP) -> str:
    """Return the ARN of a log group, without the `:*` that stands for its streams."""
    return f"arn:{PARTITION}:logs:{region}:{account_id}:log-group:{name}"


def schedule_group_arn(account_id: str, region: str) -> str:
    """Return the ARN of the heartbeat's schedule group."""
    return f"arn:{PARTITION}:scheduler:{region}:{account_id}:schedule-group/{SCHEDULE_GROUP}"


def schedule_arn(account_id: str, region: str) -> str:
    """Return the ARN of the heartbeat's schedule."""
    return f"arn:{PARTITION}:scheduler:{region}:{account_id}:schedule/{SCHEDULE_GROUP}/{HEARTBEAT_SCHEDULE}"


def alarm_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of a CloudWatch alarm."""
    return f"arn:{PARTITION}:cloudwatch:{region}:{account_id}:alarm:{name}"


def archive_arn(account_id: str, region: str) -> str:
    """Return the ARN of the hub's archive of events."""
    return f"arn:{PARTITION}:events:{region}:{account_id}:archive/{ARCHIVE}"


def key_arn(account_id: str, region: str, key_id: str) -> str:
    """Return the ARN of a KMS key."""
    return f"arn:{PARTITION}:kms:{region}:{account_id}:key/{key_id}"


def trail_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of a CloudTrail trail."""
    return f"arn:{PARTITION}:cloudtrail:{region}:{account_id}:trail/{name}"


def session_arn(account_id: str, session: str) -> str:
    """Return the ARN of a session of AWS STS, such as `assumed-role/BreakGlassRole/BreakglassUser`."""
    return f"arn:{PARTITION}:sts::{account_id}:{session}"
