"""Full control of IAM: it blocks unless it is accepted with a reason, and what is accepted is always shown.

A principal that may write IAM may take every other permission, so IAMFullAccess is as good as
AdministratorAccess. AWS managed policies are found where they are attached, inline and customer policies
where their document is. Not seen: permission sets of IAM Identity Center, and customer policies that another
program creates.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from pulumi_policy import EnforcementLevel, Severity
from pulumi_policy.proxy import UnknownValueError

from .full_control import full_control, is_full_control_of_aws
from .policy import Problems, resource_policy
from .reading import NAMES, Resource, as_json, each, in_component, items, known_text, members
from .statements import Unreadable

ROLE = "aws:iam/role:Role"
INLINE_POLICIES = "inlinePolicies"
"""Property of a role: a list of `name` and `policy`."""


class Attachment(NamedTuple):
    """Which property of a resource type names the principals, and which one the policy that they get."""

    kind: str
    principal: str
    policy: str


_KINDS = ("user", "role", "group")

ATTACHMENTS: dict[str, tuple[Attachment, ...]] = {
    **{
        f"aws:iam/{kind}{attaches}:{kind.title()}{attaches}": (Attachment(kind, f"{kind}{name}", policy),)
        for attaches, name, policy in (
            ("PolicyAttachment", "", "policyArn"),
            ("PolicyAttachmentsExclusive", "Name", "policyArns"),
        )
        for kind in _KINDS
    },
    "aws:iam/policyAttachment:PolicyAttachment": tuple(
        Attachment(kind, f"{kind}s", "policyArn") for kind in _KINDS
    ),
    ROLE: (Attachment("role", "name", "managedPolicyArns"),),
}
"""Resource types that attach managed policies, by ARN."""

DOCUMENTS: dict[str, Attachment] = {
    "aws:iam/policy:Policy": Attachment("policy", "name", "policy"),
    **{f"aws:iam/{kind}Policy:{kind.title()}Policy": Attachment(kind, kind, "policy") for kind in _KINDS},
}
"""Resource types that hold one policy document."""

_LISTS = frozenset(f"{kind}s" for kind in _KINDS)
_TYPES = (*ATTACHMENTS, *DOCUMENTS)
_MANAGED_POLICY = "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/IAMFullAccess.html"


class Grant(NamedTuple):
    """Full control of IAM, given by one policy to one principal.

    Attributes:
        kind: `user`, `role`, `group`, or `policy` for a customer policy.
        name: Name of the principal or customer policy; None while it is not known.
        policy: ARN of the managed policy, or name of the inline or customer policy; None while it is not
            known.
        means: What gives the control: the actions, or the managed policy.
    """

    kind: str
    name: str | None
    policy: str | None
    means: tuple[str, ...]

    @property
    def attached_to(self) -> str:
        """The principal as the pack configuration writes it: role/BreakGlassRole."""
        return f"{self.kind}/{self.name}" if self.name else f"{self.kind} (name not known until deployment)"

    @property
    def policy_name(self) -> str:
        """The policy's name without the rest of its ARN."""
        return self.policy.rpartition("/")[2] if self.policy else "a policy (name not known until deployment)"


def grants(resource: Resource) -> Iterator[Grant | Unreadable]:
    """Yield every grant of full control of IAM in a resource, and every policy document that cannot be read.

    The known ones come before UnknownValueError is raised.
    """
    sources = [_attached(resource, attachment) for attachment in ATTACHMENTS.get(resource.type, ())]
    if held := DOCUMENTS.get(resource.type):
        sources.append(_held(resource, held))
    if resource.type == ROLE:
        sources.append(_inline(resource))
    return each(sources, iter)


def _attached(resource: Resource, attachment: Attachment) -> Iterator[Grant | Unreadable]:
    for arn in resource.each(attachment.policy):
        if is_full_control_of_aws(arn, attachment.kind):
            for name in _principals(resource, attachment.principal):
                yield Grant(attachment.kind, name, arn, (f"policy {arn}",))


def _principals(resource: Resource, property_name: str) -> list[str | None]:
    """Return the names of the principals; None for a name that is not known until deployment."""
    if property_name not in _LISTS:
        return [resource.known(property_name)]
    try:
        names = items(resource.of.props.get(property_name))
    except UnknownValueError:
        return [None]
    return [known_text(names, index) for index in range(len(names))]


def _held(resource: Resource, held: Attachment) -> Iterator[Grant | Unreadable]:
    name, policy = resource.known(held.principal), resource.known("name")
    yield from _judged([resource[held.policy]], "its policy document", held.kind, name, policy)


def _inline(role: Resource) -> Iterator[Grant | Unreadable]:
    entries = items(role.of.props.get(INLINE_POLICIES))
    less: list[tuple[str | None, Any]] = []

    def judge(index: int) -> Iterator[Grant | Unreadable]:
        where = f"its inline policy {index + 1}"
        if not isinstance(entries[index], Mapping):
            yield Unreadable(f"{where}: its entry is not an object")
            return
        entry = members(entries[index])
        if entry.get("policy") not in (None, ""):  # an empty entry takes the role's inline policies away
            name, policy = role.known("name"), known_text(entry, "name")
            document = as_json(entry["policy"])
            found = [*_judged([document], where, "role", name, policy)]
            if not found:
                less.append((policy, document))
            yield from found

    def together() -> Iterator[Grant | Unreadable]:
        if len(less) > 1:
            names = [name for name, _ in less if name]
            policy = " and ".join(names) if len(names) == len(less) else None
            documents = [document for _, document in less]
            yield from _judged(documents, "its inline policies", "role", role.known("name"), policy)

    return each([each(range(len(entries)), judge), together()], iter)


def _judged(
    documents: list[Any], where: str, kind: str, name: str | None, policy: str | None
) -> Iterator[Grant | Unreadable]:
    means = full_control(documents[0], kind, *documents[1:])
    if isinstance(means, Unreadable):
        yield Unreadable(f"{where}: {means}")
    elif means:
        yield Grant(kind, name, policy, means)


def _text(description: str, **limits: str | int) -> dict[str, Any]:
    return {"type": "string", "description": description, **limits}


@resource_policy(
    "iam-full-access",
    "IAM full access is accepted or blocked",
    types=_TYPES,
    severity=Severity.CRITICAL,
    fix=(
        "Attach a narrower policy. Where the grant is wanted, list attachedTo, policy and reason under "
        "`accepted` of iam-full-access in policies/config.json."
    ),
    url=_MANAGED_POLICY,
    config={
        "accepted": {
            "type": "array",
            "description": "Grants of full control of IAM that are wanted, one by one, without wildcards.",
            "default": [],
            "items": {
                "type": "object",
                "required": ["attachedTo", "policy", "reason"],
                "additionalProperties": False,
                "properties": {
                    "attachedTo": _text(
                        "role/, user/, group/ or (customer) policy/, and its name; or one of our components, "
                        "whatever name the settings give.",
                        pattern=r"^((role|user|group|policy)/[A-Za-z0-9_+=,.@-]+|"
                        r"breakglass:index:BreakGlass(Role|User))$",
                    ),
                    "policy": _text(
                        "ARN of the managed policy, or name of the inline or customer policy.",
                        pattern=r"^[^*?]+$",
                    ),
                    "reason": _text(
                        "Why the grant is needed; shown in every preview.", minLength=10, pattern=r"^\S"
                    ),
                },
            },
        }
    },
)
def iam_full_access(resource: Resource) -> Problems:
    """Full control of IAM, as IAMFullAccess or by other means, must be accepted with a reason."""
    for grant in grants(resource):
        if isinstance(grant, Unreadable):
            yield (
                f"has a policy that could not be read, so it may give full control of IAM: {grant}. "
                " Write it as a JSON object with one or more objects as Statement."
            )
        elif _reason(resource, grant) is None:
            entry = {"attachedTo": _names(resource, grant)[-1], "policy": grant.policy}
            entry["reason"] = "<at least 10 characters>"
            yield (
                f"gives {grant.attached_to} full control of IAM, and with it of the account, by "
                f"{grant.policy_name} [{', '.join(grant.means)}]. Grant less. "
                + (
                    f"Or accept it: add {json.dumps(entry, ensure_ascii=False)} to `accepted` of "
                    "iam-full-access in the pack's configuration, such as policies/config.json."
                    if grant.name and grant.policy
                    else "It cannot be accepted while a name is unknown: state the names in the program."
                )
            )


def _reason(resource: Resource, grant: Grant) -> str | None:
    """Return why the configuration accepts a grant, None if it does not."""
    names, accepted = _names(resource, grant), resource.config["accepted"]
    reasons = (
        one["reason"] for one in accepted if one["attachedTo"] in names and one["policy"] == grant.policy
    )
    return next(reasons, None)


def _names(resource: Resource, grant: Grant) -> list[str]:
    """Return how the configuration may name who gets a grant; the last is the best."""
    ours = [name for name in NAMES if in_component(resource, name)]
    return [grant.attached_to, *(f"breakglass:index:{name}" for name in ours)]


@resource_policy(
    "iam-full-access-accepted",
    "Accepted IAM full access is shown",
    types=_TYPES,
    severity=Severity.MEDIUM,
    level=EnforcementLevel.ADVISORY,
    # Two levels need two policies; so that a grant is accepted in one place, both read the first one's.
    config_of="iam-full-access",
    fix=(
        "Nothing to do while the reason holds. Otherwise remove the grant, and its entry under `accepted` of "
        "iam-full-access in policies/config.json."
    ),
    url=_MANAGED_POLICY,
)
def iam_full_access_accepted(resource: Resource) -> Problems:
    """Full control of IAM is shown at every preview with the reason why it is accepted."""
    with suppress(UnknownValueError):  # iam-full-access speaks of it, and of grants that are not accepted
        for grant in grants(resource):
            if isinstance(grant, Grant) and (reason := _reason(resource, grant)):
                said = f"gives {grant.attached_to} full control of IAM by {grant.policy_name}"
                yield f"{said}. It is accepted: {reason}"
