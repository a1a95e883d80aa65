"""EventBridge Scheduler: schedules and their groups."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.provider.resources.base import Props, Resource, aws_names, from_aws, given, properties, to_aws


class ScheduleGroup(Resource):
    """Group of schedules."""

    token = "aws:scheduler/scheduleGroup:ScheduleGroup"
    service = "scheduler"
    inputs = replace_on = frozenset({"name"})
    outputs = frozenset({"arn", "state"})

    def create(self, api: Any, props: Props) -> str:
        api.create_schedule_group(Name=props["name"])
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        group = api.get_schedule_group(Name=id)
        return {"name": group["Name"], "arn": group["Arn"], "state": group["State"]}

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.get_schedule_group(Name=id)  # says that it is gone, where moto's delete fails (HTTP 500)
        api.delete_schedule_group(Name=id)


class Schedule(Resource):
    """Schedule. Its id is `group/name`."""

    token = "aws:scheduler/schedule:Schedule"
    service = "scheduler"
    inputs = frozenset(
        {"name", "groupName", "description", "scheduleExpression", "flexibleTimeWindow", "target", "state"}
    )
    outputs = frozenset({"arn"})
    replace_on = frozenset({"name", "groupName"})
    _plain: ClassVar[Mapping[str, str]] = aws_names("name", "groupName", "description", "scheduleExpression")
    _window: ClassVar[Mapping[str, str]] = aws_names("mode", "maximumWindowInMinutes")
    _target: ClassVar[Mapping[str, str]] = aws_names(
        *("arn", "roleArn", "input", "retryPolicy", "deadLetterConfig"),
        eventbridgeParameters="EventBridgeParameters",
    )
    _target_parts: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "eventbridgeParameters": aws_names("detailType", "source"),
        "retryPolicy": aws_names("maximumEventAgeInSeconds", "maximumRetryAttempts"),
        "deadLetterConfig": aws_names("arn"),
    }

    def create(self, api: Any, props: Props) -> str:
        group = props.get("groupName", "default")
        api.create_schedule(Name=props["name"], GroupName=group, **self._settings(props))
        return f"{group}/{props['name']}"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        schedule = api.get_schedule(**self._address(id))
        target = from_aws(schedule["Target"], self._target) or {}
        for name, names in self._target_parts.items():
            if name in target:
                target[name] = from_aws(target[name], names)
        if "retryPolicy" not in props["target"] and target["retryPolicy"] == _DEFAULT_RETRY:
            del target["retryPolicy"]  # filled in by AWS: not a change
        return properties(schedule, {**self._plain, **aws_names("state", "arn")}) | {
            "flexibleTimeWindow": from_aws(schedule["FlexibleTimeWindow"], self._window),
            "target": target,
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        api.update_schedule(**self._address(id), **self._settings(props))

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_schedule(**self._address(id))

    def _address(self, id: str) -> dict[str, str]:
        group, name = id.split("/")
        return {"GroupName": group, "Name": name}

    def _settings(self, props: Props) -> Props:
        parts = {name: to_aws(props["target"].get(name), names) for name, names in self._target_parts.items()}
        return given(
            ScheduleExpression=props["scheduleExpression"],
            FlexibleTimeWindow=to_aws(props["flexibleTimeWindow"], self._window),
            Target=to_aws(props["target"] | given(**parts), self._target),
            State=props.get("state", "ENABLED"),
            Description=props.get("description"),
        )


_DEFAULT_RETRY = {"maximumEventAgeInSeconds": 86400, "maximumRetryAttempts": 185}
