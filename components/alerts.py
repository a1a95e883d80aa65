"""The alerting pipeline: EventBridge rules, encrypted topic, subscribers, dead-letter queue."""

import hashlib
import json

import pulumi
from pulumi_aws import cloudwatch, kms, sns, sqs

from components import documents, naming
from components.detections import DETECTIONS, RULE_STATE, Detection, Watched, message
from components.settings import AlertsSettings, Subscription

KEY_DELETION_WINDOW_DAYS = 10
DEAD_LETTERS_KEPT_SECONDS = 14 * 24 * 3600
RETRY_SECONDS = 24 * 3600
RETRY_ATTEMPTS = 185


class BreakGlassAlerts(pulumi.ComponentResource):
    """`breakglass:index:BreakGlassAlerts`: what tells a person that the break-glass user is in use.

    Creates: a customer managed KMS key with alias `alias/breakglassSNS`, the topic
    `breakglassuser-console-logins` with its policy, one subscription per configured recipient, the
    dead-letter queue `breakglass-alerts-dlq` with its policy, and per detection one rule on the default bus
    with one target, `SendToSNS`.

    Does not create: the CloudTrail trail without which EventBridge receives none of these events, nor
    anything in another Region or account.

    Attributes:
        topic_arn: ARN of the topic.
        dead_letter_queue_url: URL of the queue that keeps what could not be delivered.
    """

    topic_arn: pulumi.Output[str]
    dead_letter_queue_url: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: AlertsSettings,
        *,
        watched: Watched,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the pipeline in `args.region` of `watched.account_id`, for the users in `watched`."""
        super().__init__("breakglass:index:BreakGlassAlerts", name, None, opts)
        self._name = name
        self._region = args.region
        self._account_id = watched.account_id

        topic, topic_policy = self._create_topic(self._create_key())
        queue, queue_policy = self._create_dead_letter_queue()
        for subscription in args.subscriptions:
            self._create_subscription(subscription, topic, secret=args.endpoints_are_secret)
        for detection in DETECTIONS:
            self._create_rule(
                detection, watched, args.runbook_url, deliverable=[topic, topic_policy, queue_policy]
            )
        self.topic_arn = topic.arn
        self.dead_letter_queue_url = queue.url
        self.register_outputs(
            {"topicArn": self.topic_arn, "deadLetterQueueUrl": self.dead_letter_queue_url},
        )

    def _create_key(self) -> kms.Key:
        key = kms.Key(
            f"{self._name}-key",
            description="Encrypts break-glass alerts on their way from EventBridge to SNS",
            policy=json.dumps(documents.alert_key(account_id=self._account_id)),
            enable_key_rotation=True,
            # Stated, so that a key that somebody disabled shows up as a change.
            is_enabled=True,
            deletion_window_in_days=KEY_DELETION_WINDOW_DAYS,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        kms.Alias(
            f"{self._name}-key-alias",
            name=naming.KEY_ALIAS,
            target_key_id=key.key_id,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return key

    def _create_topic(self, key: kms.Key) -> tuple[sns.Topic, sns.TopicPolicy]:
        topic = sns.Topic(
            f"{self._name}-topic",
            name=naming.TOPIC,
            display_name="Break-glass alarm",
            # The key itself and not its alias: an alias can be pointed at another key.
            kms_master_key_id=key.arn,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, protect=True, delete_before_replace=True),
        )
        policy = sns.TopicPolicy(
            f"{self._name}-topic-policy",
            arn=naming.topic_arn(self._account_id, self._region),
            policy=json.dumps(documents.alert_topic(account_id=self._account_id, region=self._region)),
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[topic]),
        )
        return topic, policy

    def _create_dead_letter_queue(self) -> tuple[sqs.Queue, sqs.QueuePolicy]:
        queue = sqs.Queue(
            f"{self._name}-dlq",
            name=naming.DEAD_LETTER_QUEUE,
            message_retention_seconds=DEAD_LETTERS_KEPT_SECONDS,
            sqs_managed_sse_enabled=True,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        policy = sqs.QueuePolicy(
            f"{self._name}-dlq-policy",
            queue_url=queue.url,
            policy=json.dumps(documents.dead_letter_queue(account_id=self._account_id, region=self._region)),
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return queue, policy

    def _create_subscription(self, subscription: Subscription, topic: sns.Topic, *, secret: bool) -> None:
        # Named after the endpoint and not its place in the list: reordering must not unsubscribe anybody.
        # Hashed, because the URL of a webhook is often its password.
        digest = hashlib.sha256(subscription.endpoint.encode()).hexdigest()[:8]
        sns.TopicSubscription(
            f"{self._name}-subscription-{subscription.protocol}-{digest}",
            topic=naming.topic_arn(self._account_id, self._region),
            protocol=subscription.protocol,
            endpoint=pulumi.Output.secret(subscription.endpoint) if secret else subscription.endpoint,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[topic]),
        )

    def _create_rule(
        self,
        detection: Detection,
        watched: Watched,
        runbook_url: str | None,
        *,
        deliverable: list[pulumi.Resource],
    ) -> None:
        rule = cloudwatch.EventRule(
            f"{self._name}-rule-{detection.id}",
            name=detection.rule_name,
            description=f"Break-glass detection {detection.id}",
            event_pattern=json.dumps(detection.pattern(watched)),
            state=RULE_STATE,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        text = message(detection, runbook_url=runbook_url)
        # No role_arn: on SNS targets it may make delivery fail, with KMS above all
        # (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html).
        cloudwatch.EventTarget(
            f"{self._name}-target-{detection.id}",
            rule=rule.name,
            target_id=naming.SNS_TARGET_ID,
            arn=naming.topic_arn(self._account_id, self._region),
            input_transformer={"input_paths": text.input_paths, "input_template": text.template},
            dead_letter_config={"arn": naming.queue_arn(self._account_id, self._region)},
            retry_policy={
                "maximum_event_age_in_seconds": RETRY_SECONDS,
                "maximum_retry_attempts": RETRY_ATTEMPTS,
            },
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=deliverable),
        )
