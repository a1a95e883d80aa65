"""The topics that alerts go through: encrypted where they must be, closed to strangers, read by people."""

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
from .allowances import Allowance, parse_allowances
from .arns import is_account_id, parse_arn
from .documents import Unreadable
from .framework import EMERGENCY_ACCESS
from .plain import any_known, plain, title, unknown_last

TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
TOPIC_SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"

MINIMUM_SUBSCRIPTIONS = 2


def check_encryption(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report an alert topic that is not encrypted with a key of ours, and a watchdog that is encrypted.

    A key that is not known until deployment is a key.

    Raises:
        UnknownValueError: the topic's name is not known until deployment.
    """
    config = args.get_config()
    name = plain(args.props.get("name")) if args.resource_type == TOPIC else None
    what = f"{title(args.resource_type, args.name)} ({name})"
    try:
        key = plain(args.props.get("kmsMasterKeyId"))
    except UnknownValueError:
        key = "known after deployment"
    if name == names.text(config, "topicName"):
        if not key:
            problem = "has no kmsMasterKeyId. Set it to the ARN of a customer managed key."
        elif str(key).endswith("alias/aws/sns"):
            problem = "is encrypted with AWS's own key, which EventBridge may not use. Set a key of your own."
        else:
            return
        report(f"{what} {problem}", args.urn)
    elif name == names.text(config, "watchdogTopicName"):
        if key:
            report(
                f"{what} has a kmsMasterKeyId: whoever disables the key silences both topics. Take it away.",
                args.urn,
            )
    else:
        args.not_applicable("the resource is not a topic of the alert path")


def check_topic_policy(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report what the policy of one of our topics allows beyond publishing by services for named accounts.

    Raises:
        UnknownValueError: the topic or the policy is not known until deployment.
    """
    topic = _topic_of_policy(args)
    config = args.get_config()
    if topic not in (names.text(config, "topicName"), names.text(config, "watchdogTopicName")):
        return args.not_applicable("the resource is no policy of a topic of the alert path")
    document = plain(args.props.get("policy"))
    if args.resource_type == TOPIC and not document:
        return args.not_applicable("the topic has its policy in a resource of its own")
    what = f"{title(args.resource_type, args.name)} ({topic})"
    allowances = parse_allowances(document)
    if isinstance(allowances, Unreadable):
        report(f"{what}: could not read the policy: {allowances.reason}. Write it with json.dumps.", args.urn)
        return None
    for allowance in allowances:
        for problem in _topic_problems(allowance):
            report(f"{what}: {allowance.where} of its policy {problem}", args.urn)
    return None


def _topic_of_policy(args: ResourceValidationArgs) -> str | None:
    if args.resource_type == TOPIC:
        name = plain(args.props.get("name"))
        return name if isinstance(name, str) else None
    if args.resource_type == TOPIC_POLICY:
        arn = parse_arn(plain(args.props.get("arn")))
        return arn.resource if arn and arn.service == "sns" else None
    return None


def _topic_problems(allowance: Allowance) -> Iterator[str]:
    if not allowance.only_allows("sns:Publish"):
        yield "allows more than sns:Publish. Allow nothing else."
    if not allowance.principals:
        yield 'names no principal. Name one, such as {"Service": "events.amazonaws.com"}.'
    elif not _for_named_accounts(allowance):
        condition = 'Add Condition {"StringEquals": {"aws:SourceAccount": "<account id>"}}.'
        if allowance.to_everybody:
            yield f"lets everybody in. {condition}"
        elif any(kind == "service" for kind, _ in allowance.principals):
            yield f"lets a service in for every account that uses it. {condition}"


def _for_named_accounts(allowance: Allowance) -> bool:
    def of_one_account(value: str) -> bool:
        arn = parse_arn(value)
        return arn is not None and is_account_id(arn.account)

    return allowance.requires("aws:SourceAccount", is_account_id) or allowance.requires(
        "aws:SourceArn", of_one_account
    )


def count_subscriptions(args: StackValidationArgs, report: ReportViolation) -> None:
    """Report an alert topic with fewer subscriptions than advised; the drill queue's is none of them.

    Raises:
        UnknownValueError: too few are known to be of the topic, and others are not known until deployment.
    """
    config = args.get_config()
    topic = names.text(config, "topicName")
    if not any_known(_of_type(args, TOPIC), lambda resource: plain(resource.props.get("name")) == topic):
        return args.not_applicable("the stack does not hold the alert topic")
    minimum = int(config.get("minimum", MINIMUM_SUBSCRIPTIONS))
    found = 0
    for _ in unknown_last(*(_of_topic(s, topic) for s in _of_type(args, TOPIC_SUBSCRIPTION))):
        found += 1
        if found >= minimum:
            return None
    report(
        f"{found} of at least {minimum} advised subscriptions of the topic {topic}: one mailbox that nobody "
        "reads makes the alarm silent. Add an endpoint of another kind or person to "
        "`subscriptions` of breakglass:alerts.",
        None,
    )
    return None


def _of_type(args: StackValidationArgs, kind: str) -> list[PolicyResource]:
    return [resource for resource in args.resources if resource.resource_type == kind]


def _of_topic(subscription: PolicyResource, topic: str) -> Iterator[PolicyResource]:
    arn = parse_arn(plain(subscription.props.get("topic")))
    if arn and (arn.service, arn.resource) == ("sns", topic) and has_recipient(subscription.props):
        yield subscription


def has_recipient(subscription: Mapping[str, Any]) -> bool:
    """Return whether a subscription tells somebody: a drill only reads in its queue what was sent.

    Raises:
        UnknownValueError: the protocol or the queue is not known until deployment.
    """
    if plain(subscription.get("protocol")) != "sqs":
        return True
    queue = parse_arn(plain(subscription.get("endpoint")))
    return queue is None or queue.resource != names.DRILL_QUEUE


_BOTH_TOPICS = PolicyConfigSchema(properties=names.schema("topicName", "watchdogTopicName"))

TOPIC_ENCRYPTED = ResourceValidationPolicy(
    name="topic-encrypted",
    display_name="The alert topic is encrypted, the watchdog topic is not",
    description="The alert topic must have a customer managed key, and the watchdog topic must not need one.",
    validate=check_encryption,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=_BOTH_TOPICS,
    remediation_steps=(
        "Set kmsMasterKeyId of the alert topic to the ARN of a customer managed key whose policy lets "
        "events.amazonaws.com use it, and take kmsMasterKeyId of the watchdog topic away."
    ),
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
)

TOPIC_POLICY_SCOPED = ResourceValidationPolicy(
    name="topic-policy-scoped",
    display_name="Topics take messages of named accounts only",
    description="Policies of the topics must allow nothing but publishing, by services for named accounts.",
    validate=check_topic_policy,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=_BOTH_TOPICS,
    remediation_steps=(
        "Allow sns:Publish only, and add a condition on aws:SourceAccount or aws:SourceArn, without wildcard "
        "for the account, to every statement for a service or for everybody."
    ),
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html",
)

SUBSCRIPTIONS_AT_LEAST = StackValidationPolicy(
    name="subscriptions-at-least",
    display_name="The alert topic has enough subscriptions",
    description="The alert topic should have two subscriptions, the drill queue's not counted.",
    validate=count_subscriptions,
    enforcement_level=EnforcementLevel.ADVISORY,
    severity=Severity.MEDIUM,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(
        properties={
            **names.schema("topicName"),
            "minimum": {
                "type": "integer",
                "minimum": 1,
                "default": MINIMUM_SUBSCRIPTIONS,
                "description": "How many subscriptions of the alert topic are advised.",
            },
        }
    ),
    remediation_steps=(
        "Add another endpoint to `subscriptions` of breakglass:alerts, or set `minimum` in "
        "policies/config/<stack>.json."
    ),
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html",
)

RULES: list[Policy] = [TOPIC_ENCRYPTED, TOPIC_POLICY_SCOPED, SUBSCRIPTIONS_AT_LEAST]
"""The rules of this module."""
