"""Topics of hub and watchdog, and their recipients."""

import hashlib
import json
from collections.abc import Sequence

import pulumi
from pulumi_aws import kms, sns

from breakglass import documents
from breakglass.settings.model import Subscription


def create_topic(
    parent: pulumi.Resource,
    name: str,
    *,
    topic_arn: str,
    display_name: str,
    policy: documents.Document,
    region: str,
    key: kms.Key | None = None,
) -> tuple[sns.Topic, sns.TopicPolicy]:
    """Create a topic with its policy, and return both: what sends to the topic depends on them."""
    topic = sns.Topic(
        name,
        name=topic_arn.rsplit(":", 1)[-1],
        display_name=display_name,
        # The key itself and not its alias: an alias can be pointed at another key.
        kms_master_key_id=None if key is None else key.arn,
        region=region,
        opts=pulumi.ResourceOptions(parent=parent, protect=True, delete_before_replace=True),
    )
    topic_policy = sns.TopicPolicy(
        f"{name}-policy",
        arn=topic_arn,
        policy=json.dumps(policy),
        region=region,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[topic]),
    )
    return topic, topic_policy


def create_subscriptions(
    parent: pulumi.Resource,
    name: str,
    *,
    topic_arn: str,
    recipients: Sequence[Subscription],
    region: str,
    depends_on: Sequence[pulumi.Resource],
) -> None:
    """Subscribe the recipients to a topic."""
    for recipient in recipients:
        # Named after the endpoint and not its place in the list: reordering must not unsubscribe anybody.
        # Hashed, because the URL of a webhook is often its password.
        digest = hashlib.sha256(recipient.endpoint.encode()).hexdigest()[:8]
        sns.TopicSubscription(
            f"{name}-{recipient.protocol}-{digest}",
            topic=topic_arn,
            protocol=recipient.protocol,
            endpoint=pulumi.Output.secret(recipient.endpoint) if recipient.secret else recipient.endpoint,
            region=region,
            opts=pulumi.ResourceOptions(parent=parent, depends_on=depends_on),
        )
