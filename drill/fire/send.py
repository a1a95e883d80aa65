"""Puts a drill's events on the default buses, slowly enough that the alarm survives being drilled."""

import json
import queue
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median
from typing import Any

from breakglass import naming
from drill.account import CANNOT_TELL, Account, explained
from drill.fire.timing import Timing
from drill.places import Place

AT_ONCE = 4
"""Parallel calls, so that one slow Region does not delay the others. Few, because stalled calls may finish
together."""

NOTICED_OFFSET = 2.0
"""Seconds. The `Date` of an answer has whole seconds only, so a smaller difference means nothing."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of one event on this side.

    Attributes:
        at: When it was put on the bus, by the local clock, UTC.
        ahead: How many seconds AWS's clock is ahead of the local one, by this answer; None without an answer.
        error: Why the bus did not take it; "" if it did.
    """

    at: datetime
    ahead: float | None = None
    error: str = ""


def entry(place: Place, *, drill_id: str, who: str, why: str, quiet: bool) -> dict[str, str]:
    """Return the event for one place, as PutEvents takes it."""
    nonce = f"{drill_id}.{place.account}.{place.region}"
    return {
        "EventBusName": "default",
        "Source": naming.DRILL_SOURCE,
        "DetailType": naming.QUIET_DRILL_TYPE if quiet else naming.DRILL_TYPE,
        "Detail": json.dumps({"nonce": nonce, "who": who, "why": why}),
    }


def send(
    places: Sequence[Place],
    accounts: Mapping[str, Account],
    entry_for: Callable[[Place], dict[str, str]],
    *,
    per_second: float | None,
    timing: Timing,
) -> Generator[tuple[Place, Sent], None, None]:
    """Put an event on the default bus of each place; yields each as it is done, in no order.

    Closing the generator stops sending; queued events are dropped.

    Args:
        places: Where to send to.
        accounts: The accounts of these places, by id.
        entry_for: Makes the event for a place.
        per_second: How many may be sent in a second; None for no limit.
        timing: The clock.
    """
    pace = _Pace(per_second, timing)
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
                done.put((place, _put(accounts[place.account], place.region, entry_for(place), timing)))
            except Exception as error:  # passed on: the reader of `done` would wait for ever otherwise
                done.put((place, error))

    # Daemons: a call that waits for its next attempt must not delay the end of an interrupted program.
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

    def __init__(self, per_second: float | None, timing: Timing) -> None:
        self._apart = 0.0 if per_second is None else 1 / per_second
        self._timing = timing
        self._next = timing.monotonic()
        self._turn = threading.Lock()
        self._stopped = False

    def wait(self) -> bool:
        """Wait for one's turn; return False if sending was stopped."""
        with self._turn:
            early = self._next - self._timing.monotonic()
            if early > 0 and not self._stopped:
                self._timing.sleep(early)
            self._next = self._timing.monotonic() + self._apart
            return not self._stopped

    def stop(self) -> None:
        self._stopped = True


def _put(account: Account, region: str, event: dict[str, str], timing: Timing) -> Sent:
    before = timing.now()
    try:
        answer = account.client("events", region).put_events(Entries=[event])
    except CANNOT_TELL as error:
        return Sent(at=before, error=explained(error))
    after = timing.now()
    metadata = answer.get("ResponseMetadata", {})
    error = ""
    if answer.get("FailedEntryCount"):  # the bus may refuse the event although the call succeeds
        refused = next(iter(answer.get("Entries", ())), {})
        error = f"PutEvents answered {refused.get('ErrorCode')}: {refused.get('ErrorMessage')}"
    # After a retry, the first attempt does not say when the event came in.
    at = after if metadata.get("RetryAttempts") else before
    return Sent(at=at, ahead=_ahead(metadata, after), error=error)


def _ahead(metadata: dict[str, Any], now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
        return (date + timedelta(seconds=0.5) - now).total_seconds()  # the header has whole seconds
    except (KeyError, TypeError, ValueError):
        return None


def offset(sent: Sequence[Sent]) -> timedelta:
    """Return what to add to the local clock to get AWS's, in which all arrivals are given."""
    ahead = [event.ahead for event in sent if event.ahead is not None]
    middle = median(ahead) if ahead else 0.0
    return timedelta(seconds=middle if abs(middle) > NOTICED_OFFSET else 0.0)
