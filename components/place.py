"""What hub and watchdog have alike: the place where a way ends, each with parts of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, kms, sns

from breakglass import documents, naming
from breakglass.detections import hub_patterns, patterns
from breakglass.detections.patterns import Watched
from breakglass.naming import Way
from breakglass.settings.model import Subscription
from components.alarms import create_alarms, place_alarms
from components.logs import create_log_group
from components.queues import DRILLS_KEPT_SECONDS, create_queue
from components.rules import Target, create_rule
from components.topics import create_subscriptions, create_topic

HEARTBEATS_KEPT_DAYS = 3


@dataclass(frozen=True, kw_only=True)
class PlaceArgs:
    """What both places are made from.

    Attributes:
        watched: Whom the detections watch, and where the places are.
        recipients: Who is told of alerts here.
        other_recipients: Who is told of alerts at the other place. Both are told of alarms.
        account_ids: Accounts whose relays forward here.
        organization_id: Organisation whose accounts may all do so, if any.
        expected_heartbeats: Fewer heartbeats an hour raise an alarm.
        runbook_url: Page that every message links to, if any.
    """

    watched: Watched
    recipients: Sequence[Subscription]
    other_recipients: Sequence[Subscription]
    account_ids: Sequence[str]
    organization_id: str | None
    expected_heartbeats: pulumi.Input[int]
    runbook_url: str | None


@dataclass(frozen=True, kw_only=True)
class Place:
    """What was created.

    Attributes:
        bus: The bus, for rules.
        bus_policy: Its policy: EventBridge looks at both when a rule elsewhere gets the bus as a target.
        topic: The topic for alerts.
        destinations: What rules send to.
        dead_letters: ARN of the queue for what rules could not deliver.
    """

    bus: cloudwatch.EventBus
    bus_policy: cloudwatch.EventBusPolicy
    topic: sns.Topic
    destinations: Sequence[pulumi.Resource]
    dead_letters: str


def create_place(
    parent: pulumi.Resource, name: str, way: Way, args: PlaceArgs, key: kms.Key | None = None
) -> Place:
    """Create bus, topics, recipients, queues, the rule for heartbeats and alarms of hub or watchdog."""
    account_id, region = args.watched.place(way)
    topic_arn, alarms_arn = args.watched.topic_arn(way), args.watched.alarms_topic_arn(way)
    word = "alarm" if way is naming.HUB else "watchdog"
    topic = create_topic(
        parent,
        f"{name}-topic",
        topic_arn=topic_arn,
        display_name=f"Break-glass {word}",
        policy=documents.alert_topic(account_id=account_id, region=region, name=way.topic),
        region=region,
        key=key,
    )
    alarms_policy = documents.alarms_topic(
        account_id=account_id,
        region=region,
        name=way.alarms_topic,
        account_ids=[account_id] if way is naming.WATCHDOG else args.account_ids,
        organization_id=None if way is naming.WATCHDOG else args.organization_id,
        for_rules=way is naming.HUB,
    )
    alarms_topic = create_topic(
        parent,
        f"{name}-alarms",
        topic_arn=alarms_arn,
        display_name=f"Break-glass {word} broken",
        policy=alarms_policy,
        region=region,
    )
    create_subscriptions(
        parent,
        f"{name}-subscription",
        topic_arn=topic_arn,
        recipients=args.recipients,
        region=region,
        depends_on=topic,
    )
    create_subscriptions(
        parent,
        f"{name}-alarms-subscription",
        topic_arn=alarms_arn,
        recipients=[*args.recipients, *args.other_recipients],
        region=region,
        depends_on=alarms_topic,
    )
    _create_drill_queue(parent, name, way, account_id, region, topic_arn, topic)
    bus, bus_policy = _create_bus(parent, name, way, args, region)
    rules = [f"{way.bus}/{naming.RULE_PREFIX}*", *([naming.KEY_RULE] if way is naming.HUB else [])]
    dead_letters = create_queue(
        parent,
        f"{name}-dead-letters",
        queue_name=way.dead_letter_queue,
        region=region,
        policy=documents.dead_letter_queue(
            account_id=account_id, region=region, name=way.dead_letter_queue, rules=rules
        ),
    )
    place = Place(
        bus=bus,
        bus_policy=bus_policy,
        topic=topic[0],
        destinations=[*topic, *alarms_topic, dead_letters],
        dead_letters=naming.queue_arn(account_id, region, way.dead_letter_queue),
    )
    _create_heartbeat_rule(parent, name, way, place, account_id, region)
    create_alarms(
        parent,
        name,
        place_alarms(way, args.expected_heartbeats),
        region=region,
        action=alarms_arn,
        depends_on=alarms_topic,
    )
    return place


def _create_drill_queue(
    parent: pulumi.Resource,
    name: str,
    way: Way,
    account_id: str,
    region: str,
    topic_arn: str,
    topic: Sequence[pulumi.Resource],
) -> None:
    """Create the queue where a drill sees that the topic sent its message. It is not a recipient."""
    queue = create_queue(
        parent,
        f"{name}-drills",
        queue_name=way.drill_queue,
        region=region,
        policy=documents.drill_queue(
            account_id=account_id, region=region, name=way.drill_queue, topic=way.topic
        ),
        kept_seconds=DRILLS_KEPT_SECONDS,
    )
    # Not raw: the envelope that SNS puts around the text names the topic that brought it.
    sns.TopicSubscription(
        f"{name}-drill-subscription",
        topic=topic_arn,
        protocol="sqs",
        endpoint=naming.queue_arn(account_id, region, way.drill_queue),
        region=region,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*topic, queue]),
    )


def _create_bus(
    parent: pulumi.Resource, name: str, way: Way, args: PlaceArgs, region: str
) -> tuple[cloudwatch.EventBus, cloudwatch.EventBusPolicy]:
    bus = cloudwatch.EventBus(
        f"{name}-bus",
        name=way.bus,
        description=f"Break-glass {way.name}: what the relays of every account and Region forward",
        log_config={"level": "ERROR", "include_detail": "NONE"},
        region=region,
        opts=pulumi.ResourceOptions(parent=parent, protect=True, delete_before_replace=True),
    )
    document = documents.bus(
        bus_arn=args.watched.bus_arn(way),
        account_ids=args.account_ids,
        organization_id=args.organization_id,
    )
    policy = cloudwatch.EventBusPolicy(
        f"{name}-bus-policy",
        event_bus_name=bus.name,
        policy=json.dumps(document),
        region=region,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return bus, policy


def _create_heartbeat_rule(
    parent: pulumi.Resource, name: str, way: Way, place: Place, account_id: str, region: str
) -> None:
    """Create the rule whose invocations an alarm counts. Without a target a rule has none."""
    group_arn = naming.log_group_arn(account_id, region, naming.HEARTBEAT_LOG_GROUP)
    rule_arn = naming.rule_arn(account_id, region, f"{way.bus}/{naming.HEARTBEAT_RULE}")
    policy = create_log_group(
        parent,
        f"{name}-heartbeats",
        group_arn=group_arn,
        rules=[rule_arn],
        retention_days=HEARTBEATS_KEPT_DAYS,
        region=region,
    )
    create_rule(
        parent,
        name,
        "heartbeat",
        patterns.text(hub_patterns.HEARTBEAT),
        [Target(naming.RECORD_TARGET_ID, group_arn)],
        bus=place.bus,
        region=region,
        dead_letters=place.dead_letters,
        depends_on=[*place.destinations, policy],
    )
