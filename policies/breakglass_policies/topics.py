"""The topics of alerts: encrypted where they must be, open to their publishers only, read by people."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from pulumi_policy import EnforcementLevel, Severity
from pulumi_policy.proxy import UnknownValueError

from alertpath.iam.evaluate import Request
from alertpath.iam.sent import by_service
from breakglass import naming

from .access import (
    by_strange_service,
    by_stranger,
    excess,
    named_arns,
    own_accounts,
    refused,
    region_in_arn,
)
from .key import CLOUDWATCH, EVENTS
from .policy import Problems, StackProblems, resource_policy, stack_policy
from .reading import Resource, Stack, any_known, each, in_component, parse_arn
from .statements import services

TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
TOPIC_SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"

OURS = ("BreakGlassAlerts", "BreakGlassWatchdog")
"""The components that have topics."""
PUBLISHERS = {
    **{way.topic: (EVENTS,) for way in naming.WAYS},
    naming.HUB.alarms_topic: (EVENTS, CLOUDWATCH),
    naming.WATCHDOG.alarms_topic: (CLOUDWATCH,),
}
"""Who publishes to each topic; to the hub's topic for alarms also the rule about the key."""
PUBLISH = "sns:Publish"
HOW = {
    EVENTS: f"Allow it {PUBLISH} without a condition: whether it sends one's keys is not known.",
    CLOUDWATCH: f"Allow it {PUBLISH} for the accounts of the alarms.",
}
"""What lets each publisher in."""
SUBSCRIPTIONS = 2
"""How many subscriptions of the alert topic are advised."""


def topic_name(resource: Resource) -> Any:
    """Return the name of the topic that a topic or a topic's policy is about; None if it has none."""
    if resource.type == TOPIC:
        return resource["name"]
    arn = parse_arn(resource["arn"])
    return arn.resource if arn.service == "sns" else None


def _has_policy(resource: Resource) -> bool:
    # A topic usually has its policy in a resource of its own.
    try:
        name = topic_name(resource)
    except UnknownValueError:
        if resource.type == TOPIC or in_component(resource, *OURS):
            raise
        return False  # an ARN of another program, which is known and judged at the deployment
    return name in naming.TOPICS and (resource.type == TOPIC_POLICY or bool(resource["policy"]))


@resource_policy(
    "topic-encrypted",
    "The hub's alert topic is encrypted, the others are not",
    types=[TOPIC],
    applies=lambda topic: topic["name"] in naming.TOPICS,
    severity=Severity.HIGH,
    fix=(
        "Set kmsMasterKeyId of the alert topic to the ARN of a customer managed key whose policy lets "
        "events.amazonaws.com use it, and remove kmsMasterKeyId of the other topics."
    ),
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
)
def topic_encrypted(topic: Resource) -> Problems:
    """The hub's alert topic must have a customer managed key, and the other topics must not need one.

    A key that is not known until deployment is a key, and not an alias: a literal is always known.
    """
    name = topic["name"]
    try:
        key = str(topic["kmsMasterKeyId"] or "")
    except UnknownValueError:
        key = "known after deployment"
    alias = key.rpartition(":")[2]
    if name != naming.HUB.topic:
        if key:
            yield f"({name}) has a kmsMasterKeyId: disabling the key would silence it too. Remove it."
    elif not key:
        yield f"({name}) has no kmsMasterKeyId. Set it to the ARN of a customer managed key."
    elif alias.startswith("alias/"):
        reason = (
            "AWS's own key, which EventBridge may not use"
            if alias.startswith("alias/aws/")
            else f"{alias}: an alias can be pointed at a key that shuts EventBridge out"
        )
        yield f"({name}) is encrypted with {reason}. Set kmsMasterKeyId to the ARN of a customer managed key."


@resource_policy(
    "topic-lets-publishers-in",
    "Topics let the publishers of alerts in",
    types=[TOPIC, TOPIC_POLICY],
    applies=_has_policy,
    severity=Severity.CRITICAL,
    fix=(
        "Allow sns:Publish to events.amazonaws.com without a condition, on topics for alarms to "
        "cloudwatch.amazonaws.com for the accounts of the alarms, and exempt them from Deny statements."
    ),
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html",
)
def topic_lets_publishers_in(topic: Resource) -> Problems:
    """Policies of the topics must let EventBridge publish, on any condition, and CloudWatch for alarms."""
    document = topic["policy"]
    ours = in_component(topic, *OURS)
    named = (CLOUDWATCH,) if CLOUDWATCH in services(document) else ()
    for publisher in dict.fromkeys([*PUBLISHERS[topic_name(topic)], *(() if ours else named)]):
        names = naming.PLACE_ALARMS if publisher == CLOUDWATCH else (f"{naming.RULE_PREFIX}any",)
        needed = [[name] for name in names] if ours else [names]
        reasons = (refused(document, _publish(publisher, topic, document, one)) for one in needed)
        if reason := next(filter(None, reasons), None):
            yield (
                f"({topic_name(topic)}) does not let {publisher} publish, so its alerts are lost without an "
                f"error. {HOW[publisher]} {reason}"
            )


@resource_policy(
    "topic-policy-scoped",
    "Topics take messages of EventBridge and of named accounts only",
    types=[TOPIC, TOPIC_POLICY],
    applies=_has_policy,
    severity=Severity.HIGH,
    fix=(
        "Allow sns:Publish only, and add a condition on aws:SourceAccount or aws:SourceArn, without wildcard "
        "for the account, to each statement for a service other than EventBridge, or for everybody."
    ),
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html",
)
def topic_policy_scoped(topic: Resource) -> Problems:
    """Policies of the topics must only allow publishing, and only for named accounts or an organization.

    Not so for EventBridge: whether it names the account of its rule to SNS is not known.
    """
    document = topic["policy"]
    arns = _arns(topic, document)
    strangers = {"everybody": [request for arn in arns for request in by_stranger(PUBLISH, arn)]}
    # CloudWatch stands for all that are let in without being named.
    for name in dict.fromkeys(one for one in (CLOUDWATCH, *services(document)) if one != EVENTS):
        tried = [request for arn in arns for request in by_strange_service(name, PUBLISH, arn)]
        strangers[f"{name} for other accounts"] = tried
    for problem in excess(document, PUBLISH, strangers, "StringEquals aws:SourceAccount"):
        yield f"({topic_name(topic)}) {problem}"


def _arns(topic: Resource, document: Any) -> list[str]:
    """Return the ARNs that a topic may have: one for each account that may be its own."""
    place = parse_arn(topic["arn"]) if topic.type == TOPIC_POLICY else topic
    name = topic_name(topic)
    accounts = own_accounts(place.account, document, name)
    return [naming.topic_arn(account, region_in_arn(place.region), name) for account in accounts]


def _publish(publisher: str, topic: Resource, document: Any, names: Sequence[str]) -> Iterator[Request]:
    """Yield the forms in which a service may publish, for rules or alarms of these names.

    In another program also for those that the policy names.
    """
    make_arn = naming.alarm_arn if publisher == CLOUDWATCH else naming.rule_arn
    for topic_arn in _arns(topic, document):
        _, _, _, region, account, _ = topic_arn.split(":", 5)
        sources = [make_arn(account, region, name) for name in names]
        if not in_component(topic, *OURS):
            sources += named_arns(document, publisher.partition(".")[0], account)
        for source in sources:
            yield by_service(publisher, PUBLISH, topic_arn, SourceAccount=account, SourceArn=source)


def has_recipient(subscription: Resource) -> bool:
    """Return whether a subscription reaches a person: from its own queue a drill only reads what was sent."""
    is_queue = subscription["protocol"] == "sqs"
    return not is_queue or parse_arn(subscription["endpoint"]).resource not in naming.OWN_QUEUES


@stack_policy(
    "subscriptions-at-least",
    "The alert topic has enough subscriptions",
    applies=lambda stack: any_known(stack.all(TOPIC), lambda topic: topic["name"] == naming.HUB.topic),
    level=EnforcementLevel.ADVISORY,
    severity=Severity.MEDIUM,
    fix="Add another endpoint to `subscriptions` of breakglass:alerts.",
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html",
)
def subscriptions_at_least(stack: Stack) -> StackProblems:
    """The alert topic should have two subscriptions, the drill queue's not counted."""

    def counts(subscription: Resource) -> bool:
        arn = parse_arn(subscription["topic"])
        return (arn.service, arn.resource) == ("sns", naming.HUB.topic) and has_recipient(subscription)

    counted = each(stack.all(TOPIC_SUBSCRIPTION), lambda one: [one] if counts(one) else [])
    found = len([*islice(counted, SUBSCRIPTIONS)])
    if found < SUBSCRIPTIONS:
        yield (
            None,
            f"{found} of at least {SUBSCRIPTIONS} advised subscriptions of the topic {naming.HUB.topic}: one "
            "mailbox that nobody reads makes the alarm silent. Add an endpoint of another kind or person to "
            "`subscriptions` of breakglass:alerts.",
        )
