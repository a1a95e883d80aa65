"""One test of an EventBridge event pattern on one value: a value to equal, or an operator.

The operators are described at
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html; where that page is
silent, AWS's matcher https://github.com/aws/event-ruler decides.

Not modelled: AWS refuses wildcards that it finds too complex. Its matcher sees the quotes around text, so the
prefix `a"` matches the text `a`. It compares only the digits of addresses, so a block of one IP version may
match an address of the other, or a number, that begins with the same bits. It also reads a block that is
written `10.0.0.0/+8`; here that is refused.
"""

import math
import operator
import re
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias

ValueTest: TypeAlias = Callable[[object], bool]

MAX_NUMBER = 5_000_000_000
"""Numbers in `numeric` lie between minus this and this, as the page on operators says."""

MAX_DECIMALS = 6
"""Digits that a number in `numeric` may have after the point, as the page on operators says."""

# `exactly` is in AWS's matcher and not on the page on operators.
_UNSUPPORTED = frozenset({"exactly"})


class PatternError(ValueError):
    """AWS refuses this pattern, or it is nested too deep; the message says where, and what would be right."""


class UnsupportedOperator(PatternError):
    """AWS has this operator and this package does not; the message names it and its JSON path."""


def value_test(item: object, at: str) -> ValueTest:
    """Compiles one element of the list that a pattern holds for a field.

    Args:
        item: A value that the event has to have, or a match expression such as `{"prefix": "us-"}`.
        at: JSON path of the element, for messages.

    Returns:
        The test, for any value of an event; `absent` if the field must not be there.

    Raises:
        PatternError: AWS refuses the element.
        UnsupportedOperator: The element uses an operator that AWS has and this package does not.
    """
    if address := _address(item):
        # AWS reads an address as the range of itself, so every spelling of it is equal.
        return lambda leaf: _address(leaf) == address
    if not isinstance(item, dict):
        return _equals(item, at)
    name, operand = _operator(item, at)
    if name not in _OPERATORS:
        raise PatternError(f"{at}: there is no operator {name!r}; known are {', '.join(sorted(_OPERATORS))}")
    return _OPERATORS[name](operand, f"{at}.{name}")


def absent(_leaf: object) -> bool:
    """The test of `exists: false`: False for every value. Where there is no value, a matcher looks for it."""
    return False


_KINDS = {bool: "boolean", str: "string", int | float: "number", list: "list", dict: "JSON object"}


def kind(value: object) -> str:
    """Names the JSON type of a value, or its Python type if JSON has no such value."""
    named = (name for python_type, name in _KINDS.items() if isinstance(value, python_type))
    return "null" if value is None else next(named, type(value).__name__)


def _operator(expression: dict[Any, object], at: str) -> tuple[str, object]:
    if len(expression) != 1:
        raise PatternError(f"{at} has {len(expression)} keys; a match expression has one, its operator")
    [(name, operand)] = expression.items()
    if not isinstance(name, str):
        raise PatternError(f"{at} has a key that is a {kind(name)}; it must be the name of an operator")
    if name in _UNSUPPORTED:
        raise UnsupportedOperator(
            f"{at}: the operator {name!r} is not modelled here, so nothing can be proven about this rule; "
            f"use one of {', '.join(sorted(_OPERATORS))}"
        )
    return name, operand


def _equals(value: object, at: str) -> ValueTest:
    if kind(value) not in ("string", "number", "boolean", "null"):
        raise PatternError(
            f"{at} is a {kind(value)}; a value is text, a number, true, false, null or an operator"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise PatternError(f"{at} is {value}, which is not a JSON number; write a finite number")
    # Python takes True for 1.
    return lambda leaf: leaf == value and isinstance(leaf, bool) == isinstance(value, bool)


def _exists(operand: object, at: str) -> ValueTest:
    if not isinstance(operand, bool):
        raise PatternError(f"{at} is a {kind(operand)}; it must be true or false")
    return (lambda _leaf: True) if operand else absent


def _affix(form: str, operand: object, at: str) -> ValueTest:
    """The test of prefix or suffix, by the form of the regular expression."""
    if not isinstance(operand, dict):
        return _text_test(form.format(re.escape(_text(operand, at))))
    name, text = _operator(operand, at)
    if name != "equals-ignore-case":
        raise PatternError(f"{at}.{name}: write text, or {{'equals-ignore-case': text}}")
    return _text_test(form.format(_any_case(_text(text, f"{at}.{name}"))))


def _equals_ignore_case(operand: object, at: str) -> ValueTest:
    return _text_test(rf"\A{_any_case(_text(operand, at))}\Z")


def _any_case(text: str) -> str:
    """The regular expression for the text, each character in upper or lower case.

    That is how AWS does it; `str.casefold` would equate more, such as ß and ss.
    """
    return "".join(f"(?:{re.escape(char.lower())}|{re.escape(char.upper())})" for char in text)


def _text_test(expression: str) -> ValueTest:
    regex = re.compile(expression)
    return lambda leaf: isinstance(leaf, str) and regex.search(leaf) is not None


def _text(value: object, at: str) -> str:
    if not isinstance(value, str):
        raise PatternError(f"{at} is a {kind(value)}; it must be text")
    return value


def _wildcard(operand: object, at: str) -> ValueTest:
    literals = [""]  # one more than there are stars
    for part in re.findall(r"\\.?|[^\\]", _text(operand, at), re.DOTALL):
        if part in (r"\*", r"\\"):
            literals[-1] += part[1]
        elif part.startswith("\\"):
            raise PatternError(f"{at}: a backslash stands before * or another backslash only")
        elif part != "*":
            literals[-1] += part
        elif len(literals) > 1 and not literals[-1]:
            raise PatternError(f"{at} has two stars in a row; write one, or escape it with a backslash")
        else:
            literals.append("")
    first, *inner = map(re.escape, literals)
    last = f".*{inner.pop()}" if inner else ""
    # Atomic groups: otherwise a pattern with many stars would take very long to fail.
    found = "".join(f"(?>.*?{literal})" for literal in inner)
    return _text_test(rf"(?s)\A{first}{found}{last}\Z")


_COMPARISONS: dict[str, Callable[..., bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# AWS's matcher takes a range with the lower bound first only.
_RANGES = [[lower, upper] for lower in (">", ">=") for upper in ("<", "<=")]
_NUMERIC_FORMS = [[name] for name in _COMPARISONS] + _RANGES


def _numeric(operand: object, at: str) -> ValueTest:
    """Compares numbers. The limits bind those of the pattern; AWS's matcher compares any in an event."""
    names, numbers = (operand[::2], operand[1::2]) if isinstance(operand, list) else ([], [])
    if names not in _NUMERIC_FORMS or len(names) != len(numbers):
        raise PatternError(
            f'{at} must be one of {" ".join(_COMPARISONS)} and a number, or a range such as [">", 0, "<=", 5]'
        )
    for index, number in enumerate(numbers):
        place = f"{at}[{2 * index + 1}]"
        if kind(number) != "number":
            raise PatternError(f"{place} is a {kind(number)}; it must be a number")
        # Not a number fails here too, because every comparison with it is false.
        if not -MAX_NUMBER <= number <= MAX_NUMBER:
            raise PatternError(f"{place} is {number}; numeric takes -{MAX_NUMBER} to {MAX_NUMBER}")
        if round(number, MAX_DECIMALS) != number:
            raise PatternError(
                f"{place} is {number}; numeric takes at most {MAX_DECIMALS} digits after the point"
            )
    if len(numbers) == 2 and numbers[0] >= numbers[1]:
        raise PatternError(f"{at}: the lower bound of a range must be less than the upper one")
    tests = [(_COMPARISONS[name], number) for name, number in zip(names, numbers, strict=True)]
    return lambda leaf: kind(leaf) == "number" and all(compare(leaf, limit) for compare, limit in tests)


def _cidr(operand: object, at: str) -> ValueTest:
    base, _, bits = _text(operand, at).partition("/")
    address = _address(base)
    if address is None:
        raise PatternError(f"{at} must be an IPv4 or IPv6 address, a slash and the bits, such as 10.0.0.0/24")
    # AWS refuses the block of a single address.
    if not re.fullmatch("[0-9]{1,3}", bits) or int(bits) >= address.max_prefixlen:
        raise PatternError(
            f"{at} must end in a slash and 0 to {address.max_prefixlen - 1}; "
            "for one address write it as a value, without cidr"
        )
    block = ip_network(f"{address}/{bits}", strict=False)
    return lambda leaf: (found := _address(leaf)) is not None and found in block


_ADDRESS = re.compile(r"[0-9.]+|[0-9a-fA-F:]+")
_LEADING_ZEROS = re.compile(r"(?<![0-9a-fA-F])0+(?=[0-9a-fA-F])")


def _address(value: object) -> IPv4Address | IPv6Address | None:
    """The IP address that AWS would read in this value.

    AWS reads no zone and no IPv4 notation within IPv6, ignores leading zeros (where Python sees an error),
    and takes an IPv6 address that stands for an IPv4 one as the latter.
    """
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        return None
    try:
        address = ip_address(_LEADING_ZEROS.sub("", value))
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def _anything_but(operand: object, at: str) -> ValueTest:
    if isinstance(operand, dict):
        name, excluded = _operator(operand, at)
        at = f"{at}.{name}"
        if name not in _BUT_OPERATORS:
            raise PatternError(f"{at}: anything-but takes {', '.join(sorted(_BUT_OPERATORS))}")
        texts = [_text(item, at) for item in (excluded if isinstance(excluded, list) else [excluded])]
        if not texts or (name in ("prefix", "suffix") and "" in texts):
            raise PatternError(f"{at} holds nothing to exclude; write text of at least one character")
        refused = [_BUT_OPERATORS[name](text, at) for text in texts]
    else:
        values = operand if isinstance(operand, list) else [operand]
        if {kind(value) for value in values} not in ({"string"}, {"number"}):
            raise PatternError(f"{at} must be text, a number, or a list of either all text or all numbers")
        # Here AWS compares an address as text.
        refused = [_equals(value, at) for value in values]
    return lambda leaf: not any(test(leaf) for test in refused)


_BUT_OPERATORS: dict[str, Callable[[object, str], ValueTest]] = {
    "equals-ignore-case": _equals_ignore_case,
    "prefix": partial(_affix, r"\A{}"),
    "suffix": partial(_affix, r"{}\Z"),
    "wildcard": _wildcard,
}

_OPERATORS: dict[str, Callable[[object, str], ValueTest]] = {
    **_BUT_OPERATORS,
    "anything-but": _anything_but,
    "cidr": _cidr,
    "exists": _exists,
    "numeric": _numeric,
}

RESERVED_IN_OR = (
    {*_OPERATORS, *_UNSUPPORTED, *_COMPARISONS}
    | {"regex", "not-wildcard", "not-equals-ignore-case"}
    | {"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"}
    | {"ip-address-in-range", "ip-address-not-in-range"}
)
"""Names AWS keeps for operators, present and future, and refuses as field names inside `$or`."""
