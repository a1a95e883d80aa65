"""What a check can say."""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """The three answers; "could not tell" is never shown as "ready"."""

    READY = "ready"
    NOT_READY = "not ready"
    UNKNOWN = "could not tell"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One answer of a check.

    Attributes:
        state: The answer.
        text: What was seen, for people.
        fix: What to do about it, in words; "" when there is nothing to say.
        commands: Commands that do it, each whole and with the credentials that it needs.
    """

    state: State
    text: str
    fix: str = ""
    commands: tuple[str, ...] = ()


def ready(text: str) -> Finding:
    """Return the finding that something is as it must be."""
    return Finding(state=State.READY, text=text)


def not_ready(text: str, *commands: str, fix: str = "") -> Finding:
    """Return the finding that something is not as it must be, and what mends it: words, commands, or both."""
    return Finding(state=State.NOT_READY, text=text, fix=fix, commands=commands)


def unknown(text: str, *commands: str, fix: str = "") -> Finding:
    """Return the finding that something could not be seen."""
    return Finding(state=State.UNKNOWN, text=text, fix=fix, commands=commands)
