"""Queues: for events that cannot be delivered, and for drills; and how often a delivery is retried."""

import json

import pulumi
from pulumi_aws import cloudwatch, sqs

from breakglass import documents

RETRY_POLICY: cloudwatch.EventTargetRetryPolicyArgsDict = {
    "maximum_event_age_in_seconds": 24 * 3600,
    "maximum_retry_attempts": 185,
}
"""AWS's own defaults, stated so that a change of them shows
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html)."""

DEAD_LETTERS_KEPT_SECONDS = 14 * 24 * 3600
"""The longest time that SQS offers."""

DRILLS_KEPT_SECONDS = 3600
"""A drill reads within minutes. Every alert is copied here, so messages stay no longer than a drill needs."""


def create_queue(
    parent: pulumi.Resource,
    name: str,
    *,
    queue_name: str,
    region: str,
    policy: documents.Document,
    kept_seconds: int = DEAD_LETTERS_KEPT_SECONDS,
) -> sqs.Queue:
    """Create a queue with its policy, and return it.

    EventBridge takes a standard queue of the rule's own Region as a dead-letter queue
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html).
    """
    return sqs.Queue(
        name,
        name=queue_name,
        message_retention_seconds=kept_seconds,
        sqs_managed_sse_enabled=True,
        policy=json.dumps(policy),
        region=region,
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
    )
