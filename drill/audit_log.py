"""Reads the log groups of hub and watchdog: which drill events and heartbeats arrived, and when."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from breakglass import naming
from drill.account import Account
from drill.places import Place


@dataclass(frozen=True, kw_only=True)
class Record:
    """One event in the audit log, as EventBridge delivered it, and when CloudWatch Logs received it, UTC."""

    event: dict[str, Any]
    arrived: datetime

    @property
    def place(self) -> Place:
        """Where the event came from."""
        return Place(str(self.event.get("account")), str(self.event.get("region")))


def nonce(record: Record) -> str:
    """Return the nonce of a drill's event, `<drill's id>.<account>.<Region>`; "" if missing."""
    detail = record.event.get("detail")
    value = detail.get("nonce") if isinstance(detail, dict) else None
    return value if isinstance(value, str) else ""


def records(
    account: Account, region: str, *, source: str, since: datetime, group: str = naming.AUDIT_LOG_GROUP
) -> Iterator[Record]:
    """Yield the events of one source, such as `breakglass.drill`, that arrived since a time, in no order.

    Raises:
        ClientError, BotoCoreError, NotSignedIn: The log cannot be read (`account.CANNOT_TELL`).
    """
    pages = account.client("logs", region).get_paginator("filter_log_events")
    entries = pages.paginate(
        logGroupName=group,
        startTime=int(since.timestamp() * 1000),
        filterPattern=f'{{ $.source = "{source}" }}',
    ).search("events[]")
    for entry in entries:
        try:
            event = json.loads(entry["message"])
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("source") == source:
            arrived = entry.get("ingestionTime") or entry["timestamp"]
            yield Record(event=event, arrived=datetime.fromtimestamp(arrived / 1000, UTC))
