"""What a policy allows to whom, and on which conditions: topics, buses, trust and permissions of roles.

Only Allow statements count: no rule here excuses an Allow by a Deny elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from .arns import has_wildcard
from .documents import Unreadable, elements
from .plain import items

# Operators that refuse a request which does not carry the key, unlike those with IfExists or ForAllValues.
_EXACT = frozenset({"stringequals", "stringequalsignorecase"})
_LIKE = frozenset({"stringlike", "arnequals", "arnlike"})


class Principal(NamedTuple):
    """Whom a statement names.

    Attributes:
        kind: `aws`, `service`, `federated` …; `aws` as well for a bare `*`.
        name: Account, ARN or host name; `*` is everybody.
    """

    kind: str
    name: str


class _OddStatementError(Exception):
    """A statement is not one of a policy; the message says what is odd about it."""


class _Condition(NamedTuple):
    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One Allow statement."""

    where: str
    """How messages call the statement: its place and its Sid."""
    principals: tuple[Principal, ...]
    """Whom it names; nobody in a role's permission."""
    not_principal: bool
    """Whether `principals` are the excepted ones (NotPrincipal)."""
    actions: tuple[str, ...]
    """In lower case."""
    not_action: bool
    resources: tuple[str, ...]
    not_resource: bool
    conditions: tuple[_Condition, ...]

    @property
    def to_everybody(self) -> bool:
        """Whether everybody is allowed, as far as the conditions let them."""
        return self.not_principal or any(name == "*" for _, name in self.principals)

    def only_allows(self, action: str) -> bool:
        """Return whether the statement allows this action and no other."""
        return not self.not_action and set(self.actions) == {action.lower()}

    def requires(self, key: str, test: Callable[[str], bool]) -> bool:
        """Return whether a request must carry the condition key, with values that all pass the test.

        A wildcard in an operator that knows none never matches: such a condition is not counted.
        """
        return any(
            condition.key == key.lower()
            and condition.values
            and all(_can_match(condition.operator, value) and test(value) for value in condition.values)
            for condition in self.conditions
        )


def parse_allowances(document: Any) -> list[Allowance] | Unreadable:
    """Return the Allow statements of a policy given as JSON text or as an object; never raises."""
    statements = elements(document)
    if isinstance(statements, Unreadable):
        return statements
    try:
        return [
            _allowance(statement, number)
            for number, statement in enumerate(statements, start=1)
            if statement["effect"] == "Allow"
        ]
    except _OddStatementError as odd:
        return Unreadable(reason=str(odd))


def _can_match(operator: str, value: str) -> bool:
    operator = operator.removeprefix("foranyvalue:")
    return operator in _LIKE or (operator in _EXACT and not has_wildcard(value))


def _allowance(statement: dict[str, Any], number: int) -> Allowance:
    sid = statement.get("sid")
    where = f"statement {number} ({sid})" if isinstance(sid, str) and sid else f"statement {number}"
    not_action, actions = _texts_or_not(statement, "action", where)
    not_resource, resources = _texts_or_not(statement, "resource", where)
    not_principal = statement.get("notprincipal") is not None
    if not_principal and statement.get("principal") is not None:
        raise _OddStatementError(f"{where} has both Principal and NotPrincipal")
    principal = statement.get("notprincipal" if not_principal else "principal")
    return Allowance(
        where=where,
        principals=_principals(principal, where),
        not_principal=not_principal,
        actions=tuple(action.lower() for action in actions),
        not_action=not_action,
        resources=resources,
        not_resource=not_resource,
        conditions=_conditions(statement.get("condition"), where),
    )


def _principals(value: Any, where: str) -> tuple[Principal, ...]:
    if value is None:
        return ()
    if value == "*":
        return (Principal("aws", "*"),)
    if not isinstance(value, dict):
        raise _OddStatementError(f"the Principal of {where} is neither * nor an object")
    return tuple(Principal(kind, name) for kind, names in value.items() for name in _texts(names, where))


def _conditions(value: Any, where: str) -> tuple[_Condition, ...]:
    operators = {} if value is None else value
    if not isinstance(operators, dict) or not all(isinstance(keys, dict) for keys in operators.values()):
        raise _OddStatementError(f"the Condition of {where} is not an object of objects")
    return tuple(
        # Numbers and truth values may stand without quotes.
        _Condition(operator, key, tuple(str(value) for value in items(values)))
        for operator, keys in operators.items()
        for key, values in keys.items()
    )


def _texts_or_not(statement: dict[str, Any], name: str, where: str) -> tuple[bool, tuple[str, ...]]:
    """Return whether the element is in its Not… form, and its texts; none where it is missing."""
    given = [key for key in (name, f"not{name}") if statement.get(key) is not None]
    if len(given) > 1:
        raise _OddStatementError(f"{where} has both {name.capitalize()} and Not{name.capitalize()}")
    if not given:
        return False, ()
    return given[0] != name, _texts(statement[given[0]], where)


def _texts(value: Any, where: str) -> tuple[str, ...]:
    found = items(value)
    if not all(isinstance(text, str) for text in found):
        raise _OddStatementError(f"{where} holds something else where a string or a list of strings belongs")
    return tuple(found)
