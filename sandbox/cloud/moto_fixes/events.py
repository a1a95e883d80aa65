"""EventBridge: PutEvents delivers the sandbox's way, asynchronously and to every target."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.events.exceptions import ValidationException
from moto.events.models import Rule
from moto.events.responses import EventsHandler

from sandbox.cloud.moto_fixes.replacing import Function, corrects

Enqueue = Callable[[str, dict[str, Any]], None]
"""Takes the ARN of a bus and the event that was put on it, and returns at once."""


def put_events_through(enqueue: Enqueue) -> None:
    """Correct PutEvents: it validates, answers, and hands the events to `enqueue`.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
    """

    @corrects(EventsHandler, "put_events")
    def put_events(_original: Function, handler: Any) -> str:
        entries = handler._get_param("Entries")
        buses = [_bus(handler, entry.get("EventBusName")) for entry in entries]
        answers = handler.events_backend.put_events(entries)
        for position, (bus, entry) in enumerate(zip(buses, entries, strict=True)):
            if "EventId" not in answers[position]:
                continue
            if refusal := _refusal(entry):
                answers[position] = refusal
            else:
                enqueue(bus, _event(handler, entry, answers[position]["EventId"]))
        failed = sum("ErrorCode" in answer for answer in answers)
        return json.dumps({"FailedEntryCount": failed, "Entries": answers})


@corrects(Rule, "send_to_targets")
def send_to_targets(_original: Function, _rule: Any, *_event: Any, **_named: Any) -> None:
    """moto's own delivery, which fails on topics: nothing, because `put_events_through` replaces it."""


@corrects(EventsHandler, "test_event_pattern")
@corrects(EventsHandler, "start_replay")
def not_emulated(_original: Function, _handler: Any) -> None:
    """Refuse both: moto says "no match" without a look, and archives do not fill here.

    Our own matcher must not answer instead of AWS's: the caller wants to compare the two.
    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html
    """
    raise NotImplementedError


def _bus(handler: Any, name: str | None) -> str:
    """Return the bus's ARN; moto would use the caller's bus of the same name for another account's."""
    own = f"arn:aws:events:{handler.region}:{handler.current_account}:event-bus/"
    if name is None or not name.startswith("arn:"):
        return f"{own}{name or 'default'}"
    if not name.startswith(own):
        raise ValidationException(
            f"the sandbox puts events on buses of the caller's account and Region only: {own}…, not {name}"
        )
    return name


def _refusal(entry: dict[str, Any]) -> dict[str, str] | None:
    """Return what AWS answers for an entry that moto lets through; None if it is fine."""
    if entry["Source"].startswith("aws."):
        return {
            "ErrorCode": "NotAuthorizedForSourceException",
            "ErrorMessage": "Not authorized for the source.",
        }
    if not isinstance(json.loads(entry["Detail"]), dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    return None


def _event(handler: Any, entry: dict[str, Any], id: str) -> dict[str, Any]:
    """Return the event in the shape in which AWS hands it on.

    https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html
    """
    given = entry.get("Time")
    time = datetime.now(UTC) if given is None else datetime.fromtimestamp(given, UTC)
    return {
        "version": "0",
        "id": id,
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": handler.current_account,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": handler.region,
        "resources": entry.get("Resources", []),
        "detail": json.loads(entry["Detail"]),
    }
