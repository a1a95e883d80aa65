"""Physical names and ARNs, made from account id and fixed names.

Nothing here is an output of a resource: every ARN is known before anything exists, so that a policy
document is known at preview (a policy pack skips what is unknown) and each stack can be previewed
without the other's state. Names shared with AWS's Terraform sample are kept, because people type them.
"""

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

HUB_BUS = "breakglass"
ARCHIVE = "breakglass"
TOPIC = "breakglassuser-console-logins"
WATCHDOG_TOPIC = "breakglass-watchdog"
KEY_ALIAS = "alias/breakglassSNS"
DEAD_LETTER_QUEUE = "breakglass-alerts-dlq"
DRILL_QUEUE = "breakglass-drill"
AUDIT_LOG_GROUP = "/breakglass/audit"
ALARM_PREFIX = "breakglass-"
ALARMS = (
    f"{ALARM_PREFIX}dead-letters",
    f"{ALARM_PREFIX}failed-notifications",
    f"{ALARM_PREFIX}failed-watchdog-notifications",
    f"{ALARM_PREFIX}missing-heartbeats",
)
"""The hub's alarms."""
RULE_PREFIX = "capture-breakglass-"
HUB_RULES = (f"{HUB_BUS}/{RULE_PREFIX}*", f"{RULE_PREFIX}*")
"""The hub's rules as their ARNs name them: those on the hub bus, and key-change on the default bus."""
RECORD_RULE = f"{RULE_PREFIX}record"
ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""State of every rule. AssumeRole is a read-only event, and by the letter of the EventBridge guide only rules
in this state receive those (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html)."""
SNS_TARGET_ID = "SendToSNS"
WATCHDOG_TARGET_ID = "SendToWatchdog"
AUDIT_TARGET_ID = "Record"

RELAY_RULE = "breakglass-relay"
RELAY_ROLE = "BreakGlassRelay"
RELAY_QUEUE = "breakglass-relay-dlq"
SCHEDULE_GROUP = "breakglass"
HEARTBEAT_SCHEDULE = "breakglass-heartbeat"
HEARTBEAT_ROLE = "BreakGlassHeartbeat"
OWN_QUEUES = (DEAD_LETTER_QUEUE, DRILL_QUEUE, RELAY_QUEUE)
"""Queues that are not recipients: nobody is told of what they hold."""
OWN_SOURCES = "breakglass."
HEARTBEAT_SOURCE = "breakglass.heartbeat"
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


def topic_arn(account_id: str, region: str, name: str = TOPIC) -> str:
    """Return the ARN of an SNS topic."""
    return f"arn:{PARTITION}:sns:{region}:{account_id}:{name}"


def queue_arn(account_id: str, region: str, name: str = DEAD_LETTER_QUEUE) -> str:
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


def log_group_arn(account_id: str, region: str) -> str:
    """Return the ARN of the audit log group, without the `:*` that stands for its streams."""
    return f"arn:{PARTITION}:logs:{region}:{account_id}:log-group:{AUDIT_LOG_GROUP}"


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
