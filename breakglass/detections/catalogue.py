"""The detection catalogue: which events ring, and what is said about them. Pure data, no Pulumi.

An event travels in two steps. The relay in its account and Region (`forwarding`) sends whatever touches the
break-glass user, role or alarm path to the hub; there, one rule per detection decides what to tell people.
Adding a detection is one entry in `DETECTIONS`, and a clause in `forwarding` when it is about something that
no relay forwards yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from breakglass import naming
from breakglass.detections.patterns import (
    TRAIL_WRITES,
    WRITE,
    Pattern,
    Watched,
    about,
    alarm_parts,
    by_role_session,
    by_session_of,
    by_user,
    changes_user,
    either,
    packed,
)

SIGN_IN: Pattern = {"source": ["aws.signin"], "detail-type": ["AWS Console Sign In via CloudTrail"]}

RULE_STATE = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""AssumeRole is a read-only event, and by the letter of the EventBridge guide only rules in this state
receive those (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html)."""


@dataclass(frozen=True)
class Fact:
    """One line of a message.

    Attributes:
        label: What stands in front.
        text: What stands behind. `{errorCode}` is replaced by that value of the event's `detail`, `{$.time}`
            by one of the event itself. A value that the event lacks leaves nothing, so alternatives may
            stand side by side.
    """

    label: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One kind of event.

    Attributes:
        id: Short name; a rule of it is called `capture-breakglass-<id>`.
        title: What happened, first line of the message, at most 60 characters.
        action: `notify`: a message to people. `record`: the audit log only.
        severity: How urgent: `critical` wakes somebody, `high` wants a look today, `info` is for the record.
        recorded_in: Where AWS records such events, for people.
        patterns: Builds the event patterns; an event that matches any of them is of this kind. Alternatives
            must exclude each other, because each is a rule of its own and would ring on its own.
        facts: Lines of the message between title and advice.
        advice: What to do, at most two lines.
        plain: Whether the message goes to the watchdog topic as well: it must arrive when the first topic or
            its key is what was attacked, and a drill must show that it would.
    """

    id: str
    title: str
    action: Literal["notify", "record"]
    severity: Literal["critical", "high", "info"]
    recorded_in: str
    patterns: Callable[[Watched], list[Pattern]]
    facts: tuple[Fact, ...] = ()
    advice: tuple[str, ...] = ()
    plain: bool = False

    @property
    def rule_name(self) -> str:
        """Name of the detection's EventBridge rule; further ones end in -2, -3 …"""
        return naming.RULE_PREFIX + self.id


_USER = Fact("Who", "{userIdentity.userName}")
_ACTOR = Fact("Who", "{userIdentity.arn}")
_CALL = Fact("Call", "{eventName} {eventSource}")
_ERROR = Fact("Error, if any", "{errorCode} {errorMessage}")
_MFA = Fact("MFA, if told", "{userIdentity.sessionContext.attributes.mfaAuthenticated}")
_WHEN_AND_WHERE = (
    Fact("Time UTC", "{eventTime}"),
    Fact("Account", "{$.account}"),
    Fact("Region", "{$.region}"),
    Fact("From", "{sourceIPAddress}"),
    Fact("Client", "{userAgent}"),
    Fact("Event", "{eventID}"),
)
_ANNOUNCED = (
    "Was this announced? If not, somebody has the break-glass credentials:",
    "remove the user's password and MFA devices now, then investigate.",
)
_DEPLOYMENT = (
    "A deployment of this system looks the same. If there was none, treat it",
    "as an attack on the alarm: restore it with `pulumi up`, then investigate.",
)
_SIGN_IN_REGION = "the sign-in Region: us-east-1, us-east-2, eu-north-1, ap-southeast-2 or the endpoint's own"
_STS_REGION = "the STS endpoint's Region"

_SPECIAL_CALLS = [
    "ConsoleLogin",
    "CheckMfa",
    "SwitchRole",
    "AssumeRole",
    "AuthorizeOAuth2Access",
    "CreateOAuth2Token",
    "GetSessionToken",
    "GetFederationToken",
]


def _sign_in_of_user(event_name: str) -> Callable[[Watched], list[Pattern]]:
    return lambda watched: [
        SIGN_IN
        | {
            "account": [watched.hub_account_id],
            "detail": {"eventName": [event_name], **by_user(watched)},
        }
    ]


def _sts_call_of_user(*event_names: str) -> Callable[[Watched], list[Pattern]]:
    # No condition on the role: a denied AssumeRole has `requestParameters: null`, and a break-glass user
    # that tries any other role is worth a call as well.
    return lambda watched: [
        {
            "source": ["aws.sts"],
            "account": [watched.hub_account_id],
            "detail": {"eventName": list(event_names), **by_user(watched)},
        }
    ]


def _cli_login(watched: Watched) -> list[Pattern]:
    return [
        {
            "source": ["aws.signin"],
            "detail": {
                "eventName": ["AuthorizeOAuth2Access", "CreateOAuth2Token"],
                "$or": [by_user(watched), by_role_session(watched)],
            },
        }
    ]


def _user_activity(watched: Watched) -> list[Pattern]:
    # Writes, and what was denied; the calls that have a detection of their own are left to it. A federated
    # session of the user makes no such calls, so nothing is left out for it.
    loud = {"$or": [WRITE, {"readOnly": [True], "errorCode": [{"exists": True}]}]}
    by_itself = by_user(watched) | {"eventName": [{"anything-but": _SPECIAL_CALLS}]}
    return [
        {"account": [watched.hub_account_id], "detail": identity | loud}
        for identity in (by_itself, by_session_of(*watched.user_arns))
    ]


def _user_change(watched: Watched) -> list[Pattern]:
    return [
        {
            "source": ["aws.iam"],
            "account": [watched.hub_account_id],
            "detail": WRITE | {"$or": changes_user(watched)},
        }
    ]


def _role_assumed(watched: Watched) -> list[Pattern]:
    # The user's own copy rings as user-assume-role; the role account's copy names no user.
    others = [{"exists": False}, {"anything-but": list(watched.user_names)}]
    return [
        {
            "source": ["aws.sts"],
            "detail": {
                "eventName": ["AssumeRole"],
                "userIdentity": {"userName": others},
                **about(roleArn=[{"suffix": f":role/{watched.role_name}"}]),
            },
        }
    ]


def _role_switched(watched: Watched) -> list[Pattern]:
    return [
        SIGN_IN
        | {
            "detail": {
                "eventName": ["SwitchRole"],
                "additionalEventData": {"SwitchFrom": watched.user_arns},
            }
        }
    ]


def _role_iam_change(watched: Watched) -> list[Pattern]:
    return [{"source": ["aws.iam"], "detail": WRITE | by_role_session(watched)}]


def _role_activity(watched: Watched) -> list[Pattern]:
    session = by_role_session(watched)
    return [
        {"source": [{"anything-but": ["aws.iam"]}], "detail": session},
        {"source": ["aws.iam"], "detail": {"readOnly": [True], **session}},
    ]


def _role_change(watched: Watched) -> list[Pattern]:
    return [{"source": ["aws.iam"], "detail": WRITE | about(roleName=[watched.role_name])}]


def _root_sign_in(_: Watched) -> list[Pattern]:
    return [SIGN_IN | {"detail": {"eventName": ["ConsoleLogin"], "userIdentity": {"type": ["Root"]}}}]


def _alerting_change(watched: Watched) -> list[Pattern]:
    parts = alarm_parts(watched, watched.hub_account_id)
    return packed(
        [{"source": [source], "detail": WRITE | either(clauses)} for source, clauses in parts.items()]
    )


def _key_change(_: Watched) -> list[Pattern]:
    """Nothing here: the key's id is not known before it exists, see `key_change_pattern`."""
    return []


def _region_enabled(_: Watched) -> list[Pattern]:
    return [{"source": ["aws.account"], "detail-type": ["Region Opt-In Status Change"]}]


def _trail_change(_: Watched) -> list[Pattern]:
    return [{"source": ["aws.cloudtrail"], "detail": {"eventName": list(TRAIL_WRITES)}}]


def _own(source: str) -> Callable[[Watched], list[Pattern]]:
    return lambda _: [{"source": [source]}]


def _drill(detail_type: str) -> Callable[[Watched], list[Pattern]]:
    return lambda _: [{"source": [naming.DRILL_SOURCE], "detail-type": [detail_type]}]


DETECTIONS: tuple[Detection, ...] = (
    Detection(
        id="user-sign-in",
        title="BREAK-GLASS: console sign-in by <who>",
        action="notify",
        severity="critical",
        recorded_in=_SIGN_IN_REGION,
        patterns=_sign_in_of_user("ConsoleLogin"),
        facts=(
            _USER,
            Fact("Outcome", "{responseElements.ConsoleLogin} {errorMessage}"),
            Fact("MFA used", "{additionalEventData.MFAUsed}"),
            *_WHEN_AND_WHERE,
        ),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="user-mfa-challenge",
        title="The user was asked for MFA",
        action="record",
        severity="info",
        recorded_in=_SIGN_IN_REGION,
        patterns=_sign_in_of_user("CheckMfa"),
    ),
    Detection(
        id="user-switch-role",
        title="BREAK-GLASS: console role switch by <who>",
        action="notify",
        severity="critical",
        recorded_in=f"{_SIGN_IN_REGION}; the user's account",
        patterns=_sign_in_of_user("SwitchRole"),
        facts=(
            _USER,
            Fact("Role", "{additionalEventData.SwitchTo}"),
            Fact("Outcome", "{responseElements.SwitchRole} {errorMessage}"),
            *_WHEN_AND_WHERE,
        ),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="user-assume-role",
        title="BREAK-GLASS: role assumed, or tried, by <who>",
        action="notify",
        severity="critical",
        recorded_in=f"{_STS_REGION}; the user's account",
        patterns=_sts_call_of_user("AssumeRole"),
        facts=(
            _USER,
            # Allowed or denied, the other values are absent: one line says it either way.
            Fact("Outcome", "{responseElements.assumedRoleUser.arn}{errorCode} {errorMessage}"),
            _MFA,
            *_WHEN_AND_WHERE,
        ),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="cli-login",
        title="BREAK-GLASS: command-line sign-in (aws login)",
        action="notify",
        severity="critical",
        recorded_in=_SIGN_IN_REGION,
        patterns=_cli_login,
        facts=(_ACTOR, _CALL, _ERROR, _MFA, *_WHEN_AND_WHERE),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="session-token",
        title="BREAK-GLASS: temporary credentials made by <who>",
        action="notify",
        severity="critical",
        recorded_in=_STS_REGION,
        patterns=_sts_call_of_user("GetSessionToken", "GetFederationToken"),
        facts=(_USER, _CALL, _ERROR, _MFA, *_WHEN_AND_WHERE),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="user-activity",
        title="BREAK-GLASS: the user itself is at work",
        action="notify",
        severity="critical",
        recorded_in="any Region; the user's account",
        patterns=_user_activity,
        facts=(_ACTOR, _CALL, _ERROR, _MFA, *_WHEN_AND_WHERE),
        advice=(
            "The user is only meant to assume the role. If nobody announced this,",
            "remove its password and MFA devices now, then investigate.",
        ),
    ),
    Detection(
        id="user-change",
        title="BREAK-GLASS: the user was changed",
        action="notify",
        severity="critical",
        recorded_in="us-east-1; the user's account",
        patterns=_user_change,
        facts=(
            _ACTOR,
            _CALL,
            Fact(
                "Target",
                "{requestParameters.userName} {requestParameters.virtualMFADeviceName}"
                "{requestParameters.serialNumber}{requestParameters.policyArn}",
            ),
            _ERROR,
            *_WHEN_AND_WHERE,
        ),
        advice=_DEPLOYMENT,
    ),
    Detection(
        id="role-assumed",
        title="BREAK-GLASS: the role was assumed",
        action="notify",
        severity="critical",
        recorded_in=f"{_STS_REGION}; the role's account",
        patterns=_role_assumed,
        facts=(
            Fact("Role", "{requestParameters.roleArn}"),
            Fact("Session", "{requestParameters.roleSessionName}"),
            Fact("Caller", "account {userIdentity.accountId} {userIdentity.principalId}{userIdentity.arn}"),
            Fact("Same as", "{sharedEventID}"),
            *_WHEN_AND_WHERE,
        ),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="role-switched",
        title="BREAK-GLASS: the user switched into a role",
        action="notify",
        severity="critical",
        recorded_in=f"{_SIGN_IN_REGION}; the role's account",
        patterns=_role_switched,
        facts=(
            Fact("Who", "{additionalEventData.SwitchFrom}"),
            Fact("Session", "{userIdentity.arn}"),
            Fact("Outcome", "{responseElements.SwitchRole} {errorMessage}"),
            *_WHEN_AND_WHERE,
        ),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="role-iam-change",
        title="BREAK-GLASS: a session of the role changed IAM",
        action="notify",
        severity="critical",
        recorded_in="us-east-1; the role's account",
        patterns=_role_iam_change,
        facts=(
            _ACTOR,
            _CALL,
            Fact(
                "Target",
                "{requestParameters.userName}{requestParameters.roleName}{requestParameters.groupName} "
                "{requestParameters.policyArn}",
            ),
            _ERROR,
            *_WHEN_AND_WHERE,
        ),
        advice=("Access that is given in an emergency must be taken back after it:", "note it down now."),
    ),
    Detection(
        id="role-activity",
        title="A session of the role is at work",
        action="record",
        severity="info",
        recorded_in="any Region; the role's account",
        patterns=_role_activity,
    ),
    Detection(
        id="role-change",
        title="BREAK-GLASS: the role was changed",
        action="notify",
        severity="critical",
        recorded_in="us-east-1; the role's account",
        patterns=_role_change,
        facts=(
            _ACTOR,
            _CALL,
            Fact("Target", "{requestParameters.roleName} {requestParameters.policyArn}"),
            _ERROR,
            *_WHEN_AND_WHERE,
        ),
        advice=_DEPLOYMENT,
    ),
    Detection(
        id="root-sign-in",
        title="BREAK-GLASS: console sign-in by root",
        action="notify",
        severity="critical",
        recorded_in="us-east-1; the root user's account",
        patterns=_root_sign_in,
        facts=(
            Fact("Outcome", "{responseElements.ConsoleLogin} {errorMessage}"),
            Fact("MFA used", "{additionalEventData.MFAUsed}"),
            *_WHEN_AND_WHERE,
        ),
        advice=(
            "Was this announced? If not, change the root password and its MFA",
            "device, then investigate.",
        ),
    ),
    Detection(
        id="alerting-change",
        title="BREAK-GLASS: the alarm itself was changed",
        action="notify",
        severity="critical",
        recorded_in="the resource's Region",
        patterns=_alerting_change,
        facts=(
            _ACTOR,
            _CALL,
            Fact(
                "Target",
                "".join(
                    f"{{requestParameters.{name}}}"
                    for name in (
                        "name",
                        "rule",
                        "archiveName",
                        "topicArn",
                        "subscriptionArn",
                        "queueUrl",
                        "aliasName",
                        "alarmName",
                        "logGroupName",
                        "logGroupIdentifier",
                        "resourceArn",
                        "roleName",
                    )
                )
                + " {requestParameters.eventBusName}",
            ),
            _ERROR,
            *_WHEN_AND_WHERE,
        ),
        advice=_DEPLOYMENT,
        plain=True,
    ),
    Detection(
        id="key-change",
        title="BREAK-GLASS: the alarm's key was changed",
        action="notify",
        severity="critical",
        recorded_in="us-east-1; the hub account",
        patterns=_key_change,
        facts=(_ACTOR, _CALL, Fact("Target", "{requestParameters.keyId}"), _ERROR, *_WHEN_AND_WHERE),
        advice=_DEPLOYMENT,
        plain=True,
    ),
    Detection(
        id="region-enabled",
        title="BREAK-GLASS: a Region was switched on or off",
        action="notify",
        severity="high",
        recorded_in="us-east-1",
        patterns=_region_enabled,
        facts=(
            Fact("Region", "{regionName}"),
            Fact("Status", "{status}"),
            Fact("Account", "{$.account}"),
            Fact("Time UTC", "{$.time}"),
        ),
        advice=(
            "No relay covers a Region that was switched on after the last deployment:",
            "run `pulumi up`.",
        ),
    ),
    Detection(
        id="trail-change",
        title="BREAK-GLASS: a CloudTrail trail was changed",
        action="notify",
        severity="critical",
        recorded_in="the trail's home Region",
        patterns=_trail_change,
        facts=(
            _ACTOR,
            _CALL,
            Fact("Target", "{requestParameters.name}{requestParameters.trailName}"),
            _ERROR,
            *_WHEN_AND_WHERE,
        ),
        advice=(
            "Without a trail that logs management events nothing of this rings:",
            "see that one is logging.",
        ),
    ),
    Detection(
        id="drill",
        title="BREAK-GLASS DRILL: this is a test of the alarm",
        action="notify",
        severity="info",
        recorded_in="any Region",
        patterns=_drill(naming.DRILL_TYPE),
        facts=(
            Fact("Started by", "{who}"),
            Fact("Reason", "{why}"),
            Fact("Drill", "{nonce}"),
            Fact("Account", "{$.account}"),
            Fact("Region", "{$.region}"),
            Fact("Time UTC", "{$.time}"),
        ),
        advice=("Nothing has happened. Nothing is to be done but to note that it arrived.",),
        plain=True,
    ),
    Detection(
        id="drill-quiet",
        title="A drill that tells nobody",
        action="record",
        severity="info",
        recorded_in="any Region",
        patterns=_drill(naming.QUIET_DRILL_TYPE),
    ),
    Detection(
        id="heartbeat",
        title="A relay is alive",
        action="record",
        severity="info",
        recorded_in="every Region with a relay",
        patterns=_own(naming.HEARTBEAT_SOURCE),
    ),
)


def key_change_pattern(key_arn: str, key_id: str) -> Pattern:
    """Return the pattern of writes to the alarm's key; it sits on the home Region's default bus.

    KMS events carry the key's id and ARN and never its alias. A denied call may lack `resources`, so the
    request's `keyId` counts too, which may be the id or the ARN. Calls about an alias name the key as well,
    and ring as alerting-change.
    """
    about_alias = ["CreateAlias", "DeleteAlias", "UpdateAlias"]
    names_key = {"$or": [{"resources": {"ARN": [key_arn]}}, about(keyId=[key_id, key_arn])]}
    return {
        "source": ["aws.kms"],
        "detail": {"eventName": [{"anything-but": about_alias}], **WRITE, **names_key},
    }
