"""EventBridge Scheduler: schedules and their groups."""

from typing import Any

from sandbox.provider.resources.base import Name, Named, Props, aws_names
from sandbox.provider.resources.eventbridge import DEAD_LETTERS, RETRY


class ScheduleGroup(Named):
    """Group of schedules."""

    token = "aws:scheduler/scheduleGroup:ScheduleGroup"
    service = "scheduler"
    verb, noun, key = "get", "schedule_group", "Name"
    names = aws_names("name", "arn", "state")
    inputs = replace_on = frozenset({"name"})
    outputs = frozenset({"arn", "state"})

    def delete(self, api: Any, id: str, props: Props) -> None:
        self.read(api, id, props)  # says that it is gone, where moto's delete fails (HTTP 500)
        super().delete(api, id, props)


class Schedule(Named):
    """Schedule. Its id is `group/name`."""

    token = "aws:scheduler/schedule:Schedule"
    service = "scheduler"
    verb, noun = "get", "schedule"
    _target = aws_names(
        *("arn", "roleArn", "input"),
        eventbridgeParameters=Name("EventBridgeParameters", aws_names("detailType", "source")),
        retryPolicy=RETRY,
        deadLetterConfig=DEAD_LETTERS,
    )
    names = aws_names(
        *("name", "groupName", "description", "scheduleExpression", "state", "arn"),
        flexibleTimeWindow=Name("FlexibleTimeWindow", aws_names("mode", "maximumWindowInMinutes")),
        target=Name("Target", _target),
    )
    outputs = frozenset({"arn"})
    inputs = frozenset(names) - outputs
    replace_on = frozenset({"name", "groupName"})

    def id_of(self, props: Props) -> str:
        return f"{props.get('groupName', 'default')}/{props['name']}"

    def address(self, id: str) -> dict[str, str]:
        group, name = id.split("/")
        return {"GroupName": group, "Name": name}

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = super().read(api, id, props) or {}
        if "retryPolicy" not in props["target"] and live["target"]["retryPolicy"] == _DEFAULT_RETRY:
            del live["target"]["retryPolicy"]  # filled in by AWS: not a change
        return live


_DEFAULT_RETRY = {"maximumEventAgeInSeconds": 86400, "maximumRetryAttempts": 185}
