"""Ends a plugin with the engine that started it.

The engine ends its plugins, but not when it is killed, nor always when it refuses a configuration.
"""

import os
import threading
import time
from collections.abc import Callable

SECONDS = 0.5


def end_with_parent(end: Callable[[], object]) -> None:
    """Call `end` once the process that started this one is gone; watches in the background."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS)
        end()

    threading.Thread(target=watch, daemon=True).start()
