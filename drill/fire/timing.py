"""A drill's clock and pace."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, kw_only=True)
class Timing:
    """A drill's clock and pace.

    SNS sets an e-mail subscription back to pending, and deletes it two days later, if it gets more than 10
    messages a second (https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html). A drill must
    never kill the alarm, and delayed messages may arrive together: so loud events are sent far more slowly.

    Attributes:
        now: The local clock, UTC.
        monotonic: Seconds, by a clock that does not jump when the time is set.
        loud_per_second: How many loud events are sent in a second.
        poll_seconds: How long one call waits for messages in the drill queue.
        hidden_seconds: How long a message that is not this drill's stays invisible. It may belong to
            another drill, which must get it soon; but visible at once, it would only come back here.
        pause_seconds: Pause between two reads of the audit log: FilterLogEvents has a rate limit of its own.
    """

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    loud_per_second: float = 2
    poll_seconds: int = 5
    hidden_seconds: int = 10
    pause_seconds: float = 1.0
