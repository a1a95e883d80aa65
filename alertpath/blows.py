"""What weakens the alarm: single API calls, each with its event and with its effect on what is deployed.

A blow is in force when its own event arrives: an attacker does not wait for the message about it. The
catalogue is made from the deployment itself, so each rule, role, bus, topic, queue, log group and key that
is there gets its own.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from alertpath.model import UNKNOWN, Deployment, Policed, Role, Rule, Topic
from alertpath.scenarios import Event, cloudtrail_event, session_of
from breakglass import naming

Effect = Callable[[Deployment], Deployment]

_DENY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
_DENY_ALL = _DENY.replace('"Action"', '"Principal":"*","Action"')
_NOTHING = '{"source":["nothing"]}'
_ELSEWHERE = "999999999999"
"""An account of the attacker's."""


@dataclass(frozen=True, kw_only=True)
class Blow:
    """One call.

    Attributes:
        kind: What is hit and how, the same for all resources of a kind.
        event: As CloudTrail records the call.
        touched: ARNs of what is no longer as deployed.
        effect: Returns what is deployed after the call.
        known: Why what it ends cannot be told any more, where no second way can help; "" if all must be.
    """

    kind: str
    event: Event
    touched: frozenset[str]
    effect: Effect
    known: str = ""

    @property
    def account(self) -> str:
        """Account in which the call is made."""
        return self.event["account"]

    @property
    def hit(self) -> str:
        """What is hit: the beginning of its kind."""
        return self.kind.split(": ")[0]

    @property
    def name(self) -> str:
        """The call, with what it names."""
        detail = self.event["detail"]
        parameters = json.dumps(detail["requestParameters"])
        shown = parameters if len(parameters) <= _SHOWN else f"{parameters[:_SHOWN]} …"
        return f"{detail['eventName']} {shown} in {self.event['region']} of {self.account}"


_SHOWN = 120
"""Characters of a call's parameters."""


def blows(deployment: Deployment) -> Iterator[Blow]:
    """Yield every single call that weakens the alarm as it is deployed."""
    for bus, rules in deployment.rules.items():
        for rule in rules:
            yield from _to_rule(bus, rule)
    for arn, role in deployment.roles.items():
        if arn.rsplit("/", 1)[-1] in (*naming.RELAY_ROLES, naming.HEARTBEAT_ROLE):
            yield from _to_role(role)
    for arn in deployment.buses:
        yield from _to_bus(arn)
    for bus in deployment.default_buses:
        account, region = _place(bus)
        changed = _call(account, region, "events", "UpdateEventBus")
        yield changed("a default bus: customer key", _as_it_is, name="default")
        yield from _to_account(account, region)
    for topic in deployment.topics.values():
        yield from _to_topic(topic)
    for arn in dict.fromkeys(key.arn for key in deployment.keys.values() if UNKNOWN not in key.arn):
        yield from _to_key(arn)
    for arn in deployment.queues:
        yield from _to_queue(arn)
    for arn in deployment.logs:
        yield from _to_log(arn)
    for way in naming.WAYS:
        if (bus := deployment.bus_of(way)) is not None:
            yield from _to_alarms(*_place(bus), naming.PLACE_ALARMS)
            if way is naming.HUB:
                yield from _to_archive(*_place(bus))
                yield from _to_organization(deployment, _place(bus)[0])
    for account in sorted({bus.split(":")[4] for bus in deployment.default_buses}):
        yield from _to_alarms(account, naming.HOME_REGION, naming.RELAY_ALARMS)


def _place(arn: str) -> tuple[str, str]:
    _, _, _, region, account, _ = arn.split(":", 5)
    return account, region


def _call(account: str, region: str, source: str, name: str) -> Callable[..., Blow]:
    """Return what makes a blow of this call by an administrator of the account."""
    admin = session_of(account, "PlatformAdmin")

    def blow(kind: str, effect: Effect, *touched: str, known: str = "", **parameters: Any) -> Blow:
        event = cloudtrail_event(account, region, source, name, admin, requestParameters=parameters)
        return Blow(
            kind=f"{kind} ({name})", event=event, touched=frozenset(touched), effect=effect, known=known
        )

    return blow


def _as_it_is(deployment: Deployment) -> Deployment:
    return deployment


# --- Effects --------------------------------------------------------------------------------------


def _rule(bus: str, arn: str, change: Callable[[Rule], Rule] | None) -> Effect:
    """Return the effect of changing a rule, or of deleting it."""

    def effect(deployment: Deployment) -> Deployment:
        rules = [
            change(rule) if rule.arn == arn and change else rule
            for rule in deployment.rules.get(bus, [])
            if change or rule.arn != arn
        ]
        return replace(deployment, rules={**deployment.rules, bus: rules})

    return effect


def _held(field: str, arn: str, change: Callable[[Any], Any] | None) -> Effect:
    """Return the effect of changing, or of deleting, what a field of the model holds under an ARN."""

    def effect(deployment: Deployment) -> Deployment:
        held: Mapping[str, Any] = getattr(deployment, field)
        kept = {key: one for key, one in held.items() if one.arn != arn}
        changed = {key: change(one) for key, one in held.items() if one.arn == arn} if change else {}
        return replace(deployment, **{field: kept | changed})

    return effect


def _denied(role: Role) -> Role:
    """Return the role with a policy that denies it everything."""
    return replace(role, policies=[*role.policies, ("", _DENY)])


def _policed(field: str, arn: str, policy: str) -> Effect:
    """Return the effect of another resource policy, or of none."""

    def change(one: Policed) -> Policed:
        return replace(one, policy=policy)

    return _held(field, arn, change)


# --- Rules ----------------------------------------------------------------------------------------


def _to_rule(bus: str, rule: Rule) -> Iterator[Blow]:
    account, region = _place(rule.arn)
    kind = _kind_of_rule(rule.name)
    if not kind:
        return
    path = bus.rsplit("/", 1)[-1]
    on_bus = {} if path == "default" else {"eventBusName": path}
    known = _ONLY_RULE if rule.name == naming.KEY_RULE else ""
    call = partial(_call, account, region, "events")
    ids = [target.urn.rsplit("-", 1)[-1] for target in rule.targets]
    changes: Sequence[tuple[str, str, Callable[[Rule], Rule] | None, dict[str, Any]]] = (
        ("disabled", "DisableRule", lambda one: replace(one, state="DISABLED"), {"name": rule.name}),
        ("deleted", "DeleteRule", None, {"name": rule.name, "force": True}),
        (
            "other pattern",
            "PutRule",
            lambda one: replace(one, pattern=_NOTHING),
            {"name": rule.name, "eventPattern": _NOTHING},
        ),
        (
            "put as disabled",
            "PutRule",
            lambda one: replace(one, state="DISABLED"),
            {"name": rule.name, "eventPattern": rule.pattern, "state": "DISABLED"},
        ),
        (
            "put without read-only events",
            "PutRule",
            lambda one: replace(one, state="ENABLED"),
            {"name": rule.name, "eventPattern": rule.pattern, "state": "ENABLED"},
        ),
        (
            "targets removed",
            "RemoveTargets",
            lambda one: replace(one, targets=[]),
            {"rule": rule.name, "ids": ids},
        ),
        (
            "targets pointed elsewhere",
            "PutTargets",
            lambda one: replace(
                one, targets=[replace(target, arn=_strangers(target.arn)) for target in one.targets]
            ),
            {"rule": rule.name, "targets": [{"id": id, "arn": _ELSEWHERE} for id in ids]},
        ),
    )
    for what, name, change, parameters in changes:
        effect = _rule(bus, rule.arn, change)
        yield call(name)(f"{kind}: {what}", effect, rule.arn, known=known, **parameters, **on_bus)
    # CloudTrail leaves out parameters of more than 100 KB.
    effect = _rule(bus, rule.arn, lambda one: replace(one, pattern=_NOTHING))
    yield call("PutRule")(f"{kind}: other pattern, padded", effect, rule.arn, known=known, omitted=True)


_ONLY_RULE = "one rule alone hears of the key: AWS chooses the key's id, which no relay can know"


def _kind_of_rule(name: str) -> str:
    if name == naming.KEY_RULE:
        return "the rule about the key"
    if name.startswith(naming.RULE_PREFIX):
        return "a rule of hub or watchdog"
    relays = [way for way in naming.WAYS if name.startswith(way.relay_rule)]
    return f"a rule of the relay to the {relays[-1].name}" if relays else ""


def _strangers(arn: str) -> str:
    parts = arn.split(":")
    return ":".join([*parts[:4], _ELSEWHERE, *parts[5:]])


# --- Roles ----------------------------------------------------------------------------------------


def _to_role(role: Role) -> Iterator[Blow]:
    account, name = role.arn.split(":")[4], role.arn.rsplit("/", 1)[-1]
    call = partial(_call, account, naming.HOME_REGION, "iam")
    kind = f"the role {name}"
    own = next((urn for urn, _ in role.policies), "").rsplit("::", 1)[-1]
    empty = _held("roles", role.arn, lambda one: replace(one, policies=[]))
    denied = _held("roles", role.arn, _denied)
    untrusted = _held("roles", role.arn, lambda one: replace(one, trust=_DENY_ALL))
    gone = _held("roles", role.arn, None)
    deny_all = naming.iam_arn("aws", "policy/AWSDenyAll")
    boundary = {"permissionsBoundary": deny_all}
    for what, action, effect, parameters in (
        ("a policy that denies", "PutRolePolicy", denied, {"policyName": "quiet", "policyDocument": _DENY}),
        ("its policy overwritten", "PutRolePolicy", empty, {"policyName": own, "policyDocument": "{}"}),
        ("its policy deleted", "DeleteRolePolicy", empty, {"policyName": own}),
        ("a policy attached that denies", "AttachRolePolicy", denied, {"policyArn": deny_all}),
        ("a boundary that allows nothing", "PutRolePermissionsBoundary", denied, boundary),
        ("other trust", "UpdateAssumeRolePolicy", untrusted, {"policyDocument": _DENY_ALL}),
        ("deleted", "DeleteRole", gone, {}),
    ):
        for spelling, written in (("", name), (", name in another case", name.swapcase())):
            blow = call(action)
            yield blow(f"{kind}: {what}{spelling}", effect, role.arn, roleName=written, **parameters)
    for what, action, effect in (
        ("a policy that denies, padded", "PutRolePolicy", denied),
        ("other trust, padded", "UpdateAssumeRolePolicy", untrusted),
    ):
        yield call(action)(f"{kind}: {what}", effect, role.arn, omitted=True)


# --- Buses, topics, key ---------------------------------------------------------------------------


def _to_bus(arn: str) -> Iterator[Blow]:
    name, (account, region) = arn.rsplit("/", 1)[-1], _place(arn)
    way = next((way.name for way in naming.WAYS if way.bus == name), "")
    if not way:
        return
    call, kind = partial(_call, account, region, "events"), f"the {way}'s bus"
    denied = _policed("buses", arn, _DENY_ALL)
    nobody = _policed("buses", arn, '{"Version":"2012-10-17","Statement":[]}')

    def gone(deployment: Deployment) -> Deployment:
        without = {bus: rules for bus, rules in deployment.rules.items() if bus != arn}
        return replace(_held("buses", arn, None)(deployment), rules=without)

    def deaf(deployment: Deployment) -> Deployment:
        return replace(deployment, rules={**deployment.rules, arn: []})

    yield call("PutPermission")(f"{kind}: a policy that denies", denied, arn, eventBusName=name)
    yield call("RemovePermission")(f"{kind}: no policy", nobody, arn, eventBusName=name, statementId="any")
    yield call("DeleteEventBus")(f"{kind}: deleted", gone, arn, name=name)
    yield call("UpdateEventBus")(f"{kind}: a customer key that is shut", deaf, arn, name=name)


def _to_topic(topic: Topic) -> Iterator[Blow]:
    account, region = _place(topic.arn)
    name = topic.arn.rsplit(":", 1)[-1]
    if name not in naming.TOPICS:
        return
    call, kind = partial(_call, account, region, "sns"), f"the topic {name}"
    denied = _policed("topics", topic.arn, _DENY_ALL)
    locked = _held("topics", topic.arn, lambda one: replace(one, key="alias/aws/sns"))
    nobody = _held("topics", topic.arn, lambda one: replace(one, subscriptions=[]))
    subscription = {"subscriptionArn": f"{topic.arn}:0d8148f4-6b4c-4f6e-9b51-3f2a5f4c1d11"}
    attribute = partial(dict, topicArn=topic.arn)
    for what, action, effect, parameters in (
        ("a policy that denies", "SetTopicAttributes", denied, attribute(attributeName="Policy")),
        ("another key", "SetTopicAttributes", locked, attribute(attributeName="KmsMasterKeyId")),
        ("a statement removed", "RemovePermission", denied, attribute(label="RulesPublish")),
        ("deleted", "DeleteTopic", _held("topics", topic.arn, None), attribute()),
        ("its last recipient gone", "Unsubscribe", nobody, subscription),
        ("a filter on its last recipient", "SetSubscriptionAttributes", nobody, subscription),
        ("data protection", "PutDataProtectionPolicy", nobody, {"resourceArn": topic.arn}),
    ):
        yield call(action)(f"{kind}: {what}", effect, topic.arn, **parameters)


def _to_key(arn: str) -> Iterator[Blow]:
    account, region = _place(arn)
    admin, id = session_of(account, "PlatformAdmin"), arn.rsplit("/", 1)[-1]
    off = _held("keys", arn, lambda one: replace(one, enabled=False))
    for what, action, effect in (
        ("disabled", "DisableKey", off),
        ("deletion scheduled", "ScheduleKeyDeletion", off),
        ("other policy", "PutKeyPolicy", _policed("keys", arn, _DENY_ALL)),
    ):
        request = {"requestParameters": {"keyId": id}, "resources": [{"ARN": arn}]}
        event = cloudtrail_event(account, region, "kms", action, admin, **request)
        kind = f"the key: {what} ({action})"
        yield Blow(kind=kind, event=event, touched=frozenset({arn}), effect=effect)
    for action in ("UpdateAlias", "DeleteAlias"):
        blow = _call(account, region, "kms", action)
        yield blow("the key's alias: changed", _as_it_is, aliasName=naming.KEY_ALIAS)


# --- What keeps and what watches ------------------------------------------------------------------


def _to_queue(arn: str) -> Iterator[Blow]:
    name, (account, region) = arn.rsplit(":", 1)[-1], _place(arn)
    if name not in naming.OWN_QUEUES:
        return
    url = {"queueUrl": f"https://sqs.{region}.amazonaws.com/{account}/{name}"}
    call, kind = partial(_call, account, region, "sqs"), f"the queue {name}"
    denied, gone = _policed("queues", arn, _DENY_ALL), _held("queues", arn, None)
    for what, action, effect, parameters in (
        ("deleted", "DeleteQueue", gone, url),
        ("a policy that denies", "SetQueueAttributes", denied, url | {"attributes": {"Policy": _DENY_ALL}}),
        ("emptied", "PurgeQueue", _as_it_is, url),
        ("its messages moved", "StartMessageMoveTask", _as_it_is, {"sourceArn": arn}),
    ):
        yield call(action)(f"{kind}: {what}", effect, arn, **parameters)


def _to_log(arn: str) -> Iterator[Blow]:
    name, (account, region) = arn.split(":log-group:")[-1], _place(arn)
    if name not in (naming.AUDIT_LOG_GROUP, naming.HEARTBEAT_LOG_GROUP):
        return
    call, kind = partial(_call, account, region, "logs"), f"the log group {name}"
    named, identified = {"logGroupName": name}, {"logGroupIdentifier": arn}
    for what, action, effect, parameters in (
        ("deleted", "DeleteLogGroup", _held("logs", arn, None), named),
        ("kept for a day", "PutRetentionPolicy", _as_it_is, named | {"retentionInDays": 1}),
        ("a stream deleted", "DeleteLogStream", _as_it_is, named | {"logStreamName": "any"}),
        ("a policy that denies", "PutResourcePolicy", _policed("logs", arn, _DENY_ALL), {"resourceArn": arn}),
        ("its policy deleted", "DeleteResourcePolicy", _policed("logs", arn, ""), {"resourceArn": arn}),
        ("data protection", "PutDataProtectionPolicy", _as_it_is, identified),
        ("no deletion protection", "PutLogGroupDeletionProtection", _as_it_is, identified),
    ):
        yield call(action)(f"{kind}: {what}", effect, arn, **parameters)


def _to_archive(account: str, region: str) -> Iterator[Blow]:
    for what, action in (("deleted", "DeleteArchive"), ("kept for a day", "UpdateArchive")):
        blow = _call(account, region, "events", action)
        yield blow(f"the archive: {what}", _as_it_is, archiveName=naming.ARCHIVE)


def _to_alarms(account: str, region: str, names: Sequence[str]) -> Iterator[Blow]:
    call = partial(_call, account, region, "monitoring")
    for name in names:
        listed = {"alarmNames": [name]}
        for what, action, parameters in (
            ("deleted", "DeleteAlarms", listed),
            ("actions off", "DisableAlarmActions", listed),
            ("changed", "PutMetricAlarm", {"alarmName": name}),
            ("set to OK", "SetAlarmState", {"alarmName": name}),
            ("muted", "PutAlarmMuteRule", {"name": "quiet", "muteTargets": listed}),
        ):
            yield call(action)(f"a CloudWatch alarm: {what}", _as_it_is, **parameters)


def _to_account(account: str, region: str) -> Iterator[Blow]:
    """Yield what is hit in each account and Region: the heartbeat, and the trail."""
    schedule = {"groupName": naming.SCHEDULE_GROUP, "name": naming.HEARTBEAT_SCHEDULE}
    scheduler, trail = (partial(_call, account, region, source) for source in ("scheduler", "cloudtrail"))
    for what, action, parameters in (
        ("deleted", "DeleteSchedule", schedule),
        ("changed", "UpdateSchedule", schedule),
        ("its group deleted", "DeleteScheduleGroup", {"name": naming.SCHEDULE_GROUP}),
    ):
        yield scheduler(action)(f"the heartbeat: {what}", _as_it_is, **parameters)
    for action in ("StopLogging", "DeleteTrail", "UpdateTrail", "PutEventSelectors"):
        yield trail(action)("a trail: events no longer recorded", _as_it_is, name="management-events")


def _to_organization(deployment: Deployment, account: str) -> Iterator[Blow]:
    """Yield what the organisation's management account can do to all members; it is not bound itself."""
    members = {
        arn: role
        for arn, role in deployment.roles.items()
        if arn.split(":")[4] != account and arn.rsplit("/", 1)[-1] in naming.RELAY_ROLES
    }

    def bound(deployment: Deployment) -> Deployment:
        roles = {arn: _denied(role) for arn, role in members.items()}
        return replace(deployment, roles={**deployment.roles, **roles})

    known = "a service control policy binds every member, and both of its relays"
    call = partial(_call, account, naming.HOME_REGION, "organizations")
    policy = {"policyId": "p-quiet000", "targetId": "r-root"}
    for what, action, effect in (
        ("a service control policy attached", "AttachPolicy", bound),
        ("a service control policy edited", "UpdatePolicy", bound),
        ("a member moved under another policy", "MoveAccount", bound),
        ("a member removed", "RemoveAccountFromOrganization", _as_it_is),
        ("a member closed", "CloseAccount", _as_it_is),
        ("trusted access of CloudTrail withdrawn", "DisableAWSServiceAccess", _as_it_is),
        ("an administrator delegated", "RegisterDelegatedAdministrator", _as_it_is),
    ):
        touched = members if effect is bound else {}
        yield call(action)(f"the organisation: {what}", effect, *touched, known=known, **policy)
