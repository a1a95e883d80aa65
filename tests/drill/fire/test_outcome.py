"""What became of a drill is told in a terminal's width; what could not be told is no failure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from drill.account import Account
from drill.evidence import Arrival, Drill
from drill.fire import outcome
from drill.fire.outcome import Outcome
from drill.fire.send import Place, Sent

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HUB = "111111111111"


def _arrival(**about: object) -> Arrival:
    found = Arrival(account=HUB, region="ap-northeast-1", sent=NOW, audit_log=1.0, topic=2.0, watchdog=3.0)
    return Arrival(**{**vars(found), **about})


def _outcome(*arrivals: Arrival, quiet: bool = False, unreadable: tuple[str, ...] = ()) -> Outcome:
    drill = Drill(id="0a1b2c3d", started=NOW, who="me", why="a test", quiet=quiet, arrivals=arrivals)
    return Outcome(drill=drill, unreadable=frozenset(unreadable))


def _shown(found: Outcome, width: int = 80) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        outcome.show(found, console)
    return capture.get()


ABSENT = _arrival(audit_log=None, topic=None, watchdog=None)


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (_outcome(_arrival()), 0),
        (_outcome(_arrival(topic=None, watchdog=None), quiet=True), 0),
        (_outcome(_arrival(watchdog=None)), 1),
        (_outcome(_arrival(), _arrival(topic=None)), 1),
        (_outcome(_arrival(topic=None), unreadable=("topic",)), 2),
        (_outcome(_arrival(topic=None, watchdog=None), unreadable=("topic",)), 1),
        (_outcome(ABSENT, unreadable=("audit log", "topic", "watchdog topic")), 2),
        (Outcome(drill=replace(_outcome(_arrival()).drill, problems=("no credentials",))), 2),
        (Outcome(drill=_outcome(ABSENT).drill, unreached=frozenset({HUB})), 2),
    ],
)
def test_the_exit_code(found: Outcome, code: int) -> None:
    assert found.exit_code == code


def test_the_table_fits_eighty_columns_with_the_longest_region() -> None:
    table = _shown(_outcome(_arrival(), ABSENT, _arrival(topic=None, error="no"))).split("\n\n")[0]
    assert max(len(line.rstrip()) for line in table.splitlines()) == 80
    assert table.splitlines()[-2].split("   ") == [HUB, "ap-northeast-1", *["did not arrive"] * 3]
    assert "…" not in table


def test_it_says_where_the_event_may_lie() -> None:
    assert "breakglass-relay-dlq of that Region and breakglass-alerts-dlq" in _shown(_outcome(ABSENT))
    assert "breakglass-relay-dlq" not in _shown(_outcome(_arrival(topic=None)))
    assert "breakglass-alerts-dlq" not in _shown(_outcome(ABSENT, quiet=True))


def test_latencies_are_by_the_corrected_clock_and_never_below_zero() -> None:
    places = [Place(account=Account(HUB, None), region=region) for region in ("eu-west-1", "us-east-1")]
    late, ahead = NOW + timedelta(seconds=61.5), NOW - timedelta(seconds=1)
    one, other = outcome.arrivals(
        places,
        {places[0].key: Sent(at=NOW)},
        {(HUB, "eu-west-1", "audit log"): late, (HUB, "eu-west-1", "topic"): ahead},
        started=NOW,
        offset=timedelta(minutes=1),
    )
    assert (one.sent, one.audit_log, one.topic, one.watchdog) == (NOW + timedelta(minutes=1), 1.5, 0.0, None)
    assert (other.error, other.audit_log) == (outcome.INTERRUPTED, None)
