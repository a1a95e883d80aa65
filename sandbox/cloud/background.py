"""Delivers events that were put on a bus to the rules' targets in the background, as EventBridge does.

It runs inside the server of the emulated AWS, and calls that server's API.
"""

import queue
import sys
import threading
from collections.abc import Callable
from concurrent import futures

from sandbox.cloud.delivery import Accounts, Batch, Event

_THREADS = 4


def in_background(accounts: Accounts) -> Callable[[str, Event], None]:
    """Return a function that queues an event for the bus with this ARN, and returns at once.

    Events that wait at the same time are one `Batch`; `accounts` is first called when an event is queued.
    """
    waiting: queue.SimpleQueue[tuple[str, Event]] = queue.SimpleQueue()

    def run() -> None:
        with futures.ThreadPoolExecutor(_THREADS) as threads:
            while True:
                events = [waiting.get()]
                while not waiting.empty():
                    events.append(waiting.get())
                # Rules are read after the last event was put: no event meets rules older than itself.
                batch = Batch(accounts)
                futures.wait([threads.submit(_deliver, batch, bus, event) for bus, event in events])

    threading.Thread(target=run, daemon=True).start()
    return lambda bus, event: waiting.put((bus, event))


def _deliver(batch: Batch, bus: str, event: Event) -> None:
    """Deliver one event. Errors go to standard error: the caller of PutEvents has its answer already."""
    try:
        batch.deliver(bus, event)
    except Exception as error:
        print(f"sandbox: event {event['id']} on {bus}: {type(error).__name__}: {error}", file=sys.stderr)
