"""Text of a policy that stands for other text: wildcards and policy variables.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html: `${key}`,
`${key, 'default'}`, `${*}`.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias

from alertpath.iam.answer import Answer, shown

Context: TypeAlias = Mapping[str, tuple[str, ...] | None]
"""Condition keys of a request, in lower case: AWS compares their names without case; None is unknown."""


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


def requested(key: str, context: Context) -> tuple[str, ...] | None:
    """The values that a request has for a key: none if it has no such key, None if that is not known.

    Of keys such as `aws:ResourceTag/team` all are unknown if the context has None for `aws:ResourceTag`.
    """
    key = key.lower()
    prefix = ":".join(re.split("[:/]", key)[:2])
    return context[key] if key in context else () if context.get(prefix, ()) is not None else None


def tokens(text: str) -> Tokens:
    """The text with `*` and `?` as wildcards and without variables."""
    return [Wild(char) if char in "*?" else char for char in text]


def expanded(text: str, context: Context | None) -> Tokens | Answer:
    """The text with its policy variables replaced, or why they cannot be.

    Args:
        text: A value of a policy.
        context: The values of the variables; None for a policy whose Version has no variables.
    """
    if context is None:
        return tokens(text)
    found: Tokens = []
    pieces = _VARIABLE.split(text)
    for index, piece in enumerate(pieces):
        value = _value(piece, context) if index % 2 else tokens(piece)
        if isinstance(value, Answer):
            return value
        found += value
    if "${" in pieces[-1]:
        return Answer(None, f"the policy variable in {shown(text)} has no end")
    return found


def _value(inside: str, context: Context) -> str | Answer:
    """The value of `${inside}`; never a wildcard."""
    if inside in _SPECIAL:
        return inside
    parsed = _INSIDE_VARIABLE.fullmatch(inside)
    if parsed is None:
        return Answer(None, f"the policy variable ${{{inside}}} is not of the form ${{key, 'default'}}")
    values = requested(parsed[1], context)
    if values is None:
        return Answer(None, f"it is not known whether the request has a value for ${{{inside}}}, and which")
    if len(values) == 1:
        # AWS does not say whether a wildcard counts when it comes out of a variable.
        wild = set(values[0]) & set("*?")
        return Answer(None, f"the value of ${{{inside}}} contains a wildcard") if wild else values[0]
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
        if not at:
            return False
        if isinstance(token, str):
            at = {start + 1 for start in at if text[start : start + 1] == token}
        elif token is Wild.MANY:
            at = set(range(min(at), len(text) + 1))
        elif token is Wild.MANY_INSIDE:
            at = {then for start in at for then in range(start, f"{text}:".index(":", start) + 1)}
        elif token is Wild.ONE:
            at = {start + 1 for start in at if start < len(text)}
        else:
            at = {start + 1 for start in at if text[start : start + 1] not in ("", ":")}
    return len(text) in at
