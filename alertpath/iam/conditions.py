"""The `Condition` element of an IAM statement, policy variables and wildcards, in three values.

Each question has the answer yes, no, or "cannot tell" (`Answer.holds` is None): an operator that is not
modelled, a value of the wrong kind, or a case on which AWS's pages are silent or disagree. The pages, all
below https://docs.aws.amazon.com/IAM/latest/UserGuide/:

- `reference_policies_elements_condition_operators.html`: the operators, and what a missing key means to each;
- `reference_policies_condition-logic-multiple-context-keys-or-values.html`: keys are ANDed, values are ORed,
  the values of a negated operator are NORed;
- `reference_policies_multi-value-conditions.html`: ForAnyValue and ForAllValues;
- `reference_policies_variables.html`: `${key}`, `${key, 'default'}`, `${*}`.

What cannot be told, on purpose: a plain operator on a key with several values (AWS asks for a set operator);
ForAnyValue with IfExists when the key is missing (the page on IfExists says true, tests by others say false);
an IPv6 address without a prefix (the page says /32); a year alone as a date, which is also an epoch time.
"""

import json
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from ipaddress import ip_address, ip_network
from typing import TypeAlias

Context: TypeAlias = Mapping[str, tuple[str, ...]]
"""Condition keys of a request, in lower case: AWS compares their names without case."""


@dataclass(frozen=True)
class Answer:
    """Whether something holds, and why.

    Attributes:
        holds: None if it cannot be told.
        why: A clause for the reader.
        unresolved: The value compared has a policy variable that the request gives no value for.
    """

    holds: bool | None
    why: str
    unresolved: bool = False


def every(answers: Iterable[Answer], why: str = "") -> Answer:
    """All of them: a no decides, then a "cannot tell"; `why` explains a yes."""
    given = list(answers)
    for decisive in (False, None):
        reasons = [answer.why for answer in given if answer.holds is decisive]
        if reasons:
            return Answer(decisive, reasons[0])
    return Answer(True, why or ", and ".join(dict.fromkeys(answer.why for answer in given if answer.why)))


def some(answers: Iterable[Answer], why: str = "") -> Answer:
    """At least one of them: a yes decides, then a "cannot tell"; `why` explains a no."""
    given = list(answers)
    for decisive in (True, None):
        reasons = [answer.why for answer in given if answer.holds is decisive]
        if reasons:
            return Answer(decisive, reasons[0])
    return Answer(False, why or "; ".join(dict.fromkeys(answer.why for answer in given)))


def one_of(answers: Sequence[Answer], *, negated: bool, why: str = "") -> Answer:
    """Whether one of a list of values matches, or with `negated` none of them.

    A variable without a value matches nothing and "might cause the entire statement to be invalid" (see the
    page on variables), so it turns a yes into "cannot tell" and leaves a no alone.
    """
    found = some(answers, why)
    if negated and found.holds is not None:
        found = Answer(not found.holds, why)
    unresolved = [answer.why for answer in answers if answer.unresolved]
    if not unresolved or found.holds is None or (negated and not found.holds):
        return found
    return Answer(None if found.holds else False, unresolved[0])


# ---- text with wildcards and variables


class Wild(Enum):
    """A wildcard; the two `INSIDE` ones do not match a colon."""

    MANY = "*"
    ONE = "?"
    MANY_INSIDE = "* inside a segment"
    ONE_INSIDE = "? inside a segment"


Tokens: TypeAlias = list[str | Wild]
"""A pattern: single characters and wildcards."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_INSIDE_VARIABLE = re.compile(r"\s*([^,'{}]*[^,'{}\s])\s*(?:,\s*'([^']*)'\s*)?")
_SPECIAL = ("*", "?", "$")


def tokens(text: str) -> Tokens:
    """The text with `*` and `?` as wildcards and without variables."""
    return [Wild(char) if char in "*?" else char for char in text]


def expanded(text: str, context: Context | None) -> Tokens | Answer:
    """The text with its policy variables replaced, or why it stays open.

    Args:
        text: A value of a policy.
        context: Where the variables' values come from; None for a policy whose Version has no variables.
    """
    if context is None:
        return tokens(text)
    found: Tokens = []
    end = 0
    for variable in _VARIABLE.finditer(text):
        value = _value(variable[1], context)
        if isinstance(value, Answer):
            return value
        found += [*tokens(text[end : variable.start()]), *value]
        end = variable.end()
    if "${" in text[end:]:
        return Answer(None, f"the policy variable in {shown(text)} has no end")
    return found + tokens(text[end:])


def _value(inside: str, context: Context) -> str | Answer:
    """What stands for `${inside}`; never a wildcard."""
    if inside in _SPECIAL:
        return inside
    parsed = _INSIDE_VARIABLE.fullmatch(inside)
    if parsed is None:
        return Answer(None, f"the policy variable ${{{inside}}} is not of the form ${{key, 'default'}}")
    values = context.get(parsed[1].lower(), ())
    if len(values) == 1:
        # AWS does not say whether a wildcard counts when it comes out of a variable.
        wild = set(values[0]) & set("*?")
        return Answer(None, f"the value of ${{{inside}}} holds a wildcard") if wild else values[0]
    if parsed[2] is not None and not values:
        return parsed[2]
    # A key with several values cannot be a variable, with or without a default.
    return Answer(False, f"the request has no single value for ${{{inside}}}", unresolved=True)


def fits(pattern: Tokens, text: str) -> bool:
    """Whether the whole text matches.

    All positions are followed at once, so that no pattern takes more than quadratic time.
    """
    at = {0}
    for token in pattern:
        at = _after(token, at, text)
    return len(text) in at


def _after(token: str | Wild, at: set[int], text: str) -> set[int]:
    if not at:
        return at
    match token:
        case Wild.MANY:
            return set(range(min(at), len(text) + 1))
        case Wild.MANY_INSIDE:
            return {then for start in at for then in range(start, _segment_end(text, start) + 1)}
        case Wild.ONE:
            return {start + 1 for start in at if start < len(text)}
        case Wild.ONE_INSIDE:
            return {start + 1 for start in at if start < len(text) and text[start] != ":"}
    return {start + 1 for start in at if text[start : start + 1] == token}


def _segment_end(text: str, start: int) -> int:
    colon = text.find(":", start)
    return len(text) if colon < 0 else colon


def shown(value: object) -> str:
    """The value for a message, cut short; only the kind of what is neither text nor a number."""
    if isinstance(value, str):
        return repr(value if len(value) <= 80 else value[:77] + "...")
    return {dict: "an object", list: "a list"}.get(type(value), type(value).__name__)


def texts_of(value: object, element: str) -> list[str] | Answer:
    """The texts of an element that is text or a list of text."""
    listed = value if isinstance(value, list) else [value]
    texts = [item for item in listed if isinstance(item, str)]
    if not texts or len(texts) < len(listed):
        return Answer(None, f"its {element} is neither text nor a list of text")
    return texts


# ---- the operators

_Test: TypeAlias = Callable[[str, str, Context | None], Answer]
"""Does the request's value match the policy's? The context is for variables."""


def _string(same: Callable[[Tokens, str], bool]) -> _Test:
    def test(requested: str, written: str, context: Context | None) -> Answer:
        pattern = expanded(written, context)
        return pattern if isinstance(pattern, Answer) else Answer(same(pattern, requested), "")

    return test


def _plain(pattern: Tokens) -> str:
    return "".join(token.value if isinstance(token, Wild) else token for token in pattern)


def _arn(requested: str, written: str, context: Context | None) -> Answer:
    """Six parts, each matched on its own; only the last one, the resource, may hold colons."""
    pattern = expanded(written, context)
    if isinstance(pattern, Answer):
        return pattern
    ours, theirs = _parts(pattern), requested.split(":", 5)
    if len(ours) != 6 or len(theirs) != 6:
        wrong = requested if len(ours) == 6 else written
        return Answer(None, f"{shown(wrong)} is not an ARN of six parts")
    return Answer(all(fits(part, text) for part, text in zip(ours, theirs, strict=True)), "")


def _parts(pattern: Tokens) -> list[Tokens]:
    parts: list[Tokens] = [[]]
    for element in pattern:
        if element == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(element)
    return parts


def _compared(parse: Callable[[str], object], same: Callable[..., bool], kind: str) -> _Test:
    """A test on parsed values; AWS takes no policy variable there, and one does not parse."""

    def test(requested: str, written: str, _context: Context | None) -> Answer:
        left, right = parse(requested), parse(written)
        if left is None or right is None:
            return Answer(None, f"{shown(requested if left is None else written)} is not {kind}")
        return Answer(same(left, right), "")

    return test


_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_EPOCH = re.compile(r"[0-9]{5,15}")
_W3C_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2}))?)?"
)
_PREFIX = re.compile(r"[^/]+/[0-9]{1,3}")


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _moment(text: str) -> float | None:
    """Seconds since 1970: W3C date formats (https://www.w3.org/TR/NOTE-datetime) or epoch time."""
    if _EPOCH.fullmatch(text):
        return float(text)
    if not _W3C_DATE.fullmatch(text):
        return None
    try:
        date = datetime.fromisoformat(text + "-01" if len(text) == 7 else text)
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _in_range(requested: str, written: str, _context: Context | None) -> Answer:
    try:
        address = ip_address(requested)
        network = ip_network(written, strict=False)
    except ValueError:
        return Answer(None, f"{shown(requested)} and {shown(written)} are not an IP address and a range")
    if not _PREFIX.fullmatch(written) and (network.version == 6 or "/" in written):
        return Answer(None, f"the range {shown(written)} has no prefix length")
    return Answer(address.version == network.version and address in network, "")


_equal = _string(lambda pattern, text: _plain(pattern) == text)
_equal_ignoring_case = _string(lambda pattern, text: _plain(pattern).lower() == text.lower())
_like = _string(fits)

_ORDERS: dict[str, Callable[..., bool]] = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}

_POSITIVE: dict[str, _Test] = {
    "StringEquals": _equal,
    "StringEqualsIgnoreCase": _equal_ignoring_case,
    "StringLike": _like,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": _compared(_boolean, operator.eq, "true or false"),
    "IpAddress": _in_range,
    **{f"Numeric{name}": _compared(_number, order, "a number") for name, order in _ORDERS.items()},
    **{f"Date{name}": _compared(_moment, order, "a date") for name, order in _ORDERS.items()},
}

_NEGATED: dict[str, _Test] = {
    "StringNotEquals": _equal,
    "StringNotEqualsIgnoreCase": _equal_ignoring_case,
    "StringNotLike": _like,
    "ArnNotEquals": _arn,
    "ArnNotLike": _arn,
    "NotIpAddress": _in_range,
    "NumericNotEquals": _POSITIVE["NumericEquals"],
    "DateNotEquals": _POSITIVE["DateEquals"],
}

_OPERATOR = re.compile(r"(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?")


# ---- the element


def condition_holds(condition: object, context: Context, *, variables: bool) -> Answer:
    """Whether a statement's `Condition` element is met.

    Args:
        condition: The element: operator -> key -> value or values.
        context: The request's condition keys.
        variables: Whether the document's Version has policy variables.
    """
    if not isinstance(condition, dict):
        return Answer(None, f"the Condition is {shown(condition)} instead of an object")
    answers: list[Answer] = []
    for name, block in condition.items():
        if not isinstance(name, str) or not isinstance(block, dict) or not block:
            answers.append(Answer(None, f"the condition operator {shown(name)} names no condition key"))
            continue
        answers += [_key_holds(name, key, values, context, variables) for key, values in block.items()]
    return every(answers, "its conditions are met")


def _key_holds(name: str, key: object, values: object, context: Context, variables: bool) -> Answer:
    written = [_text(value) for value in (values if isinstance(values, list) else [values])]
    texts = [text for text in written if text is not None]
    if not isinstance(key, str) or not texts or len(texts) < len(written):
        return Answer(None, f"{name} on {shown(key)} compares with something that is not text")
    requested = context.get(key.lower(), ())
    if name == "Null":
        return _null(key, requested, texts)
    parsed = _OPERATOR.fullmatch(name)
    base = parsed[2] if parsed else name
    test = _POSITIVE.get(base) or _NEGATED.get(base)
    if parsed is None or test is None:
        return Answer(None, f"the condition operator {shown(name)} is not modelled")
    if not requested or (parsed[1] and not any(requested)):
        return _without_key(name, key, parsed)
    if parsed[1] is None and len(requested) > 1:
        return Answer(None, f"{name} is no set operator, and {key} has several values")

    def matches(value: str) -> Answer:
        answers = [test(value, text, context if variables else None) for text in texts]
        why = f"{name}: {key} is {shown(value)}, the policy says {', '.join(map(shown, texts[:3]))}"
        return one_of(answers, negated=base in _NEGATED, why=why)

    return (some if parsed[1] == "ForAnyValue" else every)(matches(value) for value in requested)


def _text(value: object) -> str | None:
    """A value of a policy as text: JSON numbers and booleans are written as JSON."""
    if isinstance(value, str):
        return value
    if not isinstance(value, bool | int | float):
        return None
    try:
        return json.dumps(value)
    except ValueError:  # a number of more digits than Python writes
        return None


def _null(key: str, requested: tuple[str, ...], texts: list[str]) -> Answer:
    """An empty value counts as null, as the examples of multivalued keys use it."""
    wanted = [_boolean(text) for text in texts]
    if None in wanted:
        return Answer(None, f"Null on {key} is neither true nor false")
    absent = not any(requested)
    state = "missing" if absent else "present"
    return Answer(absent in wanted, f"Null: {key} is {state} in the request")


def _without_key(name: str, key: str, parsed: re.Match[str]) -> Answer:
    missing = f"{name}: the request carries no {key}"
    if parsed[1] == "ForAllValues":
        return Answer(True, missing)
    if parsed[1] == "ForAnyValue":
        return Answer(None if parsed[3] else False, missing)
    return Answer(bool(parsed[3]) or parsed[2] in _NEGATED, missing)
