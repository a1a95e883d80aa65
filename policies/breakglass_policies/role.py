"""Who may assume the break-glass role, and for how long.

What a trust policy lets happen is asked of `alertpath.iam`: principals that the document could mean ask for
the role, and meet every condition that does not concern identity or MFA. That a user stands as a principal,
or a wildcard, is read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice, product
from typing import Any

from pulumi_policy import Severity
from pulumi_policy.proxy import UnknownValueError

from alertpath.iam.evaluate import AccessError, Principal, Request, Verdict, by_resource_policy
from breakglass import naming

from .access import Test, worst_case
from .policy import CIS_MFA, PREPARED_ACCESS, Problems, StackProblems, resource_policy, seconds, stack_policy
from .reading import Resource, Stack, any_known, each, is_ours, parse_arn, same
from .statements import Unreadable, allowing, has_wildcard, statements

ROLE = "aws:iam/role:Role"
USER = "aws:iam/user:User"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"

# A user by ARN, or by the unique id that IAM makes of it.
_USER = re.compile(r"arn:[^:]+:iam::[0-9]*:user/.*|AIDA[A-Z0-9]+", re.IGNORECASE | re.DOTALL)
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")

_STRANGER = "999999999999"
_ROLE_ACCOUNT = "000000000000"
"""No asker is of this account: within one account identity policies could decide instead."""
_VOUCHED: Mapping[str, Test] = dict.fromkeys(
    (
        "aws:multifactorauthpresent",
        "aws:multifactorauthage",
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principaltype",
        "aws:username",
    ),
    lambda value: "${" not in value,
)
"""Condition keys that follow from who asks and how they signed in, unless compared with a policy variable."""
_FRESH = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "1"}


def _texts(trust: Any) -> list[str]:
    """Return all texts by which a trust policy may tell who is let in, and who is not."""
    listed = statements(trust)
    found = [] if isinstance(listed, Unreadable) else listed
    principals = [name for statement in found for _, name in statement.principals]
    conditions = [values for statement in found for _, _, values in statement.conditions]
    return [*principals, *chain.from_iterable(conditions)]


def _named_users(trust: Any) -> set[str]:
    """Return the ARNs of the users that a trust policy names."""
    return {text for text in _texts(trust) if ":user/" in text and not has_wildcard(text)}


def _is_break_glass(role: Resource) -> bool:
    """Return whether a role is ours, or trusts a user of ours, as far as its trust policy is known."""
    if is_ours(role, "BreakGlassRole"):
        return True
    try:
        named = [arn.rpartition("/")[2] for arn in _named_users(role["assumeRolePolicy"])]
    except UnknownValueError:
        return False
    return any(same(name, usual) for name, usual in product(named, naming.DEFAULT_USER_NAMES))


def trusted_users(stack: Stack) -> set[str]:
    """Return the names of the users whom the stack's break-glass roles trust, as far as they are known."""

    def trusted(role: Resource) -> Iterable[str]:
        return _named_users(role["assumeRolePolicy"]) if _is_break_glass(role) else ()

    names: set[str] = set()
    with suppress(UnknownValueError):  # the policies on the role say so
        names.update(arn.rpartition("/")[2] for arn in each(stack.all(ROLE), trusted))
    return names


def _askers(trust: Any) -> list[str]:
    """Return ARNs of principals that a trust policy may let in: those it names or means, and strangers to it.

    A wildcard is filled in, so that those whom it lets in besides the named are among them.
    """
    texts = _texts(trust)
    accounts = [*(account for text in texts for account in _ACCOUNT.findall(text)), _STRANGER]
    resources = ["user/any", "role/any", "root"]
    for text in texts:
        name = text.rpartition(":")[2].replace("*", "x").replace("?", "x")
        resources.append(name if name.startswith(("user/", "role/")) else f"user/{name}")
    partitions = [*(text.split(":")[1] for text in texts if text.startswith("arn:")), naming.PARTITION]
    asking = product(partitions, accounts, resources)
    arns = (f"arn:{partition}:iam::{account}:{name}" for partition, account, name in asking)
    return list(dict.fromkeys(arns))


def _let_in(trust: Any, *contexts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each principal that a trust policy does not refuse, for each of the contexts, and why."""
    worst = worst_case(trust, _VOUCHED)
    for asker, context in product(_askers(trust), contexts):
        try:
            principal = Principal(arn=asker)
        except AccessError:  # not a principal; a text of some other condition
            continue
        is_user = ":user/" in asker
        identity = {
            "aws:PrincipalArn": asker,
            "aws:PrincipalAccount": principal.account or "",
            "aws:PrincipalType": "User" if is_user else "AssumedRole",
            **({"aws:username": asker.rpartition("/")[2]} if is_user else {}),
        }
        asked = Request(
            principal=principal,
            action="sts:AssumeRole",
            resource=f"arn:aws:iam::{_ROLE_ACCOUNT}:role/any",
            context={**context, **identity},
        )
        decision = by_resource_policy(worst, asked, resource_account=_ROLE_ACCOUNT)
        if decision.verdict is not Verdict.DENIED:
            yield asker, decision.reason


def _has_readable_trust(role: Resource) -> bool:
    """Return whether it is a break-glass role with a readable trust policy; one policy blocks the others."""
    return _is_break_glass(role) and isinstance(statements(role["assumeRolePolicy"]), list)


def _trusts_aws(role: Resource) -> bool:
    if not _has_readable_trust(role):
        return _is_break_glass(role)
    return any(
        statement.not_principal or any(kind == "aws" for kind, _ in statement.principals)
        for statement in allowing(role["assumeRolePolicy"])
    )


@resource_policy(
    "role-trust-requires-mfa",
    "The break-glass role is assumed with recent MFA",
    types=[ROLE],
    applies=_trusts_aws,
    severity=Severity.CRITICAL,
    framework=CIS_MFA,
    fix=(
        "Add Bool aws:MultiFactorAuthPresent true and NumericLessThanEquals aws:MultiFactorAuthAge to each "
        "statement that lets AWS principals in."
    ),
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
    config={
        "maxMfaAge": seconds(900, 129600, "Seconds after which a sign-in with MFA must no longer count."),
    },
)
def role_trust_requires_mfa(role: Resource) -> Problems:
    """The trust policy of the break-glass role must ask for a recent sign-in with MFA.

    Services and federated principals are not asked: they have no MFA in AWS.
    """
    trust = role["assumeRolePolicy"]
    found = statements(trust)
    if isinstance(found, Unreadable):
        yield (
            f"has a trust policy that could not be read: {found}, so nothing shows that it asks for "
            "MFA. Write it as a JSON object with one or more objects as Statement."
        )
        return
    for asker, reason in islice(_let_in(trust, {}, {"aws:MultiFactorAuthPresent": "false"}), 1):
        yield (
            f"lets {asker} in without MFA. Add the condition Bool aws:MultiFactorAuthPresent true "
            "(BoolIfExists also matches requests without the key, such as those with an access key). "
            f"{reason}"
        )
    limit = int(role.config["maxMfaAge"])
    too_old = {**_FRESH, "aws:MultiFactorAuthAge": str(limit + 1)}
    for asker, reason in islice(_let_in(trust, too_old), 1):
        yield (
            f"lets {asker} in with MFA of more than {limit} seconds ago. Add the condition "
            f"NumericLessThanEquals aws:MultiFactorAuthAge {limit} or less. {reason}"
        )


@resource_policy(
    "role-trust-only-named-users",
    "The break-glass role trusts its users only",
    types=[ROLE],
    applies=_has_readable_trust,
    severity=Severity.CRITICAL,
    fix=(
        "Name the users' account as the principal, and each user by its ARN, without wildcard, under "
        "ArnEquals aws:PrincipalArn."
    ),
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html",
)
def role_trust_only_named_users(role: Resource) -> Problems:
    """Only users of one account, each named by its ARN, may assume the break-glass role.

    Asked are another user, a role and the root user of each account that the trust policy mentions and of one
    that it does not, the named users' names in those accounts, and what its wildcards would let in.
    """
    trust = role["assumeRolePolicy"]
    named = _named_users(trust)
    let_in = dict(_let_in(trust, _FRESH))
    if not let_in:
        yield (
            "lets nobody in who signed in with MFA, so it is of no use in an emergency. Allow sts:AssumeRole "
            "to the account of its users, and name each user by its ARN under ArnEquals aws:PrincipalArn."
        )
    for other in [asker for asker in let_in if asker not in named][:1]:
        yield (
            f"lets {other} in, which its trust policy does not name. Name each user by its ARN under "
            f"ArnEquals aws:PrincipalArn. {let_in[other]}"
        )
    accounts = sorted({asker.split(":")[4] for asker in let_in if asker in named})
    if len(accounts) > 1:
        yield f"lets users of the accounts {' and '.join(accounts)} in. Keep the users in one account."
    for statement in allowing(trust):
        for kind, name in statement.principals:
            if kind != "aws" or ":sts:" in name:
                yield f"lets {kind} principal {name} in: {statement.where} of its trust policy. Remove it."


def _accounts_of_users(stack: Stack) -> set[str]:
    """Return the account of the stack's break-glass users, else that of the hub to which it relays."""

    def of_user(user: Resource) -> list[str]:
        return [user.account] if is_ours(user, "BreakGlassUser") and user.account else []

    buses = (parse_arn(target.known("arn")) for target in stack.all(EVENT_TARGET))
    hubs = {bus.account for bus in buses if bus.resource == f"event-bus/{naming.HUB.bus}"}
    return {*each(stack.all(USER), of_user)} or hubs


@stack_policy(
    "role-trust-users-of-hub",
    "The break-glass role trusts users of the hub's account",
    applies=lambda stack: any_known(stack.all(ROLE), _has_readable_trust) and bool(_accounts_of_users(stack)),
    severity=Severity.CRITICAL,
    fix="Name users of the account that holds the break-glass users and the hub.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
)
def role_trust_users_of_hub(stack: Stack) -> StackProblems:
    """The break-glass role must let in users of the account only that holds our users and the hub.

    Where the stack has no such user, it is the account of the hub's bus to which the stack relays.
    """
    accounts = _accounts_of_users(stack)

    def look(role: Resource) -> StackProblems:
        if not _has_readable_trust(role):
            return
        for asker, reason in _let_in(role["assumeRolePolicy"], _FRESH):
            if asker.split(":")[4] not in accounts:
                yield (
                    role,
                    f"lets {asker} in, but the break-glass users are in {' and '.join(sorted(accounts))}. "
                    f"Name users of that account. {reason}",
                )
                return

    return each(stack.all(ROLE), look)


@resource_policy(
    "role-trust-not-bare-user-arn",
    "The break-glass role survives its users",
    types=[ROLE],
    applies=_has_readable_trust,
    severity=Severity.HIGH,
    framework=PREPARED_ACCESS,
    fix="Name the account as the principal, and the users under ArnEquals aws:PrincipalArn.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
)
def role_trust_not_bare_user_arn(role: Resource) -> Problems:
    """The trust policy of the break-glass role must not name users as principals."""
    for statement in allowing(role["assumeRolePolicy"]):
        for kind, name in statement.principals:
            if kind == "aws" and _USER.fullmatch(name):
                yield (
                    f"names {name} as a principal: {statement.where} of its trust policy. IAM stores a "
                    "user's unique id, so nobody gets in once the user was deleted and created again. Name "
                    "the account (arn:aws:iam::<account>:root), and the user under ArnEquals "
                    "aws:PrincipalArn."
                )


@resource_policy(
    "role-trust-no-wildcard",
    "The break-glass role trusts nobody unnamed",
    types=[ROLE],
    applies=_has_readable_trust,
    severity=Severity.CRITICAL,
    fix="Name the users' account as the principal: arn:aws:iam::<account>:root.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
)
def role_trust_no_wildcard(role: Resource) -> Problems:
    """The trust policy of the break-glass role must have no wildcard and no NotPrincipal.

    This holds regardless of its conditions.
    """
    for statement in allowing(role["assumeRolePolicy"]):
        wildcards = [name for _, name in statement.principals if has_wildcard(name)]
        if statement.not_principal:
            named = "NotPrincipal, which lets everybody else in"
        elif wildcards:
            named = f"{', '.join(dict.fromkeys(wildcards))} as a principal"
        else:
            continue
        yield (
            f"has {named}: {statement.where} of its trust policy. One mistake in the conditions opens the "
            "role to every AWS account. Name the users' account as the principal."
        )


@resource_policy(
    "role-session-at-most",
    "Break-glass sessions end soon",
    types=[ROLE],
    applies=_is_break_glass,
    severity=Severity.MEDIUM,
    fix="Set maxSessionDuration to `maxSeconds` or less.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html",
    config={"maxSeconds": seconds(3600, 43200, "Longest session, in seconds.")},
)
def role_session_at_most(role: Resource) -> Problems:
    """Sessions of the break-glass role must not last longer than configured."""
    duration, limit = role["maxSessionDuration"], role.config["maxSeconds"]
    if duration is None:
        return  # IAM's default: an hour, the shortest there is
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        yield "has a maxSessionDuration that is not a number. Write it as a number of seconds."
    elif not duration <= limit:
        yield (
            f"has sessions of up to {duration:.0f} seconds; they must not outlive the emergency. Set "
            f"maxSessionDuration to {limit:.0f} or less."
        )
