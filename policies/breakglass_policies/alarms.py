"""Alarms on the alarm: CloudWatch tells topics of the alarm's own Region only."""

from collections.abc import Iterator, Sequence
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)

from .arns import parse_arn, region_of
from .framework import EMERGENCY_ACCESS
from .plain import items, plain, title, unknown_last

ALARMS = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm")
ACTIONS = ("alarmActions", "okActions", "insufficientDataActions")
"""Properties of both types of alarm that hold ARNs."""


def check_actions(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report each action of an alarm that is in another Region than the alarm.

    Raises:
        UnknownValueError: a Region or an ARN is not known until deployment; raised after the known ones were
            reported.
    """
    if args.resource_type not in ALARMS:
        return args.not_applicable("the resource is not an alarm")
    region = region_of(args.props, args.provider)
    if region is None:
        return args.not_applicable("neither the alarm nor its provider names a Region")
    for message in unknown_last(*(_elsewhere(args, key, region) for key in ACTIONS)):
        report(message, args.urn)
    return None


def _elsewhere(args: ResourceValidationArgs, key: str, region: str) -> Iterator[str]:
    arns = items(args.props.get(key))
    yield from unknown_last(*(_elsewhere_at(args, key, arns, index, region) for index in range(len(arns))))


def _elsewhere_at(
    args: ResourceValidationArgs, key: str, arns: Sequence[Any], index: int, region: str
) -> Iterator[str]:
    arn = parse_arn(plain(arns[index]))
    if arn and arn.region not in ("", region):  # a global service has none
        yield (
            f"{title(args.resource_type, args.name)} is in {region}, and {key} names {arn.resource} "
            f"({arn.service}) of {arn.region}, which CloudWatch cannot reach. Name one in {region}."
        )


ALARM_ACTION_IN_OWN_REGION = ResourceValidationPolicy(
    name="alarm-action-in-own-region",
    display_name="Alarms tell topics of their own Region",
    description="The actions of a CloudWatch alarm must be in the Region of the alarm.",
    validate=check_actions,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    remediation_steps="Name a topic in the Region of the alarm, or create the alarm where the topic is.",
    url="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html",
)

RULES: list[Policy] = [ALARM_ACTION_IN_OWN_REGION]
"""The rules of this module."""
