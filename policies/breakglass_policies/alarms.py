"""Alarms on the alarm: CloudWatch reaches topics of the alarm's own Region only."""

from collections.abc import Iterator

from pulumi_policy import Severity
from pulumi_policy.proxy import UnknownValueError

from .policy import Problems, resource_policy
from .reading import Resource, each, in_component, parse_arn

ALARMS = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm")
ACTIONS = ("alarmActions", "okActions", "insufficientDataActions")
"""Properties of both types of alarm that hold ARNs."""


@resource_policy(
    "alarm-action-in-own-region",
    "Alarms notify topics of their own Region",
    types=ALARMS,
    applies=lambda alarm: alarm.region is not None,
    severity=Severity.HIGH,
    fix="Name a topic in the Region of the alarm, or create the alarm where the topic is.",
    url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html",
)
def alarm_action_in_own_region(alarm: Resource) -> Problems:
    """The actions of a CloudWatch alarm must be in the Region of the alarm."""

    def elsewhere(actions: str) -> Iterator[str]:
        for action in alarm.each(actions):
            arn = parse_arn(action)
            if arn.region not in ("", alarm.region):  # a global service has none
                yield (
                    f"is in {alarm.region}, and {actions} names {arn.resource} ({arn.service}) of "
                    f"{arn.region}, which CloudWatch cannot reach. Name one in {alarm.region}."
                )

    try:
        yield from each(ACTIONS, elsewhere)
    except UnknownValueError:  # in another program it is known, and judged, at the deployment
        if in_component(alarm):
            raise
