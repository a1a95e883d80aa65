"""The caller of a request, and whether the `Principal` element of a policy names it.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from enum import Enum

from alertpath.iam.answer import Answer, shown, some, texts_of

ACCOUNT = re.compile(r"[0-9]{12}")
_PRINCIPAL_ARN = re.compile(
    r"arn:[a-z-]+:(?:iam::[0-9]{12}:(?:root|(?:user|role)/[^*?:]+)"
    r"|sts::[0-9]{12}:(?:assumed-role/[^*?:/]+/[^*?:/]+|federated-user/[^*?:]+))"
)
_UNIQUE_ID = re.compile(r"(AIDA|AROA)[A-Z0-9]{8,}")


class AccessError(ValueError):
    """The request is wrong, such as a principal that is neither service nor ARN; no document raises this."""


@dataclass(frozen=True, kw_only=True)
class Principal:
    """The caller: an AWS service or an IAM identity.

    Attributes:
        service: Such as `events.amazonaws.com`.
        arn: Of an IAM user, a role, a role session (`assumed-role/NAME/SESSION`) or the account's root.

    Raises:
        AccessError: Not exactly one of service and ARN is given, or the ARN is not that of a principal.
    """

    service: str | None = None
    arn: str | None = None

    def __post_init__(self) -> None:
        """Checks the principal."""
        if (self.service is None) == (self.arn is None):
            raise AccessError("a principal is either a service or an ARN; give exactly one")
        if self.arn is not None and not _PRINCIPAL_ARN.fullmatch(self.arn):
            raise AccessError(f"{shown(self.arn)} is not the ARN of a user, role, role session or root")

    @property
    def account(self) -> str | None:
        """The account of the ARN; None for a service."""
        return self.arn.split(":")[4] if self.arn is not None else None


class Named(Enum):
    """How a Principal element names the caller; what it grants depends on it."""

    ITSELF = "the user, the role session, the service or everybody"
    ROLE = "the role of the session"
    ACCOUNT = "the account"


def names(element: object, caller: Principal, how: Set[Named]) -> Answer:
    """Whether a `Principal` element names the caller, in one of these ways."""
    found = list(_entries(element, caller))
    notes = [answer.why for _, answer in found if answer.holds is False and answer.why]
    if any(answer.holds for way, answer in found if way not in how):
        notes.append("its Principal is the account, which leaves the decision to identity policies")
    counting = [answer for way, answer in found if way in how]
    return some(counting, "; ".join(notes) or f"its Principal is not {caller.service or caller.arn}")


def left_out(element: object, caller: Principal) -> Answer:
    """Whether a `NotPrincipal` element does not list the caller, so that its Deny applies.

    To exempt the caller, the list must also have its account, and for a session the role
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html). If one
    of them is missing, AWS "might" deny the entire account.
    """
    found = list(_entries(element, caller))
    arn = caller.arn or ""
    if caller.service is not None or arn.endswith(":root"):
        needed = {Named.ITSELF}
    elif ":role/" in arn:
        needed = {Named.ROLE, Named.ACCOUNT}
    else:
        needed = {Named.ITSELF, Named.ACCOUNT} | ({Named.ROLE} if ":assumed-role/" in arn else set())
    present = {how for how, answer in found if answer.holds}
    if not present and all(answer.holds is False for _, answer in found):
        return Answer(True, "")
    if needed <= present:
        return Answer(False, f"its NotPrincipal leaves out {caller.service or caller.arn}")
    return Answer(None, "its NotPrincipal names a part of the principal and its account")


def _entries(value: object, caller: Principal) -> Iterator[tuple[Named, Answer]]:
    """Each entry of a Principal element: how it would name the caller, and whether it does."""
    if value == "*":
        yield Named.ITSELF, Answer(True, "")
        return
    if not isinstance(value, dict) or not value:
        yield Named.ITSELF, Answer(None, "its Principal is neither * nor an object")
        return
    for kind, listed in value.items():
        texts = texts_of(listed, "Principal")
        if isinstance(texts, Answer):
            yield Named.ITSELF, texts
        elif kind == "AWS":
            yield from (_aws_entry(text, caller) for text in texts)
        elif kind == "Service":
            yield from ((Named.ITSELF, Answer(text == caller.service, "")) for text in texts)
        else:
            # Neither services nor IAM identities: these callers sign in outside of IAM.
            known = kind in ("Federated", "CanonicalUser")
            yield Named.ITSELF, Answer(False if known else None, f"its Principal has the kind {shown(kind)}")


def _aws_entry(text: str, caller: Principal) -> tuple[Named, Answer]:
    if text == "*":
        # "*" and {"AWS": "*"} are documented as equal for anonymous users; not for services.
        unclear = "whether its Principal {AWS: *} includes services is not documented"
        return Named.ITSELF, Answer(None if caller.service else True, unclear)
    if _UNIQUE_ID.fullmatch(text):
        dead = f"its Principal {text} is the unique id that AWS stored for an ARN that has since been deleted"
        return Named.ITSELF, Answer(False, dead)
    arn = f"arn:aws:iam::{text}:root" if ACCOUNT.fullmatch(text) else text
    if not _PRINCIPAL_ARN.fullmatch(arn):
        return Named.ITSELF, Answer(
            None, f"its Principal {shown(text)} is not an account, user, role or session"
        )
    if arn.endswith(":root"):
        itself = caller.arn is not None and caller.arn.endswith(":root")
        account = caller.arn is not None and arn.split(":")[4] == caller.account
        return Named.ITSELF if itself else Named.ACCOUNT, Answer(account, "")
    if ":role/" not in arn:
        return Named.ITSELF, Answer(arn == caller.arn, "")
    # A role's ARN names its sessions, whose ARN leaves out the role's path.
    session = re.fullmatch(r"(arn:[a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/[^/]+", caller.arn or "")
    if session is None:
        return Named.ROLE, Answer(arn == caller.arn, "")
    partition, account, name = session.groups()
    path = f"{partition}:iam::{account}:role/"
    if arn != f"{path}{name}" and arn.startswith(path) and arn.endswith(f"/{name}"):
        return Named.ROLE, Answer(None, f"the session's ARN does not tell whether its role is {arn}")
    return Named.ROLE, Answer(arn == f"{path}{name}", "")
