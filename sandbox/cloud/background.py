"""Delivers events that were put on a bus to the rules' targets in the background, as EventBridge does.

It runs inside the server of the emulated AWS, and calls that server's API.
"""

import queue
import sys
import threading
from concurrent import futures
from typing import Any

from sandbox.cloud.delivery import Accounts, Batch

_THREADS = 4


class BackgroundDelivery:
    """Delivers queued events; events that wait at the same time are one `Batch`."""

    def __init__(self, accounts: Accounts) -> None:
        """Start the thread; `accounts` is first called when an event is queued."""
        self._accounts = accounts
        self._waiting: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, bus: str, event: dict[str, Any]) -> None:
        """Queue an event for the bus with this ARN, and return at once."""
        self._waiting.put((bus, event))

    def _run(self) -> None:
        with futures.ThreadPoolExecutor(_THREADS) as threads:
            while True:
                waiting = [self._waiting.get()]
                while not self._waiting.empty():
                    waiting.append(self._waiting.get())
                # Rules are read after the last event was put: no event meets rules older than itself.
                batch = Batch(self._accounts)
                futures.wait([threads.submit(_deliver, batch, bus, event) for bus, event in waiting])


def _deliver(batch: Batch, bus: str, event: dict[str, Any]) -> None:
    """Deliver one event. Errors go to standard error: the caller of PutEvents has its answer already."""
    try:
        batch.deliver(bus, event)
    except Exception as error:
        print(f"sandbox: event {event['id']} on {bus}: {type(error).__name__}: {error}", file=sys.stderr)
