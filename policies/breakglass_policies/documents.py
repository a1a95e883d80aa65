"""IAM policy documents: does one grant full control of IAM?

Full control is judged by what can be done with it, not by how it is spelt: a document grants it when it
allows every IAM write of a sample on every user, group, role and policy. So `iam:*`, `*`, `IAM:**` and the
same cut into several statements are found alike. Element names are read in any case, and neither a Deny
statement nor a condition excuses an Allow: a false alarm costs a reason in the pack configuration, a missed
grant the account.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from .plain import items

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
# Lower case, because action names are matched without case.
_IAM_WRITES = frozenset(
    {
        "iam:addusertogroup",
        "iam:attachgrouppolicy",
        "iam:attachrolepolicy",
        "iam:attachuserpolicy",
        "iam:createaccesskey",
        "iam:creategroup",
        "iam:createloginprofile",
        "iam:createpolicy",
        "iam:createpolicyversion",
        "iam:createrole",
        "iam:createuser",
        "iam:deactivatemfadevice",
        "iam:deleterole",
        "iam:deleteuser",
        "iam:detachrolepolicy",
        "iam:putgrouppolicy",
        "iam:putrolepolicy",
        "iam:putuserpolicy",
        "iam:setdefaultpolicyversion",
        "iam:updateassumerolepolicy",
        "iam:updateloginprofile",
    }
)
_ANY_ACCOUNT = "123456789012"
_IAM_RESOURCES = tuple(
    f"arn:aws:iam::{_ANY_ACCOUNT}:{kind}/any" for kind in ("user", "group", "role", "policy")
)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of an identity policy, as far as full access is concerned."""

    allows: bool
    actions: tuple[str, ...]
    not_action: bool
    """Whether `actions` are the excepted ones (NotAction)."""
    resources: tuple[str, ...]
    not_resource: bool
    """Whether `resources` are the excepted ones (NotResource)."""


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A document that cannot be judged, and why."""

    reason: str


class _OddDocumentError(Exception):
    """The document is not an IAM policy; the message says what is odd about it."""


def parse(document: Any) -> list[Statement] | Unreadable:
    """Return the statements of a policy document given as JSON text or as an object; never raises."""
    try:
        return [_statement(value, f"statement {n}") for n, value in enumerate(_statements(document), start=1)]
    except _OddDocumentError as odd:
        return Unreadable(reason=str(odd))


def elements(document: Any) -> list[dict[str, Any]] | Unreadable:
    """Return the statements of any policy as JSON objects, with their keys in lower case; never raises.

    `parse` reads identity policies only; this is for those that also name principals and conditions.
    """
    try:
        return [
            _object(value, f"statement {number}")
            for number, value in enumerate(_statements(document), start=1)
        ]
    except _OddDocumentError as odd:
        return Unreadable(reason=str(odd))


def full_access_findings(statements: list[Statement]) -> list[str]:
    """Return what makes up full control of IAM (`Action::iam:*`, `Resource::*`); nothing if there is none."""
    parts = [statement for statement in statements if _allowed_writes(statement)]
    if frozenset().union(*map(_allowed_writes, parts)) != _IAM_WRITES:
        return []
    return list(dict.fromkeys(finding for part in parts for finding in _findings(part)))


def _findings(part: Statement) -> list[str]:
    action = "NotAction" if part.not_action else "Action"
    resource = "NotResource" if part.not_resource else "Resource"
    shown = part.actions if part.not_action else [a for a in part.actions if matched([a], _IAM_WRITES)]
    return [*(f"{action}::{a}" for a in shown), *(f"{resource}::{r}" for r in part.resources)]


def _allowed_writes(statement: Statement) -> frozenset[str]:
    """Return which of the sample writes the statement allows on everything."""
    if not statement.allows or not _on_everything(statement):
        return frozenset()
    writes = matched(statement.actions, _IAM_WRITES)
    if not statement.not_action:
        return writes
    # NotAction grants whatever it does not list. A single IAM write left may be enough to become
    # administrator, so it counts as all of them unless none is left.
    return frozenset() if writes == _IAM_WRITES else _IAM_WRITES


def _on_everything(statement: Statement) -> bool:
    if statement.not_resource:
        return matched(statement.resources, _IAM_RESOURCES) != frozenset(_IAM_RESOURCES)
    # A policy acts in its own account and partition only: all of that one is everything.
    anywhere = [_in_any_account(pattern) for pattern in statement.resources]
    return matched(anywhere, _IAM_RESOURCES) == frozenset(_IAM_RESOURCES)


def _in_any_account(pattern: str) -> str:
    pattern = re.sub(r"^arn:aws[a-z-]*:", "arn:aws:", pattern)
    return re.sub(r"\d{12}|\$\{aws:(Principal|Resource)Account\}", _ANY_ACCOUNT, pattern, flags=re.IGNORECASE)


def matched(patterns: Iterable[str], texts: Iterable[str]) -> frozenset[str]:
    """Return the texts that one of the patterns matches, without case, in IAM's wildcards `*` and `?`."""
    # fnmatch knows character sets as well, IAM does not.
    globs = [pattern.lower().replace("[", "[[]") for pattern in patterns]
    return frozenset(text for text in texts if any(fnmatchcase(text.lower(), glob) for glob in globs))


def _statements(document: Any) -> list[Any]:
    if document is None or document == "":
        raise _OddDocumentError("it is missing")
    if not isinstance(document, str | dict):
        raise _OddDocumentError(f"it is of type {type(document).__name__}, not a JSON object")
    try:
        text = document if isinstance(document, str) else json.dumps(document)
        parsed = json.loads(text, object_pairs_hook=_lower_case_keys)
    except (TypeError, ValueError, RecursionError) as error:
        raise _OddDocumentError(f"it is not JSON ({str(error)[:100]})") from error
    if not isinstance(parsed, dict):
        raise _OddDocumentError(f"it holds JSON of type {type(parsed).__name__}, not an object")
    if parsed.get("statement") is None:
        raise _OddDocumentError("it has no Statement")
    return list(items(parsed["statement"]))


def _lower_case_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the JSON object with its keys in lower case; refuse a key given twice, as either may count."""
    lowered = {key.lower(): value for key, value in pairs}
    if len(lowered) < len(pairs):
        raise _OddDocumentError("one of its objects has the same key twice")
    return lowered


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _OddDocumentError(f"{where} is of type {type(value).__name__}, not an object")
    if value.get("effect") not in ("Allow", "Deny"):
        raise _OddDocumentError(f"the Effect of {where} is neither Allow nor Deny")
    return value


def _statement(value: Any, where: str) -> Statement:
    value = _object(value, where)
    not_action, actions = _one_of(value, "Action", where)
    not_resource, resources = _one_of(value, "Resource", where)
    return Statement(
        allows=value["effect"] == "Allow",
        actions=actions,
        not_action=not_action,
        resources=resources,
        not_resource=not_resource,
    )


def _one_of(statement: dict[str, Any], name: str, where: str) -> tuple[bool, tuple[str, ...]]:
    """Return the patterns of the element `name`, and whether it is its Not… form."""
    given = [key for key in (name.lower(), f"not{name.lower()}") if statement.get(key) is not None]
    if len(given) != 1:
        raise _OddDocumentError(
            f"{where} has {'both' if given else 'neither'} {name} {'and' if given else 'nor'} Not{name}"
        )
    patterns = items(statement[given[0]])
    if not all(isinstance(pattern, str) for pattern in patterns):
        raise _OddDocumentError(f"the {name} of {where} is neither a string nor a list of strings")
    return given[0].startswith("not"), tuple(patterns)
