"""EventBridge: buses, their policies and archives, rules and targets."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.provider.resources.base import Name, Named, Props, Resource, arguments, aws_names, properties

DEFAULT_BUS = "default"
DEAD_LETTERS = Name("DeadLetterConfig", aws_names("arn"))
RETRY = Name("RetryPolicy", aws_names("maximumEventAgeInSeconds", "maximumRetryAttempts"))


class EventBus(Named):
    """Custom event bus. moto's UpdateEventBus fails (HTTP 500), so what it would change is kept."""

    token = "aws:cloudwatch/eventBus:EventBus"
    service = "events"
    noun, key = "event_bus", "Name"
    names = aws_names(
        *("name", "description", "arn"),
        logConfig=Name("LogConfig", aws_names("level", "includeDetail")),
    )
    outputs = frozenset({"arn"})
    inputs = frozenset(names) - outputs
    replace_on = frozenset({"name"})
    kept = frozenset({"description", "logConfig"})


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


class EventArchive(Named):
    """Archive of an event bus."""

    token = "aws:cloudwatch/eventArchive:EventArchive"
    service = "events"
    noun, key = "archive", "ArchiveName"
    names = aws_names(
        *("eventSourceArn", "eventPattern", "retentionDays", "description"),
        name="ArchiveName",
        arn="ArchiveArn",
    )
    outputs = frozenset({"arn"})
    inputs = frozenset(names) - outputs
    replace_on = frozenset({"name", "eventSourceArn"})


class EventRule(Resource):
    """EventBridge rule. Its id is its name, or `bus/name` on a custom bus."""

    token = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    noun = "rule"
    names = aws_names("name", "eventBusName", "description", "eventPattern", "state", "arn")
    outputs = frozenset({"arn"})
    inputs = frozenset(names) - outputs
    replace_on = frozenset({"name", "eventBusName"})
    defaults: ClassVar[Mapping[str, Any]] = {"eventBusName": DEFAULT_BUS}

    def id_of(self, props: Props) -> str:
        bus = _bus(props)
        return props["name"] if bus == DEFAULT_BUS else f"{bus}/{props['name']}"

    def update(self, api: Any, id: str, props: Props) -> None:
        api.put_rule(
            **self.address(id),
            EventPattern=props["eventPattern"],
            State=props.get("state", "ENABLED"),
            Description=props.get("description", ""),
        )

    def address(self, id: str) -> dict[str, str]:
        bus, _, name = id.rpartition("/")
        return {"Name": name, "EventBusName": bus or DEFAULT_BUS}


class EventTarget(Resource):
    """Target of an EventBridge rule. Its id is `rule-target`, or `bus-rule-target` on a custom bus."""

    token = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    names = aws_names(
        "arn",
        "roleArn",
        targetId="Id",
        inputTransformer=Name("InputTransformer", aws_names("inputTemplate", inputPaths="InputPathsMap")),
        deadLetterConfig=DEAD_LETTERS,
        retryPolicy=RETRY,
    )
    inputs = frozenset({*names, "rule", "eventBusName"})
    replace_on = frozenset({"rule", "eventBusName", "targetId"})
    defaults: ClassVar[Mapping[str, Any]] = {"eventBusName": DEFAULT_BUS}

    def id_of(self, props: Props) -> str:
        bus, id = _bus(props), f"{props['rule']}-{props['targetId']}"
        return id if bus == DEFAULT_BUS else f"{bus}-{id}"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        for target in api.list_targets_by_rule(**self._rule(props))["Targets"]:
            if target["Id"] == props["targetId"]:
                live = properties(target, self.names)
                return live | {"rule": props["rule"], "eventBusName": _bus(props)}
        return None

    def update(self, api: Any, id: str, props: Props) -> None:
        target = arguments(props, self.names)
        if refused := api.put_targets(**self._rule(props), Targets=[target])["FailedEntries"]:
            raise RuntimeError(f"AWS refused the target: {refused}")

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.remove_targets(**self._rule(props), Ids=[props["targetId"]])

    def _rule(self, props: Props) -> dict[str, str]:
        return {"Rule": props["rule"], "EventBusName": _bus(props)}


def _bus(props: Props) -> str:
    return props.get("eventBusName", DEFAULT_BUS)
