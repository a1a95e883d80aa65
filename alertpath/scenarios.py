"""What may happen, as events of the shape that AWS records, for the accounts, Regions and names given.

Shapes follow AWS's documentation and public logs; what no source shows is assumed (see docs/architecture.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Event = dict[str, Any]

HOME = "us-east-1"
SIGN_IN_TYPE = "AWS Console Sign In via CloudTrail"
API_TYPE = "AWS API Call via CloudTrail"
STRANGER = "jordan.lee"


@dataclass(frozen=True, kw_only=True)
class World:
    """What scenarios are made for.

    Attributes:
        hub: Account of the users and the hub.
        members: The other accounts with a role and a relay.
        regions: Regions with a relay, by account.
        users: Names of the users.
        role: Name of the role.
        keys: Id and ARN of the key of the alarm's topic, as far as they are known.
    """

    hub: str
    members: Sequence[str]
    regions: Mapping[str, Sequence[str]]
    users: Sequence[str]
    role: str
    keys: Sequence[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One thing that may happen.

    Attributes:
        name: What happens.
        detection: Detection that must hear it; "" for what must stay quiet.
        action: `notify`, `record`, or `quiet`.
        both: Whether the watchdog must be told as well.
        event: The event.
    """

    name: str
    detection: str
    action: Literal["notify", "record", "quiet"]
    both: bool = False
    event: Event


def scenarios(world: World) -> Iterator[Scenario]:
    """Yield every scenario for every account, Region and user of `world`."""
    for region in world.regions.get(world.hub, ()):
        for user in world.users:
            yield from _by_the_user(world, region, user)
    for account in (world.hub, *world.members):
        for region in world.regions.get(account, ()):
            yield from _anywhere(world, account, region)
        yield from _at_home(world, account)
    yield from _at_the_hub(world)


def _event(
    account: str,
    region: str,
    source: str,
    name: str,
    identity: Event,
    *,
    read_only: bool = False,
    detail_type: str = API_TYPE,
    **more: Any,
) -> Event:
    detail = {
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
        "readOnly": read_only,
        "recipientAccountId": account,
    }
    return {
        "version": "0",
        "id": "00000000-0000-4000-8000-000000000001",
        "detail-type": detail_type,
        "source": f"aws.{source}",
        "account": account,
        "time": "2026-11-22T03:00:00Z",
        "region": region,
        "resources": [],
        "detail": {**detail, **more},
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


def _by_the_user(world: World, region: str, user: str) -> Iterator[Scenario]:
    hub, identity = world.hub, _user(world.hub, user)
    nameless = {key: value for key, value in identity.items() if key != "arn"}
    federated = {
        "type": "FederatedUser",
        "arn": f"arn:aws:sts::{hub}:federated-user/night",
        "accountId": hub,
        "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": identity["arn"]}},
    }
    role = {"roleArn": f"arn:aws:iam::{(*world.members, hub)[0]}:role/{world.role}"}
    calls: list[tuple[str, str, Event]] = [
        (
            "sign-in",
            "user-sign-in",
            _event(
                hub, region, "signin", "ConsoleLogin", identity,
                detail_type=SIGN_IN_TYPE, responseElements={"ConsoleLogin": "Success"},
            ),
        ),
        (
            "failed sign-in",
            "user-sign-in",
            _event(
                hub, region, "signin", "ConsoleLogin", nameless,
                detail_type=SIGN_IN_TYPE, responseElements={"ConsoleLogin": "Failure"},
            ),
        ),
        (
            "role switch",
            "user-switch-role",
            _event(
                hub, region, "signin", "SwitchRole", identity,
                detail_type=SIGN_IN_TYPE, additionalEventData={"SwitchTo": role["roleArn"]},
            ),
        ),
        (
            "role assumed",
            "user-assume-role",
            _event(hub, region, "sts", "AssumeRole", identity, read_only=True, requestParameters=role),
        ),
        (
            "role denied",
            "user-assume-role",
            _event(hub, region, "sts", "AssumeRole", identity, read_only=True, errorCode="AccessDenied"),
        ),
        (
            "aws login",
            "cli-login",
            _event(hub, region, "signin", "CreateOAuth2Token", identity, read_only=True),
        ),
        ("session token", "session-token", _event(hub, region, "sts", "GetSessionToken", identity)),
        ("a write", "user-activity", _event(hub, region, "ec2", "RunInstances", identity)),
        ("federated session", "user-activity", _event(hub, region, "ec2", "StopInstances", federated)),
    ]  # fmt: skip
    for name, detection, event in calls:
        yield Scenario(name=name, detection=detection, action="notify", event=event)
    challenge = _event(hub, region, "signin", "CheckMfa", nameless, detail_type=SIGN_IN_TYPE)
    yield Scenario(name="MFA asked", detection="user-mfa-challenge", action="record", event=challenge)
    stranger = _event(hub, region, "signin", "ConsoleLogin", _user(hub, f"{user}X"), detail_type=SIGN_IN_TYPE)
    yield Scenario(name="another user's sign-in", detection="", action="quiet", event=stranger)


def _anywhere(world: World, account: str, region: str) -> Iterator[Scenario]:
    user_arn = f"arn:aws:iam::{world.hub}:user/{world.users[0]}" if world.users else ""
    stranger, session = _session(account, "PlatformAdmin"), _session(account, world.role)
    caller = {"type": "AWSAccount", "principalId": "AIDASCENARIOEXAMPLE", "accountId": world.hub}
    assumed = {"roleArn": f"arn:aws:iam::{account}:role/{world.role}", "roleSessionName": "incident"}
    other = {"roleArn": f"arn:aws:iam::{account}:role/{world.role}ReadOnly"}
    switched = {key: value for key, value in session.items() if key != "sessionContext"}

    def call(*parts: Any, **more: Any) -> Event:
        return _event(account, region, *parts, **more)

    own = {"version": "0", "account": account, "region": region, "time": "2026-11-22T12:00:00Z", "detail": {}}
    drill = own | {"source": "breakglass.drill", "detail": {"nonce": "n"}}
    notified: list[tuple[str, str, bool, Event]] = [
        (
            "role assumed, its own copy",
            "role-assumed",
            False,
            call("sts", "AssumeRole", caller, read_only=True, requestParameters=assumed),
        ),
        (
            "role switched, its own copy",
            "role-switched",
            False,
            call(
                "signin", "SwitchRole", switched,
                detail_type=SIGN_IN_TYPE, additionalEventData={"SwitchFrom": user_arn},
            ),
        ),
        (
            "a trail stopped",
            "trail-change",
            False,
            call("cloudtrail", "StopLogging", stranger, requestParameters={"name": "t"}),
        ),
        (
            "a relay's rule disabled",
            "alerting-change",
            True,
            call("events", "DisableRule", stranger, requestParameters={"name": "breakglass-relay-2"}),
        ),
        (
            "the heartbeat deleted",
            "alerting-change",
            True,
            call(
                "scheduler", "DeleteSchedule", stranger,
                requestParameters={"groupName": "breakglass", "name": "breakglass-heartbeat"},
            ),
        ),
        ("a drill", "drill", True, drill | {"detail-type": "Break-glass drill"}),
    ]  # fmt: skip
    for name, detection, both, event in notified:
        yield Scenario(name=name, detection=detection, action="notify", both=both, event=event)
    recorded = (
        ("a session of the role", "role-activity", call("ec2", "DescribeInstances", session, read_only=True)),
        ("a heartbeat", "heartbeat", own | {"source": "breakglass.heartbeat"}),
        ("a quiet drill", "drill-quiet", drill | {"detail-type": "Break-glass drill, quiet"}),
    )
    for name, detection, event in recorded:
        yield Scenario(name=name, detection=detection, action="record", event=event)
    quiet = (
        ("another role assumed", call("sts", "AssumeRole", caller, read_only=True, requestParameters=other)),
        ("another rule", call("events", "DisableRule", stranger, requestParameters={"name": "nightly"})),
        ("somebody else's work", call("ec2", "RunInstances", stranger)),
    )
    for name, event in quiet:
        yield Scenario(name=name, detection="", action="quiet", event=event)


def _at_home(world: World, account: str) -> Iterator[Scenario]:
    """What AWS records in us-east-1 only, whatever the Region of the caller."""
    stranger = _session(account, "PlatformAdmin")
    root = {"type": "Root", "arn": f"arn:aws:iam::{account}:root", "accountId": account}

    def iam(name: str, identity: Event, **parameters: Any) -> Event:
        return _event(account, HOME, "iam", name, identity, requestParameters=parameters)

    calls: list[tuple[str, str, bool, Event]] = [
        ("role changed", "role-change", False, iam("AttachRolePolicy", stranger, roleName=world.role)),
        (
            "IAM changed by the role",
            "role-iam-change",
            False,
            iam("CreateUser", _session(account, world.role), userName="temp"),
        ),
        (
            "relay's role changed",
            "alerting-change",
            True,
            iam("UpdateAssumeRolePolicy", stranger, roleName="BreakGlassRelay"),
        ),
        (
            "root sign-in",
            "root-sign-in",
            False,
            _event(account, HOME, "signin", "ConsoleLogin", root, detail_type=SIGN_IN_TYPE),
        ),
        ("Region enabled", "region-enabled", False, _region_enabled(account)),
    ]
    if account == world.hub:
        calls += [
            ("user changed", "user-change", False, iam("CreateAccessKey", stranger, userName=user))
            for user in world.users
        ]
    for name, detection, both, event in calls:
        yield Scenario(name=name, detection=detection, action="notify", both=both, event=event)


def _region_enabled(account: str) -> Event:
    return {
        "version": "0",
        "source": "aws.account",
        "detail-type": "Region Opt-In Status Change",
        "account": account,
        "region": HOME,
        "time": "2026-11-22T03:00:00Z",
        "detail": {"accountId": account, "regionName": "eu-south-2", "status": "ENABLED"},
    }


def _at_the_hub(world: World) -> Iterator[Scenario]:
    hub, stranger = world.hub, _session(world.hub, "PlatformAdmin")
    topic = f"arn:aws:sns:{HOME}:{hub}:breakglassuser-console-logins"
    parts: list[tuple[str, str, str, Event]] = [
        ("a hub rule disabled", "events", "DisableRule", {"name": "capture-breakglass-user-sign-in"}),
        ("targets removed", "events", "RemoveTargets", {"rule": "capture-breakglass-record"}),
        ("the bus deleted", "events", "DeleteEventBus", {"name": "breakglass"}),
        ("the topic changed", "sns", "SetTopicAttributes", {"topicArn": topic}),
        ("a subscription gone", "sns", "Unsubscribe", {"subscriptionArn": f"{topic}:0d81"}),
        ("the alias moved", "kms", "UpdateAlias", {"aliasName": "alias/breakglassSNS"}),
        (
            "the queue deleted",
            "sqs",
            "DeleteQueue",
            {"queueUrl": f"https://sqs.{HOME}.amazonaws.com/{hub}/breakglass-alerts-dlq"},
        ),
        ("the record deleted", "logs", "DeleteLogGroup", {"logGroupName": "/breakglass/audit"}),
        ("an alarm deleted", "monitoring", "DeleteAlarms", {"alarmNames": ["breakglass-dead-letters"]}),
    ]
    for name, source, call, parameters in parts:
        event = _event(hub, HOME, source, call, stranger, requestParameters=parameters)
        yield Scenario(name=name, detection="alerting-change", action="notify", both=True, event=event)
    for key_id, key_arn in world.keys:
        for call in ("DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy"):
            event = _event(
                hub, HOME, "kms", call, stranger,
                requestParameters={"keyId": key_id}, resources=[{"ARN": key_arn}],
            )  # fmt: skip
            yield Scenario(
                name=f"the key: {call}", detection="key-change", action="notify", both=True, event=event
            )
