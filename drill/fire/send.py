"""Puts a drill's events on the default buses, slowly enough that the alarm survives being drilled."""

import json
import queue
import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median
from typing import Any

from breakglass import naming
from drill.account import CANNOT_TELL, Account, explained

LOUD_PER_SECOND = 2
"""SNS puts an e-mail subscription back to pending, and deletes it two days later, when more than 10 messages
a second come (https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html). A drill must never
kill the alarm, and messages that were held up on their way may bunch: hence far fewer."""

AT_ONCE = 4
"""Calls in flight, so that a Region that hangs holds up nobody; the few that hung may well end together."""

NOTICED_OFFSET = 2.0
"""Seconds. The `Date` of an answer is no better than a second, so what is below this is no finding."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The time; a test has one of its own.

    Attributes:
        now: The local clock, UTC.
        monotonic: Seconds, for what must not jump when somebody sets the clock.
        sleep: Waits for seconds.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, kw_only=True)
class Place:
    """A Region of an account, whose default bus gets one event of the drill."""

    account: Account
    region: str

    @property
    def key(self) -> tuple[str, str]:
        """Account id and Region."""
        return self.account.id, self.region


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of one event on this side.

    Attributes:
        at: When it was put on the bus, by the local clock, UTC.
        ahead: How many seconds AWS's clock is ahead of the local one, by this answer; None without an answer.
        error: Why the bus did not take it; "" when it did.
    """

    at: datetime
    ahead: float | None = None
    error: str = ""


def entry(place: Place, *, drill_id: str, who: str, why: str, quiet: bool) -> dict[str, str]:
    """Return the event for one place, as PutEvents takes it."""
    nonce = ".".join((drill_id, *place.key))
    return {
        "EventBusName": "default",
        "Source": naming.DRILL_SOURCE,
        "DetailType": naming.QUIET_DRILL_TYPE if quiet else naming.DRILL_TYPE,
        "Detail": json.dumps({"nonce": nonce, "who": who, "why": why}),
    }


def send(
    places: Sequence[Place],
    entry_for: Callable[[Place], dict[str, str]],
    *,
    per_second: float | None,
    clock: Clock,
) -> Generator[tuple[Place, Sent], None, None]:
    """Put an event on the bus of each place; yields each as it is done, in no order.

    Whoever stops to iterate stops the sending: what waits for its turn is not sent.

    Args:
        places: Where to.
        entry_for: Makes the event for a place.
        per_second: How many may be sent in a second; None for no limit.
        clock: The time.
    """
    pace = _Pace(per_second, clock)
    waiting: queue.SimpleQueue[Place] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Place, Sent | Exception]] = queue.SimpleQueue()
    for place in places:
        waiting.put(place)

    def work() -> None:
        while True:
            try:
                place = waiting.get_nowait()
            except queue.Empty:
                return
            if not pace.wait():
                return
            try:
                done.put((place, _put(place, entry_for(place), clock)))
            except Exception as error:  # handed on to whoever iterates, who would wait for ever otherwise
                done.put((place, error))

    # Daemons: a call that waits for its next try must not hold up the end of an interrupted program.
    for _ in range(min(AT_ONCE, len(places))):
        threading.Thread(target=work, daemon=True).start()
    try:
        for _ in places:
            place, result = done.get()
            if isinstance(result, Exception):
                raise result
            yield place, result
    finally:
        pace.stop()


class _Pace:
    """Lets threads pass one after the other, so many in a second, until it is stopped."""

    def __init__(self, per_second: float | None, clock: Clock) -> None:
        self._apart = 0.0 if per_second is None else 1 / per_second
        self._clock = clock
        self._next = clock.monotonic()
        self._turn = threading.Lock()
        self._stopped = False

    def wait(self) -> bool:
        """Wait for one's turn; tell whether there is still one."""
        with self._turn:
            early = self._next - self._clock.monotonic()
            if early > 0 and not self._stopped:
                self._clock.sleep(early)
            self._next = self._clock.monotonic() + self._apart
            return not self._stopped

    def stop(self) -> None:
        self._stopped = True


def _put(place: Place, event: dict[str, str], clock: Clock) -> Sent:
    before = clock.now()
    try:
        answer = place.account.client("events", place.region).put_events(Entries=[event])
    except CANNOT_TELL as error:
        return Sent(at=before, error=explained(error))
    after = clock.now()
    about = answer.get("ResponseMetadata", {})
    # After a retry the first try says nothing about when the event came in.
    at = after if about.get("RetryAttempts") else before
    return Sent(at=at, ahead=_ahead(about, after), error=_refusal(answer))


def _refusal(answer: dict[str, Any]) -> str:
    """Return why the bus did not take the event, though the call succeeded; "" when it took it."""
    if not answer.get("FailedEntryCount"):
        return ""
    refused = next(iter(answer.get("Entries", ())), {})
    return f"PutEvents answered {refused.get('ErrorCode')}: {refused.get('ErrorMessage')}"


def _ahead(about: dict[str, Any], now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(about["HTTPHeaders"]["date"])
        return (date + timedelta(seconds=0.5) - now).total_seconds()  # the header has whole seconds
    except (KeyError, TypeError, ValueError):
        return None


def offset(sent: Sequence[Sent]) -> timedelta:
    """Return what to add to the local clock to have AWS's, which all arrivals are told in."""
    seen = [one.ahead for one in sent if one.ahead is not None]
    middle = median(seen) if seen else 0.0
    return timedelta(seconds=middle if abs(middle) > NOTICED_OFFSET else 0.0)
