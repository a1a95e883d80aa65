"""The drill queue: a drill reads it to see that both topics sent its message. It is not a recipient."""

import json
from collections.abc import Sequence

import pulumi
from pulumi_aws import sns, sqs

from breakglass import documents, naming

KEPT_SECONDS = 3600
"""A drill reads within minutes. Every alert is copied here, so messages stay no longer than a drill needs."""


def create_drill_queue(
    parent: pulumi.Resource, name: str, *, account_id: str, region: str, topics: Sequence[pulumi.Resource]
) -> None:
    """Create the drill queue with its policy, and subscribe it to both topics.

    Args:
        parent: Component that they belong to.
        name: Its name.
        account_id: Account of queue and topics.
        region: Their Region.
        topics: The topics, with their policies.
    """
    queue = sqs.Queue(
        f"{name}-drill-queue",
        name=naming.DRILL_QUEUE,
        message_retention_seconds=KEPT_SECONDS,
        sqs_managed_sse_enabled=True,
        region=region,
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
    )
    policy = sqs.QueuePolicy(
        f"{name}-drill-queue-policy",
        queue_url=queue.url,
        policy=json.dumps(documents.drill_queue(account_id=account_id, region=region)),
        region=region,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    for noun, topic_name in (("topic", naming.TOPIC), ("watchdog", naming.WATCHDOG_TOPIC)):
        # Not raw: the envelope that SNS puts around the text names the topic that brought it.
        sns.TopicSubscription(
            f"{name}-drill-subscription-{noun}",
            topic=naming.topic_arn(account_id, region, topic_name),
            protocol="sqs",
            endpoint=naming.queue_arn(account_id, region, naming.DRILL_QUEUE),
            region=region,
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[*topics, policy]),
        )
