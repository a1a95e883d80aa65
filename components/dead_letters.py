"""Retries and dead-letter queues for events that cannot be delivered: the same for every target."""

import json
from collections.abc import Sequence

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


def create_dead_letter_queue(
    parent: pulumi.Resource, name: str, *, account_id: str, region: str, queue_name: str, rules: Sequence[str]
) -> sqs.QueuePolicy:
    """Create a dead-letter queue with its policy, and return the policy: targets are created after it.

    Args:
        parent: Component that both belong to.
        name: Logical name of the queue.
        account_id: Account of queue and rules.
        region: Region of queue and rules: EventBridge takes a standard queue of the rule's own Region only
            (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html).
        queue_name: Physical name.
        rules: The rules that may put dead letters, as `documents.dead_letter_queue` takes them.
    """
    queue = sqs.Queue(
        name,
        name=queue_name,
        message_retention_seconds=DEAD_LETTERS_KEPT_SECONDS,
        sqs_managed_sse_enabled=True,
        region=region,
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
    )
    document = documents.dead_letter_queue(account_id=account_id, region=region, name=queue_name, rules=rules)
    return sqs.QueuePolicy(
        f"{name}-policy",
        queue_url=queue.url,
        policy=json.dumps(document),
        region=region,
        opts=pulumi.ResourceOptions(parent=parent),
    )
