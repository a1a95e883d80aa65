"""CloudWatch: log groups, their resource policies, metric alarms."""

from typing import Any

from sandbox.provider.resources.base import Name, Props, Resource, arguments, aws_names, properties


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
        pages = api.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=id)
        for group in pages.search("logGroups[]"):
            if group["logGroupName"] == id:
                days = group.get("retentionInDays", 0)
                return {"name": id, "retentionInDays": days, "arn": group["logGroupArn"]}
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
    id_from = "resourceArn"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        policy = self._policy(api, id)
        return policy and {name: policy[name] for name in self.inputs}

    def update(self, api: Any, id: str, props: Props) -> None:
        api.put_resource_policy(
            resourceArn=id, policyDocument=props["policyDocument"], **self._revision(api, id)
        )

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_resource_policy(resourceArn=id, **self._revision(api, id))

    def _policy(self, api: Any, id: str) -> Props | None:
        answer = api.describe_resource_policies(resourceArn=id, policyScope="RESOURCE")
        return next(iter(answer["resourcePolicies"]), None)

    def _revision(self, api: Any, id: str) -> Props:
        """Return what AWS wants to know before it overwrites a policy: which one was read."""
        policy = self._policy(api, id)
        return {"expectedRevisionId": policy["revisionId"]} if policy else {}


class MetricAlarm(Resource):
    """Alarm on a metric; its state is not emulated."""

    token = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    names = aws_names(
        "alarmDescription", "namespace", "metricName", "statistic", "period", "evaluationPeriods",
        "datapointsToAlarm", "threshold", "comparisonOperator", "treatMissingData", "alarmActions",
        "actionsEnabled", name="AlarmName", okActions="OKActions",
    )  # fmt: skip
    _query = aws_names("id", "expression", "label", "period", "returnData")
    _kept = aws_names(
        evaluationWindow=Name(
            "EvaluationWindow", aws_names(wallClockWindow=Name("WallClockWindow", aws_names("timezone")))
        ),
        warmUpConfiguration=Name(
            "WarmUpConfiguration",
            aws_names("warmUpPeriodDurationInMinutes", "onlyStartEvaluatingAfterWarmUpPeriodEnds"),
        ),
    )
    kept = frozenset(_kept)
    inputs = frozenset({*names, *kept, "dimensions", "metricQueries"})
    outputs = frozenset({"arn"})
    replace_on = frozenset({"name"})

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        for alarm in api.describe_alarms(AlarmNames=[id])["MetricAlarms"]:
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
            queries = [
                {name: value for name, value in properties(query, self._query).items() if value is not None}
                for query in alarm.get("Metrics", [])
            ]
            live = properties(alarm, self.names) | {"metricQueries": queries or None}
            return live | {"arn": alarm["AlarmArn"], "dimensions": dimensions or None}
        return None

    def update(self, api: Any, id: str, props: Props) -> None:
        dimensions = props.get("dimensions", {}).items()
        queries = [arguments(query, self._query) for query in props.get("metricQueries", [])]
        api.put_metric_alarm(
            **arguments(props, {**self.names, **self._kept}),
            **({"Metrics": queries} if queries else {}),
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions],
        )

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_alarms(AlarmNames=[id])
