"""Full control of IAM, judged by what can be done with a policy and not by how it is written.

A principal that may write IAM can often make itself administrator, and one or two actions suffice. ITSELF and
ANOTHER list the smallest sets that need nothing but what they make; `alertpath.iam` says whether a document
allows them on everything. Statements are asked without their conditions, and a Deny does not excuse an Allow:
a false positive costs one line of configuration, a miss can cost the account. Two conditions count, with
which AWS shows how to delegate IAM: on the boundary that a principal must have, and on the policies that may
be attached.

Not counted, because it takes what somebody else has, or needs more than IAM: an access key or password of an
existing administrator (iam:CreateAccessKey, iam:UpdateLoginProfile), the trust policy of an existing
administrator's role (iam:UpdateAssumeRolePolicy), an existing group (iam:AddUserToGroup) or policy version
(iam:SetDefaultPolicyVersion), iam:PassRole to a service. Keys and trust policies count where a NotAction
allows them on everything, which gives nearly all of IAM. Not counted either: the same on a part of the names,
such as role/app-*, and what the holder gets by several policies together, the inline ones of one role
excepted.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
lists the actions and their resources.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import product
from typing import Any

from alertpath.iam.evaluate import Verdict
from alertpath.iam.wildcards import fits, tokens

from .access import ANY_ACCOUNT, STRANGER, by_identity
from .statements import Statement, Unreadable, has_wildcard, statements

_GRANT_TO_USER = ("iam:AttachUserPolicy", "iam:PutUserPolicy")
_GRANT_TO_ROLE = ("iam:AttachRolePolicy", "iam:PutRolePolicy")
_GRANT_TO_GROUP = ("iam:AttachGroupPolicy", "iam:PutGroupPolicy")

ITSELF: dict[str, tuple[str, ...]] = {
    "user": _GRANT_TO_USER,
    "role": _GRANT_TO_ROLE,
    "group": (*_GRANT_TO_USER, *_GRANT_TO_GROUP),
    # A customer policy may be attached to any of them, and its holder may write a new version of it.
    "policy": (*_GRANT_TO_USER, *_GRANT_TO_ROLE, *_GRANT_TO_GROUP, "iam:CreatePolicyVersion"),
}
"""By what holds the policy, the actions of which one suffices: the holder grants itself everything."""

ANOTHER: tuple[tuple[str, str], ...] = (
    # A role that trusts the holder and may do everything.
    *product(("iam:CreateRole", "iam:UpdateAssumeRolePolicy"), _GRANT_TO_ROLE),
    # A user whose credentials the holder makes and that may do everything.
    *product(("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"), _GRANT_TO_USER),
    # A group that may do everything, for a user that the holder is or has credentials of.
    *product(("iam:AddUserToGroup",), _GRANT_TO_GROUP),
)
"""Pairs of actions with which any holder makes another principal administrator and acts as that one."""

EXISTING = ("iam:CreateAccessKey", "iam:UpdateAssumeRolePolicy")
"""Actions of which one suffices under NotAction: they make the holder an existing administrator."""

_LIFTING = (
    "iam:CreatePolicyVersion",
    *(f"iam:{verb}{kind}PermissionsBoundary" for verb in ("Put", "Delete") for kind in ("User", "Role")),
)
"""Actions that lift a limit to certain boundaries or policies."""

_NAMES = ("any", "team/Quite-another_one")
"""Names of what is asked about, with nothing in common that a pattern could leave out."""

_ASKED = frozenset(
    action.lower() for way in (*ITSELF.values(), *ANOTHER, EXISTING, _LIFTING) for action in way
)

AWS_MANAGED: dict[str, tuple[str, ...]] = {
    "AWSCodeStarServiceRole": ("user", "group"),
    "AWSMcpServiceActionsFullAccess": ("user", "role", "group"),
    "AdministratorAccess": ("user", "role", "group"),
    "AdministratorAccess-Amplify": ("user", "role", "group"),
    "IAMFullAccess": ("user", "role", "group"),
}
"""Policies of AWS that give full control of IAM, and which principals they give it to.

An attachment names a policy of AWS without its text, so the texts are judged beforehand: moto 5.2 has those
of 1,582 policies, from https://github.com/zoph-io/MAMIP, and a test judges them again.
"""
_AWS_MANAGED_ARN = re.compile(r"arn:[^:]+:iam::aws:policy/(?:.*/)?([^/]+)", re.IGNORECASE)
_MANAGED = {name.lower(): holders for name, holders in AWS_MANAGED.items()}  # IAM compares names without case

_KINDS = {"Group": "group", "Role": "role", "User": "user", "AccessKey": "user", "LoginProfile": "user"}
"""What an action is about, by the first word that is in it: AddUserToGroup is about a group."""
_OWN_ACCOUNT = re.compile(r"\d{12}|\$\{aws:(?:Principal|Resource)Account\}", re.IGNORECASE)
_SOME_ACCOUNTS = re.compile(r"((?:[^:]*:){4})(?=[^:]*[*?])([0-9*?]+)(?=:|$)")


def is_full_control_of_aws(arn: Any, held_by: str) -> bool:
    """Return whether an ARN is of a policy of AWS, in any partition, that gives its holder full control."""
    found = _AWS_MANAGED_ARN.fullmatch(arn) if isinstance(arn, str) else None
    return found is not None and held_by in _MANAGED.get(found[1].lower(), ())


def full_control(document: Any, held_by: str, *others: Any) -> tuple[str, ...] | Unreadable:
    """Return the actions of an identity policy that make its holder administrator; empty if there are none.

    It is held by a `user`, `role` or `group`, perhaps with others, or, as a customer policy, by a `policy`.
    """
    found: list[Statement] = []
    for listed in map(statements, (document, *others)):
        if isinstance(listed, Unreadable):
            return listed
        found += listed
    asked = _at_worst(statement for statement in found if not _limited_to(statement))
    limits = {name for statement in found for name in _limited_to(statement)}
    if limits and any(_allows(asked, *lifts) for lifts in product(_LIFTING, (*limits, *_NAMES))):
        asked = _at_worst(found)
    all_but = _at_worst(statement for statement in found if statement.not_action)
    ways = [
        *((asked, way) for way in (*((action,) for action in ITSELF[held_by]), *ANOTHER)),
        *((all_but, (action,)) for action in EXISTING),
    ]
    for (policy, way), name in product(ways, _NAMES):
        if policy["Statement"] and all(_allows(policy, action, name) for action in way):
            return way
    return ()


def _at_worst(found: Iterable[Statement]) -> dict[str, Any]:
    """Return a policy of the Allow statements that concern IAM, without conditions, for the asked account."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "NotAction" if statement.not_action else "Action": actions,
                "NotResource" if statement.not_resource else "Resource": [
                    _in_this_account(pattern, excepted=statement.not_resource)
                    for pattern in statement.resources
                ],
            }
            for statement in found
            if statement.allows and (statement.resources or statement.not_resource)
            for actions in [[*filter(_may_be_asked, statement.actions)]]
            if actions or statement.not_action
        ],
    }


def _limited_to(statement: Statement) -> list[str]:
    """Return the policies, by name, that keep what a statement grants below full control.

    They are the boundaries to have, or the policies to attach: named one by one, and none is full control.
    """
    attaches = all(action.startswith(("iam:attach", "iam:detach")) for action in statement.actions)
    keys = ("iam:permissionsboundary", "iam:policyarn") if attaches else ("iam:permissionsboundary",)
    for operator, key, values in () if statement.not_action else statement.conditions:
        if operator in ("StringEquals", "ArnEquals") and key in keys and not any(map(_is_loose, values)):
            return [value.partition(":policy/")[2] for value in values]
    return []


def _is_loose(arn: str) -> bool:
    """Return whether a text is more than the ARN of one policy, or of one that is full control itself."""
    return has_wildcard(arn) or "${" in arn or any(is_full_control_of_aws(arn, kind) for kind in ITSELF)


@lru_cache(maxsize=1 << 12)
def _may_be_asked(action: str) -> bool:
    """Return whether a pattern, in lower case, may match an action that is asked about; most do not."""
    return ":" not in action or any(fits(tokens(action), asked) for asked in _ASKED)


def _in_this_account(pattern: str, *, excepted: bool) -> str:
    """Return an ARN for the account and partition of the questions, in which alone a policy acts.

    An account that is excepted may be another one; of those that a wildcard means the own one may be one.
    """
    pattern = re.sub(r"^arn:aws[a-z-]*:", "arn:aws:", pattern)
    head = _SOME_ACCOUNTS.match(pattern)
    if head and head[2].strip("*"):
        return f"{head[1]}{STRANGER if excepted else '*'}{pattern[head.end() :]}"
    return pattern if excepted else _OWN_ACCOUNT.sub(ANY_ACCOUNT, pattern)


def _allows(policy: dict[str, Any], action: str, name: str) -> bool:
    """Return whether a policy allows an action on a user, role, group or policy of this path and name."""
    kind = next((kind for word, kind in _KINDS.items() if word in action), "policy")
    resource = f"arn:aws:iam::{ANY_ACCOUNT}:{kind}/{name}"
    return by_identity(policy, action, resource, username=name.rpartition("/")[2]) is not Verdict.DENIED
