"""The statements of a policy document, for what is rightly read and not asked: who is named, what is listed.

What a policy lets happen is asked of `alertpath.iam.evaluate`. Here a document is only taken apart: names of
principals, wildcards, "allows more than X". Element names count in any case, because a program may write them
so.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from .reading import items


class Named(NamedTuple):
    """A principal that a statement names.

    Attributes:
        kind: `aws`, `service`, `federated` …; `aws` as well for a bare `*`.
        name: Account, ARN or host name; `*` is everybody.
    """

    kind: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy document.

    Attributes:
        where: How messages call it: its place and its Sid.
        allows: Whether its Effect is Allow.
        principals: The principals it names; none in an identity policy.
        not_principal: Whether `principals` are the excepted ones (NotPrincipal).
        actions: In lower case.
        not_action: Whether `actions` are the excepted ones (NotAction).
        resources: Patterns of ARNs.
        not_resource: Whether `resources` are the excepted ones (NotResource).
        condition: The Condition as written: operator -> key -> value or values; empty if there is none.
    """

    where: str
    allows: bool
    principals: tuple[Named, ...]
    not_principal: bool
    actions: tuple[str, ...]
    not_action: bool
    resources: tuple[str, ...]
    not_resource: bool
    condition: dict[str, Any]

    @property
    def conditions(self) -> Iterator[tuple[str, str, list[str]]]:
        """Each operator with its key in lower case and its values as texts."""
        for operator, keys in self.condition.items():
            for key, values in keys.items():
                yield operator, key.lower(), [str(value) for value in items(values)]

    @property
    def to_everybody(self) -> bool:
        """Whether it names everybody, as far as its conditions let them."""
        return self.not_principal or any(name == "*" for _, name in self.principals)

    def only_allows(self, action: str) -> bool:
        """Return whether the statement allows this action and no other."""
        return not self.not_action and set(self.actions) == {action.lower()}


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A document that is not an IAM policy, and why."""

    reason: str


class _OddDocumentError(Exception):
    """The document is not an IAM policy; the message says why."""


def statements(document: Any) -> list[Statement] | Unreadable:
    """Return the statements of a policy document given as JSON text or as an object; never raises."""
    try:
        return [_statement(value, number) for number, value in enumerate(_listed(document), start=1)]
    except _OddDocumentError as odd:
        return Unreadable(reason=str(odd))


def has_wildcard(value: str) -> bool:
    """Return whether a text of a policy matches more than itself."""
    return "*" in value or "?" in value


def _listed(document: Any) -> list[Any]:
    if document is None or document == "":
        raise _OddDocumentError("it is missing")
    if not isinstance(document, str | dict):
        raise _OddDocumentError(f"it is of type {type(document).__name__}, not a JSON object")
    try:
        text = document if isinstance(document, str) else json.dumps(document)
        parsed = json.loads(text, object_pairs_hook=_distinct_keys)
    except (TypeError, ValueError, RecursionError) as error:
        raise _OddDocumentError(f"it is not JSON ({str(error)[:100]})") from error
    if not isinstance(parsed, dict):
        raise _OddDocumentError(f"it holds JSON of type {type(parsed).__name__}, not an object")
    listed = _lower(parsed).get("statement")
    if listed is None:
        raise _OddDocumentError("it has no Statement")
    return list(items(listed))


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the JSON object; refuse a key given twice, in whatever case, as either may count."""
    if len({key.lower() for key, _ in pairs}) < len(pairs):
        raise _OddDocumentError("one of its objects has the same key twice")
    return dict(pairs)


def _lower(value: dict[str, Any]) -> dict[str, Any]:
    return {key.lower(): item for key, item in value.items()}


def _statement(value: Any, number: int) -> Statement:
    where = f"statement {number}"
    if not isinstance(value, dict):
        raise _OddDocumentError(f"{where} is of type {type(value).__name__}, not an object")
    value = _lower(value)
    if value.get("effect") not in ("Allow", "Deny"):
        raise _OddDocumentError(f"the Effect of {where} is neither Allow nor Deny")
    not_action, actions = _element(value, "Action", where)
    not_resource, resources = _element(value, "Resource", where)
    not_principal, principals = _principals(value, where)
    sid = value.get("sid")
    return Statement(
        where=f"{where} ({sid})" if isinstance(sid, str) and sid else where,
        allows=value["effect"] == "Allow",
        principals=principals,
        not_principal=not_principal,
        actions=tuple(action.lower() for action in actions),
        not_action=not_action,
        resources=resources,
        not_resource=not_resource,
        condition=_condition(value.get("condition"), where),
    )


def _condition(value: Any, where: str) -> dict[str, Any]:
    condition = {} if value is None else value
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        raise _OddDocumentError(f"the Condition of {where} is not an object of objects")
    return condition


def _form(statement: dict[str, Any], name: str, where: str) -> tuple[bool, Any]:
    """Return whether the element is in its Not… form, and its value, None if it is missing."""
    given = [key for key in (name.lower(), f"not{name.lower()}") if statement.get(key) is not None]
    if len(given) > 1:
        raise _OddDocumentError(f"{where} has both {name} and Not{name}")
    return (given[0].startswith("not"), statement[given[0]]) if given else (False, None)


def _element(statement: dict[str, Any], name: str, where: str) -> tuple[bool, tuple[str, ...]]:
    negated, value = _form(statement, name, where)
    return negated, _texts(value, f"the {name} of {where}")


def _principals(statement: dict[str, Any], where: str) -> tuple[bool, tuple[Named, ...]]:
    negated, value = _form(statement, "Principal", where)
    if value == "*":
        return negated, (Named("aws", "*"),)
    if value is not None and not isinstance(value, dict):
        raise _OddDocumentError(f"the Principal of {where} is neither * nor an object")
    return negated, tuple(
        Named(kind.lower(), name)
        for kind, names in (value or {}).items()
        for name in _texts(names, f"the Principal of {where}")
    )


def _texts(value: Any, what: str) -> tuple[str, ...]:
    found = items(value)
    if not all(isinstance(text, str) for text in found):
        raise _OddDocumentError(f"{what} is neither a string nor a list of strings")
    return tuple(found)
