"""Does an EventBridge event pattern match an event? Answered offline, as AWS's own matcher answers.

AWS publishes that matcher as https://github.com/aws/event-ruler; the operators are described at
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html. Three of its habits
shape this module:

- A nested field and a name with dots are the same field: `{"a": {"b": 1}}` is the field `a.b`. Only leaves
  have values, so `exists` finds no field at an object or at an empty list.
- A list in the event matches if any of its elements does, but two fields never match in two different
  elements of one list (AWS calls this array consistency).
- `$or` is multiplied out: the pattern becomes several branches, and one of them has to hold.

What is not modelled: `wildcard`, `numeric` and `cidr` (refused by name, never answered with False); the quota
on the length of a pattern; two spellings of one IPv6 address, which AWS takes as equal.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import NoReturn, TypeAlias

MAX_DEPTH = 50
"""Levels of nesting a pattern may have here. AWS states no limit; CloudTrail events stay below ten."""

MAX_BRANCHES = 1000
"""Combinations that `$or` may multiply out to, an AWS limit (see the page on operators)."""

_Test: TypeAlias = Callable[[object], bool]
_Branch: TypeAlias = dict[str, list[_Test]]  # field -> tests, one of which has to hold
_Elements: TypeAlias = frozenset[tuple[int, int]]  # (list, index): the list elements a value sits in
_Values: TypeAlias = dict[str, list[tuple[object, _Elements]]]  # field -> its values in the event

# `exactly` is in AWS's matcher and not on the page on operators.
_UNSUPPORTED = frozenset({"wildcard", "numeric", "cidr", "exactly"})


class PatternError(ValueError):
    """AWS refuses this pattern, or it is nested too deep; the message says where, and what would be right."""


class UnsupportedOperator(PatternError):
    """AWS has this operator and this module does not; the message names it and its JSON path."""


def matches(pattern: str | dict, event: dict) -> bool:
    """Says whether an EventBridge rule with this pattern would match this event.

    The whole pattern is checked before the event is read, so a wrong pattern raises whatever the event is.

    Args:
        pattern: The pattern, parsed or as JSON text (where the last of two equal keys counts, as at AWS).
        event: The event, envelope included, as parsed JSON.

    Returns:
        True if a branch of the pattern holds, else False.

    Raises:
        PatternError: AWS refuses the pattern, or it is nested deeper than `MAX_DEPTH`.
        UnsupportedOperator: The pattern uses something that AWS has and this module does not.
    """
    branches = _compile(pattern)
    values = _values(event, {field for branch in branches for field in branch})
    return any(_holds(branch, values) for branch in branches)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where in the pattern the compiler stands."""

    names: tuple[str, ...] = ()  # of the event field meant; `$or` adds none
    at: str = "$"  # JSON path in the pattern, for messages
    depth: int = 0
    in_or: bool = False

    def field(self, name: str) -> "_Place":
        return replace(self, names=(*self.names, name), at=f"{self.at}.{name}", depth=self.depth + 1)

    def alternative(self, index: int) -> "_Place":
        return replace(self, at=f"{self.at}.$or[{index}]", depth=self.depth + 1, in_or=True)


def _compile(pattern: object) -> list[_Branch]:
    parsed = _parsed(pattern) if isinstance(pattern, str) else pattern
    if not isinstance(parsed, dict):
        raise PatternError(f"the pattern is a {_kind(parsed)}; it must be a JSON object")
    return _object(parsed, _Place())


def _parsed(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise PatternError(f"the pattern is nested too deep; at most {MAX_DEPTH} levels are read") from None
    except ValueError as error:
        raise PatternError(f"the pattern is not JSON: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _object(node: dict, place: _Place) -> list[_Branch]:
    if place.depth > MAX_DEPTH:
        raise PatternError(f"the pattern is nested too deep; at most {MAX_DEPTH} levels are read")
    if not node:
        raise PatternError(f"{place.at} is an empty object; it must name at least one field")
    branches: list[_Branch] = [{}]
    for name, value in node.items():
        if not isinstance(name, str):
            raise PatternError(f"{place.at} has a key that is a {_kind(name)}; field names are text")
        branches = _both(branches, _member(name, value, place), place)
    return branches


def _member(name: str, value: object, place: _Place) -> list[_Branch]:
    if name == "$or":
        return _or(value, place)
    inside = place.field(name)
    if place.in_or and name in _RESERVED_IN_OR:
        raise PatternError(
            f"{inside.at}: AWS reserves the name {name!r} inside `$or`; put the operator in a list"
        )
    if isinstance(value, dict):
        return _object(value, inside)
    if not isinstance(value, list):
        raise PatternError(f"{inside.at} is a {_kind(value)}; write a list of values, or an object of fields")
    if not value:
        raise PatternError(f"{inside.at} is an empty list; it must hold at least one value")
    return [{".".join(inside.names): [_test(item, f"{inside.at}[{i}]") for i, item in enumerate(value)]}]


def _or(alternatives: object, place: _Place) -> list[_Branch]:
    if not isinstance(alternatives, list) or len(alternatives) < 2:
        raise PatternError(f"{place.at}.$or must be a list of at least two objects")
    branches: list[_Branch] = []
    for index, node in enumerate(alternatives):
        inside = place.alternative(index)
        if not isinstance(node, dict):
            raise PatternError(f"{inside.at} is a {_kind(node)}; `$or` takes objects only")
        branches += _object(node, inside)
    return branches


def _both(left: list[_Branch], right: list[_Branch], place: _Place) -> list[_Branch]:
    """Every branch on the left joined with every branch on the right."""
    if len(left) * len(right) > MAX_BRANCHES:
        raise PatternError(
            f"{place.at}: `$or` makes more than {MAX_BRANCHES} combinations; use fewer alternatives"
        )
    twice = {field for one in left for other in right for field in one.keys() & other.keys()}
    if twice:
        # AWS drops one of the two tests, and their order decides which: the rule is wider than it reads.
        raise UnsupportedOperator(
            f"{place.at}: `$or` or a dotted name tests the field {min(twice)!r} a second time, and AWS keeps "
            "only the test written last; test the field once"
        )
    return [one | other for one in left for other in right]


def _test(item: object, at: str) -> _Test:
    if isinstance(item, dict):
        name, operand = _operator(item, at)
        build = _OPERATORS.get(name)
        if build is None:
            raise PatternError(
                f"{at}: there is no operator {name!r}; known are {', '.join(sorted(_OPERATORS))}"
            )
        return build(operand, f"{at}.{name}")
    _check_scalar(item, at)
    return lambda leaf: _same(item, leaf)


def _operator(expression: dict, at: str) -> tuple[str, object]:
    """The one operator of a match expression and its operand."""
    if len(expression) != 1:
        raise PatternError(f"{at} has {len(expression)} keys; a match expression has one, its operator")
    [(name, operand)] = expression.items()
    if not isinstance(name, str):
        raise PatternError(f"{at} has a key that is a {_kind(name)}; it must be the name of an operator")
    if name in _UNSUPPORTED:
        raise UnsupportedOperator(
            f"{at}: the operator {name!r} is not modelled here, so nothing can be proven about this rule; "
            f"use one of {', '.join(sorted(_OPERATORS))}"
        )
    return name, operand


def _prefix(operand: object, at: str) -> _Test:
    return _text_test(r"\A" + _affix(operand, at))


def _suffix(operand: object, at: str) -> _Test:
    return _text_test(_affix(operand, at) + r"\Z")


def _equals_ignore_case(operand: object, at: str) -> _Test:
    return _text_test(r"\A" + _any_case(_text(operand, at)) + r"\Z")


def _exists(operand: object, at: str) -> _Test:
    if not isinstance(operand, bool):
        raise PatternError(f"{at} is a {_kind(operand)}; it must be true or false")
    return _present if operand else _absent


def _present(_leaf: object) -> bool:
    return True


def _absent(_leaf: object) -> bool:
    """False for every value there is; `_step` looks for this very function where there is none."""
    return False


def _anything_but(operand: object, at: str) -> _Test:
    refused = _but_operator(operand, at) if isinstance(operand, dict) else _but_values(operand, at)
    return lambda leaf: not any(test(leaf) for test in refused)


def _but_values(operand: object, at: str) -> list[_Test]:
    values = operand if isinstance(operand, list) else [operand]
    if {_kind(value) for value in values} not in ({"string"}, {"number"}):
        raise PatternError(f"{at} must be text, a number, or a list of either all text or all numbers")
    return [_test(value, at) for value in values]


def _but_operator(expression: dict, at: str) -> list[_Test]:
    name, operand = _operator(expression, at)
    build = {"prefix": _prefix, "suffix": _suffix, "equals-ignore-case": _equals_ignore_case}.get(name)
    if build is None:
        raise PatternError(f"{at}.{name}: anything-but takes prefix, suffix or equals-ignore-case")
    texts = [_text(item, f"{at}.{name}") for item in (operand if isinstance(operand, list) else [operand])]
    if not texts or (name != "equals-ignore-case" and "" in texts):
        raise PatternError(f"{at}.{name} holds nothing to exclude; write text of at least one character")
    return [build(text, f"{at}.{name}") for text in texts]


_OPERATORS: dict[str, Callable[[object, str], _Test]] = {
    "anything-but": _anything_but,
    "equals-ignore-case": _equals_ignore_case,
    "exists": _exists,
    "prefix": _prefix,
    "suffix": _suffix,
}

# AWS keeps these names for operators, present and future, and refuses them as field names inside `$or`.
_RESERVED_IN_OR = (
    {*_OPERATORS, *_UNSUPPORTED}
    | {"=", "<", "<=", ">", ">="}
    | {"regex", "not-wildcard", "not-equals-ignore-case"}
    | {"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"}
    | {"ip-address-in-range", "ip-address-not-in-range"}
)


def _affix(operand: object, at: str) -> str:
    """The regular expression for the operand of prefix or suffix."""
    if not isinstance(operand, dict):
        return re.escape(_text(operand, at))
    name, text = _operator(operand, at)
    if name != "equals-ignore-case":
        raise PatternError(f"{at}.{name}: write text, or {{'equals-ignore-case': text}}")
    return _any_case(_text(text, f"{at}.{name}"))


def _any_case(text: str) -> str:
    """The regular expression for the text, each character in upper or lower case.

    That is how AWS does it; `str.casefold` would equate more, such as ß and ss.
    """
    return "".join(f"(?:{re.escape(char.lower())}|{re.escape(char.upper())})" for char in text)


def _text_test(expression: str) -> _Test:
    regex = re.compile(expression)
    return lambda leaf: isinstance(leaf, str) and regex.search(leaf) is not None


def _text(value: object, at: str) -> str:
    if not isinstance(value, str):
        raise PatternError(f"{at} is a {_kind(value)}; it must be text")
    return value


def _check_scalar(value: object, at: str) -> None:
    if _kind(value) not in ("string", "number", "boolean", "null"):
        raise PatternError(
            f"{at} is a {_kind(value)}; a value is text, a number, true, false, null or an operator"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise PatternError(f"{at} is {value}, which is not a JSON number; write a finite number")


def _same(value: object, leaf: object) -> bool:
    # The kind first, because Python takes True for 1.
    return _kind(value) == _kind(leaf) and value == leaf


def _kind(value: object) -> str:
    kinds = (
        (bool, "boolean"),
        (str, "string"),
        (int | float, "number"),
        (list, "list"),
        (dict, "JSON object"),
    )
    if value is None:
        return "null"
    return next((kind for python_type, kind in kinds if isinstance(value, python_type)), type(value).__name__)


def _values(event: dict, fields: set[str]) -> _Values:
    """The values of these fields in the event, each with the list elements it sits in.

    A loop instead of a recursion, so that an event of any depth is read.
    """
    above = {field[: dot.start()] for field in fields for dot in re.finditer(r"\.", field)}
    found: _Values = {field: [] for field in fields}
    lists = count()
    pending: list[tuple[str, object, _Elements]] = [(name, node, frozenset()) for name, node in event.items()]
    while pending:
        field, node, elements = pending.pop()
        if field not in fields and field not in above:
            continue
        if isinstance(node, dict):
            pending += [(f"{field}.{name}", child, elements) for name, child in node.items()]
        elif isinstance(node, list):
            pending += [(field, child, inside) for child, inside in _in_list(node, next(lists), elements)]
        elif field in fields:
            found[field].append((node, elements))
    return found


def _in_list(node: list, number: int, elements: _Elements) -> Iterator[tuple[object, _Elements]]:
    for index, child in enumerate(node):
        # A bare value belongs to no element: in ["x", {"a": 1}] AWS lets "x" and a = 1 hold together.
        yield child, elements | {(number, index)} if isinstance(child, dict | list) else elements


def _holds(branch: _Branch, values: _Values) -> bool:
    """Whether every field of the branch has a value that passes, without mixing elements of one list.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html. Fields are
    taken in alphabetical order, as AWS takes them, because `exists: false` depends on it: a value in a list
    element that an earlier field has ruled out does not count as present.
    """
    fields = sorted(branch)
    chosen: set[_Elements] = {frozenset()}
    for position, field in enumerate(fields):
        # Lists that no later field touches are forgotten; else unrelated lists would multiply the choices.
        later = {
            number
            for rest in fields[position + 1 :]
            for _, elements in values[rest]
            for number, _ in elements
        }
        after = {step for before in chosen for step in _step(branch[field], values[field], before)}
        chosen = {frozenset(element for element in step if element[0] in later) for step in after}
    return bool(chosen)


def _step(
    tests: list[_Test], values: list[tuple[object, _Elements]], before: _Elements
) -> Iterator[_Elements]:
    """The choices of list elements that are left after one more field has passed."""
    joined = [(value, before | elements) for value, elements in values]
    consistent = [(value, both) for value, both in joined if len({number for number, _ in both}) == len(both)]
    if not consistent and _absent in tests:
        yield before
    for value, both in consistent:
        if any(test(value) for test in tests):
            yield both
