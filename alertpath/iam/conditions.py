"""The `Condition` element of an IAM statement, in three values.

Each question has the answer yes, no, or "cannot tell" (`Answer.holds` is None): an operator that is not
modelled, a value of the wrong kind, or a case on which AWS's pages are silent or disagree. The pages, all
below https://docs.aws.amazon.com/IAM/latest/UserGuide/:

- `reference_policies_elements_condition_operators.html`: the operators, and what a missing key means to each;
- `reference_policies_condition-logic-multiple-context-keys-or-values.html`: keys are ANDed, values are ORed,
  the values of a negated operator are NORed;
- `reference_policies_multi-value-conditions.html`: ForAnyValue and ForAllValues.

Deliberately undecided: a plain operator on a key with several values (AWS asks for a set operator);
ForAnyValue with IfExists when the key is missing (the page on IfExists says true, tests by others say false);
an IPv6 address without a prefix (the page says /32); a year alone as a date, which is also an epoch time.
"""

import json
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import TypeAlias

from alertpath.iam.answer import Answer, every, one_of, shown, some
from alertpath.iam.wildcards import Context, Tokens, Wild, expanded, fits, requested

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
    """Compares six parts, each on its own; only the last one, the resource, may have colons."""
    pattern = expanded(written, context)
    if isinstance(pattern, Answer):
        return pattern
    ours: list[Tokens] = [[]]
    for element in pattern:
        if element == ":" and len(ours) < 6:
            ours.append([])
        else:
            ours[-1].append(element)
    theirs = requested.split(":", 5)
    if len(ours) != 6 or len(theirs) != 6:
        wrong = requested if len(ours) == 6 else written
        return Answer(None, f"{shown(wrong)} is not an ARN of six parts")
    return Answer(all(fits(part, text) for part, text in zip(ours, theirs, strict=True)), "")


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


def condition_holds(condition: object, context: Context, *, variables: bool) -> Answer:
    """Whether a statement's `Condition` element is met; `variables`: whether the Version has variables."""
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
    sent = requested(key, context)
    if sent is None:
        return Answer(
            None, f"{name}: it is not known whether the request carries {key}, and with which value"
        )
    if name == "Null":
        wanted = [_boolean(text) for text in texts]
        if None in wanted:
            return Answer(None, f"Null on {key} is neither true nor false")
        absent = not any(sent)  # an empty value counts as null, as in the examples of multivalued keys
        state = "missing" if absent else "present"
        return Answer(absent in wanted, f"Null: {key} is {state} in the request")
    parsed = _OPERATOR.fullmatch(name)
    base = parsed[2] if parsed else name
    test = _POSITIVE.get(base) or _NEGATED.get(base)
    if parsed is None or test is None:
        return Answer(None, f"the condition operator {shown(name)} is not modelled")
    if not sent or (parsed[1] and not any(sent)):
        if_exists = parsed[3] is not None
        of_sets = {"ForAllValues": True, "ForAnyValue": None if if_exists else False}
        holds = of_sets.get(parsed[1], if_exists or base in _NEGATED)
        return Answer(holds, f"{name}: the request carries no {key}")
    if parsed[1] is None and len(sent) > 1:
        return Answer(None, f"{name} is not a set operator, and {key} has several values")

    def matches(value: str) -> Answer:
        answers = [test(value, text, context if variables else None) for text in texts]
        why = f"{name}: {key} is {shown(value)}, the policy says {', '.join(map(shown, texts[:3]))}"
        return one_of(answers, negated=base in _NEGATED, why=why)

    return (some if parsed[1] == "ForAnyValue" else every)(matches(value) for value in sent)


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
