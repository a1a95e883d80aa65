"""The patterns of the hub's rules: one function for each detection or kind of detection.

The catalogue says which function belongs to which detection.
"""

from collections.abc import Callable

from breakglass import naming
from breakglass.detections.patterns import (
    WRITE,
    Pattern,
    Watched,
    about,
    alarm_parts,
    any_case,
    by_role_session,
    by_session_of,
    by_user,
    changes_user,
    either,
    heartbeat_by,
)

SIGN_IN: Pattern = {"source": ["aws.signin"], "detail-type": ["AWS Console Sign In via CloudTrail"]}
STS: Pattern = {"source": ["aws.sts"]}

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


ABOUT_ALIAS = ["CreateAlias", "DeleteAlias", "UpdateAlias"]


def fixed(*patterns: Pattern) -> Callable[[Watched], list[Pattern]]:
    """Return the builder of patterns that are the same in every stack."""
    return lambda _: list(patterns)


def call_of_user(service: Pattern, *event_names: str) -> Callable[[Watched], list[Pattern]]:
    """Return the builder for sign-in events of the users, or for calls that they make to STS."""
    # No condition on the role: a denied AssumeRole has `requestParameters: null`, and a break-glass user
    # that tries any other role is worth a call as well.
    return lambda watched: [
        {
            **service,
            "account": [watched.hub_account_id],
            "detail": {"eventName": list(event_names), **by_user(watched)},
        }
    ]


def cli_login(watched: Watched) -> list[Pattern]:
    """Return the pattern of `aws login` by a user or by a session of the role."""
    either_of_us = {"$or": [by_user(watched), by_role_session(watched)]}
    detail = {"eventName": ["AuthorizeOAuth2Access", "CreateOAuth2Token"], **either_of_us}
    return [{"source": ["aws.signin"], "detail": detail}]


def user_activity(watched: Watched) -> list[Pattern]:
    """Return the patterns of what a user does itself: writes, and calls that were denied."""
    # Calls that have a detection of their own are left to it. A federated session of the user makes no such
    # calls, so nothing is left out for it.
    loud = {"$or": [WRITE, {"readOnly": [True], "errorCode": [{"exists": True}]}]}
    by_itself = by_user(watched) | {"eventName": [{"anything-but": _SPECIAL_CALLS}]}
    return [
        {"account": [watched.hub_account_id], "detail": identity | loud}
        for identity in (by_itself, by_session_of(*watched.user_arns))
    ]


def user_change(watched: Watched) -> list[Pattern]:
    """Return the pattern of IAM writes that name a user."""
    names_user = WRITE | {"$or": changes_user(watched)}
    return [{"source": ["aws.iam"], "account": [watched.hub_account_id], "detail": names_user}]


def role_assumed(watched: Watched) -> list[Pattern]:
    """Return the pattern of AssumeRole for the role, as the role's account records it."""
    # The user's own copy rings as user-assume-role; the role account's copy names no user.
    others = [{"exists": False}, {"anything-but": list(watched.user_names)}]
    detail = {
        "eventName": ["AssumeRole"],
        "userIdentity": {"userName": others},
        **about(roleArn=[{"suffix": f":role/{watched.role_name}"}]),
    }
    return [STS | {"detail": detail}]


def role_switched(watched: Watched) -> list[Pattern]:
    """Return the pattern of a user's console switch, as the role's account records it."""
    switch = {"eventName": ["SwitchRole"], "additionalEventData": {"SwitchFrom": watched.user_arns}}
    return [SIGN_IN | {"detail": switch}]


def role_iam_change(watched: Watched) -> list[Pattern]:
    """Return the pattern of IAM writes by a session of the role."""
    return [{"source": ["aws.iam"], "detail": WRITE | by_role_session(watched)}]


def role_activity(watched: Watched) -> list[Pattern]:
    """Return the patterns of everything else that a session of the role does."""
    session = by_role_session(watched)
    return [
        {"source": [{"anything-but": ["aws.iam"]}], "detail": session},
        {"source": ["aws.iam"], "detail": {"readOnly": [True], **session}},
    ]


def role_change(watched: Watched) -> list[Pattern]:
    """Return the pattern of IAM writes that name the role."""
    return [{"source": ["aws.iam"], "detail": WRITE | about(roleName=any_case(watched.role_name))}]


def alerting_change(watched: Watched) -> list[Pattern]:
    """Return the patterns of writes that name a part of the alarm: one for each event source."""
    parts = alarm_parts(watched, None)
    return [{"source": [source], "detail": WRITE | either(clauses)} for source, clauses in parts.items()]


def loud_drill(watched: Watched) -> list[Pattern]:
    """Return the pattern of a loud drill. Members may put events on their buses: theirs tells nobody."""
    drill = {"source": [naming.DRILL_SOURCE], "detail-type": [naming.DRILL_TYPE]}
    return [drill | {"account": [watched.hub_account_id]}]


def heartbeat_read(_: Watched) -> list[Pattern]:
    """Return the pattern of Scheduler's AssumeRole for a heartbeat: a read-only event, as emergencies are."""
    heartbeat = {"suffix": f":role/{naming.HEARTBEAT_ROLE}"}
    return [STS | {"detail": {"eventName": ["AssumeRole"], **about(roleArn=[heartbeat])}}]


HEARTBEAT: Pattern = {
    "source": ["aws.events"],
    "detail": heartbeat_by({"suffix": f":role/{naming.HEARTBEAT_ROLE}"}),
}
NO_HEARTBEAT: Pattern = {
    "$or": [
        {"source": [{"anything-but": ["aws.events"]}]},
        {"detail": {"eventName": [{"anything-but": ["TagResource"]}]}},
        {
            "detail": {
                **by_session_of(
                    {"exists": False}, {"anything-but": {"suffix": f":role/{naming.HEARTBEAT_ROLE}"}}
                )
            }
        },
    ]
}
"""What matches all events but heartbeats: thousands an hour would drown the audit log."""


def key_change(key_arn: str, key_id: str) -> Pattern:
    """Return the pattern of writes to the alarm's key; it sits on the home Region's default bus.

    KMS events carry the key's id and ARN and never its alias. A denied call may lack `resources`, so the
    request's `keyId` counts too, which may be the id or the ARN. Calls about an alias name the key as well,
    and ring as alerting-change.
    """
    names_key = {"$or": [{"resources": {"ARN": [key_arn]}}, about(keyId=[key_id, key_arn])]}
    return {
        "source": ["aws.kms"],
        "detail": {"eventName": [{"anything-but": ABOUT_ALIAS}], **WRITE, **names_key},
    }
