"""The result of a drill fits a terminal; what could not be read is not a failure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from drill.evidence import Arrival, Drill
from drill.fire import result
from drill.fire.result import DrillResult
from drill.fire.send import Sent
from drill.places import Place

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HUB = "111111111111"


def _arrival(**about: object) -> Arrival:
    found = Arrival(account=HUB, region="ap-northeast-1", sent=NOW, audit_log=1.0, topic=2.0, watchdog=3.0)
    return Arrival(**{**vars(found), **about})


def _result(*arrivals: Arrival, quiet: bool = False, unreadable: tuple[str, ...] = ()) -> DrillResult:
    drill = Drill(id="0a1b2c3d", started=NOW, who="me", why="a test", quiet=quiet, arrivals=arrivals)
    return DrillResult(drill=drill, unreadable=frozenset(unreadable))


def _shown(found: DrillResult, width: int = 80) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        result.show(found, console)
    return capture.get()


ABSENT = _arrival(audit_log=None, topic=None, watchdog=None)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (_result(_arrival()), 0),
        (_result(_arrival(topic=None, watchdog=None), quiet=True), 0),
        (_result(_arrival(watchdog=None)), 1),
        (_result(_arrival(), _arrival(topic=None)), 1),
        (_result(_arrival(topic=None), unreadable=("topic",)), 2),
        (_result(_arrival(topic=None, watchdog=None), unreadable=("topic",)), 1),
        (_result(ABSENT, unreadable=("audit log", "topic", "watchdog topic")), 2),
        (DrillResult(drill=replace(_result(_arrival()).drill, problems=("no credentials",))), 2),
        (DrillResult(drill=_result(ABSENT).drill, unreached=frozenset({HUB})), 2),
    ],
)
def test_the_exit_code(found: DrillResult, code: int) -> None:
    assert found.exit_code == code


def test_the_table_fits_eighty_columns_with_the_longest_region() -> None:
    table = _shown(_result(_arrival(), ABSENT, _arrival(topic=None, error="no"))).split("\n\n")[0]
    assert max(len(line.rstrip()) for line in table.splitlines()) == 80
    assert table.splitlines()[-2].split("   ") == [HUB, "ap-northeast-1", *["did not arrive"] * 3]
    assert "…" not in table


def test_it_says_where_the_event_may_lie() -> None:
    def said(found: DrillResult) -> str:
        return " ".join(_shown(found).split())

    relays = "dead-letter queues: breakglass-relays-dlq of that Region"
    of_hub, of_watchdog = "breakglass-hub-dlq of the hub", "breakglass-watchdog-dlq of the watchdog"
    assert f"{relays}, {of_hub}, {of_watchdog}." in said(_result(ABSENT))
    assert f"{relays}, {of_hub}." in said(_result(_arrival(topic=None)))
    assert f"{relays}, {of_watchdog}." in said(_result(_arrival(watchdog=None)))
    assert f"{relays}." in said(_result(ABSENT, quiet=True))


def test_latencies_are_by_the_corrected_clock_and_never_below_zero() -> None:
    places = [Place(HUB, region) for region in ("eu-west-1", "us-east-1")]
    late, ahead = NOW + timedelta(seconds=61.5), NOW - timedelta(seconds=1)
    one, other = result.arrivals(
        places,
        {places[0]: Sent(at=NOW)},
        {(places[0], "audit log"): late, (places[0], "topic"): ahead},
        started=NOW,
        offset=timedelta(minutes=1),
    )
    assert (one.sent, one.audit_log, one.topic, one.watchdog) == (NOW + timedelta(minutes=1), 1.5, 0.0, None)
    assert (other.error, other.audit_log) == (result.INTERRUPTED, None)
