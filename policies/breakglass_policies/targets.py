"""Where the EventBridge rules of the alert path send events, and what becomes of those that do not arrive."""

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from . import names
from .arns import parse_arn, region_of
from .framework import EMERGENCY_ACCESS
from .plain import any_known, plain, title, unknown_last
from .rules import EVENT_RULE, rule_name

EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TOPIC = "aws:sns/topic:Topic"

WITHOUT_ROLE = {"sns": "a topic", "sqs": "a queue", "logs": "a log group", "lambda": "a function"}
"""Services whose targets are reached through their own resource policy, by how messages call a target."""


def check_dead_letters(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a target of the alert path that keeps nothing of what it could not deliver.

    Raises:
        UnknownValueError: the rule's name, the queue or a Region is not known until deployment.
    """
    what = _our_target(args)
    config = plain(args.props.get("deadLetterConfig"))
    arn = config.get("arn") if isinstance(config, dict) else None
    queue = parse_arn(arn)
    region = region_of(args.props, args.provider)
    if not arn:
        problem = "has no dead-letter queue, so an event that it cannot deliver is lost without a trace"
    elif queue is None or queue.service != "sqs":
        problem = f"has as its dead-letter queue {arn}, which is not the ARN of an SQS queue"
    elif queue.resource.endswith(".fifo"):
        problem = f"has the dead-letter queue {queue.resource}, and EventBridge takes standard queues only"
    elif region is not None and queue.region != region:
        problem = f"is in {region} and its dead-letter queue in {queue.region}, out of EventBridge's reach"
    else:
        return
    report(
        f"{what} {problem}. Set deadLetterConfig.arn to a standard queue in {region or 'its own Region'}.",
        args.urn,
    )


def check_no_role(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a role on a target that is reached through its own resource policy.

    Raises:
        UnknownValueError: the rule's name or the target is not known until deployment.
    """
    what = _our_target(args)
    if not _is_unknown(args.props, "roleArn") and not plain(args.props.get("roleArn")):
        return
    arn = parse_arn(plain(args.props.get("arn")))
    if arn and arn.service in WITHOUT_ROLE:
        report(
            f"{what} gives a role to {WITHOUT_ROLE[arn.service]}: delivery may fail with it, above all to "
            "what is encrypted. Take roleArn away; the target's own policy lets EventBridge in.",
            args.urn,
        )


def check_hub_forwards_nowhere(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a target that forwards from the hub to another event bus.

    Raises:
        UnknownValueError: the bus or the target is not known until deployment.
    """
    hub = names.text(args.get_config(), "eventBusName")
    if args.resource_type != EVENT_TARGET or _bus(args.props) != hub:
        return args.not_applicable("the resource is not a target on the hub's event bus")
    arn = parse_arn(plain(args.props.get("arn")))
    if arn and arn.service == "events" and arn.resource.startswith("event-bus/"):
        report(
            f"{title(args.resource_type, args.name)} forwards from the hub {hub} to {arn.resource}: what a "
            "relay sent has passed one bus before, and EventBridge drops it at a third without an error. Let "
            "the relays send to that bus themselves, or deliver from the hub to a topic, queue or log group.",
            args.urn,
        )
    return None


def _our_target(args: ResourceValidationArgs) -> str:
    """Return how messages call the target; end the check when it is not one of the alert path."""
    rule = plain(args.props.get("rule")) if args.resource_type == EVENT_TARGET else None
    if not isinstance(rule, str) or not rule.startswith(names.texts(args.get_config(), "rulePrefixes")):
        args.not_applicable("the resource is not a target of an EventBridge rule of the alert path")
    return f"{title(args.resource_type, args.name)} ({rule})"


def _is_unknown(props: Mapping[str, Any], key: str) -> bool:
    try:
        plain(props.get(key))
    except UnknownValueError:
        return True
    return False


def _bus(props: Mapping[str, Any]) -> str:
    """Return the name of the bus that a rule or target is on, which may be given as an ARN."""
    bus = plain(props.get("eventBusName"))
    return bus.rpartition("/")[2] if isinstance(bus, str) and bus else "default"


def check_tamper_targets(args: StackValidationArgs, report: ReportViolation) -> None:
    """Report each rule about tampering that is missing or does not reach both topics.

    Raises:
        UnknownValueError: a name, bus or ARN that decides is not known until deployment; raised after what is
            known to be missing was reported.
    """
    config = args.get_config()
    topics = [names.text(config, "topicName"), names.text(config, "watchdogTopicName")]
    prefixes = names.texts(config, "tamperRulePrefixes")
    rules = _of_type(args, EVENT_RULE)
    has_topics = all(_has_topic(args, topic) for topic in topics)
    if not has_topics and not any_known(rules, lambda rule: rule_name(rule.props).startswith(prefixes)):
        return args.not_applicable("the stack has neither both topics nor a rule about tampering")
    gaps = [_missing_rule(rules, prefix) for prefix in prefixes]
    gaps += [_missing_targets(rule, _of_type(args, EVENT_TARGET), prefixes, topics) for rule in rules]
    for gap in unknown_last(*gaps):
        report(gap, None)
    return None


def _of_type(args: StackValidationArgs, kind: str) -> list[PolicyResource]:
    return [resource for resource in args.resources if resource.resource_type == kind]


def _has_topic(args: StackValidationArgs, name: str) -> bool:
    return any_known(_of_type(args, TOPIC), lambda topic: plain(topic.props.get("name")) == name)


def _missing_rule(rules: list[PolicyResource], prefix: str) -> Iterator[str]:
    if not any_known(rules, lambda rule: rule_name(rule.props).startswith(prefix)):
        yield (
            f"no EventBridge rule has a name that begins with {prefix}, so nobody hears of an attack on "
            "the alarm itself. Create it, with both topics as targets."
        )


def _missing_targets(
    rule: PolicyResource, targets: list[PolicyResource], prefixes: tuple[str, ...], topics: list[str]
) -> Iterator[str]:
    if rule_name(rule.props).startswith(prefixes):
        yield from unknown_last(*(_missing_target(rule, targets, topic) for topic in topics))


def _missing_target(rule: PolicyResource, targets: list[PolicyResource], topic: str) -> Iterator[str]:
    if not any_known(targets, lambda target: _delivers(rule, target, topic)):
        yield (
            f"no target of the EventBridge rule {rule_name(rule.props)} is the topic {topic} of its own "
            "Region: an attack on one topic or its key must be heard through the other. Create an "
            "EventTarget for it on the event bus of the rule."
        )


def _delivers(rule: PolicyResource, target: PolicyResource, topic: str) -> bool:
    """Return whether the target sends what the rule matches to the topic, in the Region that it can reach."""
    if plain(target.props.get("rule")) != rule_name(rule.props) or not _on_same_bus(rule.props, target.props):
        return False
    arn = parse_arn(plain(target.props.get("arn")))
    if arn is None or (arn.service, arn.resource) != ("sns", topic):
        return False
    return region_of(target.props, target.provider) in (None, arn.region)


def _on_same_bus(rule: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
    # A bus that the program leaves out may be unknown to a stack rule until the provider fills it in. Where
    # that is so on both sides, both are on the default bus.
    if _is_unknown(rule, "eventBusName") and _is_unknown(target, "eventBusName"):
        return True
    return _bus(rule) == _bus(target)


_OUR_RULES = PolicyConfigSchema(properties=names.schema("rulePrefixes"))

TARGET_HAS_DLQ = ResourceValidationPolicy(
    name="target-has-dlq",
    display_name="Targets have a dead-letter queue",
    description="Targets of the alert path must have a dead-letter queue in their own Region.",
    validate=check_dead_letters,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=_OUR_RULES,
    remediation_steps=(
        "Set deadLetterConfig.arn to a standard SQS queue in the rule's own Region whose policy lets "
        "events.amazonaws.com send messages for the rule."
    ),
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html",
)

NO_ROLE_ON_TARGET = ResourceValidationPolicy(
    name="no-role-on-topic-queue-log-target",
    display_name="Topics, queues, log groups and functions are reached without a role",
    description="Targets of the alert path that have a resource policy of their own must not carry a role.",
    validate=check_no_role,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=_OUR_RULES,
    remediation_steps="Take roleArn away from the target, and let events.amazonaws.com in by its own policy.",
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
)

HUB_FORWARDS_NOWHERE = ResourceValidationPolicy(
    name="hub-forwards-nowhere",
    display_name="The hub forwards to no other event bus",
    description="Rules on the hub's event bus must not forward: EventBridge drops an event at its third bus.",
    validate=check_hub_forwards_nowhere,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(properties=names.schema("eventBusName")),
    remediation_steps="Let the relays send to the other bus themselves, and remove the target on the hub.",
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html",
)

TAMPER_ALSO_REACHES_PLAIN_TOPIC = StackValidationPolicy(
    name="tamper-also-reaches-plain-topic",
    display_name="Attacks on the alarm reach the plain topic as well",
    description="Rules about changes of alerting and key must have both topics as targets.",
    validate=check_tamper_targets,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(
        properties=names.schema("tamperRulePrefixes", "topicName", "watchdogTopicName")
    ),
    remediation_steps="Create the rule, and an EventTarget for each of both topics of the rule's own Region.",
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
)

RULES: list[Policy] = [
    TARGET_HAS_DLQ,
    NO_ROLE_ON_TARGET,
    HUB_FORWARDS_NOWHERE,
    TAMPER_ALSO_REACHES_PLAIN_TOPIC,
]
"""The rules of this module."""
