"""The alert path lives in us-east-1: nothing of it elsewhere, and nothing of it missing there.

IAM changes, calls to the global STS endpoint and many sign-ins are recorded in us-east-1, and an EventBridge
rule reaches an SNS topic of its own Region only. What relays events from other Regions is not judged here.

Two rules, because a resource rule blocks before anything is created but cannot see what is absent, while a
stack rule sees what is absent but prevents it at preview only.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyProviderResource,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from .framework import EMERGENCY_ACCESS
from .plain import any_known, plain, title, unknown_last
from .topics import has_recipient

HOME_REGION = "us-east-1"

EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
TOPIC_SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
KEY_ALIAS = "aws:kms/alias:Alias"
QUEUE = "aws:sqs/queue:Queue"
EVENT_BUS = "aws:cloudwatch/eventBus:EventBus"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
USER = "aws:iam/user:User"

NAMED_BY: dict[str, tuple[str, ...]] = {
    EVENT_RULE: ("name", "namePrefix"),
    EVENT_TARGET: ("rule",),
    TOPIC: ("name",),
    TOPIC_POLICY: ("arn",),
    TOPIC_SUBSCRIPTION: ("topic",),
    KEY_ALIAS: ("name",),
    QUEUE: ("name",),
    EVENT_BUS: ("name",),
    LOG_GROUP: ("name",),
}
"""Resource types of the alert path; the first property that is set tells whether a resource belongs to it."""

DEFAULT_NAMES: dict[str, str] = {
    "ruleNamePrefix": "capture-breakglass-",
    "topicName": "breakglassuser-console-logins",
    "keyAlias": "alias/breakglassSNS",
    "queueName": "breakglass-alerts-dlq",
    "watchdogTopicName": "breakglass-watchdog",
    "eventBusName": "breakglass",
    "logGroupName": "/breakglass/audit",
}
DEFAULT_RULE_NAMES = [
    "capture-breakglass-user-sign-in",
    "capture-breakglass-user-switch-role",
    "capture-breakglass-user-assume-role",
]
DEFAULT_USER_NAMES = ["BreakglassUser"]


def check_placement(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a resource of the alert path that is not in us-east-1, or that belongs to a topic elsewhere.

    Raises:
        UnknownValueError: its name or its Region is not known until deployment.
    """
    identity = _identity(args)
    if identity is None or not _is_alerting(args, identity):
        return args.not_applicable("the resource is not part of the alert path")
    what = f"{title(args.resource_type, args.name)} ({identity})"
    topic = _topic_arn(identity)
    if topic and topic.region != HOME_REGION:
        report(f"{what} names a topic in {topic.region}. Name the one in {HOME_REGION}.", args.urn)
    region = _region(args.props, args.provider)
    if region is None:
        report(
            f"could not tell in which Region {what} is: neither it nor its provider names one. "
            f'Set region="{HOME_REGION}" on it.',
            args.urn,
        )
    elif region != HOME_REGION:
        report(f'{what} is placed in {region}. Set region="{HOME_REGION}" on it.', args.urn)
    return None


def _identity(args: ResourceValidationArgs) -> str | None:
    for key in NAMED_BY.get(args.resource_type, ()):
        value = plain(args.props.get(key))
        if value is not None:
            return value if isinstance(value, str) else None
    return None


def _is_alerting(args: ResourceValidationArgs, identity: str) -> bool:
    names = {**DEFAULT_NAMES, **args.get_config()}
    topic = _topic_arn(identity)
    topics = (names["topicName"], names["watchdogTopicName"])
    return {
        EVENT_RULE: identity.startswith(names["ruleNamePrefix"]),
        EVENT_TARGET: identity.startswith(names["ruleNamePrefix"]),
        TOPIC: identity in topics,
        TOPIC_POLICY: topic is not None and topic.name in topics,
        TOPIC_SUBSCRIPTION: topic is not None and topic.name in topics,
        KEY_ALIAS: identity == names["keyAlias"],
        QUEUE: identity == names["queueName"],
        EVENT_BUS: identity == names["eventBusName"],
        LOG_GROUP: identity == names["logGroupName"],
    }[args.resource_type]


def _region(props: Mapping[str, Any], provider: PolicyProviderResource | None) -> str | None:
    """Return the Region of a resource: its own, else its provider's; None when neither says."""
    region = plain(props.get("region"))
    if region is None and provider is not None:
        region = plain(provider.props.get("region"))
    return region if isinstance(region, str) and region else None


@dataclass(frozen=True, kw_only=True)
class _TopicArn:
    region: str
    name: str


def _topic_arn(arn: Any) -> _TopicArn | None:
    """Return the parts of a topic's ARN, or None when it is not one."""
    parts = arn.split(":") if isinstance(arn, str) else []
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "sns":
        return None
    return _TopicArn(region=parts[3], name=parts[5])


def check_alerting_present(args: StackValidationArgs, report: ReportViolation) -> None:
    """Report each part of the alert path that the stack does not have in us-east-1.

    Raises:
        UnknownValueError: a name, Region or ARN that decides is not known until deployment; raised after what
            is known to be missing was reported.
    """
    config = args.get_config()
    if not _is_required(args.resources, config):
        return args.not_applicable(
            "the stack needs no alerting: neither `required` nor a break-glass user says so"
        )
    topic_name = config.get("topicName", DEFAULT_NAMES["topicName"])
    rule_names = config.get("ruleNames", DEFAULT_RULE_NAMES)
    gaps = [_rule_gap(args.resources, rule_name, topic_name) for rule_name in rule_names]
    gaps += [_topic_gap(args.resources, topic_name), _subscription_gap(args.resources, topic_name)]
    for gap in unknown_last(*gaps):
        report(gap, None)
    return None


def _is_required(resources: list[PolicyResource], config: Mapping[str, Any]) -> bool:
    if "required" in config:
        return config["required"]
    names = config.get("userNames", DEFAULT_USER_NAMES)
    return any_known(resources, lambda r: r.resource_type == USER and plain(r.props.get("name")) in names)


def _rule_gap(resources: list[PolicyResource], rule_name: str, topic_name: str) -> Iterator[str]:
    if not _has(resources, EVENT_RULE, lambda props: plain(props.get("name")) == rule_name):
        yield (
            f"the EventBridge rule {rule_name} is missing in {HOME_REGION}, so it alerts nobody. "
            f'Create it with region="{HOME_REGION}" and the topic {topic_name} as its target.'
        )
    elif not _has(
        resources,
        EVENT_TARGET,
        lambda props: plain(props.get("rule")) == rule_name and _is_home_topic(props.get("arn"), topic_name),
    ):
        yield (
            f"no target of the EventBridge rule {rule_name} is the topic {topic_name} of {HOME_REGION}, "
            "so it alerts nobody. Create an EventTarget whose arn is "
            f"arn:aws:sns:{HOME_REGION}:<account>:{topic_name}."
        )


def _topic_gap(resources: list[PolicyResource], topic_name: str) -> Iterator[str]:
    if not _has(resources, TOPIC, lambda props: plain(props.get("name")) == topic_name):
        yield (
            f"the SNS topic {topic_name} is missing in {HOME_REGION}, so alerts have nowhere to go. "
            f'Create it with region="{HOME_REGION}".'
        )


def _subscription_gap(resources: list[PolicyResource], topic_name: str) -> Iterator[str]:
    if not _has(
        resources,
        TOPIC_SUBSCRIPTION,
        lambda props: _is_home_topic(props.get("topic"), topic_name) and has_recipient(props),
    ):
        yield (
            f"no subscription of the SNS topic {topic_name} is in {HOME_REGION}, so alerts reach nobody. "
            f'Create a TopicSubscription with region="{HOME_REGION}" and '
            f"topic=arn:aws:sns:{HOME_REGION}:<account>:{topic_name}."
        )


def _has(resources: list[PolicyResource], kind: str, test: Callable[[Mapping[str, Any]], bool]) -> bool:
    """Return whether a resource of that type in us-east-1 passes the test on its properties."""
    return any_known(
        [resource for resource in resources if resource.resource_type == kind],
        lambda resource: test(resource.props) and _region(resource.props, resource.provider) == HOME_REGION,
    )


def _is_home_topic(arn: Any, topic_name: str) -> bool:
    return _topic_arn(plain(arn)) == _TopicArn(region=HOME_REGION, name=topic_name)


def _name_schema(default: str, description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "default": default, "description": description}


def _names_schema(default: list[str], description: str) -> dict[str, Any]:
    names = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
    return {**names, "default": default, "description": description}


US_EAST_1_PLACEMENT = ResourceValidationPolicy(
    name="us-east-1-placement",
    display_name="Alerting is placed in us-east-1",
    description="Bus, rules, topics, key alias, queue and log of the alert path must be in us-east-1.",
    validate=check_placement,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(
        properties={
            "ruleNamePrefix": _name_schema(
                DEFAULT_NAMES["ruleNamePrefix"], "How the names of the alert path's EventBridge rules begin."
            ),
            "topicName": _name_schema(DEFAULT_NAMES["topicName"], "Name of the SNS topic."),
            "keyAlias": _name_schema(DEFAULT_NAMES["keyAlias"], "Alias of the topic's KMS key, with alias/."),
            "queueName": _name_schema(DEFAULT_NAMES["queueName"], "Name of the dead-letter queue."),
            "watchdogTopicName": _name_schema(
                DEFAULT_NAMES["watchdogTopicName"], "Name of the plain second topic."
            ),
            "eventBusName": _name_schema(DEFAULT_NAMES["eventBusName"], "Name of the hub's event bus."),
            "logGroupName": _name_schema(DEFAULT_NAMES["logGroupName"], "Name of the audit log group."),
        }
    ),
    remediation_steps='Set region="us-east-1" on the resource, and name the topic of us-east-1 in ARNs.',
    url="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html",
)

US_EAST_1_ALERTING_PRESENT = StackValidationPolicy(
    name="us-east-1-alerting-present",
    display_name="Alerting is present in us-east-1",
    description="A stack with break-glass users must have rules, topic and subscription in us-east-1.",
    validate=check_alerting_present,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(
        properties={
            "required": {
                "type": "boolean",
                "description": "Whether alerting must exist; if left out: when one of `userNames` does.",
            },
            "userNames": _names_schema(DEFAULT_USER_NAMES, "Names of the break-glass users."),
            "ruleNames": _names_schema(DEFAULT_RULE_NAMES, "Names of the EventBridge rules that must exist."),
            "topicName": _name_schema(DEFAULT_NAMES["topicName"], "Name of the SNS topic."),
        }
    ),
    remediation_steps=(
        'Create what the message names with region="us-east-1": add `alerts` to breakglass:components. Where '
        "another account holds the alerting, set `required` to false in policies/config/<stack>.json."
    ),
    url="https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html",
)
