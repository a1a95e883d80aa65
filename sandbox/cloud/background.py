"""Carries events that were put on a bus to the targets, in the background, as EventBridge does.

It works inside the server of the emulated AWS and reaches it through its own API.
"""

import queue
import sys
import threading
from concurrent import futures
from typing import Any

from sandbox.cloud.delivery import Accounts, Round

_HANDS = 4


class Courier:
    """Delivers what is posted; events that wait at the same time share what has to be read for them."""

    def __init__(self, accounts: Accounts) -> None:
        """Start to work; `accounts` is not asked for any before something is posted."""
        self._accounts = accounts
        self._waiting: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def post(self, bus: str, event: dict[str, Any]) -> None:
        """Take an event for the bus with this ARN, and return at once."""
        self._waiting.put((bus, event))

    def _work(self) -> None:
        with futures.ThreadPoolExecutor(_HANDS) as hands:
            while True:
                batch = [self._waiting.get()]
                while not self._waiting.empty():
                    batch.append(self._waiting.get())
                # Read after the last of them was put: none of them sees rules older than itself.
                together = Round(self._accounts)
                futures.wait([hands.submit(_carry, together, bus, event) for bus, event in batch])


def _carry(together: Round, bus: str, event: dict[str, Any]) -> None:
    """Deliver one event. What could not be told is said on standard error: nobody waits for the answer."""
    try:
        together.deliver(bus, event)
    except Exception as error:
        print(f"sandbox: event {event['id']} on {bus}: {type(error).__name__}: {error}", file=sys.stderr)
