"""Watches a drill's events arrive: in the audit log, and in the queues that get what the topics send."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from breakglass import naming
from breakglass.naming import Way
from drill import audit_log
from drill.account import CANNOT_TELL, Account, explained
from drill.evidence import Where
from drill.fire.timing import Timing
from drill.places import Place
from drill.progress import Progress

TOPICS: Mapping[Way, Where] = {naming.HUB: "topic", naming.WATCHDOG: "watchdog topic"}
BATCHES = 20
"""Most batches of messages that are read before it is the audit log's turn again."""

_PLACE = r"\.([0-9]{12})\.([a-z]+(?:-[a-z]+)+-[0-9]+)(?![\w.-])"

Expected = tuple[Place, Where]
"""One arrival to wait for: where an event comes from, and where it arrives."""


@dataclass(frozen=True)
class Sighting:
    """An event of the drill, from a place, has arrived somewhere, at a time by AWS's clock, UTC."""

    place: Place
    where: Where
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Something to look at again and again: `look` yields what is there now, or raises `CANNOT_TELL`."""

    where: Sequence[Where]
    look: Callable[[], Iterator[Sighting]]


@dataclass(frozen=True)
class Follower:
    """Looks until everything expected has arrived; keeps what it has seen when it is interrupted.

    Attributes:
        timing: Its clock and pace.
        seen: When each event arrived, the first time: EventBridge, SNS and SQS deliver at least once.
        unreadable: What could not be read at the last look, each with the reason.
    """

    timing: Timing
    seen: dict[Expected, datetime] = field(default_factory=dict)
    unreadable: dict[Where, str] = field(default_factory=dict)

    def follow(
        self, watches: Sequence[Watch], expected: set[Expected], *, timeout: float, progress: Progress
    ) -> None:
        """Look until all that is expected has arrived, or for `timeout` seconds."""
        end = self.timing.monotonic() + timeout
        progress(0, len(expected))
        while missing := expected - self.seen.keys():
            for watch in watches:
                if any(where in watch.where for _, where in missing):
                    self._look(watch, expected, progress)
            left = end - self.timing.monotonic()
            if left <= 0 or expected <= self.seen.keys():
                return
            self.timing.sleep(min(self.timing.pause_seconds, left))

    def _look(self, watch: Watch, expected: set[Expected], progress: Progress) -> None:
        """Take in what is there now, until everything has arrived."""
        problem = ""
        try:
            for sighting in watch.look():
                arrival: Expected = (sighting.place, sighting.where)
                if arrival in expected:
                    self.seen[arrival] = min(sighting.at, self.seen.get(arrival, sighting.at))
                    progress(len(self.seen), len(expected))
                if expected <= self.seen.keys():
                    break
        except CANNOT_TELL as error:
            problem = explained(error)
        for where in watch.where:
            self.unreadable.pop(where, None)
            if problem:
                self.unreadable[where] = problem


def in_audit_log(hub: Account, region: str, *, drill_id: str, since: datetime) -> Iterator[Sighting]:
    """Yield what is in the hub's audit log."""
    for record in audit_log.records(hub, region, source=naming.DRILL_SOURCE, since=since):
        place = record.place
        if audit_log.nonce(record) == f"{drill_id}.{place.account}.{place.region}":
            yield Sighting(place, "audit log", record.arrived)


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A drill queue, with the topic that sends to it."""

    account: Account
    region: str
    url: str
    topic_arn: str
    where: Where


def in_queue(queue: Queue, *, drill_id: str, timing: Timing) -> Iterator[Sighting]:
    """Yield what is in a drill queue; removes this drill's messages and leaves all others."""
    sqs = queue.account.client("sqs", queue.region)
    topics: dict[str, Where] = {queue.topic_arn: queue.where}
    for number in range(BATCHES):
        messages = sqs.receive_message(
            QueueUrl=queue.url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=timing.poll_seconds if number == 0 else min(1, timing.poll_seconds),
            VisibilityTimeout=timing.hidden_seconds,
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages")
        if not messages:
            return
        read = {message["ReceiptHandle"]: sighting(message, topics, drill_id) for message in messages}
        own = {handle: event for handle, event in read.items() if event is not None}
        entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(own)]
        # What is not removed expires within the hour, and counts once however often it is received.
        with suppress(*CANNOT_TELL):
            if entries:
                sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)
        yield from own.values()


def sighting(message: Mapping[str, Any], topics: Mapping[str, Where], drill_id: str) -> Sighting | None:
    """Return what a message of the drill queue shows, None if it is not this drill's.

    Its body is the envelope that SNS puts around a text; `topics` has the ARNs of topics.
    """
    try:
        envelope = json.loads(message["Body"])
        where = topics.get(envelope["TopicArn"])
        place = re.search(rf"(?<![\w.-]){re.escape(drill_id)}{_PLACE}", envelope["Message"])
        at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return Sighting(Place(place[1], place[2]), where, at) if place is not None and where is not None else None
