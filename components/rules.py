"""Rules of hub and watchdog with their targets."""

from collections.abc import Sequence
from typing import NamedTuple

import pulumi
from pulumi_aws import cloudwatch

from breakglass import naming
from breakglass.detections.message import Message
from components.queues import RETRY_POLICY


class Target(NamedTuple):
    """Where a rule sends an event.

    Attributes:
        id: Id of the target.
        arn: ARN of the topic, log group or bus.
        message: The message that is sent instead of the event itself.
        role_arn: Role that puts events on a bus; None for all else. On topics and log groups a role may make
            delivery fail, with KMS above all
            (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html).
    """

    id: str
    arn: str
    message: Message | None = None
    role_arn: str | None = None


def create_rule(
    parent: pulumi.Resource,
    name: str,
    noun: str,
    pattern: pulumi.Input[str],
    targets: Sequence[Target],
    *,
    bus: cloudwatch.EventBus | None,
    region: str,
    dead_letters: str,
    depends_on: Sequence[pulumi.Resource],
) -> None:
    """Create the rule `capture-breakglass-<noun>` with its targets.

    Args:
        parent: The component.
        name: Its name, with which the names of resources begin.
        noun: What the rule is about.
        pattern: The event pattern, as text.
        targets: At most five.
        bus: The rule's bus; None for the default bus.
        region: The rule's Region.
        dead_letters: ARN of the queue for what cannot be delivered.
        depends_on: What the targets send to.
    """
    bus_name = None if bus is None else bus.name
    rule = cloudwatch.EventRule(
        f"{name}-rule-{noun}",
        name=naming.RULE_PREFIX + noun,
        description=f"Break-glass detection {noun}",
        event_bus_name=bus_name,
        event_pattern=pattern,
        state=naming.ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS,
        region=region,
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
    )
    for target in targets:
        cloudwatch.EventTarget(
            f"{name}-target-{noun}-{target.id}",
            rule=rule.name,
            event_bus_name=bus_name,
            target_id=target.id,
            arn=target.arn,
            role_arn=target.role_arn,
            input_transformer=target.message
            and {"input_paths": target.message.input_paths, "input_template": target.message.template},
            dead_letter_config={"arn": dead_letters},
            retry_policy=RETRY_POLICY,
            region=region,
            opts=pulumi.ResourceOptions(parent=parent, depends_on=depends_on),
        )
