"""Puts a drill's events on the default buses, slowly enough that the alarm survives being drilled."""

import json
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from statistics import median

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

    Closing the generator stops sending; queued events are dropped. `per_second` is None for no limit.
    """
    apart = 0.0 if per_second is None else 1 / per_second
    next_turn = timing.monotonic()
    turn, stopped = threading.Lock(), threading.Event()

    def work(place: Place) -> Sent | None:
        nonlocal next_turn
        with turn:
            early = next_turn - timing.monotonic()
            if early > 0 and not stopped.is_set():
                timing.sleep(early)
            next_turn = timing.monotonic() + apart
        if stopped.is_set():
            return None  # nobody waits for it any more
        return _put(accounts[place.account], place.region, entry_for(place), timing)

    pool = ThreadPoolExecutor(AT_ONCE)
    running = {pool.submit(work, place): place for place in places}
    try:
        for future in as_completed(running):
            if (sent := future.result()) is not None:
                yield running[future], sent
    finally:
        stopped.set()
        # A call that waits for its next attempt must not delay the end of an interrupted program.
        pool.shutdown(wait=False, cancel_futures=True)


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
    ahead = None
    with suppress(KeyError, TypeError, ValueError):
        date = parsedate_to_datetime(metadata["HTTPHeaders"]["date"])
        ahead = (date + timedelta(seconds=0.5) - after).total_seconds()  # the header has whole seconds
    return Sent(at=at, ahead=ahead, error=error)


def offset(sent: Sequence[Sent]) -> timedelta:
    """Return what to add to the local clock to get AWS's, in which all arrivals are given."""
    ahead = [event.ahead for event in sent if event.ahead is not None]
    middle = median(ahead) if ahead else 0.0
    return timedelta(seconds=middle if abs(middle) > NOTICED_OFFSET else 0.0)
