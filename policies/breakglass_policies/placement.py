"""The hub must be complete in us-east-1, and exist nowhere else; the watchdog must be elsewhere.

IAM changes, calls to the global STS endpoint and many sign-ins are recorded in us-east-1, and an EventBridge
rule reaches an SNS topic of its own Region only. What relays events from other Regions is not judged here.

There are two policies, because a resource policy blocks before anything is created but cannot see what is
missing, while a stack policy sees what is missing but prevents it at preview only.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pulumi_policy import Severity
from pulumi_policy.proxy import UnknownValueError

from alertpath.eventbridge.pattern import PatternError, matches
from alertpath.scenarios import Scope, scenarios
from breakglass import naming
from breakglass.naming import HOME_REGION

from .policy import Problems, StackProblems, resource_policy, stack_policy
from .reading import Arn, Resource, Stack, any_known, bus_name, each, in_component, is_ours, parse_arn
from .topics import TOPIC, TOPIC_POLICY, TOPIC_SUBSCRIPTION, has_recipient

EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
KEY_ALIAS = "aws:kms/alias:Alias"
QUEUE = "aws:sqs/queue:Queue"
EVENT_BUS = "aws:cloudwatch/eventBus:EventBus"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
USER = "aws:iam/user:User"


PARTS: dict[str, tuple[tuple[str, ...], Callable[[str], bool]]] = {
    EVENT_RULE: (("name", "namePrefix"), lambda name: name.startswith(naming.RULE_PREFIX)),
    EVENT_TARGET: (("rule",), lambda name: name.startswith(naming.RULE_PREFIX)),
    TOPIC: (("name",), lambda name: name in naming.TOPICS),
    TOPIC_POLICY: (("arn",), lambda arn: _topic(arn).resource in naming.TOPICS),
    TOPIC_SUBSCRIPTION: (("topic",), lambda arn: _topic(arn).resource in naming.TOPICS),
    KEY_ALIAS: (("name",), lambda name: name == naming.KEY_ALIAS),
    QUEUE: (("name",), lambda name: name in [way.dead_letter_queue for way in naming.WAYS]),
    EVENT_BUS: (("name",), lambda name: name in naming.BUSES),
    LOG_GROUP: (("name",), lambda name: name == naming.AUDIT_LOG_GROUP),
}
"""Resource types of hub and watchdog: the properties that identify a resource, of which the first that is set
counts, and whether it belongs to one of them."""
WATCHDOG_NAMES = (
    naming.WATCHDOG.topic,
    naming.WATCHDOG.alarms_topic,
    naming.WATCHDOG.dead_letter_queue,
    naming.WATCHDOG.bus,
)

RULES = tuple(f"{naming.RULE_PREFIX}user-{what}" for what in ("sign-in", "switch-role", "assume-role"))
"""The rules without which a use of the break-glass user alerts nobody."""

_ANY = "111111111111"
"""An account for sample events."""

_HOME_TOPIC = naming.topic_arn("<account>", HOME_REGION, naming.HUB.topic)
_SET_REGION = f'Set region="{HOME_REGION}"'
_TRAIL = "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html"


def _identity(resource: Resource) -> str:
    # One after the other: at preview, the prefix of a rule that has a name is not known.
    values = (resource[key] for key in PARTS[resource.type][0])
    found = next((value for value in values if value is not None), None)
    return found if isinstance(found, str) else ""


def _is_part(resource: Resource) -> bool:
    """Return whether a resource belongs to the alert path.

    An ARN that is unknown is that of a topic of the same program, which is judged itself; AWS refuses its
    policy and subscriptions in another Region.
    """
    try:
        return PARTS[resource.type][1](_identity(resource))
    except UnknownValueError:
        if resource.type in (TOPIC_POLICY, TOPIC_SUBSCRIPTION):
            return False
        raise


@resource_policy(
    "us-east-1-placement",
    "The hub is placed in us-east-1, the watchdog elsewhere",
    types=[*PARTS],
    applies=_is_part,
    severity=Severity.CRITICAL,
    fix='Set region="us-east-1" on a resource of the hub, any other Region on one of the watchdog.',
    url=_TRAIL,
)
def us_east_1_placement(resource: Resource) -> Problems:
    """The hub's bus, rules, topics, alias, queue and log must be in us-east-1, the watchdog's must not."""
    identity = _identity(resource)
    topic_region = _topic(identity).region
    if _is_of_watchdog(resource, identity):
        if HOME_REGION in (topic_region, resource.region):
            yield (
                f"({identity}) is of the watchdog, and in {HOME_REGION} like the hub: what breaks there "
                f"would silence both. Set region to another one, such as {naming.WATCHDOG_REGION}."
            )
        elif resource.region is None:
            yield (
                f"({identity}) is in an unknown Region: neither it nor its provider names one. Set region to "
                f"another one than {HOME_REGION}, such as {naming.WATCHDOG_REGION}."
            )
        return
    if topic_region not in ("", HOME_REGION):
        yield f"({identity}) names a topic in {topic_region}. Name the one in {HOME_REGION}."
    if resource.region is None:
        yield (
            f"({identity}) is in an unknown Region: neither it nor its provider names one. "
            f"{_SET_REGION} on it."
        )
    elif resource.region != HOME_REGION:
        yield f"({identity}) is placed in {resource.region}. {_SET_REGION} on it."


def _is_of_watchdog(resource: Resource, identity: str) -> bool:
    if resource.type in (EVENT_RULE, EVENT_TARGET):
        return bus_name(resource) == naming.WATCHDOG.bus
    return (_topic(identity).resource or identity) in WATCHDOG_NAMES


def _topic(arn: Any) -> Arn:
    """Return the parts of a topic's ARN; all are empty if the value is not one."""
    parsed = parse_arn(arn)
    return parsed if parsed.service == "sns" and ":" not in parsed.resource else Arn()


def _is_required(stack: Stack) -> bool:
    """Return whether the stack must hold the alert path: it has a break-glass user, or a part of the path."""
    if any(in_component(one, "BreakGlassAlerts") for one in stack.all(EVENT_RULE)):
        return True
    return any_known(stack.all(USER), lambda user: is_ours(user, "BreakGlassUser"))


def _hearing(stack: Stack) -> list[Resource]:
    """Return the rules, of any name, whose pattern takes a console sign-in of a break-glass user."""
    users = [user.known("name") for user in stack.all(USER) if in_component(user, "BreakGlassUser")]
    names = [*filter(None, users), *naming.DEFAULT_USER_NAMES]
    scope = Scope(
        hub=_ANY, members=[], regions={_ANY: [HOME_REGION]}, users=names, role="", keys=[], watchdog=None
    )
    sign_ins = [one.event for one in scenarios(scope) if one.detection == "user-sign-in"]
    found: list[Resource] = []
    for rule in stack.all(EVENT_RULE):
        with suppress(PatternError):  # the policies on rules speak of it
            pattern = rule.known("eventPattern")
            if pattern and any(matches(pattern, event) for event in sign_ins):
                found.append(rule)
    return found


@stack_policy(
    "us-east-1-alerting-present",
    "Alerting is present in us-east-1",
    applies=lambda stack: _is_required(stack) or bool(_hearing(stack)),
    severity=Severity.CRITICAL,
    fix=f'Create what the message names with region="{HOME_REGION}": add `alerts` to breakglass:components.',
    url=_TRAIL,
)
def us_east_1_alerting_present(stack: Stack) -> StackProblems:
    """What alerts on break-glass users must be in us-east-1, with rules, topic and subscription.

    A rule of any name counts as meant to alert if its pattern takes their sign-ins.
    """
    hearing = _hearing(stack)
    if not any(rule.region == HOME_REGION for rule in hearing):
        for rule in hearing:
            yield (
                rule,
                f"({rule.known('name') or 'name not known'}) waits for sign-ins of break-glass users in "
                f"{rule.region}. AWS records most of them, and changes of IAM, in {HOME_REGION}: those alert "
                f'nobody. Create the rule with region="{HOME_REGION}".',
            )
    if _is_required(stack):
        yield from _missing(stack)


def _missing(stack: Stack) -> StackProblems:
    def missing(kind: str, test: Callable[[Resource], bool], problem: str) -> StackProblems:
        if not any_known(stack.all(kind), lambda one: test(one) and one.region == HOME_REGION):
            yield None, problem

    def missing_of(rule: str) -> StackProblems:
        return [
            *missing(
                EVENT_RULE,
                lambda one: one["name"] == rule,
                f"The EventBridge rule {rule} is missing in {HOME_REGION}, so it alerts nobody. Create it "
                f'with region="{HOME_REGION}" and the topic {naming.HUB.topic} as its target.',
            )
        ] or missing(
            EVENT_TARGET,
            lambda one: one["rule"] == rule and _is_home_topic(one["arn"]),
            f"No target of the EventBridge rule {rule} is the topic {naming.HUB.topic} of {HOME_REGION}, so "
            f"it alerts nobody. Create an EventTarget whose arn is {_HOME_TOPIC}.",
        )

    topic = missing(
        TOPIC,
        lambda one: one["name"] == naming.HUB.topic,
        f"The SNS topic {naming.HUB.topic} is missing in {HOME_REGION}, so alerts have nowhere to go. Create "
        f'it with region="{HOME_REGION}".',
    )
    subscription = missing(
        TOPIC_SUBSCRIPTION,
        lambda one: _is_home_topic(one["topic"]) and has_recipient(one),
        f"No subscription of the SNS topic {naming.HUB.topic} is in {HOME_REGION}, so alerts reach nobody. "
        f'Create a TopicSubscription with region="{HOME_REGION}" and topic={_HOME_TOPIC}.',
    )
    return each([each(RULES, missing_of), topic, subscription], iter)


def _is_home_topic(arn: Any) -> bool:
    topic = _topic(arn)
    return (topic.resource, topic.region) == (naming.HUB.topic, HOME_REGION)
