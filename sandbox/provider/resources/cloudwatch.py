"""CloudWatch: log groups, their resource policies, metric alarms."""

from collections.abc import Mapping
from typing import Any, ClassVar

from sandbox.provider.resources.base import Props, Resource, arguments, aws_names, given, properties, to_aws


class LogGroup(Resource):
    """Log group. moto has no deletion protection, so `delete` refuses what AWS would refuse."""

    token = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    inputs = frozenset({"name", "retentionInDays", "deletionProtectionEnabled"})
    outputs = frozenset({"arn"})
    replace_on = frozenset({"name"})
    kept = frozenset({"deletionProtectionEnabled"})

    def create(self, api: Any, props: Props) -> str:
        api.create_log_group(logGroupName=props["name"])
        self.update(api, props["name"], props)
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        for page in api.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=id):
            for group in page["logGroups"]:
                if group["logGroupName"] == id:
                    return {
                        "name": id,
                        "retentionInDays": group.get("retentionInDays", 0),
                        "arn": group["logGroupArn"],
                    }
        return None

    def update(self, api: Any, id: str, props: Props) -> None:
        if days := props.get("retentionInDays"):
            api.put_retention_policy(logGroupName=id, retentionInDays=days)
        else:
            api.delete_retention_policy(logGroupName=id)

    def delete(self, api: Any, id: str, props: Props) -> None:
        if props.get("deletionProtectionEnabled"):
            raise RuntimeError(
                f"log group {id} is protected from deletion: "
                "deploy it with deletionProtectionEnabled false first, then delete it"
            )
        api.delete_log_group(logGroupName=id)


class LogResourcePolicy(Resource):
    """Resource policy of one log group. Its id is the log group's ARN."""

    token = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
    service = "logs"
    inputs = frozenset({"resourceArn", "policyDocument"})
    replace_on = frozenset({"resourceArn"})

    def id_of(self, props: Props) -> str:
        return props["resourceArn"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        policies = self._policies(api, id)
        return {name: policies[0][name] for name in self.inputs} if policies else None

    def update(self, api: Any, id: str, props: Props) -> None:
        api.put_resource_policy(
            resourceArn=id, policyDocument=props["policyDocument"], **self._revision(api, id)
        )

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_resource_policy(resourceArn=id, **self._revision(api, id))

    def _policies(self, api: Any, id: str) -> list[Props]:
        return api.describe_resource_policies(resourceArn=id, policyScope="RESOURCE")["resourcePolicies"]

    def _revision(self, api: Any, id: str) -> Props:
        """Return what AWS wants to know before it overwrites a policy: which one was read."""
        policies = self._policies(api, id)
        return {"expectedRevisionId": policies[0]["revisionId"]} if policies else {}


class MetricAlarm(Resource):
    """Alarm on a metric; its state is not emulated."""

    token = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    _plain: ClassVar[Mapping[str, str]] = aws_names(
        "alarmDescription", "namespace", "metricName", "statistic", "period", "evaluationPeriods",
        "datapointsToAlarm", "threshold", "comparisonOperator", "treatMissingData", "alarmActions",
        "actionsEnabled", name="AlarmName", okActions="OKActions",
    )  # fmt: skip
    inputs = frozenset({*_plain, "dimensions", "evaluationWindow"})
    outputs = frozenset({"arn"})
    replace_on = frozenset({"name"})
    kept = frozenset({"evaluationWindow"})

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        for alarm in api.describe_alarms(AlarmNames=[id])["MetricAlarms"]:
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
            live = properties(alarm, {**self._plain, "arn": "AlarmArn"})
            return live | {"dimensions": dimensions or None}
        return None

    def update(self, api: Any, id: str, props: Props) -> None:
        dimensions = props.get("dimensions", {}).items()
        window = to_aws(props.get("evaluationWindow"), aws_names("wallClockWindow"))
        if window is not None:
            window = {name: to_aws(entry, aws_names("timezone")) for name, entry in window.items()}
        api.put_metric_alarm(
            **arguments(props, self._plain),
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions],
            **given(EvaluationWindow=window),
        )

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_alarms(AlarmNames=[id])
