"""Follows one event hop by hop through a deployment, and says where and why it stops.

A hop that cannot be judged from the given stacks ends in "cannot prove", never in "fine".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache, partial
from typing import Any, TypeAlias

from alertpath.eventbridge.pattern import Event, PatternError, matches
from alertpath.eventbridge.template import TemplateError, render
from alertpath.iam.evaluate import Decision, Verdict, by_resource_policy, evaluate
from alertpath.iam.sent import by_role, by_service
from alertpath.model import UNKNOWN, Deployment, Policed, Rule, Target, Topic
from breakglass import naming

_Keys: TypeAlias = tuple[tuple[str, str], ...]
"""Condition keys that depend on the event, each with its value."""
_FIELDS = ("source", "detail-type")
"""Fields of an event that are condition keys where it is put on a bus."""
STATES = ("ENABLED", naming.ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, "DISABLED")
EVENTS = "events.amazonaws.com"
_NO_RULE = "no rule on the bus"
MAX_TARGETS = 5
"""Targets that a rule may have (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html)."""


class Outcome(Enum):
    """What became of an event at the end of one path, the worst first.

    UNSAFE: it would arrive, but AWS would drop it instead of keeping it whenever delivery fails.
    """

    LOST = "lost"
    UNSAFE = "not safe"
    UNPROVEN = "cannot prove"
    RECORDED = "recorded"
    DELIVERED = "delivered"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The end of one path that an event took.

    Attributes:
        rule: The last rule on the path.
        destination: ARN of the last target, or of the last bus if the event did not get to a target.
        resource: URN (or ARN) of the resource to look at; "" if the event arrived.
        message: The text that people receive; None if the path does not end at a topic.
        through: ARNs of everything on the path: while those stay as they are, it arrives or does not as now.
            Dead-letter queues are not on it: without one it arrives as long as nothing fails.
    """

    outcome: Outcome
    rule: Rule
    destination: str
    resource: str = ""
    reason: str = ""
    message: str | None = None
    through: frozenset[str] = frozenset()

    @property
    def unmatched(self) -> bool:
        """Whether it got to a bus on which no rule matches."""
        return self.reason.startswith(_NO_RULE)


class _Undelivered(Exception):
    """The path ends here, before its destination."""

    def __init__(self, outcome: Outcome, resource: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.resource, self.reason = outcome, resource, reason


_lost = partial(_Undelivered, Outcome.LOST)
_unsafe = partial(_Undelivered, Outcome.UNSAFE)
_unproven = partial(_Undelivered, Outcome.UNPROVEN)


def default_bus(event: Mapping[str, Any]) -> str:
    """Return the ARN of the bus that AWS puts the event on: the default bus of its account and Region."""
    return naming.bus_arn(event["account"], event["region"], "default")


def trace(deployment: Deployment, event: Mapping[str, Any]) -> list[Ending]:
    """Return how each path of the event ends; it starts on the default bus of its account and Region."""
    return list(_on_bus(deployment, default_bus(event), Event(event), None, ()))


def _on_bus(
    deployment: Deployment, bus: str, event: Event, forwarded_by: Rule | None, before: Sequence[str]
) -> Iterator[Ending]:
    for rule in deployment.rules.get(bus, []):
        via = [*before, bus, rule.arn]
        try:
            targets = rule.targets if _takes(rule, event) else []
        except _Undelivered as stop:
            yield _ended(stop, rule, bus, via)
            continue
        for number, target in enumerate(targets, start=1):
            via_target = [*via, target.arn]
            try:
                if number > MAX_TARGETS:
                    raise _lost(target.urn, f"a rule has at most {MAX_TARGETS} targets")
                yield from _at_target(deployment, rule, target, event, forwarded_by, via_target)
            except _Undelivered as stop:
                yield _ended(stop, rule, target.arn, via_target)


def _ended(stop: _Undelivered, rule: Rule, destination: str, via: Sequence[str]) -> Ending:
    return Ending(
        outcome=stop.outcome,
        rule=rule,
        destination=destination,
        resource=stop.resource,
        reason=stop.reason,
        through=frozenset(via),
    )


def _takes(rule: Rule, event: Event) -> bool:
    """Whether the rule takes the event; a rule that matches but is in the wrong state loses it."""
    if rule.pattern == UNKNOWN:
        return False  # `proof` lists such rules; what they match is not known before the deployment
    try:
        if not matches(rule.pattern, event):
            return False
    except PatternError as error:
        raise _unproven(rule.urn, f"the pattern of rule {rule.name} cannot be judged: {error}") from error
    if rule.state not in STATES:
        raise _unproven(rule.urn, f"rule {rule.name} is in the unknown state {rule.state}")
    if rule.state == "DISABLED":
        raise _lost(rule.urn, f"rule {rule.name} is DISABLED")
    needed = naming.ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS
    if rule.state != needed and event["detail"].get("readOnly") is True:
        raise _lost(rule.urn, f"rule {rule.name} is {rule.state}: read-only events need {needed}")
    if not rule.targets:
        raise _lost(rule.urn, f"rule {rule.name} matches and has no target")
    return True


def _at_target(
    deployment: Deployment,
    rule: Rule,
    target: Target,
    event: Event,
    forwarded_by: Rule | None,
    via: list[str],
) -> Iterator[Ending]:
    """Yield how the paths through a target end; `via` gets the ARNs of what they depend on."""
    service = target.arn.split(":")[2] if target.arn.count(":") >= 5 else ""
    message = None
    if service == "events":
        _forward(deployment, rule, target, event, forwarded_by)
        via.append(target.role_arn or "")
    elif target.role_arn:
        raise _lost(
            target.urn, "the target has a role: delivery to topics, queues and logs may fail with one"
        )
    elif service in ("sns", "logs") and (region := target.arn.split(":")[3]) != rule.arn.split(":")[3]:
        raise _lost(target.urn, f"the target is in {region}, it must be in the rule's Region")
    elif service == "sns":
        message = _publish(deployment, rule, target, event, via)
    elif service == "logs":
        _record(deployment, rule, target)
    else:
        raise _unproven(target.urn, f"targets such as {target.arn} are not judged")
    endings = [
        Ending(
            outcome=Outcome.DELIVERED if service == "sns" else Outcome.RECORDED,
            rule=rule,
            destination=target.arn,
            message=message,
            through=frozenset(via),
        )
    ]
    if service == "events":
        endings = list(_on_bus(deployment, target.arn, event, rule, via))
    if not endings:
        reason = f"{_NO_RULE} {target.arn.rsplit('/', 1)[-1]} matches"
        raise _lost(deployment.buses[target.arn].urn, reason)
    try:
        _keep_dead_letters(deployment, rule, target)
    except _Undelivered as stop:
        # It arrives as long as nothing fails.
        for ending in endings:
            unsafe = {"outcome": stop.outcome, "resource": stop.resource, "reason": stop.reason}
            yield ending if ending.reason else replace(ending, **unsafe)
    else:
        yield from endings


def _forward(
    deployment: Deployment, rule: Rule, target: Target, event: Event, forwarded_by: Rule | None
) -> None:
    """Check that EventBridge may put the event on the next bus.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html
    """
    if forwarded_by is not None:
        forwarded = f"rule {forwarded_by.name} forwarded it"
        raise _lost(target.urn, f"EventBridge does not forward an event to a third bus; {forwarded}")
    if not target.role_arn:
        raise _lost(target.urn, "the target has no role, and EventBridge needs one to put events on a bus")
    role = deployment.roles.get(target.role_arn)
    if role is None:
        raise _lost(target.urn, f"the target's role {target.role_arn} is not in any given stack")
    account = rule.arn.split(":")[4]
    if role.arn.split(":")[4] != account:
        raise _lost(target.urn, f"the target's role {role.arn} must be in the rule's account")
    trusted = _decision(role.trust, "sts:AssumeRole", role.arn, rule.arn)
    _must(trusted, role.urn, "the role's trust policy")
    bus_account = target.arn.split(":")[4]
    bus = deployment.buses.get(target.arn)
    if bus is None:
        if bus_account in {*deployment.regions, *deployment.users, *deployment.roles_for_users}:
            raise _lost(target.urn, f"the bus {target.arn} does not exist")
        raise _unproven(target.urn, f"the bus {target.arn} is not in any given stack")
    documents = tuple(document for _, document in role.policies)
    asked = (documents, role.arn, target.arn, tuple((f"events:{field}", event[field]) for field in _FIELDS))
    blamed = role.policies[0][0] if role.policies else role.urn
    _must(_permission(*asked), blamed, "the role's permission policy")
    if bus.policy is not None:
        _must(_permission(*asked, bus.policy), bus.to_blame, "the bus's policy")
    elif bus_account != account:
        raise _lost(bus.urn, f"the bus has no policy, so account {account} may not put events on it")


def _publish(deployment: Deployment, rule: Rule, target: Target, event: Event, via: list[str]) -> str:
    topic = deployment.topics.get(target.arn)
    if topic is None:
        raise _lost(target.urn, f"the topic {target.arn} does not exist in the given stacks")
    _allowed(topic, rule, "sns:Publish", "the topic's policy")
    _encrypted(deployment, topic, via)
    if target.transformer is None:
        raise _lost(target.urn, "the target sends the raw event, which may carry a session token")
    paths, template = target.transformer.get("inputPaths") or {}, target.transformer.get("inputTemplate")
    try:
        message = render(paths, str(template), event)
    except (TemplateError, TypeError, AttributeError) as error:
        raise _lost(target.urn, f"the message cannot be rendered: {error}") from error
    if not message.strip('" \n'):
        raise _lost(target.urn, "the message is empty")
    if not topic.subscriptions:
        raise _lost(topic.urn, "nobody is subscribed to the topic")
    if all(pending is True for _, pending in topic.subscriptions):
        raise _lost(topic.subscriptions[0][0], "no subscription of the topic has been confirmed")
    if all(pending is not False for _, pending in topic.subscriptions):
        raise _unproven(topic.subscriptions[0][0], "whether a subscription is confirmed is not known yet")
    return message


def _encrypted(deployment: Deployment, topic: Topic, via: list[str]) -> None:
    """Check that EventBridge may use the topic's key: it sends KMS no aws:Source… condition keys.

    See https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    if topic.key is None:
        return
    if topic.key == UNKNOWN:
        raise _unproven(topic.urn, "the topic's key is not known before the deployment")
    if topic.key == "alias/aws/sns":
        raise _lost(topic.urn, "EventBridge cannot use the AWS managed key alias/aws/sns")
    key = deployment.keys.get(topic.key) or next(
        (known for arn, known in deployment.keys.items() if arn.endswith(f"/{topic.key}")), None
    )
    if key is None:
        raise _unproven(topic.urn, f"the topic's key {topic.key} is not in any given stack")
    via.append(key.arn)
    if not key.enabled:
        raise _lost(key.urn, "the topic's key is disabled")
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        _must(_decision(key.policy or "", action, key.arn), key.to_blame, "the key's policy")


def _record(deployment: Deployment, rule: Rule, target: Target) -> None:
    log = deployment.logs.get(target.arn.removesuffix(":*"))
    if log is None:
        raise _lost(target.urn, f"the log group {target.arn} does not exist in the given stacks")
    if target.transformer is not None:
        raise _lost(target.urn, "a log group takes no other transformer than timestamp and message")
    streams = f"{log.arn}:log-stream:any"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        _allowed(log, rule, action, "the log group's policy", resource=streams)


def _keep_dead_letters(deployment: Deployment, rule: Rule, target: Target) -> None:
    """Check that an event is kept whenever its delivery fails."""
    if not target.dead_letter_arn:
        raise _unsafe(target.urn, "the target has no dead-letter queue")
    if target.dead_letter_arn.split(":")[3:5] != rule.arn.split(":")[3:5]:
        raise _unsafe(target.urn, "the dead-letter queue must be in the rule's own account and Region")
    queue = deployment.queues.get(target.dead_letter_arn)
    if queue is None:
        raise _unsafe(target.urn, f"the dead-letter queue {target.dead_letter_arn} does not exist")
    try:
        _allowed(queue, rule, "sqs:SendMessage", "the dead-letter queue's policy")
    except _Undelivered as stop:
        raise _unsafe(stop.resource, stop.reason) from stop


def _allowed(policed: Policed, rule: Rule, action: str, what: str, *, resource: str | None = None) -> None:
    """Check that the resource's own policy allows EventBridge an action for this rule."""
    if not policed.policy:
        raise _lost(policed.urn, f"{what} is missing, so EventBridge may not use it")
    _must(_decision(policed.policy, action, resource or policed.arn, rule.arn), policed.to_blame, what)


# Decisions depend on little of the event, so most events ask for the same few.
@lru_cache(maxsize=1 << 16)
def _decision(policy: str, action: str, resource: str, rule: str = "") -> Decision:
    """Return what a resource's own policy says to EventBridge, which names its rule except to KMS."""
    source = {"SourceArn": rule, "SourceAccount": rule.split(":")[4]} if rule else {}
    asked = by_service(EVENTS, action, resource, **source)
    return by_resource_policy(policy, asked, resource_account=resource.split(":")[4])


@lru_cache(maxsize=1 << 16)
def _permission(
    policies: tuple[str, ...], role: str, bus: str, event: _Keys, bus_policy: str | None = None
) -> Decision:
    """Return whether a role may put an event on a bus: by its own policies, or by these and the bus's."""
    asked = by_role(role, "events:PutEvents", bus, **dict(event))
    account = (bus if bus_policy is not None else role).split(":")[4]
    return evaluate(asked, identity=policies, resource=bus_policy, resource_account=account)


def _must(decision: Decision, resource: str, what: str) -> None:
    if decision.verdict is Verdict.DENIED:
        raise _lost(resource, f"{what} does not allow it: {decision.reason}")
    if decision.verdict is not Verdict.ALLOWED:
        raise _unproven(resource, f"{what} cannot be judged: {decision.reason}")
