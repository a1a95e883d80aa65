"""Events go out at a pace that no mailbox suffers from; a Region that hangs holds up no other."""

import threading
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill.account import Account
from drill.fire.send import Sent, entry, offset, send
from drill.fire.timing import Timing
from drill.places import Place

HUB = "111111111111"
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Put = Callable[[str], dict[str, Any]]


class Bus(Account):
    """An account whose default buses answer as the test says."""

    def __init__(self, put: Put) -> None:
        super().__init__(HUB, None)
        self._put = put

    def client(self, service: str, region: str = "") -> Any:
        return _Client(lambda: self._put(region))


class _Client:
    def __init__(self, put: Callable[[], dict[str, Any]]) -> None:
        self._put = put

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:
        return self._put()


class Time:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.timing = Timing(
            now=lambda: START + timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self._sleep,
        )

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds


def _send(
    count: int, put: Put, *, per_second: float | None, timing: Timing
) -> Generator[tuple[Place, Sent], None, None]:
    """Send to that many Regions of one account."""
    places = [Place(HUB, f"eu-west-{number}") for number in range(count)]
    return send(places, {HUB: Bus(put)}, _entry, per_second=per_second, timing=timing)


def _entry(place: Place) -> dict[str, str]:
    return entry(place, drill_id="0a1b2c3d", who="me", why="a test", quiet=False)


def test_loud_events_keep_far_below_what_a_mailbox_survives() -> None:
    time = Time()
    pace = Timing().loud_per_second
    sent = dict(_send(34, lambda _: {"FailedEntryCount": 0}, per_second=pace, timing=time.timing))
    assert len(sent) == 34
    assert pace * 5 <= 10
    assert time.seconds == pytest.approx(33 / pace)


def test_quiet_events_wait_for_nothing() -> None:
    time = Time()
    sent = dict(_send(34, lambda _: {"FailedEntryCount": 0}, per_second=None, timing=time.timing))
    assert (len(sent), time.seconds) == (34, 0)


def test_a_region_that_hangs_holds_up_no_other() -> None:
    hangs = threading.Event()

    def put(region: str) -> dict[str, Any]:
        if region == "eu-west-0":
            hangs.wait(10)
        return {"FailedEntryCount": 0}

    sending = _send(9, put, per_second=1000, timing=Timing())
    first = [next(sending)[0].region for _ in range(8)]
    hangs.set()
    assert "eu-west-0" not in first
    assert next(sending)[0].region == "eu-west-0"


def test_closing_the_generator_stops_the_sending() -> None:
    asked, going = [], threading.Event()

    def put(region: str) -> dict[str, Any]:
        asked.append(region)
        return {"FailedEntryCount": 0}

    def sleep(_: float) -> None:
        going.wait(10)

    sending = _send(9, put, per_second=1, timing=Timing(sleep=sleep, monotonic=lambda: 0.0))
    next(sending)
    sending.close()
    going.set()
    for thread in threading.enumerate():
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(5)
    assert len(asked) == 1


def test_a_defect_is_not_waited_for() -> None:
    def put(_: str) -> dict[str, Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(_send(2, put, per_second=None, timing=Timing()))


@pytest.mark.parametrize(("retries", "seconds"), [(0, 0), (1, 5)], ids=["at once", "after a retry"])
def test_an_event_counts_from_when_the_bus_can_have_had_it(retries: int, seconds: int) -> None:
    time = Time()

    def put(_: str) -> dict[str, Any]:
        time.timing.sleep(5)
        return {"FailedEntryCount": 0, "ResponseMetadata": {"RetryAttempts": retries}}

    ((_, sent),) = _send(1, put, per_second=None, timing=time.timing)
    assert sent == Sent(at=START + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Fri, 02 Jan 2026 03:04:05 GMT", 0.5),
        ("Fri, 02 Jan 2026 03:14:05 GMT", 600.5),
        ("yesterday", None),
        ("Fri, 02 Jan 2026 03:04:05", None),
        (None, None),
    ],
)
def test_the_answers_say_how_wrong_the_local_clock_is(date: str | None, ahead: float | None) -> None:
    answer = {"FailedEntryCount": 0, "ResponseMetadata": {"HTTPHeaders": {"date": date}}}
    ((_, sent),) = _send(1, lambda _: answer, per_second=None, timing=Time().timing)
    assert sent.ahead == ahead


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=9))
def test_the_clock_is_corrected_by_the_middle_answer_or_not_at_all(seen: list[float | None]) -> None:
    correction = offset([Sent(at=START, ahead=ahead) for ahead in seen]).total_seconds()
    told = [ahead for ahead in seen if ahead is not None]
    assert correction == 0 or (abs(correction) > 2 and min(told) - 1e-6 <= correction <= max(told) + 1e-6)


def test_one_wrong_clock_at_aws_does_not_count() -> None:
    assert offset([Sent(at=START, ahead=ahead) for ahead in (0.2, 900.0, 0.4)]) == timedelta(0)
