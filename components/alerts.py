"""The hub: receives every relayed event, notifies people of the important ones, and records all of them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pulumi
from pulumi_aws import cloudwatch, kms, sns

from breakglass import documents, naming
from breakglass.detections import hub_patterns, patterns
from breakglass.detections.catalogue import DETECTIONS, Detection
from breakglass.detections.message import Message, message
from breakglass.detections.patterns import Pattern, Watched
from breakglass.settings.model import AlertsSettings, Subscription
from components.hub_alarms import create_alarms
from components.queues import DRILLS_KEPT_SECONDS, RETRY_POLICY, create_queue

KEY_DELETION_WINDOW_DAYS = 10


@dataclass(frozen=True, kw_only=True)
class BreakGlassAlertsArgs:
    """What `BreakGlassAlerts` is made from; fewer heartbeats a day than expected raise an alarm."""

    settings: AlertsSettings
    watched: Watched
    expected_heartbeats: pulumi.Input[int]


class _Target(NamedTuple):
    """Where a rule sends an event: id, ARN, and the message that is sent instead of the event itself."""

    id: str
    arn: str
    message: Message | None = None


class BreakGlassAlerts(pulumi.ComponentResource):
    """`breakglass:index:BreakGlassAlerts`: the hub that the relays forward to, and the alarm it raises.

    Creates: the event bus `breakglass` with its policy and an archive; one rule per detection that notifies,
    with a target `SendToSNS` and, for drills and where topic or key may be what was attacked,
    `SendToWatchdog`; the rule for changes of the key, on the default bus; the audit log group
    `/breakglass/audit` with its policy and the rules that record; the topic `breakglassuser-console-logins`,
    encrypted with a customer managed key (`alias/breakglassSNS`), and the unencrypted topic
    `breakglass-watchdog`, each with policy and subscriptions; the queue `breakglass-drill` with its policy,
    subscribed to both topics, where a drill sees what they sent; the dead-letter queue
    `breakglass-alerts-dlq`; alarms on undelivered events and messages, and on missing heartbeats.

    Does not create: relays (`BreakGlassRelay`), CloudTrail trails, a log delivery for the bus's error log, or
    anything in another Region. The audit log holds full CloudTrail records, and those of AssumeRole carry
    session tokens: anyone who may read the log group must be trusted with them.

    Attributes:
        topic_arn: ARN of the first topic.
        bus_arn: ARN of the hub bus.
    """

    topic_arn: pulumi.Output[str]
    bus_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: BreakGlassAlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Create the hub, in one Region of one account."""
        super().__init__("breakglass:index:BreakGlassAlerts", name, None, opts)
        self._name = name
        self._settings = args.settings
        self._region = args.watched.hub_region
        self._account_id = args.watched.hub_account_id

        key = self._create_key()
        topics = [
            *self._create_topic("topic", naming.TOPIC, "Break-glass alarm", key),
            *self._create_topic("watchdog", naming.WATCHDOG_TOPIC, "Break-glass watchdog", None),
        ]
        for subscription in self._settings.subscriptions:
            self._create_subscription("subscription", naming.TOPIC, subscription, topics)
        for subscription in self._settings.watchdog_subscriptions:
            self._create_subscription("watchdog-subscription", naming.WATCHDOG_TOPIC, subscription, topics)
        self._create_drill_queue(topics)
        queue_name = naming.DEAD_LETTER_QUEUE
        policy = documents.dead_letter_queue(
            account_id=self._account_id, region=self._region, name=queue_name, rules=naming.HUB_RULES
        )
        dead_letters = create_queue(
            self, f"{name}-dlq", queue_name=queue_name, region=self._region, policy=policy
        )
        destinations = [*topics, dead_letters, self._create_audit_log()]
        bus = self._create_bus()
        self._create_rules(bus, key, args.watched, destinations)
        create_alarms(
            self,
            name,
            region=self._region,
            actions=[self._topic(naming.TOPIC), self._topic(naming.WATCHDOG_TOPIC)],
            expected_heartbeats=args.expected_heartbeats,
        )
        self.topic_arn = topics[0].arn
        self.bus_arn = bus.arn
        self.register_outputs({"topicArn": self.topic_arn, "busArn": self.bus_arn})

    def _topic(self, name: str) -> str:
        return naming.topic_arn(self._account_id, self._region, name)

    def _create_key(self) -> kms.Key:
        key = kms.Key(
            f"{self._name}-key",
            description="Encrypts break-glass alerts on their way from EventBridge to SNS",
            policy=json.dumps(documents.hub_key(account_id=self._account_id)),
            enable_key_rotation=True,
            # Stated, so that a key that was disabled shows up as a change.
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

    def _create_topic(
        self, noun: str, name: str, display_name: str, key: kms.Key | None
    ) -> tuple[sns.Topic, sns.TopicPolicy]:
        topic = sns.Topic(
            f"{self._name}-{noun}",
            name=name,
            display_name=display_name,
            # The key itself and not its alias: an alias can be pointed at another key. The watchdog has
            # none: it must not depend on what it watches.
            kms_master_key_id=None if key is None else key.arn,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, protect=True, delete_before_replace=True),
        )
        document = documents.topic(account_id=self._account_id, region=self._region, name=name)
        policy = sns.TopicPolicy(
            f"{self._name}-{noun}-policy",
            arn=self._topic(name),
            policy=json.dumps(document),
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[topic]),
        )
        return topic, policy

    def _create_subscription(
        self, noun: str, topic_name: str, subscription: Subscription, topics: Sequence[pulumi.Resource]
    ) -> None:
        # Named after the endpoint and not its place in the list: reordering must not unsubscribe anybody.
        # Hashed, because the URL of a webhook is often its password.
        digest = hashlib.sha256(subscription.endpoint.encode()).hexdigest()[:8]
        endpoint = subscription.endpoint
        sns.TopicSubscription(
            f"{self._name}-{noun}-{subscription.protocol}-{digest}",
            topic=self._topic(topic_name),
            protocol=subscription.protocol,
            endpoint=pulumi.Output.secret(endpoint) if self._settings.endpoints_are_secret else endpoint,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=topics),
        )

    def _create_drill_queue(self, topics: Sequence[pulumi.Resource]) -> None:
        """Create the queue where a drill sees that both topics sent its message. It is not a recipient."""
        policy = create_queue(
            self,
            f"{self._name}-drill-queue",
            queue_name=naming.DRILL_QUEUE,
            region=self._region,
            policy=documents.drill_queue(account_id=self._account_id, region=self._region),
            kept_seconds=DRILLS_KEPT_SECONDS,
        )
        for noun, topic_name in (("topic", naming.TOPIC), ("watchdog", naming.WATCHDOG_TOPIC)):
            # Not raw: the envelope that SNS puts around the text names the topic that brought it.
            sns.TopicSubscription(
                f"{self._name}-drill-subscription-{noun}",
                topic=self._topic(topic_name),
                protocol="sqs",
                endpoint=naming.queue_arn(self._account_id, self._region, naming.DRILL_QUEUE),
                region=self._region,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[*topics, policy]),
            )

    def _create_audit_log(self) -> cloudwatch.LogResourcePolicy:
        group = cloudwatch.LogGroup(
            f"{self._name}-audit-log",
            name=naming.AUDIT_LOG_GROUP,
            retention_in_days=self._settings.audit_retention_days,
            deletion_protection_enabled=self._settings.audit_log_protected,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, protect=True, delete_before_replace=True),
        )
        # The policy of the log group itself: an account-wide one would be one of ten that a Region allows.
        return cloudwatch.LogResourcePolicy(
            f"{self._name}-audit-log-policy",
            resource_arn=naming.log_group_arn(self._account_id, self._region),
            policy_document=json.dumps(documents.audit_log(account_id=self._account_id, region=self._region)),
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[group]),
        )

    def _create_bus(self) -> cloudwatch.EventBus:
        bus = cloudwatch.EventBus(
            f"{self._name}-bus",
            name=naming.HUB_BUS,
            description="Hub of break-glass access: what the relays of every account and Region forward",
            log_config={"level": "ERROR", "include_detail": "NONE"},
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, protect=True, delete_before_replace=True),
        )
        document = documents.hub_bus(
            account_id=self._account_id,
            region=self._region,
            member_account_ids=self._settings.member_account_ids,
            organization_id=self._settings.organization_id,
        )
        cloudwatch.EventBusPolicy(
            f"{self._name}-bus-policy",
            event_bus_name=bus.name,
            policy=json.dumps(document),
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self),
        )
        cloudwatch.EventArchive(
            f"{self._name}-archive",
            name=naming.ARCHIVE,
            event_source_arn=naming.bus_arn(self._account_id, self._region, naming.HUB_BUS),
            retention_days=self._settings.audit_retention_days,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[bus], delete_before_replace=True),
        )
        return bus

    def _create_rules(
        self,
        bus: cloudwatch.EventBus,
        key: kms.Key,
        watched: Watched,
        destinations: Sequence[pulumi.Resource],
    ) -> None:
        for detection in DETECTIONS:
            if detection.action == "notify":
                for number, pattern in enumerate(detection.patterns(watched), start=1):
                    noun, text = naming.numbered(detection.id, number), patterns.text(pattern)
                    self._create_rule(noun, text, bus, self._topics(detection), destinations)
        log = _Target(naming.AUDIT_TARGET_ID, naming.log_group_arn(self._account_id, self._region))
        # The heartbeat's rule is its alarm's metric, so it records its own events, the other rule the rest.
        others: Pattern = {"source": [{"anything-but": [naming.HEARTBEAT_SOURCE]}]}
        for noun, pattern in (("heartbeat", {"source": [naming.HEARTBEAT_SOURCE]}), ("record", others)):
            self._create_rule(noun, patterns.text(pattern), bus, [log], destinations)
        # The one pattern that is unknown before the first deployment: AWS chooses the key's id.
        (detection,) = (entry for entry in DETECTIONS if entry.id == "key-change")
        pattern = pulumi.Output.all(key.arn, key.key_id).apply(
            lambda ids: patterns.text(hub_patterns.key_change(*ids))
        )
        self._create_rule(detection.id, pattern, None, [*self._topics(detection), log], destinations)

    def _topics(self, detection: Detection) -> list[_Target]:
        """Return the topics that send a detection's message, as targets."""
        text = message(detection, runbook_url=self._settings.runbook_url)
        targets = [_Target(naming.SNS_TARGET_ID, self._topic(naming.TOPIC), text)]
        if detection.to_watchdog:
            targets.append(_Target(naming.WATCHDOG_TARGET_ID, self._topic(naming.WATCHDOG_TOPIC), text))
        return targets

    def _create_rule(
        self,
        noun: str,
        pattern: pulumi.Input[str],
        bus: cloudwatch.EventBus | None,
        targets: Sequence[_Target],
        destinations: Sequence[pulumi.Resource],
    ) -> None:
        """Create a rule with its targets on the hub bus, or, without `bus`, on the default bus."""
        rule = cloudwatch.EventRule(
            f"{self._name}-rule-{noun}",
            name=naming.RULE_PREFIX + noun,
            description=f"Break-glass detection {noun}",
            event_bus_name=None if bus is None else bus.name,
            event_pattern=pattern,
            state=naming.ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        for target in targets:
            # No role_arn: on topics and log groups it may make delivery fail, with KMS above all
            # (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html).
            cloudwatch.EventTarget(
                f"{self._name}-target-{noun}-{target.id}",
                rule=rule.name,
                event_bus_name=None if bus is None else bus.name,
                target_id=target.id,
                arn=target.arn,
                input_transformer=target.message
                and {"input_paths": target.message.input_paths, "input_template": target.message.template},
                dead_letter_config={"arn": naming.queue_arn(self._account_id, self._region)},
                retry_policy=RETRY_POLICY,
                region=self._region,
                opts=pulumi.ResourceOptions(parent=self, depends_on=destinations),
            )
