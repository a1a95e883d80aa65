"""What may happen, as events of the shape that AWS records, for the accounts, Regions and names given.

Shapes follow AWS's documentation and public logs; what no source shows is assumed (see docs/architecture.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from breakglass import naming
from breakglass.naming import Way

Event = dict[str, Any]

HOME = naming.HOME_REGION
_SIGN_IN_TYPE = "AWS Console Sign In via CloudTrail"
_API_TYPE = "AWS API Call via CloudTrail"
_SIGN_IN_CALLS = ("ConsoleLogin", "SwitchRole", "CheckMfa")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Accounts, Regions and names that scenarios are made for.

    Attributes:
        hub: Account of the users and the hub.
        members: The other accounts with a role and a relay.
        regions: Regions with a relay, by account.
        keys: Id and ARN of each key of the alerting topics, where they are known.
        watchdog: Account and Region of the watchdog; None if that is not known.
    """

    hub: str
    members: Sequence[str]
    regions: Mapping[str, Sequence[str]]
    users: Sequence[str]
    role: str
    keys: Sequence[tuple[str, str]]
    watchdog: tuple[str, str] | None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One thing that may happen, and what must become of its event.

    Attributes:
        detection: Detection that must match it; "" for what must stay quiet.
        action: `notify` people, by hub and watchdog, `record` only, or stay `quiet`.
    """

    name: str
    detection: str = ""
    action: Literal["notify", "record", "quiet"]
    event: Event


def _notified(name: str, detection: str, event: Event) -> Scenario:
    return Scenario(name=name, detection=detection, action="notify", event=event)


def _recorded(name: str, detection: str, event: Event) -> Scenario:
    return Scenario(name=name, detection=detection, action="record", event=event)


def _quiet(name: str, event: Event) -> Scenario:
    return Scenario(name=name, action="quiet", event=event)


def scenarios(scope: Scope) -> Iterator[Scenario]:
    """Yield every scenario for every account, Region and user of `scope`."""
    for region in scope.regions.get(scope.hub, ()):
        for user in scope.users:
            yield from _by_the_user(scope, region, user)
    for account in (scope.hub, *scope.members):
        for region in scope.regions.get(account, ()):
            yield from _anywhere(scope, account, region)
        yield from _at_home(scope, account)
    yield from _at_the_hub(scope)
    if scope.watchdog is not None:
        yield from _at_a_place(naming.WATCHDOG, *scope.watchdog)


def cloudtrail_event(
    account: str, region: str, source: str, name: str, identity: Event, **detail: Any
) -> Event:
    """Return a call as CloudTrail sends it to EventBridge, with more parts of its detail."""
    return {
        "version": "0",
        "id": "00000000-0000-4000-8000-000000000001",
        "detail-type": _SIGN_IN_TYPE if name in _SIGN_IN_CALLS else _API_TYPE,
        "source": f"aws.{source}",
        "account": account,
        "time": "2026-11-22T03:00:00Z",
        "region": region,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": "2026-11-22T03:00:00Z",
            "eventSource": f"{source}.amazonaws.com",
            "eventName": name,
            "awsRegion": region,
            "sourceIPAddress": "203.0.113.7",
            "userAgent": "scenario",
            "requestParameters": None,
            "responseElements": None,
            "eventID": "00000000-0000-4000-8000-000000000000",
            "readOnly": False,
            "recipientAccountId": account,
            **detail,
        },
    }


def _user(account: str, name: str) -> Event:
    return {
        "type": "IAMUser",
        "principalId": "AIDASCENARIOEXAMPLE",
        "arn": f"arn:aws:iam::{account}:user/{name}",
        "accountId": account,
        "userName": name,
    }


def session_of(account: str, role: str) -> Event:
    """Return the identity of a session of a role."""
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "userName": role}
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/incident",
        "accountId": account,
        "sessionContext": {"sessionIssuer": issuer},
    }


def _by_the_user(scope: Scope, region: str, user: str) -> Iterator[Scenario]:
    hub, identity = scope.hub, _user(scope.hub, user)
    nameless = {key: value for key, value in identity.items() if key != "arn"}
    federated = {
        "type": "FederatedUser",
        "arn": f"arn:aws:sts::{hub}:federated-user/night",
        "accountId": hub,
        "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": identity["arn"]}},
    }
    role = naming.role_arn((*scope.members, hub)[0], scope.role)
    call = partial(cloudtrail_event, hub, region)
    login = partial(call, "signin", "ConsoleLogin")
    assume = partial(call, "sts", "AssumeRole", identity, readOnly=True)
    succeeded, failed = ({"ConsoleLogin": result} for result in ("Success", "Failure"))
    yield _notified("sign-in", "user-sign-in", login(identity, responseElements=succeeded))
    yield _notified("failed sign-in", "user-sign-in", login(nameless, responseElements=failed))
    switch = call("signin", "SwitchRole", identity, additionalEventData={"SwitchTo": role})
    yield _notified("role switch", "user-switch-role", switch)
    yield _notified("role assumed", "user-assume-role", assume(requestParameters={"roleArn": role}))
    yield _notified("role denied", "user-assume-role", assume(errorCode="AccessDenied"))
    token = call("signin", "CreateOAuth2Token", identity, readOnly=True)
    yield _notified("aws login", "cli-login", token)
    yield _notified("session token", "session-token", call("sts", "GetSessionToken", identity))
    yield _notified("a write", "user-activity", call("ec2", "RunInstances", identity))
    yield _notified("federated session", "user-activity", call("ec2", "StopInstances", federated))
    yield _recorded("MFA asked", "user-mfa-challenge", call("signin", "CheckMfa", nameless))
    yield _quiet("another user's sign-in", login(_user(hub, f"{user}X")))


def _anywhere(scope: Scope, account: str, region: str) -> Iterator[Scenario]:
    user_arn = naming.user_arn(scope.hub, scope.users[0]) if scope.users else ""
    role_arn = naming.role_arn(account, scope.role)
    stranger, session = session_of(account, "PlatformAdmin"), session_of(account, scope.role)
    caller = {"type": "AWSAccount", "principalId": "AIDASCENARIOEXAMPLE", "accountId": scope.hub}
    switched = {key: value for key, value in session.items() if key != "sessionContext"}
    call = partial(cloudtrail_event, account, region)
    assume = partial(call, "sts", "AssumeRole", caller, readOnly=True)
    disable = partial(call, "events", "DisableRule", stranger)
    own = {"version": "0", "account": account, "region": region, "time": "2026-11-22T12:00:00Z", "detail": {}}
    drill = own | {"source": naming.DRILL_SOURCE, "detail": {"nonce": "n"}}

    assumed = assume(requestParameters={"roleArn": role_arn, "roleSessionName": "incident"})
    yield _notified("role assumed, its own copy", "role-assumed", assumed)
    switch = call("signin", "SwitchRole", switched, additionalEventData={"SwitchFrom": user_arn})
    yield _notified("role switched, its own copy", "role-switched", switch)
    stopped = call("cloudtrail", "StopLogging", stranger, requestParameters={"name": "t"})
    yield _notified("a trail stopped", "trail-change", stopped)
    for way in naming.WAYS:
        disabled = disable(requestParameters={"name": naming.numbered(way.relay_rule, 2)})
        yield _notified(f"a rule of the relay to the {way.name} disabled", "alerting-change", disabled)
    heartbeat = {"groupName": naming.SCHEDULE_GROUP, "name": naming.HEARTBEAT_SCHEDULE}
    deleted = call("scheduler", "DeleteSchedule", stranger, requestParameters=heartbeat)
    yield _notified("the heartbeat deleted", "alerting-change", deleted)
    loud = drill | {"detail-type": naming.DRILL_TYPE}
    if account == scope.hub:
        yield _notified("a drill", "drill", loud)
    else:
        yield _recorded("a loud drill of a member, which may be forged", "drill", loud)

    activity = call("ec2", "DescribeInstances", session, readOnly=True)
    yield _recorded("a session of the role", "role-activity", activity)
    beating = session_of(account, naming.HEARTBEAT_ROLE)
    rule_arn = naming.rule_arn(account, region, naming.HUB.relay_rule)
    beat = call("events", "TagResource", beating, requestParameters={"resourceARN": rule_arn})
    yield _recorded("a heartbeat", "heartbeat", beat)
    failed = call("events", "TagResource", beating, errorCode="AccessDenied")
    yield _recorded("a heartbeat whose call failed", "heartbeat", failed)
    scheduler = {"type": "AWSService", "invokedBy": "scheduler.amazonaws.com"}
    credentials = {"roleArn": naming.role_arn(account, naming.HEARTBEAT_ROLE)}
    read = call("sts", "AssumeRole", scheduler, readOnly=True, requestParameters=credentials)
    yield _recorded("credentials for a heartbeat", "heartbeat-read", read)
    yield _recorded("a quiet drill", "drill-quiet", drill | {"detail-type": naming.QUIET_DRILL_TYPE})

    yield _quiet("another role assumed", assume(requestParameters={"roleArn": f"{role_arn}ReadOnly"}))
    yield _quiet("another rule", disable(requestParameters={"name": "nightly"}))
    yield _quiet("someone else's work", call("ec2", "RunInstances", stranger))


def _at_home(scope: Scope, account: str) -> Iterator[Scenario]:
    """Yield what AWS records in us-east-1 only, whatever the Region of the caller."""
    stranger = session_of(account, "PlatformAdmin")
    root = {"type": "Root", "arn": f"arn:aws:iam::{account}:root", "accountId": account}

    def iam(name: str, identity: Event, **parameters: Any) -> Event:
        return cloudtrail_event(account, HOME, "iam", name, identity, requestParameters=parameters)

    attached = iam("AttachRolePolicy", stranger, roleName=scope.role)
    yield _notified("role changed", "role-change", attached)
    created = iam("CreateUser", session_of(account, scope.role), userName="temp")
    yield _notified("IAM changed by the role", "role-iam-change", created)
    for role in (*(way.relay_role for way in naming.WAYS), naming.HEARTBEAT_ROLE):
        trust = iam("UpdateAssumeRolePolicy", stranger, roleName=role)
        yield _notified(f"role {role} changed", "alerting-change", trust)
    yield _notified(
        "root sign-in", "root-sign-in", cloudtrail_event(account, HOME, "signin", "ConsoleLogin", root)
    )
    opted_in = {
        "version": "0",
        "source": "aws.account",
        "detail-type": "Region Opt-In Status Change",
        "account": account,
        "region": HOME,
        "time": "2026-11-22T03:00:00Z",
        "detail": {"accountId": account, "regionName": "eu-south-2", "status": "ENABLED"},
    }
    yield _notified("Region enabled", "region-enabled", opted_in)
    for user in scope.users if account == scope.hub else ():
        key = iam("CreateAccessKey", stranger, userName=user)
        yield _notified("user changed", "user-change", key)


def _at_the_hub(scope: Scope) -> Iterator[Scenario]:
    hub, stranger = scope.hub, session_of(scope.hub, "PlatformAdmin")
    yield from _at_a_place(naming.HUB, hub, HOME)
    parts: list[tuple[str, str, str, Event]] = [
        ("the alias moved", "kms", "UpdateAlias", {"aliasName": naming.KEY_ALIAS}),
        ("the record deleted", "logs", "DeleteLogGroup", {"logGroupName": naming.AUDIT_LOG_GROUP}),
        ("the key's rule disabled", "events", "DisableRule", {"name": naming.KEY_RULE}),
        ("the key's role changed", "iam", "DeleteRolePolicy", {"roleName": naming.KEY_ROLE}),
    ]
    denied = cloudtrail_event(hub, HOME, "organizations", "AttachPolicy", stranger)
    yield _notified("a policy of the organisation attached", "organization-change", denied)
    for name, source, call, parameters in parts:
        event = cloudtrail_event(hub, HOME, source, call, stranger, requestParameters=parameters)
        yield _notified(name, "alerting-change", event)
    for key_id, key_arn in scope.keys:
        key = {"requestParameters": {"keyId": key_id}, "resources": [{"ARN": key_arn}]}
        for call in ("DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy"):
            event = cloudtrail_event(hub, HOME, "kms", call, stranger, **key)
            yield _notified(f"the key: {call}", "key-change", event)


def _at_a_place(way: Way, account: str, region: str) -> Iterator[Scenario]:
    """Yield changes of what hub and watchdog have alike."""
    stranger = session_of(account, "PlatformAdmin")
    queue = f"https://sqs.{region}.amazonaws.com/{account}/{way.dead_letter_queue}"
    rule = "user-sign-in" if way is naming.HUB else "alert"
    parts: list[tuple[str, str, str, Event]] = [
        ("a rule disabled", "events", "DisableRule", {"name": f"{naming.RULE_PREFIX}{rule}"}),
        ("targets removed", "events", "RemoveTargets", {"rule": naming.HEARTBEAT_RULE}),
        ("the bus deleted", "events", "DeleteEventBus", {"name": way.bus}),
        ("the queue deleted", "sqs", "DeleteQueue", {"queueUrl": queue}),
        ("the heartbeats deleted", "logs", "DeleteLogGroup", {"logGroupName": naming.HEARTBEAT_LOG_GROUP}),
        ("an alarm deleted", "monitoring", "DeleteAlarms", {"alarmNames": ["breakglass-dead-letters"]}),
    ]
    for topic in (way.topic, way.alarms_topic):
        arn = naming.topic_arn(account, region, topic)
        parts += [
            (f"the topic {topic} changed", "sns", "SetTopicAttributes", {"topicArn": arn}),
            (f"a subscription of {topic} gone", "sns", "Unsubscribe", {"subscriptionArn": f"{arn}:0d81"}),
        ]
    for name, source, call, parameters in parts:
        event = cloudtrail_event(account, region, source, call, stranger, requestParameters=parameters)
        yield _notified(f"{way.name}: {name}", "alerting-change", event)
