"""Full control of IAM, judged by what can be done with a policy and not by how it is written.

A principal that may write IAM can often make itself administrator, and one or two actions suffice. ITSELF and
ANOTHER list the smallest sets that need nothing but what they make; `alertpath.iam` says whether a document
allows them on everything. Statements are asked without their conditions, and a Deny does not excuse an Allow:
a false positive costs one line of configuration, a miss can cost the account.

Not counted, because it takes what somebody else has, or needs more than IAM: an access key or password of an
existing administrator (iam:CreateAccessKey, iam:UpdateLoginProfile), the trust policy of an existing
administrator's role (iam:UpdateAssumeRolePolicy), an existing group (iam:AddUserToGroup) or policy version
(iam:SetDefaultPolicyVersion), iam:PassRole to a service. Not counted either: the same on a part of the names,
such as role/app-*.

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
from .statements import Statement, Unreadable, statements

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

_NAMES = ("any", "team/Quite-another_one")
"""Names of what is asked about, with nothing in common that a pattern could leave out."""

_ASKED = frozenset(action.lower() for way in (*ITSELF.values(), *ANOTHER) for action in way)

AWS_MANAGED: dict[str, tuple[str, ...]] = {
    "AWSCodeStarServiceRole": ("user", "group"),
    "AWSMcpServiceActionsFullAccess": ("user", "role", "group"),
    "AWSQuickSetupDistributorPermissionsBoundary": ("role",),
    "AWSQuickSetupManagedInstanceProfileExecutionPolicy": ("role",),
    "AWSQuickSetupPatchPolicyPermissionsBoundary": ("role",),
    "AWSQuickSetupSSMHostMgmtPermissionsBoundary": ("role",),
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


def full_control(document: Any, held_by: str) -> tuple[str, ...] | Unreadable:
    """Return the actions of an identity policy that make its holder administrator; empty if there are none.

    It is held by a `user`, `role` or `group`, or, as a customer policy, by a `policy`.
    """
    found = statements(document)
    if isinstance(found, Unreadable):
        return found
    asked = _without_conditions(found)
    if not asked["Statement"]:
        return ()
    ways = [*((action,) for action in ITSELF[held_by]), *ANOTHER]
    asking = product(ways, _NAMES)
    return next((way for way, name in asking if all(_allows(asked, action, name) for action in way)), ())


def _without_conditions(found: Iterable[Statement]) -> dict[str, Any]:
    """Return a policy of the Allow statements that concern IAM, for the account of the questions."""
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
