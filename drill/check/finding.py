"""What a check can say."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """The three answers; "could not tell" is never shown as "ready"."""

    READY = "ready"
    NOT_READY = "not ready"
    UNKNOWN = "could not tell"


@dataclass(frozen=True, kw_only=True)
class CheckFinding:
    """One answer of a check: what was seen, and what to do about it, in words (or "") and as commands.

    Each command is complete and has the profile that it needs.
    """

    state: State
    text: str
    fix: str = ""
    commands: tuple[str, ...] = ()


Findings = Iterator[CheckFinding]
"""What a check yields."""


def ready(text: str) -> CheckFinding:
    """Return the finding that something is as it must be."""
    return CheckFinding(state=State.READY, text=text)


def not_ready(text: str, *commands: str, fix: str = "") -> CheckFinding:
    """Return the finding that something is not as it must be, and what fixes it: words, commands, or both."""
    return CheckFinding(state=State.NOT_READY, text=text, fix=fix, commands=commands)


def unknown(text: str, *commands: str, fix: str = "") -> CheckFinding:
    """Return the finding that something could not be seen."""
    return CheckFinding(state=State.UNKNOWN, text=text, fix=fix, commands=commands)
