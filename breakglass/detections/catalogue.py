"""The detection catalogue: which events raise the alarm, and what the message says. Pure data, no Pulumi.

An event travels in two steps, twice. The relays in its account and Region (`relay_patterns`) send everything
that touches the break-glass user, the role or the alarm to the hub and to the watchdog. On the hub, one rule
per detection (`hub_patterns`) decides what to tell people; the watchdog tells of the same events in general
words (`watchdog_rules`). To add a detection, add an entry to `DETECTIONS`, and a clause to `relay_patterns`
if no relay forwards such events yet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from breakglass import naming
from breakglass.detections import hub_patterns
from breakglass.detections.patterns import (
    ORGANIZATION_WRITES,
    REGION_SWITCHED,
    ROOT_SIGN_IN,
    TRAIL_WRITES,
    Pattern,
    Watched,
    either,
    packed,
)


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
        recorded_in: Where AWS records such events, for people.
        reference: AWS's page about such events.
        patterns: Builds the event patterns; an event that matches any of them is of this kind.
        action: `notify`: a message to people. `record`: the audit log only.
        severity: How urgent: `critical` wakes people up, `high` wants a look today, `info` is for the record.
        facts: Lines of the message between title and advice.
        advice: What to do, at most two lines.
        sample: The event of `tests/events/alert` that the detections page shows the message for; "" for an
            event that CloudTrail does not record.
    """

    id: str
    title: str
    recorded_in: str
    reference: str
    patterns: Callable[[Watched], list[Pattern]]
    action: Literal["notify", "record"] = "notify"
    severity: Literal["critical", "high", "info"] = "critical"
    facts: tuple[Fact, ...] = ()
    advice: tuple[str, ...] = ()
    sample: str = ""

    @property
    def rule_name(self) -> str:
        """Name of the detection's EventBridge rule; further ones end in -2, -3 …"""
        return naming.RULE_PREFIX + self.id

    def rule_patterns(self, watched: Watched) -> list[Pattern]:
        """Return the patterns of the detection's rules, as few as can hold them; no event matches two.

        Raises:
            PatternTooLong: One of the detection's patterns is longer than a rule's may be.
        """
        return packed(self.patterns(watched), either)


_USER = Fact("Who", "{userIdentity.userName}")
_ACTOR = Fact("Who", "{userIdentity.arn}")
_CALL = Fact("Call", "{eventName} {eventSource}")
_ERROR = Fact("Error, if any", "{errorCode} {errorMessage}")
_MFA = Fact("MFA, if told", "{userIdentity.sessionContext.attributes.mfaAuthenticated}")
WHERE = (
    Fact("Account", "{$.account}"),
    Fact("Region", "{$.region}"),
    Fact("From", "{sourceIPAddress}"),
    Fact("Client", "{userAgent}"),
    Fact("Event", "{eventID}"),
)
_WHEN_AND_WHERE = (Fact("Time UTC", "{eventTime}"), *WHERE)
_SIGNED_IN = (
    Fact("Outcome", "{responseElements.ConsoleLogin} {errorMessage}"),
    Fact("MFA used", "{additionalEventData.MFAUsed}"),
    *_WHEN_AND_WHERE,
)
_CALLED = (_CALL, _ERROR, _MFA, *_WHEN_AND_WHERE)
_ANNOUNCED = (
    "Was this announced? If not, somebody has the break-glass credentials:",
    "remove the user's password and MFA devices now, then investigate.",
)
_DEPLOYMENT = (
    "A deployment of this system looks the same. If there was none, treat it",
    "as an attack on the alarm: restore it with `pulumi up`, then investigate.",
)


def _change(parameters: str) -> tuple[Fact, ...]:
    """Return the lines on a call that changes what parameters of its request name, such as `{roleName}`."""
    target = Fact("Target", parameters.replace("{", "{requestParameters."))
    return (_ACTOR, _CALL, target, _ERROR, *_WHEN_AND_WHERE)


_SIGN_IN_REGION = "the sign-in Region: us-east-1, us-east-2, eu-north-1, ap-southeast-2 or the endpoint's own"
_STS_REGION = "the STS endpoint's Region"

_SIGN_IN_EVENTS = (
    "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/"
    "cloudtrail-event-reference-aws-console-sign-in-events.html"
)
_IAM_AND_STS_EVENTS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html"
_USER_IDENTITY = (
    "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html"
)
_PUT_EVENTS = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html"

DETECTIONS: tuple[Detection, ...] = (
    Detection(
        id="user-sign-in",
        title="BREAK-GLASS: console sign-in by <who>",
        recorded_in=_SIGN_IN_REGION,
        reference=_SIGN_IN_EVENTS,
        sample="console-login-success-us-east-1",
        patterns=hub_patterns.call_of_user(hub_patterns.SIGN_IN, "ConsoleLogin"),
        facts=(_USER, *_SIGNED_IN),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="user-mfa-challenge",
        title="The user was asked for MFA",
        action="record",
        severity="info",
        recorded_in=_SIGN_IN_REGION,
        reference=_SIGN_IN_EVENTS,
        patterns=hub_patterns.call_of_user(hub_patterns.SIGN_IN, "CheckMfa"),
    ),
    Detection(
        id="user-switch-role",
        title="BREAK-GLASS: console role switch by <who>",
        recorded_in=f"{_SIGN_IN_REGION}; the user's account",
        reference=_SIGN_IN_EVENTS,
        sample="switch-role-source-copy",
        patterns=hub_patterns.call_of_user(hub_patterns.SIGN_IN, "SwitchRole"),
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
        recorded_in=f"{_STS_REGION}; the user's account",
        reference=_IAM_AND_STS_EVENTS,
        sample="assume-role-caller-copy-global-endpoint",
        patterns=hub_patterns.call_of_user(hub_patterns.STS, "AssumeRole"),
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
        recorded_in=_SIGN_IN_REGION,
        reference="https://docs.aws.amazon.com/signin/latest/userguide/command-line-sign-in.html",
        sample="authorize-oauth2-access-us-east-1",
        patterns=hub_patterns.cli_login,
        facts=(_ACTOR, *_CALLED),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="session-token",
        title="BREAK-GLASS: temporary credentials made by <who>",
        recorded_in=_STS_REGION,
        reference=_IAM_AND_STS_EVENTS,
        sample="get-session-token",
        patterns=hub_patterns.call_of_user(hub_patterns.STS, "GetSessionToken", "GetFederationToken"),
        facts=(_USER, *_CALLED),
        advice=_ANNOUNCED,
    ),
    Detection(
        id="user-activity",
        title="BREAK-GLASS: the user itself is at work",
        recorded_in="any Region; the user's account",
        reference=_USER_IDENTITY,
        sample="user-iam-create-user",
        patterns=hub_patterns.user_activity,
        facts=(_ACTOR, *_CALLED),
        advice=(
            "The user is only meant to assume the role. If nobody announced this,",
            "remove its password and MFA devices now, then investigate.",
        ),
    ),
    Detection(
        id="user-change",
        title="BREAK-GLASS: the user was changed",
        recorded_in="us-east-1; the user's account",
        reference=_IAM_AND_STS_EVENTS,
        sample="iam-create-access-key",
        patterns=hub_patterns.user_change,
        facts=_change("{userName} {virtualMFADeviceName}{serialNumber}{policyArn}"),
        advice=_DEPLOYMENT,
    ),
    Detection(
        id="role-assumed",
        title="BREAK-GLASS: the role was assumed",
        recorded_in=f"{_STS_REGION}; the role's account",
        reference=_IAM_AND_STS_EVENTS,
        sample="assume-role-role-copy-global-endpoint",
        patterns=hub_patterns.role_assumed,
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
        recorded_in=f"{_SIGN_IN_REGION}; the role's account",
        reference=_SIGN_IN_EVENTS,
        sample="switch-role-target-copy-us-east-1",
        patterns=hub_patterns.role_switched,
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
        recorded_in="us-east-1; the role's account",
        reference=_IAM_AND_STS_EVENTS,
        sample="role-session-iam-create-user",
        patterns=hub_patterns.role_iam_change,
        facts=_change("{userName}{roleName}{groupName} {policyArn}"),
        advice=("Access that is given in an emergency must be taken back after it:", "note it down now."),
    ),
    Detection(
        id="role-activity",
        title="A session of the role is at work",
        action="record",
        severity="info",
        recorded_in="any Region; the role's account",
        reference=_USER_IDENTITY,
        patterns=hub_patterns.role_activity,
    ),
    Detection(
        id="role-change",
        title="BREAK-GLASS: the role was changed",
        recorded_in="us-east-1; the role's account",
        reference=_IAM_AND_STS_EVENTS,
        sample="iam-attach-role-policy",
        patterns=hub_patterns.role_change,
        facts=_change("{roleName} {policyArn}"),
        advice=_DEPLOYMENT,
    ),
    Detection(
        id="root-sign-in",
        title="BREAK-GLASS: console sign-in by root",
        recorded_in="us-east-1; the root user's account",
        reference=_SIGN_IN_EVENTS,
        sample="root-console-login-success-mfa",
        patterns=hub_patterns.fixed(hub_patterns.SIGN_IN | {"detail": ROOT_SIGN_IN}),
        facts=_SIGNED_IN,
        advice=(
            "Was this announced? If not, change the root password and its MFA",
            "device, then investigate.",
        ),
    ),
    Detection(
        id="alerting-change",
        title="BREAK-GLASS: the alarm itself was changed",
        recorded_in="the resource's Region",
        reference="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html",
        sample="events-disable-rule",
        patterns=hub_patterns.alerting_change,
        facts=_change(
            "{name}{rule}{archiveName}{topicArn}{subscriptionArn}{queueUrl}{aliasName}{alarmName}"
            "{logGroupName}{logGroupIdentifier}{resourceArn}{sourceArn}{roleName} {eventBusName}"
        ),
        advice=_DEPLOYMENT,
    ),
    Detection(
        id="key-change",
        title="BREAK-GLASS: the alarm's key was changed",
        recorded_in="us-east-1; the hub account",
        reference="https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html",
        sample="kms-disable-key",
        patterns=hub_patterns.fixed(),  # AWS chooses the key's id: see `hub_patterns.key_change`
        facts=_change("{keyId}"),
        advice=_DEPLOYMENT,
    ),
    Detection(
        id="region-enabled",
        title="BREAK-GLASS: a Region was switched on or off",
        severity="high",
        recorded_in="us-east-1",
        reference="https://docs.aws.amazon.com/accounts/latest/reference/monitoring-eventbridge.html",
        patterns=hub_patterns.fixed(REGION_SWITCHED),
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
        recorded_in="the trail's home Region",
        reference="https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html",
        sample="cloudtrail-stop-logging",
        patterns=hub_patterns.fixed({"source": ["aws.cloudtrail"], "detail": TRAIL_WRITES}),
        facts=_change("{name}{trailName}"),
        advice=(
            "Without a trail that logs management events nothing of this rings:",
            "see that one is logging.",
        ),
    ),
    Detection(
        id="organization-change",
        title="BREAK-GLASS: the organisation was changed",
        severity="high",
        recorded_in="us-east-1; the management account",
        reference="https://docs.aws.amazon.com/organizations/latest/userguide/orgs_cloudtrail-integration.html",
        sample="organizations-attach-policy",
        patterns=hub_patterns.fixed({"source": ["aws.organizations"], "detail": ORGANIZATION_WRITES}),
        facts=_change(
            "{targetId} {policyId} {accountId} {servicePrincipal}{sourceParentId} {destinationParentId}"
        ),
        advice=(
            "Service control policies, and an account that leaves or is closed, can",
            "silence the alarm of members: see that none denies it.",
        ),
    ),
    Detection(
        id="drill",
        title="BREAK-GLASS DRILL: this is a test of the alarm",
        severity="info",
        recorded_in="any Region",
        reference=_PUT_EVENTS,
        patterns=hub_patterns.loud_drill,
        facts=(
            Fact("Started by", "{who}"),
            Fact("Reason", "{why}"),
            Fact("Drill", "{nonce}"),
            Fact("Account", "{$.account}"),
            Fact("Region", "{$.region}"),
            Fact("Time UTC", "{$.time}"),
        ),
        advice=("Nothing has happened. Nothing is to be done but to note that it arrived.",),
    ),
    Detection(
        id="drill-quiet",
        title="A drill that notifies nobody",
        action="record",
        severity="info",
        recorded_in="any Region",
        reference=_PUT_EVENTS,
        patterns=hub_patterns.fixed(
            {"source": [naming.DRILL_SOURCE], "detail-type": [naming.QUIET_DRILL_TYPE]}
        ),
    ),
    Detection(
        id="heartbeat",
        title="A relay is alive",
        action="record",
        severity="info",
        recorded_in="every Region with a relay",
        reference="https://docs.aws.amazon.com/eventbridge/latest/userguide/logging-using-cloudtrail.html",
        patterns=hub_patterns.fixed(hub_patterns.HEARTBEAT),
    ),
    Detection(
        id="heartbeat-read",
        title="A relay forwards read-only events",
        action="record",
        severity="info",
        recorded_in="every Region with a relay",
        reference=_IAM_AND_STS_EVENTS,
        patterns=hub_patterns.heartbeat_read,
    ),
)
