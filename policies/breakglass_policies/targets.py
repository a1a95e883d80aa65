"""Where the EventBridge rules of the alert path send events, and what becomes of those that do not arrive."""

from itertools import product

from pulumi_policy import Severity
from pulumi_policy.proxy import UnknownValueError

from breakglass import naming

from .placement import EVENT_RULE, EVENT_TARGET
from .policy import Problems, StackProblems, resource_policy, stack_policy
from .reading import Resource, Stack, any_known, bus_name, each, members, parse_arn
from .rules import is_of_alert_path, rule_name
from .topics import TOPIC, TOPICS

WITHOUT_ROLE = {"sns": "a topic", "sqs": "a queue", "logs": "a log group", "lambda": "a function"}
"""Services whose targets are reached through their own resource policy, with what messages call a target."""

TAMPER_RULES = (f"{naming.RULE_PREFIX}alerting-change", f"{naming.RULE_PREFIX}key-change")
"""How the names of the rules begin that report an attack on the alarm itself."""


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
    "The hub forwards to no other event bus",
    types=[EVENT_TARGET],
    applies=lambda target: bus_name(target) == naming.HUB_BUS,
    severity=Severity.HIGH,
    fix="Let the relays send to the other bus themselves, and remove the target on the hub.",
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html",
)
def hub_forwards_nowhere(target: Resource) -> Problems:
    """Rules on the hub's event bus must not forward: EventBridge drops an event at its third bus."""
    arn = parse_arn(target["arn"])
    if arn.service == "events" and arn.resource.startswith("event-bus/"):
        yield (
            f"forwards from the hub {naming.HUB_BUS} to {arn.resource}: what a relay sent has passed one bus "
            "before, and EventBridge drops it at a third without an error. Let the relays send to that bus "
            "themselves, or deliver from the hub to a topic, queue or log group."
        )


def _reports_tampering(rule: Resource) -> bool:
    return rule_name(rule).startswith(TAMPER_RULES)


def _has_topics_or_tamper_rules(stack: Stack) -> bool:
    def has_topic(name: str) -> bool:
        return any_known(stack.all(TOPIC), lambda topic: topic["name"] == name)

    return all(map(has_topic, TOPICS)) or any_known(stack.all(EVENT_RULE), _reports_tampering)


@stack_policy(
    "tamper-also-reaches-plain-topic",
    "Attacks on the alarm reach the plain topic as well",
    applies=_has_topics_or_tamper_rules,
    severity=Severity.CRITICAL,
    fix="Create the rule, and an EventTarget for each of both topics of the rule's own Region.",
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
)
def tamper_also_reaches_plain_topic(stack: Stack) -> StackProblems:
    """Rules about changes of alerting and key must have both topics as targets."""
    rules, targets = stack.all(EVENT_RULE), stack.all(EVENT_TARGET)

    def missing_rule(prefix: str) -> StackProblems:
        if not any_known(rules, lambda rule: rule_name(rule).startswith(prefix)):
            yield (
                None,
                f"No EventBridge rule has a name that begins with {prefix}, so nobody hears of an attack on "
                "the alarm itself. Create it, with both topics as targets.",
            )

    def missing_target(wanted: tuple[Resource, str]) -> StackProblems:
        rule, topic = wanted
        if _reports_tampering(rule) and not any_known(targets, lambda one: _delivers(rule, one, topic)):
            yield (
                rule,
                f"({rule_name(rule)}) has no target that is the topic {topic} of its own Region: an attack "
                "on one topic or its key must be heard through the other. Create an EventTarget for it on "
                "the event bus of the rule.",
            )

    yield from each([each(TAMPER_RULES, missing_rule), each(product(rules, TOPICS), missing_target)], iter)


def _delivers(rule: Resource, target: Resource, topic: str) -> bool:
    """Return whether the target sends what the rule matches to the topic, in the Region that it can reach."""
    # A bus that the program leaves out may be unknown to a stack policy until the provider fills it in. If
    # that is so on both sides, both are on the default bus.
    if target["rule"] != rule_name(rule) or not (
        (_is_unknown(rule, "eventBusName") and _is_unknown(target, "eventBusName"))
        or bus_name(rule) == bus_name(target)
    ):
        return False
    arn = parse_arn(target["arn"])
    return (arn.service, arn.resource) == ("sns", topic) and target.region in (None, arn.region)


def _is_unknown(resource: Resource, name: str) -> bool:
    try:
        resource[name]
    except UnknownValueError:
        return True
    return False
