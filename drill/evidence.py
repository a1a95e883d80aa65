"""The evidence folder: past drills, kept as files that an auditor can read. Nothing in it is secret."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import ClassVar, Literal

from pydantic import AwareDatetime, ConfigDict, FiniteFloat, TypeAdapter, ValidationError

from drill.places import Place

_STRICT = ConfigDict(strict=True, extra="forbid")
"""No conversion of types, no unknown keys."""

Where = Literal["audit log", "topic", "watchdog topic"]

LEGS: Mapping[Where, str] = {"audit log": "audit_log", "topic": "topic", "watchdog topic": "watchdog"}
"""Where an event has to arrive, and the attribute of `Arrival` that says when it did."""


class UnusableEvidence(Exception):
    """A file of the evidence folder cannot be read or written; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What became of a drill's event in one Region of one account.

    Attributes:
        sent: When it was put on the default bus, UTC.
        audit_log: Seconds until the hub's audit log had it; None if it did not arrive in time.
        topic: Seconds until the topic's message was in the drill queue; None as above, or in a quiet drill.
        watchdog: The same for the watchdog topic.
        error: Why it could not be sent; "" if it was.
    """

    __pydantic_config__: ClassVar = _STRICT

    account: str
    region: str
    sent: AwareDatetime
    audit_log: FiniteFloat | None = None
    topic: FiniteFloat | None = None
    watchdog: FiniteFloat | None = None
    error: str = ""

    @property
    def place(self) -> Place:
        """Where the event was put on the default bus."""
        return Place(self.account, self.region)

    def took(self, leg: Where) -> float | None:
        """Return the seconds until it arrived at one of `LEGS`; None if it did not."""
        return getattr(self, LEGS[leg])


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One drill, with an arrival for each Region of each account; a quiet one went to the audit log only.

    Its id begins each event's nonce. Arrivals that could not be seen count as missing; `problems` says why.
    """

    __pydantic_config__: ClassVar = _STRICT

    id: str
    started: AwareDatetime
    who: str
    why: str
    quiet: bool
    arrivals: tuple[Arrival, ...]
    problems: tuple[str, ...] = ()

    @property
    def legs(self) -> list[Where]:
        """Where its events have to arrive: names of `LEGS`."""
        return ["audit log"] if self.quiet else list(LEGS)

    @property
    def arrived(self) -> int:
        """How many events arrived everywhere they had to."""
        return sum(not self.missing(arrival) for arrival in self.arrivals)

    def missing(self, arrival: Arrival) -> list[Where]:
        """Return where an event that had to arrive did not: names of `LEGS`."""
        return [leg for leg in self.legs if arrival.took(leg) is None]


_DRILL = TypeAdapter(Drill)


def save(folder: Path, drill: Drill) -> Path:
    """Write a drill into the folder, created if necessary; return the file or raise `UnusableEvidence`."""
    name = f"drill-{drill.started:%Y%m%dT%H%M%SZ}-{drill.id}.json"
    return write(folder / name, as_json(drill) + "\n")


def as_json(drill: Drill) -> str:
    """Return a drill as its file has it."""
    return _DRILL.dump_json(drill, indent=1).decode()


def check_writable(folder: Path) -> None:
    """Raise `UnusableEvidence` early if the folder is not writable."""
    write(folder / f".writable-{token_hex(4)}", "").unlink()


def write(file: Path, text: str) -> Path:
    """Write a file of evidence completely or not at all, and return it.

    Raises:
        UnusableEvidence: It cannot be written, or exists: evidence is never overwritten.
    """
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_text(text, "utf-8")
            os.link(draft, file)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UnusableEvidence(f"{file}: cannot be written: {error.strerror or error}") from error
    return file


def drills(folder: Path) -> list[Drill]:
    """Return the drills kept in a folder, the latest first.

    Raises:
        UnusableEvidence: A file `drill-*.json` is not a drill's evidence.
    """
    kept = map(_drill, folder.glob("drill-*.json"))
    return sorted(kept, key=lambda drill: drill.started, reverse=True)


def _drill(file: Path) -> Drill:
    try:
        return _DRILL.validate_json(file.read_bytes())
    except OSError as error:
        raise UnusableEvidence(f"{file}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}"
            for item in error.errors(include_url=False)[:3]
        )
        raise UnusableEvidence(f"{file}: not a drill's evidence: {problems}") from error
