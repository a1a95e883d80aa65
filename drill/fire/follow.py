"""Watches a drill's events arrive: in the audit log, and in the queue that hears what both topics send."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from breakglass import naming
from drill import audit_log
from drill.account import CANNOT_TELL, Account, explained
from drill.fire.send import Clock
from drill.progress import Progress

Where = Literal["audit log", "topic", "watchdog topic"]
"""Where an event can arrive, in the words of `evidence.Drill.missing`."""

TOPICS: Mapping[str, Where] = {naming.TOPIC: "topic", naming.WATCHDOG_TOPIC: "watchdog topic"}
WAIT_SECONDS = 5
"""How long the drill queue is listened to at a time."""
HIDDEN_SECONDS = 10
"""How long a message that is not this drill's stays invisible: it belongs to another drill, which must get it
soon, or is an alert, of which people are told elsewhere. Made visible at once, it would only come back."""
PAUSE_SECONDS = 1.0
"""Between two looks at the audit log; FilterLogEvents has a rate of its own."""
BATCHES = 20
"""Most batches of messages that are taken before the audit log has its turn again."""

_PLACE = r"\.([0-9]{12})\.([a-z]+(?:-[a-z]+)+-[0-9]+)(?![\w.-])"


@dataclass(frozen=True)
class Sighting:
    """An event of the drill that has arrived somewhere.

    Attributes:
        account: Account that it came from.
        region: Region that it came from.
        where: Where it was seen.
        at: When it arrived there, by AWS's clock, UTC.
    """

    account: str
    region: str
    where: Where
    at: datetime


Key = tuple[str, str, Where]
"""Account, Region, and where an event of theirs arrives."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One thing that is looked at again and again.

    Attributes:
        where: What can be seen there.
        look: Yields what is there now; may raise `account.CANNOT_TELL`.
    """

    where: Sequence[Where]
    look: Callable[[], Iterator[Sighting]]


class Follower:
    """Looks until everything wanted has arrived; what it has seen stays when it is interrupted.

    Attributes:
        seen: When each event arrived, the first time: EventBridge, SNS and SQS deliver at least once.
        unreadable: Where nothing could be seen at the last look, each with the reason.
    """

    def __init__(self, clock: Clock) -> None:
        """Start with nothing seen."""
        self._clock = clock
        self.seen: dict[Key, datetime] = {}
        self.unreadable: dict[Where, str] = {}

    def follow(self, watches: Sequence[Watch], wanted: set[Key], *, timeout: float, told: Progress) -> None:
        """Look until all that is wanted has arrived, or for `timeout` seconds."""
        end = self._clock.monotonic() + timeout
        told(0, len(wanted))
        while missing := wanted - self.seen.keys():
            for watch in watches:
                if any(where in watch.where for _, _, where in missing):
                    self._look(watch, wanted, told)
            left = end - self._clock.monotonic()
            if left <= 0 or wanted <= self.seen.keys():
                return
            self._clock.sleep(min(PAUSE_SECONDS, left))

    def _look(self, watch: Watch, wanted: set[Key], told: Progress) -> None:
        """Take in what is there now, until everything has arrived."""
        try:
            for sighting in watch.look():
                key: Key = (sighting.account, sighting.region, sighting.where)
                if key in wanted:
                    self.seen[key] = min(sighting.at, self.seen.get(key, sighting.at))
                    told(len(self.seen), len(wanted))
                if not wanted - self.seen.keys():
                    break
            problem = ""
        except CANNOT_TELL as error:
            problem = explained(error)
        for where in watch.where:
            self.unreadable.pop(where, None)
            if problem:
                self.unreadable[where] = problem


def audit_log_watch(hub: Account, region: str, *, drill_id: str, since: datetime) -> Watch:
    """Return the watch of the hub's audit log."""

    def look() -> Iterator[Sighting]:
        for record in audit_log.records(hub, region, source=naming.DRILL_SOURCE, since=since):
            account, place = record.place
            if audit_log.nonce(record) == f"{drill_id}.{account}.{place}":
                yield Sighting(account, place, "audit log", record.arrived)

    return Watch(where=("audit log",), look=look)


def queue_url(hub: Account, region: str) -> str:
    """Return the URL of the drill queue.

    Raises:
        ClientError, BotoCoreError, NotSignedIn: It cannot be found (`account.CANNOT_TELL`).
    """
    return hub.client("sqs", region).get_queue_url(QueueName=naming.DRILL_QUEUE)["QueueUrl"]


def queue_watch(hub: Account, region: str, url: str, *, drill_id: str) -> Watch:
    """Return the watch of the drill queue; it removes this drill's messages and leaves all others."""
    sqs = hub.client("sqs", region)
    topics: dict[str, Where] = {
        naming.topic_arn(hub.id, region, name): where for name, where in TOPICS.items()
    }

    def look() -> Iterator[Sighting]:
        for number in range(BATCHES):
            batch = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=WAIT_SECONDS if number == 0 else min(1, WAIT_SECONDS),
                VisibilityTimeout=HIDDEN_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", [])
            if not batch:
                return
            read = {one["ReceiptHandle"]: sighting(one, topics, drill_id=drill_id) for one in batch}
            ours = [handle for handle, found in read.items() if found is not None]
            _remove(sqs, url, ours)
            yield from (found for found in read.values() if found is not None)

    return Watch(where=tuple(TOPICS.values()), look=look)


def _remove(sqs: Any, url: str, handles: Sequence[str]) -> None:
    entries = [{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(handles)]
    if entries:
        # What is not removed expires within the hour, and counts once however often it is received.
        with suppress(*CANNOT_TELL):
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)


def sighting(message: Mapping[str, Any], topics: Mapping[str, Where], *, drill_id: str) -> Sighting | None:
    """Return what a message of the drill queue shows, None where it is not this drill's.

    Args:
        message: As ReceiveMessage gives it; its body is the envelope that SNS puts around a text.
        topics: ARNs of the topics that are heard, with the name of each.
        drill_id: The drill.
    """
    try:
        envelope = json.loads(message["Body"])
        where = topics.get(envelope["TopicArn"])
        place = re.search(rf"(?<![\w.-]){re.escape(drill_id)}{_PLACE}", envelope["Message"])
        at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return Sighting(place[1], place[2], where, at) if place is not None and where is not None else None
