"""CloudWatch alarms on the alarm itself: what was not delivered, missing heartbeats, and floods."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from breakglass import naming
from breakglass.naming import Way

HOUR_SECONDS = 3600
WARM_UP_MINUTES = 300
FLOOD = 60
"""Messages in five minutes; SNS suspends a mail subscription that gets more than ten a second
(https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html)."""

Metric = Mapping[str, Any]
Alarms = Mapping[str, tuple[pulumi.Input[str], Metric]]
"""Description and metric by the end of the alarm's name."""


def _above(
    namespace: str,
    metric_name: str,
    dimensions: Mapping[str, str],
    statistic: str = "Sum",
    threshold: int = 0,
) -> Metric:
    """Return an alarm on more than `threshold` in five minutes; missing data means that nothing happened."""
    return {
        "namespace": namespace,
        "metric_name": metric_name,
        "dimensions": dimensions,
        "statistic": statistic,
        "period": 300,
        **_at_once(threshold),
    }


def _at_once(threshold: int) -> Metric:
    return {
        "evaluation_periods": 1,
        "threshold": threshold,
        "comparison_operator": "GreaterThanThreshold",
        "treat_missing_data": "notBreaching",
    }


def _undelivered(queue: str, where: str) -> Alarms:
    """Return the alarms on events that rules could not deliver.

    A queue's depth stays above zero and tells of the first loss only, so arrivals count as well. That the
    queue itself refused an event is known by rule alone, so one query adds up the rules
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html).

    Args:
        queue: Name of the dead-letter queue.
        where: Condition of the query: whose rules count.
    """
    refused = f'SELECT SUM(InvocationsFailedToBeSentToDlq) FROM "AWS/Events" WHERE {where}'  # noqa: S608
    query = {"id": "refused", "expression": refused, "period": 300, "return_data": True}
    waiting, sent = "ApproximateNumberOfMessagesVisible", "NumberOfMessagesSent"
    dimensions = {"QueueName": queue}
    return {
        "dead-letters": (
            "EventBridge could not deliver a break-glass event; it waits in the dead-letter queue",
            _above("AWS/SQS", waiting, dimensions, statistic="Maximum"),
        ),
        "new-dead-letters": (
            "EventBridge could not deliver another break-glass event",
            _above("AWS/SQS", sent, dimensions),
        ),
        "lost-events": (
            "EventBridge lost a break-glass event: the dead-letter queue refused it",
            {"metric_queries": [query], **_at_once(0)},
        ),
    }


def place_alarms(way: Way, expected_heartbeats: pulumi.Input[int]) -> Alarms:
    """Return the alarms of the hub or the watchdog."""
    failed, published = "NumberOfNotificationsFailed", "NumberOfMessagesPublished"
    return {
        **_undelivered(way.dead_letter_queue, f"EventBusName = '{way.bus}'"),
        "failed-notifications": (
            "SNS could not deliver a break-glass message",
            _above("AWS/SNS", failed, {"TopicName": way.topic}),
        ),
        "flood": (
            f"More than {FLOOD} break-glass messages in five minutes: SNS may suspend the mailboxes",
            _above("AWS/SNS", published, {"TopicName": way.topic}, threshold=FLOOD),
        ),
        "missing-heartbeats": (
            pulumi.Output.format(
                "Fewer than {0} break-glass heartbeats an hour: a trail, a relay or a bus is silent",
                expected_heartbeats,
            ),
            _too_few_heartbeats(way, expected_heartbeats),
        ),
    }


def relay_alarms(rules: Sequence[str]) -> Alarms:
    """Return the alarms of an account's relays, by their rules' names: one Region's dead letters only."""
    alarms = _undelivered(naming.RELAY_QUEUE, " OR ".join(f"RuleName = '{rule}'" for rule in rules))
    return {f"relay-{noun}": alarm for noun, alarm in alarms.items()}


def _too_few_heartbeats(way: Way, expected: pulumi.Input[int]) -> Metric:
    """Return the alarm on three hours of the clock in a row with too few heartbeats.

    It rings within four hours of the last one. It starts when the first full hours can have passed, since no
    heartbeat comes before the first deployment
    (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation-window.html).
    """
    return {
        "namespace": "AWS/Events",
        "metric_name": "Invocations",
        "dimensions": {"EventBusName": way.bus, "RuleName": naming.HEARTBEAT_RULE},
        "statistic": "Sum",
        "period": HOUR_SECONDS,
        "evaluation_periods": 3,
        "datapoints_to_alarm": 3,
        "evaluation_window": {"wall_clock_window": {}},
        "warm_up_configuration": {
            "warm_up_period_duration_in_minutes": WARM_UP_MINUTES,
            "only_start_evaluating_after_warm_up_period_ends": True,
        },
        "threshold": expected,
        "comparison_operator": "LessThanThreshold",
        "treat_missing_data": "breaching",
    }


def create_alarms(
    parent: pulumi.Resource,
    name: str,
    alarms: Alarms,
    *,
    region: str,
    action: str,
    depends_on: Sequence[pulumi.Resource] = (),
) -> None:
    """Create alarms in a Region: one reads metrics and notifies a topic of its own Region only.

    `action` is the ARN of the topic.
    """
    for noun, (description, metric) in alarms.items():
        cloudwatch.MetricAlarm(
            f"{name}-alarm-{noun}",
            name=f"{naming.ALARM_PREFIX}{noun}",
            alarm_description=description,
            alarm_actions=[action],
            # Stated, so that actions that were switched off show up as a change.
            actions_enabled=True,
            **metric,
            region=region,
            opts=pulumi.ResourceOptions(parent=parent, depends_on=depends_on, delete_before_replace=True),
        )
