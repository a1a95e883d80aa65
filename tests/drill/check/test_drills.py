"""The last full drill: loud, from everywhere, this quarter."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakglass import naming
from drill.audit_log import Record
from drill.check.finding import CheckFinding
from drill.check.probes import drills
from drill.check.runner import answer
from drill.places import Place
from tests.drill import deployed
from tests.drill.conftest import Broken, Look, mends

HUB, MEMBER = "111111111111", "222222222222"
PLACES = [(account, region) for account in (HUB, MEMBER) for region in deployed.REGIONS]
Log = Callable[..., list[CheckFinding]]


def line(
    drill_id: str,
    place: tuple[str, str],
    *,
    days: float,
    quiet: bool = False,
    source: str = naming.DRILL_SOURCE,
) -> dict[str, Any]:
    account, region = place
    event = {
        "source": source,
        "detail-type": naming.QUIET_DRILL_TYPE if quiet else naming.DRILL_TYPE,
        "account": account,
        "region": region,
        "detail": {"nonce": f"{drill_id}.{account}.{region}"},
    }
    at = int((datetime.now(UTC) - timedelta(days=days)).timestamp() * 1000)
    return {"message": json.dumps(event), "timestamp": at, "ingestionTime": at}


def _drill(drill_id: str, places: Iterable[tuple[str, str]], **about: Any) -> list[dict[str, Any]]:
    return [line(drill_id, place, **about) for place in places]


@pytest.fixture
def logged(look: Look, broken: Broken) -> Log:
    """Return `logged(*lines)`: what the check says when the audit log holds these lines only."""

    def said(*lines: dict[str, Any]) -> list[CheckFinding]:
        broken.answer("FilterLogEvents", lambda found: found.update(events=list(lines)))
        (hub,) = look("mgmt")
        return answer(drills.last_drill, hub)

    return said


def test_a_full_drill_this_quarter_is_ready(logged: Log) -> None:
    (finding,) = logged(*_drill("aa", PLACES, days=40.5), *_drill("bb", PLACES, days=3, quiet=True))
    assert (finding.state.value, finding.text) == (
        "ready",
        "full drill 40 days ago, with events from 3 Regions",
    )


@pytest.mark.parametrize(
    ("lines", "last"),
    [
        ([], ""),
        (_drill("aa", PLACES, days=3.5, quiet=True), "; the last one was a quiet drill 3 days ago"),
        (
            _drill("aa", PLACES[:1], days=1.5) + _drill("bb", PLACES, days=9, quiet=True),
            f"; the last one was a drill 1 day ago, which missed {HUB} us-east-1, us-west-2",
        ),
        (
            _drill("aa", PLACES[:1], days=0.5) + _drill("bb", PLACES[1:], days=0.1),
            f"; the last one was a drill today, which missed {HUB} eu-west-1",
        ),
        (
            _drill("aa", PLACES[:2], days=0) + _drill("aa", PLACES[2:], days=0, quiet=True),
            "; the last one was a quiet drill today",
        ),
    ],
    ids=["none", "a quiet one", "an incomplete one", "two halves", "half quiet"],
)
def test_without_one_it_says_what_was_heard_last(logged: Log, lines: list[dict[str, Any]], last: str) -> None:
    (finding,) = logged(*lines)
    assert (finding.state.value, finding.text) == (
        "not ready",
        f"no full drill in the last 92 days{last}",
    )
    assert mends(finding) == 'python -m drill fire --why "quarterly drill"'


def test_odd_lines_do_no_harm(logged: Log) -> None:
    odd = ["", "{", "[]", "5", json.dumps({"source": naming.DRILL_SOURCE}), json.dumps({"detail": "x"})]
    lines = [{"message": text, "timestamp": 0} for text in odd]
    (finding,) = logged(*lines, *_drill("aa", PLACES, days=0))
    assert finding.state.value == "ready"


def test_what_names_another_place_than_its_own_is_no_drill(logged: Log) -> None:
    lines = _drill("aa", PLACES, days=0)
    for one in lines:
        one["message"] = one["message"].replace('"nonce": "aa.', '"nonce": "aa.9')
    (finding,) = logged(*lines)
    assert finding.text == "no full drill in the last 92 days"


def test_a_log_that_cannot_be_read_is_no_answer(look: Look, broken: Broken) -> None:
    broken.refuse("FilterLogEvents", "AccessDeniedException")
    (hub,) = look("mgmt")
    (finding,) = answer(drills.last_drill, hub)
    assert finding.state.value == "could not tell"


nonces = st.one_of(
    st.none(), st.integers(), st.text(), st.sampled_from(["aa", "aa.", "aa.1.x", "bb.1.x", ".1.x", "aa.2.x"])
)
events = st.fixed_dictionaries(
    {"account": st.sampled_from(["1", "2"]), "region": st.just("x"), "detail-type": st.text(max_size=1)},
    optional={"detail": st.one_of(nonces, st.fixed_dictionaries({"nonce": nonces}))},
)


@given(st.lists(events))
def test_an_event_counts_only_for_its_own_place(found: list[dict[str, Any]]) -> None:
    now = datetime.now(UTC)
    heard = drills.past_drills(Record(event=event, arrived=now) for event in found)
    assert len(heard) <= 2 + sum(isinstance(event.get("detail"), dict) for event in found)
    assert all(drill.places <= {Place("1", "x"), Place("2", "x")} and not drill.loud for drill in heard)
