"""EventBridge: buses, their policies and archives, rules and targets."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.provider.resources.base import (
    Props,
    Resource,
    arguments,
    aws_names,
    from_aws,
    given,
    properties,
    to_aws,
)

DEFAULT_BUS = "default"


class EventBus(Resource):
    """Custom event bus. moto's UpdateEventBus fails (HTTP 500), so what it would change is kept."""

    token = "aws:cloudwatch/eventBus:EventBus"
    service = "events"
    inputs = frozenset({"name", "description", "logConfig"})
    outputs = frozenset({"arn"})
    replace_on = frozenset({"name"})
    kept = frozenset({"description", "logConfig"})

    def create(self, api: Any, props: Props) -> str:
        log_config = to_aws(props.get("logConfig"), aws_names("level", "includeDetail"))
        api.create_event_bus(
            Name=props["name"], **given(Description=props.get("description"), LogConfig=log_config)
        )
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        bus = api.describe_event_bus(Name=id)
        return {"name": bus["Name"], "arn": bus["Arn"]}

    def update(self, api: Any, id: str, props: Props) -> None:
        pass  # description and logConfig are kept; nothing else changes in place

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_event_bus(Name=id)


class EventBusPolicy(Resource):
    """Policy of an event bus."""

    token = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
    service = "events"
    inputs = frozenset({"eventBusName", "policy"})
    replace_on = frozenset({"eventBusName"})

    def id_of(self, props: Props) -> str:
        return _bus(props)

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        policy = api.describe_event_bus(Name=id).get("Policy")
        return {"eventBusName": id, "policy": policy} if policy else None

    def update(self, api: Any, id: str, props: Props) -> None:
        if not all("Sid" in statement for statement in json.loads(props["policy"])["Statement"]):
            raise RuntimeError(f"policy of event bus {id}: moto keeps statements by Sid, give each one a Sid")
        # AWS replaces the whole policy, moto adds to it.
        self.delete(api, id, props)
        api.put_permission(EventBusName=id, Policy=props["policy"])

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.remove_permission(EventBusName=id, RemoveAllPermissions=True)


class EventArchive(Resource):
    """Archive of an event bus."""

    token = "aws:cloudwatch/eventArchive:EventArchive"
    service = "events"
    inputs = frozenset({"name", "eventSourceArn", "retentionDays", "description"})
    outputs = frozenset({"arn"})
    replace_on = frozenset({"name", "eventSourceArn"})
    _settings: ClassVar[Mapping[str, str]] = aws_names("retentionDays", "description")
    _fixed: ClassVar[Mapping[str, str]] = aws_names("eventSourceArn", name="ArchiveName")

    def create(self, api: Any, props: Props) -> str:
        api.create_archive(**arguments(props, {**self._fixed, **self._settings}))
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        every = {**self._fixed, **self._settings, "arn": "ArchiveArn"}
        return properties(api.describe_archive(ArchiveName=id), every)

    def update(self, api: Any, id: str, props: Props) -> None:
        api.update_archive(ArchiveName=id, **arguments(props, self._settings))

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_archive(ArchiveName=id)


class EventRule(Resource):
    """EventBridge rule. Its id is its name, or `bus/name` on a custom bus."""

    token = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    inputs = frozenset({"name", "eventBusName", "description", "eventPattern", "state"})
    outputs = frozenset({"arn"})
    replace_on = frozenset({"name", "eventBusName"})
    defaults: ClassVar[Mapping[str, Any]] = {"eventBusName": DEFAULT_BUS}

    def id_of(self, props: Props) -> str:
        bus = _bus(props)
        return props["name"] if bus == DEFAULT_BUS else f"{bus}/{props['name']}"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        return properties(api.describe_rule(**self._address(id)), aws_names(*self.inputs, *self.outputs))

    def update(self, api: Any, id: str, props: Props) -> None:
        api.put_rule(
            **self._address(id),
            EventPattern=props["eventPattern"],
            State=props.get("state", "ENABLED"),
            Description=props.get("description", ""),
        )

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_rule(**self._address(id))

    def _address(self, id: str) -> dict[str, str]:
        bus, _, name = id.rpartition("/")
        return {"Name": name, "EventBusName": bus or DEFAULT_BUS}


class EventTarget(Resource):
    """Target of an EventBridge rule. Its id is `rule-target`, or `bus-rule-target` on a custom bus."""

    token = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    inputs = frozenset(
        {
            "rule", "eventBusName", "targetId", "arn", "roleArn", "inputTransformer", "deadLetterConfig",
            "retryPolicy",
        }
    )  # fmt: skip
    replace_on = frozenset({"rule", "eventBusName", "targetId"})
    defaults: ClassVar[Mapping[str, Any]] = {"eventBusName": DEFAULT_BUS}
    _transformer: ClassVar[Mapping[str, str]] = aws_names("inputTemplate", inputPaths="InputPathsMap")
    _dead_letters: ClassVar[Mapping[str, str]] = aws_names("arn")
    _retry: ClassVar[Mapping[str, str]] = aws_names("maximumEventAgeInSeconds", "maximumRetryAttempts")

    def id_of(self, props: Props) -> str:
        bus, id = _bus(props), f"{props['rule']}-{props['targetId']}"
        return id if bus == DEFAULT_BUS else f"{bus}-{id}"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        for target in api.list_targets_by_rule(**self._address(props))["Targets"]:
            if target["Id"] == props["targetId"]:
                return {
                    "rule": props["rule"],
                    "eventBusName": _bus(props),
                    "targetId": target["Id"],
                    "arn": target["Arn"],
                    "roleArn": target.get("RoleArn"),
                    "inputTransformer": from_aws(target.get("InputTransformer"), self._transformer),
                    "deadLetterConfig": from_aws(target.get("DeadLetterConfig"), self._dead_letters),
                    "retryPolicy": from_aws(target.get("RetryPolicy"), self._retry),
                }
        return None

    def update(self, api: Any, id: str, props: Props) -> None:
        target = {"Id": props["targetId"], "Arn": props["arn"]} | given(
            RoleArn=props.get("roleArn"),
            InputTransformer=to_aws(props.get("inputTransformer"), self._transformer),
            DeadLetterConfig=to_aws(props.get("deadLetterConfig"), self._dead_letters),
            RetryPolicy=to_aws(props.get("retryPolicy"), self._retry),
        )
        refused = api.put_targets(**self._address(props), Targets=[target])["FailedEntries"]
        if refused:
            raise RuntimeError(f"AWS refused the target: {refused}")

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.remove_targets(**self._address(props), Ids=[props["targetId"]])

    def _address(self, props: Props) -> dict[str, str]:
        return {"Rule": props["rule"], "EventBusName": _bus(props)}


def _bus(props: Props) -> str:
    return props.get("eventBusName", DEFAULT_BUS)
