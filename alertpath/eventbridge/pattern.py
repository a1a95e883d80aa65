"""Does an EventBridge event pattern match an event? Answered offline, as AWS's own matcher answers.

AWS publishes that matcher as https://github.com/aws/event-ruler, and describes patterns at
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html. Three of its habits shape
this module:

- A nested field and a name with dots are the same field: `{"a": {"b": 1}}` is the field `a.b`. Only leaves
  have values, so `exists` finds no field at an object or at an empty list.
- A list in the event matches if any of its elements does, but two fields never match in two different
  elements of one list (AWS calls this array consistency).
- `$or` is multiplied out: the pattern becomes several branches, and one of them has to hold.

The tests on a single value are in `alertpath.eventbridge.operators`. Not modelled: the quota on the length of
a pattern; the operator `exactly` and a field that is tested twice (both are refused, not answered).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NoReturn, TypeAlias

from alertpath.eventbridge.operators import (
    RESERVED_IN_OR,
    PatternError,
    UnsupportedOperator,
    ValueTest,
    absent,
    kind,
    value_test,
)

MAX_DEPTH = 50
"""Levels of nesting a pattern may have here. AWS states no limit; CloudTrail events stay below ten."""

_TOO_DEEP = f"the pattern is nested too deep; at most {MAX_DEPTH} levels are read"

MAX_BRANCHES = 1000
"""Combinations that `$or` may multiply out to, an AWS limit (see the page on operators)."""

_Branch: TypeAlias = dict[str, list[ValueTest]]  # field -> tests, one of which has to hold
_Elements: TypeAlias = frozenset[tuple[object, int]]  # (list, index): the list elements a value sits in
_Value: TypeAlias = tuple[object, _Elements]


class Event(dict[str, Any]):
    """An event as parsed JSON that looks up the values of a field once, for any number of patterns.

    Do not change it after a pattern was matched with it.
    """

    def __init__(self, event: Mapping[str, Any]) -> None:
        """Takes the event, envelope included."""
        super().__init__(event)
        self._values: dict[str, list[_Value]] = {}

    def values_of(self, field: str) -> list[_Value]:
        """Returns the values of a field, each with the list elements it sits in."""
        if field not in self._values:
            self._values[field] = list(_values(self, field))
        return self._values[field]


def matches(pattern: str | dict[str, Any], event: Mapping[str, Any]) -> bool:
    """Says whether an EventBridge rule with this pattern would match this event.

    The whole pattern is checked before the event is read, so a wrong pattern raises for every event.

    Args:
        pattern: The pattern, parsed or as JSON text (where the last of two equal keys counts, as at AWS).
        event: The event, envelope included, as parsed JSON; an `Event` to match it with many patterns.

    Returns:
        True if a branch of the pattern holds, else False.

    Raises:
        PatternError: AWS refuses the pattern, or it is nested deeper than `MAX_DEPTH`.
        UnsupportedOperator: The pattern uses something that AWS has and this package does not.
    """
    branches = _from_text(pattern) if isinstance(pattern, str) else _compiled(pattern)
    known = event if isinstance(event, Event) else Event(event)
    return any(_holds(branch, known) for branch in branches)


# Only for text: a parsed pattern would have to be turned into text first, and may hold what JSON has not.
@lru_cache(maxsize=256)
def _from_text(pattern: str) -> list[_Branch]:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not a JSON number")

    try:
        parsed = json.loads(pattern, parse_constant=refuse)
    except RecursionError:
        raise PatternError(_TOO_DEEP) from None
    except ValueError as error:
        raise PatternError(f"the pattern is not JSON: {error}") from error
    return _compiled(parsed)


def _compiled(pattern: object) -> list[_Branch]:
    if not isinstance(pattern, dict):
        raise PatternError(f"the pattern is a {kind(pattern)}; it must be a JSON object")
    return [dict(sorted(branch.items())) for branch in _object(pattern, _Location())]


@dataclass(frozen=True, kw_only=True)
class _Location:
    """Where in the pattern the compiler is."""

    names: tuple[str, ...] = ()  # of the event field meant; `$or` adds none
    at: str = "$"  # JSON path in the pattern, for messages
    depth: int = 0
    in_or: bool = False


def _object(node: dict[Any, object], location: _Location) -> list[_Branch]:
    if location.depth > MAX_DEPTH:
        raise PatternError(_TOO_DEEP)
    if not node:
        raise PatternError(f"{location.at} is an empty object; it must name at least one field")
    branches: list[_Branch] = [{}]
    for name, value in node.items():
        if not isinstance(name, str):
            raise PatternError(f"{location.at} has a key that is a {kind(name)}; field names are text")
        added = _member(name, value, location)
        if len(branches) * len(added) > MAX_BRANCHES:
            raise PatternError(
                f"{location.at}: `$or` makes more than {MAX_BRANCHES} combinations; use fewer alternatives"
            )
        twice = {field for one in branches for other in added for field in one.keys() & other.keys()}
        if twice:
            # AWS drops one of the two tests, and their order decides which: the rule is wider than it reads.
            raise UnsupportedOperator(
                f"{location.at}: `$or` or a dotted name tests the field {min(twice)!r} a second time, and "
                "AWS keeps only the test written last; test the field once"
            )
        branches = [one | other for one in branches for other in added]
    return branches


def _member(name: str, value: object, location: _Location) -> list[_Branch]:
    if name == "$or":
        if not isinstance(value, list) or len(value) < 2:
            raise PatternError(f"{location.at}.$or must be a list of at least two objects")
        branches: list[_Branch] = []
        for index, node in enumerate(value):
            inside = replace(location, at=f"{location.at}.$or[{index}]", depth=location.depth + 1, in_or=True)
            if not isinstance(node, dict):
                raise PatternError(f"{inside.at} is a {kind(node)}; `$or` takes objects only")
            branches += _object(node, inside)
        return branches
    inside = replace(
        location, names=(*location.names, name), at=f"{location.at}.{name}", depth=location.depth + 1
    )
    if location.in_or and name in RESERVED_IN_OR:
        raise PatternError(
            f"{inside.at}: AWS reserves the name {name!r} inside `$or`; put the operator in a list"
        )
    if isinstance(value, dict):
        return _object(value, inside)
    if not isinstance(value, list):
        raise PatternError(f"{inside.at} is a {kind(value)}; write a list of values, or an object of fields")
    if not value:
        raise PatternError(f"{inside.at} is an empty list; it must hold at least one value")
    return [{".".join(inside.names): [value_test(item, f"{inside.at}[{i}]") for i, item in enumerate(value)]}]


def _values(event: Event, field: str) -> Iterator[_Value]:
    """Yields the values of a field. A loop instead of a recursion, so that an event of any depth is read."""
    pending: list[tuple[object, str | None, _Elements]] = [(event, field, frozenset())]
    while pending:
        node, name, elements = pending.pop()
        if isinstance(node, dict):
            if name is not None:
                pending += [(node[key], rest, elements) for key, rest in _keys(name) if key in node]
        elif isinstance(node, list):
            this = (id(node), field if name is None else field[: -len(name)])
            for index, child in enumerate(node):
                # A bare value is not in an element: in ["x", {"a": 1}] AWS lets "x" and a = 1 hold together.
                inside = {(this, index)} if isinstance(child, dict | list) else ()
                pending.append((child, name, elements.union(inside)))
        elif name is None:
            yield node, elements


@lru_cache(maxsize=1024)
def _keys(name: str) -> list[tuple[str, str | None]]:
    """The keys of an object that may lead to a field, each with what is left: `a.b`, or `a` and then `b`."""
    return [(name, None), *((name[: dot.start()], name[dot.end() :]) for dot in re.finditer(r"\.", name))]


def _holds(branch: _Branch, event: Event) -> bool:
    """Whether every field of the branch has a value that passes, without mixing elements of one list.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns-arrays.html. Fields are
    taken in alphabetical order, as AWS takes them, because `exists: false` depends on it: a value in a list
    element that an earlier field has ruled out does not count as present.
    """
    # Most branches fail on a single field, and the last in the alphabet, `source`, tells most rules apart.
    for field, tests in reversed(branch.items()):
        if absent not in tests and not any(
            test(value) for value, _ in event.values_of(field) for test in tests
        ):
            return False
    chosen: set[_Elements] = {frozenset()}
    for position, (field, tests) in enumerate(branch.items(), start=1):
        chosen = {step for before in chosen for step in _step(tests, event.values_of(field), before)}
        if not chosen:
            return False
        if any(chosen):
            # Lists that no later field touches are forgotten; else unrelated lists multiply the choices.
            rest = list(branch)[position:]
            later = {this for field in rest for _, elements in event.values_of(field) for this, _ in elements}
            chosen = {frozenset(element for element in step if element[0] in later) for step in chosen}
    return True


def _step(tests: list[ValueTest], values: list[_Value], before: _Elements) -> Iterator[_Elements]:
    """The choices of list elements that are left after one more field has passed."""
    if before:
        joined = [(value, before | elements) for value, elements in values]
        values = [(value, both) for value, both in joined if len({this for this, _ in both}) == len(both)]
    if not values and absent in tests:
        yield before
    for value, both in values:
        if any(test(value) for test in tests):
            yield both
