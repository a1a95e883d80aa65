"""EventBridge Scheduler."""

from typing import Any

from moto.scheduler.models import Schedule

from sandbox.cloud.moto_fixes.replacing import Function, corrects


@corrects(Schedule, "update")
def update(original: Function, schedule: Any, *, state: str | None, **settings: Any) -> None:
    """UpdateSchedule without a state enables the schedule; moto then has none to show.

    https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html
    """
    original(schedule, state=state or "ENABLED", **settings)
