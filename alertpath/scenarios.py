"""What may happen, as events of the shape that AWS records, for the accounts, Regions and names given.

Shapes follow AWS's documentation and public logs; what no source shows is assumed (see docs/architecture.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from breakglass import naming

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
    """

    hub: str
    members: Sequence[str]
    regions: Mapping[str, Sequence[str]]
    users: Sequence[str]
    role: str
    keys: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One thing that may happen, and what must become of its event.

    Attributes:
        detection: Detection that must match it; "" for what must stay quiet.
        action: `notify` people, `record` only, or stay `quiet`.
        both: Whether the watchdog topic must get it as well.
    """

    name: str
    detection: str = ""
    action: Literal["notify", "record", "quiet"]
    both: bool = False
    event: Event


def _notified(name: str, detection: str, event: Event, *, both: bool = False) -> Scenario:
    return Scenario(name=name, detection=detection, action="notify", both=both, event=event)


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


def _event(account: str, region: str, source: str, name: str, identity: Event, **detail: Any) -> Event:
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


def _session(account: str, role: str) -> Event:
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
    call = partial(_event, hub, region)
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
    stranger, session = _session(account, "PlatformAdmin"), _session(account, scope.role)
    caller = {"type": "AWSAccount", "principalId": "AIDASCENARIOEXAMPLE", "accountId": scope.hub}
    switched = {key: value for key, value in session.items() if key != "sessionContext"}
    call = partial(_event, account, region)
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
    disabled = disable(requestParameters={"name": f"{naming.RELAY_RULE}-2"})
    yield _notified("a relay's rule disabled", "alerting-change", disabled, both=True)
    heartbeat = {"groupName": naming.SCHEDULE_GROUP, "name": naming.HEARTBEAT_SCHEDULE}
    deleted = call("scheduler", "DeleteSchedule", stranger, requestParameters=heartbeat)
    yield _notified("the heartbeat deleted", "alerting-change", deleted, both=True)
    yield _notified("a drill", "drill", drill | {"detail-type": naming.DRILL_TYPE}, both=True)

    activity = call("ec2", "DescribeInstances", session, readOnly=True)
    yield _recorded("a session of the role", "role-activity", activity)
    heartbeat = own | {"source": naming.HEARTBEAT_SOURCE, "detail-type": "Break-glass heartbeat"}
    yield _recorded("a heartbeat", "heartbeat", heartbeat)
    yield _recorded("a quiet drill", "drill-quiet", drill | {"detail-type": naming.QUIET_DRILL_TYPE})

    yield _quiet("another role assumed", assume(requestParameters={"roleArn": f"{role_arn}ReadOnly"}))
    yield _quiet("another rule", disable(requestParameters={"name": "nightly"}))
    yield _quiet("someone else's work", call("ec2", "RunInstances", stranger))


def _at_home(scope: Scope, account: str) -> Iterator[Scenario]:
    """Yield what AWS records in us-east-1 only, whatever the Region of the caller."""
    stranger = _session(account, "PlatformAdmin")
    root = {"type": "Root", "arn": f"arn:aws:iam::{account}:root", "accountId": account}

    def iam(name: str, identity: Event, **parameters: Any) -> Event:
        return _event(account, HOME, "iam", name, identity, requestParameters=parameters)

    attached = iam("AttachRolePolicy", stranger, roleName=scope.role)
    yield _notified("role changed", "role-change", attached)
    created = iam("CreateUser", _session(account, scope.role), userName="temp")
    yield _notified("IAM changed by the role", "role-iam-change", created)
    trust = iam("UpdateAssumeRolePolicy", stranger, roleName=naming.RELAY_ROLE)
    yield _notified("relay's role changed", "alerting-change", trust, both=True)
    yield _notified("root sign-in", "root-sign-in", _event(account, HOME, "signin", "ConsoleLogin", root))
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
    hub, stranger = scope.hub, _session(scope.hub, "PlatformAdmin")
    topic = naming.topic_arn(hub, HOME)
    queue = f"https://sqs.{HOME}.amazonaws.com/{hub}/{naming.DEAD_LETTER_QUEUE}"
    parts: list[tuple[str, str, str, Event]] = [
        ("a hub rule disabled", "events", "DisableRule", {"name": f"{naming.RULE_PREFIX}user-sign-in"}),
        ("targets removed", "events", "RemoveTargets", {"rule": naming.RECORD_RULE}),
        ("the bus deleted", "events", "DeleteEventBus", {"name": naming.HUB_BUS}),
        ("the topic changed", "sns", "SetTopicAttributes", {"topicArn": topic}),
        ("a subscription gone", "sns", "Unsubscribe", {"subscriptionArn": f"{topic}:0d81"}),
        ("the alias moved", "kms", "UpdateAlias", {"aliasName": naming.KEY_ALIAS}),
        ("the queue deleted", "sqs", "DeleteQueue", {"queueUrl": queue}),
        ("the record deleted", "logs", "DeleteLogGroup", {"logGroupName": naming.AUDIT_LOG_GROUP}),
        ("an alarm deleted", "monitoring", "DeleteAlarms", {"alarmNames": ["breakglass-dead-letters"]}),
    ]
    for name, source, call, parameters in parts:
        event = _event(hub, HOME, source, call, stranger, requestParameters=parameters)
        yield _notified(name, "alerting-change", event, both=True)
    for key_id, key_arn in scope.keys:
        key = {"requestParameters": {"keyId": key_id}, "resources": [{"ARN": key_arn}]}
        for call in ("DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy"):
            event = _event(hub, HOME, "kms", call, stranger, **key)
            yield _notified(f"the key: {call}", "key-change", event, both=True)
