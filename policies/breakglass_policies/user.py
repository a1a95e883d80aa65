"""The break-glass user: no credentials in the program, and nothing allowed without MFA.

An access key or a password that a program makes is in its state, where everybody who may deploy can read it.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from .documents import Unreadable, elements
from .framework import CIS_ACCESS_KEYS, CIS_MFA, EMERGENCY_ACCESS
from .iam_full_access import ATTACHMENTS, DOCUMENTS, Place
from .plain import any_known, items, plain, title, unknown_last

USER = "aws:iam/user:User"
POLICY = "aws:iam/policy:Policy"
LOGIN_PROFILE = "aws:iam/userLoginProfile:UserLoginProfile"

CREDENTIALS: dict[str, str] = {
    "aws:iam/accessKey:AccessKey": "user",
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential": "userName",
}
"""Resource types that are long-term credentials, and which property names their user."""

MEMBERSHIPS: dict[str, tuple[str, str]] = {
    "aws:iam/userGroupMembership:UserGroupMembership": ("user", "groups"),
    "aws:iam/groupMembership:GroupMembership": ("users", "group"),
}
"""Resource types that put users into groups: which property names users, and which groups."""

EXEMPT = frozenset(
    {
        "signin:authorizeoauth2access",
        "signin:createoauth2token",
        "iam:createvirtualmfadevice",
        "iam:enablemfadevice",
        "iam:getmfadevice",
        "iam:getuser",
        "iam:listmfadevices",
        "iam:listvirtualmfadevices",
        "iam:resyncmfadevice",
    }
)
"""What may stay allowed without MFA, in lower case: `aws login`, which calls these before its session could
carry an MFA context, and the enrolment of a device."""

DEFAULT_USER_NAMES = ["BreakglassUser"]


def check_no_access_key(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a long-term credential of a break-glass user.

    Raises:
        UnknownValueError: whose credential it is is not known until deployment.
    """
    if args.resource_type not in CREDENTIALS:
        return args.not_applicable("the resource is no long-term credential")
    user = plain(args.props.get(CREDENTIALS[args.resource_type]))
    if not _is_break_glass(args, user):
        return args.not_applicable("the user is not a break-glass user")
    report(
        f"{title(args.resource_type, args.name)} is a long-term credential of {user}: it works without MFA, "
        "and its secret is in the state. Remove it; `aws login` gives command-line credentials of 12 hours.",
        args.urn,
    )
    return None


def check_no_login_profile(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report the password of a break-glass user, encrypted or not.

    Raises:
        UnknownValueError: whose password it is is not known until deployment.
    """
    if args.resource_type != LOGIN_PROFILE:
        return args.not_applicable("the resource is no password")
    user = plain(args.props.get("user"))
    if not _is_break_glass(args, user):
        return args.not_applicable("the user is not a break-glass user")
    report(
        f"{title(args.resource_type, args.name)} lets the program own the password of {user}: without pgpKey "
        "it is in the state, and with it every change of the profile still sets another password. Remove the "
        "resource (`pulumi state delete` keeps the password) and set the password by hand.",
        args.urn,
    )
    return None


def check_mfa(args: StackValidationArgs, report: ReportViolation) -> None:
    """Report each break-glass user of the stack to whom no policy of the stack denies everything without MFA.

    Raises:
        UnknownValueError: a name or policy that decides is not known until deployment; raised after what is
            known to be missing was reported.
    """
    users = [resource for resource in args.resources if resource.resource_type == USER]
    if not any_known(users, lambda user: _is_break_glass(args, plain(user.props.get("name")))):
        return args.not_applicable("the stack creates no break-glass user")
    for user in unknown_last(*(_without_mfa(args, user) for user in users)):
        report(
            f"no policy of this stack that is attached to {title(USER, user.name)} denies everything without "
            "MFA. Attach one with Effect Deny, Resource *, the only condition BoolIfExists "
            "aws:MultiFactorAuthPresent false (Bool does not match requests that say nothing of MFA, as "
            f"those with an access key), and as NotAction nothing but {', '.join(sorted(EXEMPT))}.",
            user.urn,
        )
    return None


def _is_break_glass(args: ResourceValidationArgs | StackValidationArgs, name: Any) -> bool:
    names = args.get_config().get("userNames", DEFAULT_USER_NAMES)
    return any(_same(name, known) for known in names)


def _same(name: Any, other: Any) -> bool:
    """Return whether two names are the same to IAM, which has no two that differ in case only."""
    return isinstance(name, str) and isinstance(other, str) and name.lower() == other.lower()


def _without_mfa(args: StackValidationArgs, user: PolicyResource) -> Iterator[PolicyResource]:
    name = plain(user.props.get("name"))
    if not _is_break_glass(args, name):
        return
    ways: list[Callable[[], bool]] = [
        *(partial(_denies_to, args.resources, holder, "user", name) for holder in args.resources),
        *(partial(_denies_to_members, args.resources, membership, name) for membership in args.resources),
    ]
    if not any_known(ways, lambda way: way()):
        yield user


def _denies_to_members(resources: list[PolicyResource], membership: PolicyResource, user: str) -> bool:
    """Return whether the resource puts the user into a group to which everything is denied without MFA."""
    users, groups = MEMBERSHIPS.get(membership.resource_type, ("", ""))
    if not users or not _lists(membership.props.get(users), lambda name: _same(name, user)):
        return False
    return _lists(
        membership.props.get(groups),
        lambda group: any_known(resources, lambda holder: _denies_to(resources, holder, "group", group)),
    )


def _denies_to(resources: list[PolicyResource], holder: PolicyResource, kind: str, name: Any) -> bool:
    """Return whether the resource gives the principal a policy that denies everything without MFA."""

    def is_given_by(place: Place) -> bool:
        return place.kind == kind and _lists(holder.props.get(place.principal), lambda p: _same(p, name))

    if place := DOCUMENTS.get(holder.resource_type):
        return is_given_by(place) and _denies(holder.props.get(place.policy))
    return any_known(
        ATTACHMENTS.get(holder.resource_type, ()),
        lambda place: (
            is_given_by(place)
            and _lists(
                holder.props.get(place.policy),
                lambda arn: any_known(
                    resources, lambda policy: _has_arn(policy, arn) and _denies(policy.props.get("policy"))
                ),
            )
        ),
    )


def _lists(value: Any, test: Callable[[Any], bool]) -> bool:
    """Return whether an item of the value, or the value itself where it is no list, passes the test."""
    listed = items(value)
    return any_known(range(len(listed)), lambda index: test(plain(listed[index])))


def _has_arn(policy: PolicyResource, arn: Any) -> bool:
    """Return whether the ARN is that of the customer policy, told by path and name: they are known first."""
    if policy.resource_type != POLICY or not isinstance(arn, str):
        return False
    path, name = plain(policy.props.get("path")) or "/", plain(policy.props.get("name"))
    return arn.partition(":policy")[2].lower() == f"{path}{name}".lower()


def _denies(document: Any) -> bool:
    statements = elements(plain(document))
    return not isinstance(statements, Unreadable) and any(map(_denies_without_mfa, statements))


def _denies_without_mfa(statement: dict[str, Any]) -> bool:
    """Return whether a statement denies everything without MFA; its keys are in lower case."""
    exempt = [str(action).lower() for action in items(statement.get("notaction"))]
    everything = "*" in items(statement.get("action")) or (exempt and EXEMPT.issuperset(exempt))
    return (
        statement["effect"] == "Deny"
        and bool(everything)
        and "*" in items(statement.get("resource"))
        and _is_without_mfa(statement.get("condition"))
    )


def _is_without_mfa(condition: Any) -> bool:
    """Return whether this is the only condition: with another beside it some requests are not denied."""
    match condition:
        case {"boolifexists": {"aws:multifactorauthpresent": value, **keys}, **operators}:
            values = {str(each).lower() for each in items(value)}
            return values == {"false"} and not keys and not operators
    return False


_USER_NAMES = PolicyConfigSchema(
    properties={
        "userNames": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "string", "minLength": 1},
            "default": DEFAULT_USER_NAMES,
            "description": "Names of the break-glass users.",
        }
    }
)

USER_NO_ACCESS_KEY = ResourceValidationPolicy(
    name="user-no-access-key",
    display_name="Break-glass users have no access key",
    description="Break-glass users must have no long-term credentials beside their password.",
    validate=check_no_access_key,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=CIS_ACCESS_KEYS,
    config_schema=_USER_NAMES,
    remediation_steps="Remove the AccessKey or ServiceSpecificCredential; use `aws login` instead.",
    url="https://docs.aws.amazon.com/signin/latest/userguide/command-line-sign-in.html",
)

USER_NO_LOGIN_PROFILE_IN_STATE = ResourceValidationPolicy(
    name="user-no-login-profile-in-state",
    display_name="Passwords of break-glass users are not in the state",
    description="The password of a break-glass user must be set by people, not by the program.",
    validate=check_no_login_profile,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=_USER_NAMES,
    remediation_steps="Remove the UserLoginProfile, and set the password by hand as the README says.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_admin-change-user.html",
)

USER_REQUIRES_MFA = StackValidationPolicy(
    name="user-requires-mfa",
    display_name="Break-glass users can do nothing without MFA",
    description="A policy attached to each break-glass user must deny everything without MFA.",
    validate=check_mfa,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=CIS_MFA,
    config_schema=_USER_NAMES,
    remediation_steps=(
        "Attach a policy of the same stack with a Deny of everything, BoolIfExists "
        "aws:MultiFactorAuthPresent false, to the user or to a group of the user."
    ),
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
)

RULES: list[Policy] = [USER_NO_ACCESS_KEY, USER_NO_LOGIN_PROFILE_IN_STATE, USER_REQUIRES_MFA]
"""The rules of this module, in the order in which they are registered."""
