"""Where the EventBridge rules of the alert path send events, and what becomes of those that do not arrive."""

from pulumi_policy import Severity
from pulumi_policy.proxy import UnknownValueError

from .placement import EVENT_TARGET
from .policy import Problems, resource_policy
from .reading import Resource, bus_name, is_own_bus, members, parse_arn
from .rules import is_of_alert_path

WITHOUT_ROLE = {"sns": "a topic", "sqs": "a queue", "logs": "a log group", "lambda": "a function"}
"""Services whose targets are reached through their own resource policy, with what messages call a target."""


@resource_policy(
    "target-has-dlq",
    "Targets have a dead-letter queue",
    types=[EVENT_TARGET],
    applies=lambda target: is_of_alert_path(target["rule"]),
    severity=Severity.HIGH,
    fix=(
        "Set deadLetterConfig.arn to a standard SQS queue in the rule's own Region whose policy lets "
        "events.amazonaws.com send messages for the rule."
    ),
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html",
)
def target_has_dlq(target: Resource) -> Problems:
    """Targets of the alert path must have a dead-letter queue in their own Region."""
    arn = members(target["deadLetterConfig"]).get("arn")
    queue = parse_arn(arn)
    region = target.region
    if not arn:
        problem = "has no dead-letter queue, so an event that it cannot deliver is lost without a trace"
    elif queue.service != "sqs":
        problem = f"has as its dead-letter queue {arn}, which is not the ARN of an SQS queue"
    elif queue.resource.endswith(".fifo"):
        problem = f"has the dead-letter queue {queue.resource}, and EventBridge takes standard queues only"
    elif region is not None and queue.region != region:
        problem = f"is in {region} and its dead-letter queue in {queue.region}, out of EventBridge's reach"
    else:
        return
    place = region or "its own Region"
    yield f"({target['rule']}) {problem}. Set deadLetterConfig.arn to a standard queue in {place}."


@resource_policy(
    "no-role-on-topic-queue-log-target",
    "Topics, queues, log groups and functions are reached without a role",
    types=[EVENT_TARGET],
    applies=lambda target: is_of_alert_path(target["rule"]),
    severity=Severity.HIGH,
    fix="Remove the role from the target, and let events.amazonaws.com in by the target's own policy.",
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
)
def no_role_on_target(target: Resource) -> Problems:
    """Targets of the alert path that have a resource policy of their own must not have a role."""
    if not _is_unknown(target, "roleArn") and not target["roleArn"]:
        return
    arn = parse_arn(target["arn"])
    if arn.service in WITHOUT_ROLE:
        yield (
            f"({target['rule']}) gives a role to {WITHOUT_ROLE[arn.service]}: delivery may fail with it, "
            "above all to what is encrypted. Remove roleArn; the target's own policy lets EventBridge in."
        )


@resource_policy(
    "hub-forwards-nowhere",
    "Hub and watchdog forward to no other event bus",
    types=[EVENT_TARGET],
    applies=is_own_bus,
    severity=Severity.HIGH,
    fix="Let the relays send to the other bus themselves, and remove the target.",
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html",
)
def hub_forwards_nowhere(target: Resource) -> Problems:
    """Rules on the bus of hub or watchdog must not forward: EventBridge drops an event at its third bus."""
    arn = parse_arn(target["arn"])
    if arn.service == "events" and arn.resource.startswith("event-bus/"):
        yield (
            f"forwards from the bus {bus_name(target)} to {arn.resource}: what a relay sent has passed one "
            "bus before, and EventBridge drops it at a third without an error. Let the relays send to that "
            "bus themselves, or deliver to a topic, queue or log group."
        )


def _is_unknown(resource: Resource, name: str) -> bool:
    try:
        resource[name]
    except UnknownValueError:
        return True
    return False
