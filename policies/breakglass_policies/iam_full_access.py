"""Full control of IAM: it blocks unless it is accepted with a reason, and what is accepted is always shown.

Whoever may write IAM may take every other permission, so IAMFullAccess is as good as AdministratorAccess.
AWS managed policies are found where they are attached, inline and customer policies where their document is.
Not seen: permission sets of IAM Identity Center, and customer policies that another program creates.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)
from pulumi_policy.proxy import UnknownValueError

from .documents import Unreadable, full_access_findings, parse
from .framework import EMERGENCY_ACCESS
from .plain import items, known_name, plain, title, unknown_last

# Any partition (aws, aws-cn, aws-us-gov, …). Without case, because IAM compares policy names so.
_FULL_ACCESS_ARN = re.compile(r"arn:[^:]+:iam::aws:policy/(IAMFullAccess|AdministratorAccess)", re.IGNORECASE)

ROLE = "aws:iam/role:Role"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which property of a resource type holds the policy, and which one whom it is attached to."""

    kind: str
    principal: str
    policy: str
    many_principals: bool = False


ATTACHMENTS: dict[str, tuple[Place, ...]] = {
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (
        Place(kind="role", principal="role", policy="policyArn"),
    ),
    "aws:iam/userPolicyAttachment:UserPolicyAttachment": (
        Place(kind="user", principal="user", policy="policyArn"),
    ),
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment": (
        Place(kind="group", principal="group", policy="policyArn"),
    ),
    "aws:iam/policyAttachment:PolicyAttachment": (
        Place(kind="user", principal="users", policy="policyArn", many_principals=True),
        Place(kind="role", principal="roles", policy="policyArn", many_principals=True),
        Place(kind="group", principal="groups", policy="policyArn", many_principals=True),
    ),
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": (
        Place(kind="role", principal="roleName", policy="policyArns"),
    ),
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive": (
        Place(kind="user", principal="userName", policy="policyArns"),
    ),
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive": (
        Place(kind="group", principal="groupName", policy="policyArns"),
    ),
    ROLE: (Place(kind="role", principal="name", policy="managedPolicyArns"),),
}
"""Resource types that attach managed policies, by ARN."""

DOCUMENTS: dict[str, Place] = {
    "aws:iam/policy:Policy": Place(kind="policy", principal="name", policy="policy"),
    "aws:iam/rolePolicy:RolePolicy": Place(kind="role", principal="role", policy="policy"),
    "aws:iam/userPolicy:UserPolicy": Place(kind="user", principal="user", policy="policy"),
    "aws:iam/groupPolicy:GroupPolicy": Place(kind="group", principal="group", policy="policy"),
}
"""Resource types that hold one policy document."""

INLINE_POLICIES = "inlinePolicies"
"""Property of a role: a list of `name` and `policy`."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Full control of IAM, given by one policy to one principal."""

    kind: str
    name: str | None
    """Name of the principal; None while it is not known."""
    policy: str | None
    """ARN of the managed policy, or name of the inline or customer policy; None while it is not known."""
    findings: tuple[str, ...]
    """What gives the access: `Policy::<ARN>`, `Action::iam:*`, `Resource::*`."""

    @property
    def attached_to(self) -> str:
        """The principal as the pack configuration writes it: role/BreakGlassRole."""
        return f"{self.kind}/{self.name}" if self.name else f"{self.kind} (name not known until deployment)"

    @property
    def policy_name(self) -> str:
        """The policy's name without the rest of its ARN."""
        return self.policy.rpartition("/")[2] if self.policy else "a policy (name not known until deployment)"


@dataclass(frozen=True, kw_only=True)
class Unproven:
    """A policy document that cannot be shown to be free of full access."""

    where: str
    reason: str


def find(args: ResourceValidationArgs) -> Iterator[Grant | Unproven]:
    """Yield every grant of full control of IAM in a resource, and every policy document that cannot be read.

    Raises:
        UnknownValueError: a policy is not known until deployment; raised after the known ones were yielded.
    """
    found = [_attached(args.props, place) for place in ATTACHMENTS.get(args.resource_type, ())]
    if args.resource_type in DOCUMENTS:
        found.append(_held(args, DOCUMENTS[args.resource_type]))
    if args.resource_type == ROLE:
        found.append(_inline(args))
    return unknown_last(*found)


def _attached(props: Mapping[str, Any], place: Place) -> Iterator[Grant | Unproven]:
    arns = items(props.get(place.policy))
    yield from unknown_last(*(_attached_arn(props, place, arns, index) for index in range(len(arns))))


def _attached_arn(
    props: Mapping[str, Any], place: Place, arns: Sequence[Any], index: int
) -> Iterator[Grant | Unproven]:
    arn = plain(arns[index])
    if isinstance(arn, str) and _FULL_ACCESS_ARN.fullmatch(arn):
        for name in _principals(props, place):
            yield Grant(kind=place.kind, name=name, policy=arn, findings=(f"Policy::{arn}",))


def _principals(props: Mapping[str, Any], place: Place) -> list[str | None]:
    """Return whom the resource names; None for a name that is not known until deployment."""
    if not place.many_principals:
        return [known_name(props, place.principal)]
    try:
        names = items(props.get(place.principal))
    except UnknownValueError:
        return [None]
    return [known_name(names, index) for index in range(len(names))]


def _held(args: ResourceValidationArgs, place: Place) -> Iterator[Grant | Unproven]:
    yield from _judged(
        args.props.get(place.policy),
        where=title(args.resource_type, args.name),
        kind=place.kind,
        name=known_name(args.props, place.principal),
        policy=known_name(args.props, "name"),
    )


def _inline(args: ResourceValidationArgs) -> Iterator[Grant | Unproven]:
    policies = items(args.props.get(INLINE_POLICIES))
    yield from unknown_last(*(_inline_policy(args, policies, index) for index in range(len(policies))))


def _inline_policy(
    args: ResourceValidationArgs, policies: Sequence[Any], index: int
) -> Iterator[Grant | Unproven]:
    where = f"inline policy {index + 1} of {title(args.resource_type, args.name)}"
    entry = policies[index]
    if not isinstance(entry, Mapping):
        yield Unproven(where=where, reason="its entry is not an object")
    elif entry.get("policy") not in (None, ""):  # an empty entry takes the role's inline policies away
        yield from _judged(
            entry["policy"],
            where=where,
            kind="role",
            name=known_name(args.props, "name"),
            policy=known_name(entry, "name"),
        )


def _judged(
    document: Any, *, where: str, kind: str, name: str | None, policy: str | None
) -> Iterator[Grant | Unproven]:
    statements = parse(plain(document))
    if isinstance(statements, Unreadable):
        yield Unproven(where=where, reason=statements.reason)
    elif findings := full_access_findings(statements):
        yield Grant(kind=kind, name=name, policy=policy, findings=tuple(findings))


def block_full_access(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report full control of IAM that the configuration does not accept, and documents that cannot be read.

    Raises:
        UnknownValueError: a policy is not known until deployment; raised after the known ones were reported.
    """
    _only_for_iam(args)
    for finding in find(args):
        if isinstance(finding, Unproven):
            report(
                f"could not read the policy document of {finding.where}: {finding.reason}, so it cannot be "
                "shown to be free of iam:*. Write it as a JSON object with one or more objects as Statement.",
                args.urn,
            )
        elif _accepted_reason(args, finding) is None:
            report(_blocked(args, finding), args.urn)


def show_accepted_full_access(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report every grant of full control of IAM with the reason why it is accepted, or that there is none.

    Raises:
        UnknownValueError: a policy is not known until deployment; raised after the known ones were reported.
    """
    _only_for_iam(args)
    for grant in find(args):
        if isinstance(grant, Unproven):
            continue  # iam-full-access blocks it
        what = f"{grant.policy_name} on {grant.attached_to}"
        if reason := _accepted_reason(args, grant):
            report(f"{what} is accepted: {reason}", args.urn)
        else:
            report(
                f"{what} ({title(args.resource_type, args.name)}): no reason is listed for it under "
                "iam-full-access-accepted in the pack configuration: list it in both, or remove it.",
                args.urn,
            )


def _only_for_iam(args: ResourceValidationArgs) -> None:
    if args.resource_type not in ATTACHMENTS and args.resource_type not in DOCUMENTS:
        args.not_applicable("the resource neither attaches nor holds an IAM policy")


def _accepted_reason(args: ResourceValidationArgs, grant: Grant) -> str | None:
    for entry in args.get_config().get("accepted", []):
        if (entry["attachedTo"], entry["policy"]) == (grant.attached_to, grant.policy):
            return entry["reason"]
    return None


def _blocked(args: ResourceValidationArgs, grant: Grant) -> str:
    if grant.name is None or grant.policy is None:
        fix = "It cannot be accepted while a name is unknown: state the names in the program."
    else:
        entry = {
            "attachedTo": grant.attached_to,
            "policy": grant.policy,
            "reason": "<at least 10 characters>",
        }
        fix = (
            f"Or accept it: add {json.dumps(entry, ensure_ascii=False)} to `accepted` of iam-full-access "
            "and of iam-full-access-accepted in the pack configuration."
        )
    return (
        f"{title(args.resource_type, args.name)}: {grant.policy_name} gives {grant.attached_to} full control "
        f"of IAM [{', '.join(grant.findings)}], and with it of the account. Grant less. {fix}"
    )


_ACCEPTED = PolicyConfigSchema(
    properties={
        "accepted": {
            "type": "array",
            "description": "Grants of full control of IAM that are wanted, one by one, without wildcards.",
            "default": [],
            "items": {
                "type": "object",
                "required": ["attachedTo", "policy", "reason"],
                "additionalProperties": False,
                "properties": {
                    "attachedTo": {
                        "type": "string",
                        "description": "role/, user/, group/ or (customer) policy/, and its name.",
                        "pattern": r"^(role|user|group|policy)/[A-Za-z0-9_+=,.@-]+$",
                    },
                    "policy": {
                        "type": "string",
                        "description": "ARN of the managed policy, or name of the inline or customer policy.",
                        "pattern": r"^[^*?]+$",
                    },
                    "reason": {
                        "type": "string",
                        "description": "Why the grant is needed; shown in every preview.",
                        "minLength": 10,
                        "pattern": r"^\S",
                    },
                },
            },
        }
    }
)

IAM_FULL_ACCESS = ResourceValidationPolicy(
    name="iam-full-access",
    display_name="IAM full access is accepted or blocked",
    description="Full control of IAM, as IAMFullAccess or by other means, must be accepted with a reason.",
    validate=block_full_access,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=EMERGENCY_ACCESS,
    config_schema=_ACCEPTED,
    remediation_steps=(
        "Attach a narrower policy. Where the grant is wanted, list attachedTo, policy and reason under "
        "`accepted` of iam-full-access and of iam-full-access-accepted in policies/config/<stack>.json."
    ),
    url="https://docs.aws.amazon.com/aws-managed-policy/latest/reference/IAMFullAccess.html",
)

IAM_FULL_ACCESS_ACCEPTED = ResourceValidationPolicy(
    name="iam-full-access-accepted",
    display_name="Accepted IAM full access is shown",
    description="Full control of IAM is shown at every preview with the reason why it is accepted.",
    validate=show_accepted_full_access,
    enforcement_level=EnforcementLevel.ADVISORY,
    severity=Severity.MEDIUM,
    framework=EMERGENCY_ACCESS,
    config_schema=_ACCEPTED,
    remediation_steps=(
        "Nothing to do while the reason holds. Otherwise remove the grant, and its entry under `accepted` of "
        "iam-full-access and of iam-full-access-accepted in policies/config/<stack>.json."
    ),
    url="https://docs.aws.amazon.com/aws-managed-policy/latest/reference/IAMFullAccess.html",
)
