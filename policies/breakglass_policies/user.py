"""The break-glass user: no credentials in the program, and nothing allowed without MFA.

An access key or a password that a program makes is in its state, where everybody who may deploy can read it.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from pulumi_policy import Severity

from alertpath.iam.evaluate import Verdict
from breakglass import naming

from .access import by_identity
from .iam_full_access import ATTACHMENTS, DOCUMENTS
from .policy import CIS_ACCESS_KEYS, CIS_MFA, StackProblems, stack_policy
from .reading import Resource, Stack, any_known, each, is_ours, same
from .role import USER, trusted_users
from .statements import Statement, Unreadable, statements

POLICY = "aws:iam/policy:Policy"
LOGIN_PROFILE = "aws:iam/userLoginProfile:UserLoginProfile"
CREDENTIALS: dict[str, str] = {
    "aws:iam/accessKey:AccessKey": "user",
    "aws:iam/serviceSpecificCredential:ServiceSpecificCredential": "userName",
    "aws:iam/signingCertificate:SigningCertificate": "userName",
    "aws:iam/sshKey:SshKey": "username",
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

_MFA_KEYS = frozenset({"aws:multifactorauthpresent", "aws:multifactorauthage"})


def _our_users(stack: Stack) -> Callable[[Resource], bool]:
    """Return the test whether a user is ours, or one whom a break-glass role of the stack trusts."""
    trusted = trusted_users(stack)
    return lambda user: is_ours(user, "BreakGlassUser") or any(same(user["name"], name) for name in trusted)


def _of_our_users(stack: Stack, types: Mapping[str, str], problem: str) -> StackProblems:
    """Yield the problem for each credential of a break-glass user: of the stack, trusted or of a usual name.

    The types of credentials come with the property that names their user.
    """
    is_break_glass, names = _our_users(stack), {*naming.DEFAULT_USER_NAMES, *trusted_users(stack)}

    def of_our_user(credential: Resource) -> bool:
        user = types[credential.type]
        if users := [source for source in credential.made_of(user) if source.type == USER]:
            return any_known(users, is_break_glass)
        name = credential[user]
        return any(same(name, usual) for usual in names) or any_known(
            stack.all(USER), lambda user: is_break_glass(user) and same(user["name"], name)
        )

    return each(stack.all(*types), lambda one: [(one, problem)] if of_our_user(one) else [])


@stack_policy(
    "user-no-access-key",
    "Break-glass users have no access key",
    applies=lambda stack: bool(stack.all(*CREDENTIALS)),
    severity=Severity.CRITICAL,
    framework=CIS_ACCESS_KEYS,
    fix="Remove the AccessKey, certificate or other credential; use `aws login` instead.",
    url="https://docs.aws.amazon.com/signin/latest/userguide/command-line-sign-in.html",
)
def user_no_access_key(stack: Stack) -> StackProblems:
    """Break-glass users must have no long-term credentials beside their password."""
    return _of_our_users(
        stack,
        CREDENTIALS,
        "is a long-term credential of a break-glass user: it works without MFA, and a secret that AWS makes "
        "for it is in the state. Remove it; `aws login` gives command-line credentials of 12 hours.",
    )


@stack_policy(
    "user-no-login-profile-in-state",
    "Passwords of break-glass users are not in the state",
    applies=lambda stack: bool(stack.all(LOGIN_PROFILE)),
    severity=Severity.HIGH,
    fix="Remove the UserLoginProfile, and set the password with `python -m drill password`.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_admin-change-user.html",
)
def user_no_login_profile_in_state(stack: Stack) -> StackProblems:
    """The password of a break-glass user must be set by people, not by the program."""
    return _of_our_users(
        stack,
        {LOGIN_PROFILE: "user"},
        "lets the program own the password of a break-glass user: without pgpKey it is in the state, and "
        "with it every change of the profile sets another password. Remove the resource (`pulumi state "
        "delete` keeps the password), and set the password with `python -m drill password`.",
    )


@stack_policy(
    "user-requires-mfa",
    "Break-glass users can do nothing without MFA",
    applies=lambda stack: any_known(stack.all(USER), _our_users(stack)),
    severity=Severity.CRITICAL,
    framework=CIS_MFA,
    fix=(
        "Attach a policy of the same stack with a Deny of everything, BoolIfExists "
        "aws:MultiFactorAuthPresent false, to the user or to a group of the user."
    ),
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
)
def user_requires_mfa(stack: Stack) -> StackProblems:
    """A policy attached to each break-glass user must deny everything without MFA."""
    is_break_glass = _our_users(stack)

    def look(user: Resource) -> StackProblems:
        if is_break_glass(user) and not any(
            denies_without_mfa(document) for document in _policies_of(stack, "user", user["name"])
        ):
            yield (
                user,
                "may do something without MFA: no policy of this stack that is attached to it denies "
                "everything. Attach one with Effect Deny, Resource *, the only condition BoolIfExists "
                "aws:MultiFactorAuthPresent false (Bool does not match requests without the key, such as "
                f"those with an access key), and as NotAction nothing but {', '.join(sorted(EXEMPT))}.",
            )

    return each(stack.all(USER), look)


def _policies_of(stack: Stack, kind: str, name: Any) -> Iterator[Any]:
    """Yield the documents that the stack gives a user or group, the known ones first."""

    def given_by(holder: Resource) -> Iterator[Any]:
        def names_it(property_name: str) -> bool:
            return any(same(listed, name) for listed in holder.each(property_name))

        held = DOCUMENTS.get(holder.type)
        if held and held.kind == kind and names_it(held.principal):
            yield holder[held.policy]
        for attachment in ATTACHMENTS.get(holder.type, ()):
            if attachment.kind == kind and names_it(attachment.principal):
                for arn in holder.each(attachment.policy):
                    yield from _customer_policy(stack, arn)
        users, groups = MEMBERSHIPS.get(holder.type, ("", ""))
        if users and kind == "user" and names_it(users):
            for group in holder.each(groups):
                yield from _policies_of(stack, "group", group)

    return each(stack.all(), given_by)


def _customer_policy(stack: Stack, arn: Any) -> Iterator[Any]:
    """Yield the document of the customer policy with this ARN; its path and name are known before the ARN."""
    path_and_name = arn.partition(":policy")[2] if isinstance(arn, str) else ""

    def look(policy: Resource) -> Iterator[Any]:
        if same(f"{policy['path'] or '/'}{policy['name']}", path_and_name):
            yield policy["policy"]

    return each(stack.all(POLICY), look)


def denies_without_mfa(document: Any) -> bool:
    """Return whether a policy denies everything but EXEMPT without MFA, and nothing with it."""
    found = statements(document)
    if isinstance(found, Unreadable):
        return False
    denials = [
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": statement.condition}
        for statement in found
        if not statement.allows and _covers_everything(statement)
    ]
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [everything, *denials]}
    verdict = partial(by_identity, policy, "iam:CreateUser", "*")
    without = {verdict(), verdict(MultiFactorAuthPresent="false")}
    with_mfa = verdict(MultiFactorAuthPresent="true", MultiFactorAuthAge="1")
    return without == {Verdict.DENIED} and with_mfa is Verdict.ALLOWED


def _covers_everything(statement: Statement) -> bool:
    """Return whether a Deny concerns every request; a condition on another key would let some pass."""
    actions = set(statement.actions)
    return (
        (bool(actions) and actions <= EXEMPT if statement.not_action else "*" in actions)
        and "*" in statement.resources
        and not statement.not_resource
        and all(key in _MFA_KEYS for _, key, _ in statement.conditions)
    )
