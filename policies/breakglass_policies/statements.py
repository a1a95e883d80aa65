"""The statements of a policy document, for what is rightly read and not asked: who is named, what is listed.

What a policy lets happen is asked of `alertpath.iam.evaluate`. Here a document is only taken apart: names of
principals, wildcards, "allows more than X". Element names count in any case, because a program may write them
so.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from .reading import items, members


class Named(NamedTuple):
    """A principal that a statement names.

    The kind is `aws`, `service`, `federated` …; `aws` as well for a bare `*`. The name is an account, ARN or
    host name; `*` is everybody.
    """

    kind: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy document.

    Attributes:
        where: How messages call it: its place and its Sid.
        principals: The principals it names; none in an identity policy.
        not_principal: Whether `principals` are the excepted ones; likewise `not_action` and `not_resource`.
        actions: In lower case.
        resources: Patterns of ARNs.
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
    condition: Mapping[str, Any]

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


class Unreadable(Exception):
    """A document that is not an IAM policy; as text it says why, in a clause."""


def statements(document: Any) -> list[Statement] | Unreadable:
    """Return the statements of a policy document given as JSON text or as an object; never raises."""
    try:
        listed = enumerate(_listed(document), start=1)
        return [_statement(value, f"statement {number}") for number, value in listed]
    except Unreadable as odd:
        return odd


def allowing(document: Any) -> list[Statement]:
    """Return the Allow statements of a policy document; none if it cannot be read."""
    found = statements(document)
    return [] if isinstance(found, Unreadable) else [statement for statement in found if statement.allows]


def services(document: Any) -> list[str]:
    """Return the services that a policy document allows something, as written."""
    named = [named for statement in allowing(document) for named in statement.principals]
    return [name for kind, name in named if kind == "service"]


def has_wildcard(value: str) -> bool:
    """Return whether a text of a policy matches more than itself."""
    return "*" in value or "?" in value


def _listed(document: Any) -> list[Any]:
    if document is None or document == "":
        raise Unreadable("it is missing")
    if not isinstance(document, str | dict):
        raise Unreadable(f"it is of type {type(document).__name__}, not a JSON object")
    try:
        text = document if isinstance(document, str) else json.dumps(document)
        parsed: Any = json.loads(text, object_pairs_hook=_distinct_keys)
    except (TypeError, ValueError, RecursionError) as error:
        raise Unreadable(f"it is not JSON ({str(error)[:100]})") from error
    if not isinstance(parsed, dict):
        raise Unreadable(f"it holds JSON of type {type(parsed).__name__}, not an object")
    listed = _lower(parsed).get("statement")
    if listed is None:
        raise Unreadable("it has no Statement")
    return list(items(listed))


def _distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the JSON object; refuse a key given twice, in whatever case, as either may count."""
    if len({key.lower() for key, _ in pairs}) < len(pairs):
        raise Unreadable("one of its objects has the same key twice")
    return dict(pairs)


def _lower(value: Any) -> dict[str, Any]:
    return {key.lower(): item for key, item in cast(dict[str, Any], value).items()}


def _statement(value: Any, where: str) -> Statement:
    if not isinstance(value, dict):
        raise Unreadable(f"{where} is of type {type(value).__name__}, not an object")
    statement = _lower(value)
    if statement.get("effect") not in ("Allow", "Deny"):
        raise Unreadable(f"the Effect of {where} is neither Allow nor Deny")
    not_action, actions = _element(statement, "Action", where)
    not_resource, resources = _element(statement, "Resource", where)
    not_principal, principals = _element(statement, "Principal", where)
    if principals == "*":
        principals = {"AWS": "*"}
    elif not isinstance(principals, dict | None):
        raise Unreadable(f"the Principal of {where} is neither * nor an object")
    given: Any = {} if statement.get("condition") is None else statement["condition"]
    condition = members(given)
    if not isinstance(given, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        raise Unreadable(f"the Condition of {where} is not an object of objects")
    sid = statement.get("sid")
    return Statement(
        where=f"{where} ({sid})" if isinstance(sid, str) and sid else where,
        allows=statement["effect"] == "Allow",
        principals=tuple(
            Named(kind.lower(), name)
            for kind, names in members(principals).items()
            for name in _texts(names, "Principal", where)
        ),
        not_principal=not_principal,
        actions=tuple(action.lower() for action in _texts(actions, "Action", where)),
        not_action=not_action,
        resources=_texts(resources, "Resource", where),
        not_resource=not_resource,
        condition=condition,
    )


def _element(statement: dict[str, Any], name: str, where: str) -> tuple[bool, Any]:
    """Return whether the element is in its Not… form, and its value, None if it is missing."""
    given = [key for key in (name.lower(), f"not{name.lower()}") if statement.get(key) is not None]
    if len(given) > 1:
        raise Unreadable(f"{where} has both {name} and Not{name}")
    return (given[0].startswith("not"), statement[given[0]]) if given else (False, None)


def _texts(value: Any, name: str, where: str) -> tuple[str, ...]:
    found = items(value)
    if not all(isinstance(text, str) for text in found):
        raise Unreadable(f"the {name} of {where} is neither a string nor a list of strings")
    return tuple(found)
