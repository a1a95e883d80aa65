"""What arrives is seen once and for what it is; what is odd, somebody else's or a duplicate does no harm."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from breakglass import naming
from drill import audit_log
from drill.audit_log import Record
from drill.fire.follow import Expected, Follower, Sighting, Watch, Where, in_audit_log, sighting
from drill.fire.timing import Timing
from drill.places import Place
from tests.drill import deployed
from tests.drill.conftest import Broken, unseen

HUB = "111111111111"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DRILL = "0a1b2c3d"
TOPIC = naming.topic_arn(HUB, "us-east-1", naming.HUB.topic)
TOPICS: dict[str, Where] = {
    TOPIC: "topic",
    naming.topic_arn(HUB, "us-west-2", naming.WATCHDOG.topic): "watchdog topic",
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def _message(text: Any, topic: Any = TOPIC, sent: Any = "1767323045000") -> dict[str, Any]:
    return {"Body": json.dumps({"TopicArn": topic, "Message": text}), "Attributes": {"SentTimestamp": sent}}


def _seen(message: dict[str, Any]) -> Sighting | None:
    return sighting(message, TOPICS, DRILL)


@pytest.mark.parametrize("topic", TOPICS)
@given(before=st.sampled_from(['"', " ", '"Drill  ', "\n"]), after=st.sampled_from(['"', "", "\n", " x"]))
def test_a_message_of_the_drill_says_place_topic_and_time(topic: str, before: str, after: str) -> None:
    found = _seen(_message(f"a{before}{DRILL}.{HUB}.ap-southeast-2{after}", topic))
    assert found == Sighting(Place(HUB, "ap-southeast-2"), TOPICS[topic], NOW)


@pytest.mark.parametrize(
    "message",
    [
        _message(f"Drill ffffffff.{HUB}.eu-west-1"),
        _message(f"Drill f{DRILL}.{HUB}.eu-west-1"),
        _message(f"Drill {DRILL}.{HUB}.eu-west-1.more"),
        _message(f"Drill {DRILL}.{HUB}.eu-west-11x"),
        _message(f"Drill {DRILL}.{HUB}"),
        _message(f"Drill {DRILL}.{HUB}.eu-west-1", topic=TOPIC.replace(HUB, "333333333333")),
        _message(f"Drill {DRILL}.{HUB}.eu-west-1", topic=["a"]),
        _message(f"Drill {DRILL}.{HUB}.eu-west-1", sent="soon"),
        _message(f"Drill {DRILL}.{HUB}.eu-west-1", sent="9" * 30),
        _message({"nonce": f"{DRILL}.{HUB}.eu-west-1"}),
        {},
        {"Body": "{"},
        {"Body": "[]"},
        {"Body": json.dumps({"TopicArn": TOPIC, "Message": f"{DRILL}.{HUB}.eu-west-1"})},
    ],
)
def test_what_is_not_of_the_drill_is_not_seen(message: dict[str, Any]) -> None:
    assert _seen(message) is None


@given(body=st.text() | json_values.map(json.dumps), sent=st.text() | st.integers())
def test_no_odd_message_does_harm(body: str, sent: Any) -> None:
    assert _seen({"Body": body, "Attributes": {"SentTimestamp": sent}}) is None
    assert _seen(_message(body)) is None


@given(json_values | st.fixed_dictionaries({"detail": json_values}))
def test_no_odd_event_has_a_nonce(event: Any) -> None:
    odd = event if isinstance(event, dict) else {"detail": {"nonce": event}}
    assert isinstance(audit_log.nonce(Record(event=odd, arrived=NOW)), str)


def test_an_event_counts_only_for_the_place_it_came_from(aws: str, broken: Broken) -> None:
    def logged(answer: dict[str, Any]) -> None:
        told = {"source": naming.DRILL_SOURCE, "account": HUB, "region": "eu-west-1"}
        details = [
            {"nonce": f"{DRILL}.{HUB}.eu-west-1"},
            {"nonce": f"{DRILL}.{HUB}.us-east-1"},
            {"nonce": f"ffffffff.{HUB}.eu-west-1"},
            {"nonce": 5},
            [],
        ]
        lines = [json.dumps(told | {"detail": detail}) for detail in details]
        answer["events"] = [
            {"message": line, "timestamp": 0, "ingestionTime": 1767323045000}
            for line in [*lines, "", "{", "[]", json.dumps(told)]
        ]

    broken.answer("FilterLogEvents", logged)
    hub = deployed.account(HUB, aws)
    broken.apply(hub)
    found = in_audit_log(hub, "us-east-1", drill_id=DRILL, since=NOW)
    assert list(found) == [Sighting(Place(HUB, "eu-west-1"), "audit log", NOW)]


class Time:
    """A clock that sleeping moves on."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.timing = Timing(monotonic=lambda: self.seconds, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.seconds += seconds


ONE: Expected = (Place(HUB, "eu-west-1"), "audit log")
OTHER: Expected = (Place(HUB, "us-east-1"), "audit log")


def _at(expected: Expected, seconds: int) -> Sighting:
    return Sighting(*expected, NOW + timedelta(seconds=seconds))


def test_it_ends_as_soon_as_all_has_arrived() -> None:
    time, looks = Time(), iter([[], [_at(ONE, 1)], [_at(OTHER, 2)], [_at(OTHER, 3)]])
    follower, told = Follower(time.timing), []
    watch = Watch(where=("audit log",), look=lambda: iter(next(looks)))
    follower.follow([watch], {ONE, OTHER}, timeout=100, progress=lambda done, of: told.append((done, of)))
    assert follower.seen == {ONE: NOW + timedelta(seconds=1), OTHER: NOW + timedelta(seconds=2)}
    assert time.seconds == 2
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_it_gives_up_in_time() -> None:
    time = Time()
    follower = Follower(time.timing)
    follower.follow(
        [Watch(where=("audit log",), look=lambda: iter([_at(ONE, 1)]))],
        {ONE, OTHER},
        timeout=9.5,
        progress=unseen,
    )
    assert (time.seconds, list(follower.seen)) == (9.5, [ONE])


def test_nothing_to_wait_for_is_not_waited_for() -> None:
    Follower(Time().timing).follow([Watch(where=("topic",), look=_denied)], set(), timeout=9, progress=unseen)


def test_of_duplicates_the_first_counts_and_strangers_do_not() -> None:
    stranger: Expected = (Place(HUB, "mars-north-1"), "audit log")
    found = [_at(ONE, 5), _at(ONE, 2), _at(ONE, 7), _at(stranger, 1)]
    follower = Follower(Time().timing)
    follower.follow(
        [Watch(where=("audit log",), look=lambda: iter(found))], {ONE, OTHER}, timeout=3, progress=unseen
    )
    assert follower.seen == {ONE: NOW + timedelta(seconds=2)}


def _denied() -> Iterator[Sighting]:
    raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "FilterLogEvents")


def test_what_cannot_be_read_is_tried_again_and_told_of_if_it_stays_so() -> None:
    answers = iter([_denied, lambda: iter([_at(ONE, 1)])])
    follower = Follower(Time().timing)
    watch = Watch(where=("audit log",), look=lambda: next(answers)())
    follower.follow([watch], {ONE}, timeout=9, progress=unseen)
    assert (list(follower.seen), follower.unreadable) == ([ONE], {})
    follower.follow([Watch(where=("audit log",), look=_denied)], {ONE, OTHER}, timeout=9, progress=unseen)
    assert follower.unreadable["audit log"].startswith("access denied to FilterLogEvents")
