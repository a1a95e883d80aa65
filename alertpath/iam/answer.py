"""Answers in three values: yes, no, or "cannot tell"; how they combine, and how they quote a document."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Whether something holds, and why.

    Attributes:
        holds: True, False, or None for "cannot tell".
        why: The reason, as a clause.
        unresolved: The policy's value has a variable for which the request has no value.
    """

    holds: bool | None
    why: str
    unresolved: bool = False


def every(answers: Iterable[Answer], why: str = "") -> Answer:
    """All of them: a no decides, then a "cannot tell"; `why` explains a yes."""
    given = list(answers)
    yes = Answer(True, why or ", and ".join(dict.fromkeys(answer.why for answer in given if answer.why)))
    return _first(given, False) or _first(given, None) or yes


def some(answers: Iterable[Answer], why: str = "") -> Answer:
    """At least one of them: a yes decides, then a "cannot tell"; `why` explains a no."""
    given = list(answers)
    no = Answer(False, why or "; ".join(dict.fromkeys(answer.why for answer in given)))
    return _first(given, True) or _first(given, None) or no


def _first(answers: Sequence[Answer], decisive: bool | None) -> Answer | None:
    return next((Answer(decisive, answer.why) for answer in answers if answer.holds is decisive), None)


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


def shown(value: object) -> str:
    """The value for a message: text in quotes, cut short; of anything else only the kind."""
    if isinstance(value, str):
        return repr(value if len(value) <= 80 else value[:77] + "...")
    if isinstance(value, dict):
        return "an object"
    return "a list" if isinstance(value, list) else type(value).__name__


def texts_of(value: object, element: str) -> list[str] | Answer:
    """The texts of an element that is text or a list of text; "cannot tell" if it is neither."""
    listed: list[object] = value if isinstance(value, list) else [value]
    texts = [item for item in listed if isinstance(item, str)]
    if not texts or len(texts) < len(listed):
        return Answer(None, f"its {element} is neither text nor a list of text")
    return texts
