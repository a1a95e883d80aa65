"""Alarms on the alarm itself: undelivered events and messages, and missing heartbeats."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from breakglass import naming

DAY_SECONDS = 86400

Metric = Mapping[str, Any]


def _something_failed(
    namespace: str, metric_name: str, dimensions: Mapping[str, str], statistic: str
) -> Metric:
    """Return an alarm on a metric emitted only on failure, so missing data is not breaching."""
    return {
        "namespace": namespace,
        "metric_name": metric_name,
        "dimensions": dimensions,
        "statistic": statistic,
        "period": 300,
        "evaluation_periods": 1,
        "threshold": 0,
        "comparison_operator": "GreaterThanThreshold",
        "treat_missing_data": "notBreaching",
    }


def _too_few_heartbeats(expected: pulumi.Input[int]) -> Metric:
    """Return the alarm on days with too few heartbeats: two in a row, because metrics are best effort.

    Days are those of the clock, so that each holds exactly one heartbeat of each relay
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html).
    """
    return {
        "namespace": "AWS/Events",
        "metric_name": "Invocations",
        "dimensions": {"EventBusName": naming.HUB_BUS, "RuleName": f"{naming.RULE_PREFIX}heartbeat"},
        "statistic": "Sum",
        "period": DAY_SECONDS,
        "evaluation_periods": 2,
        "datapoints_to_alarm": 2,
        "evaluation_window": {"wall_clock_window": {}},
        "threshold": expected,
        "comparison_operator": "LessThanThreshold",
        "treat_missing_data": "breaching",
    }


def create_alarms(
    parent: pulumi.Resource,
    name: str,
    *,
    region: str,
    actions: Sequence[str],
    expected_heartbeats: pulumi.Input[int],
) -> None:
    """Create the hub's alarms in its Region: an alarm reads metrics and notifies topics of its own only.

    `actions` are the ARNs of the topics to notify; two, so that the failure of one is still reported.
    """
    waiting, failed = "ApproximateNumberOfMessagesVisible", "NumberOfNotificationsFailed"
    alarms: dict[str, tuple[pulumi.Input[str], Metric]] = {
        "dead-letters": (
            "EventBridge could not deliver a break-glass event; it waits in the dead-letter queue",
            _something_failed("AWS/SQS", waiting, {"QueueName": naming.DEAD_LETTER_QUEUE}, "Maximum"),
        ),
        "failed-notifications": (
            "SNS could not deliver a break-glass message",
            _something_failed("AWS/SNS", failed, {"TopicName": naming.TOPIC}, "Sum"),
        ),
        "failed-watchdog-notifications": (
            "SNS could not deliver a message of the break-glass watchdog",
            _something_failed("AWS/SNS", failed, {"TopicName": naming.WATCHDOG_TOPIC}, "Sum"),
        ),
        "missing-heartbeats": (
            pulumi.Output.format(
                "Fewer than {0} break-glass heartbeats a day: a relay is silent", expected_heartbeats
            ),
            _too_few_heartbeats(expected_heartbeats),
        ),
    }
    for noun, (description, metric) in alarms.items():
        cloudwatch.MetricAlarm(
            f"{name}-alarm-{noun}",
            name=f"{naming.ALARM_PREFIX}{noun}",
            alarm_description=description,
            alarm_actions=actions,
            **metric,
            region=region,
            opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
        )
