"""The relays: forward the events that concern break-glass access to hub and watchdog, from every Region."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, iam, scheduler, sqs

from breakglass import documents, naming
from breakglass.detections import patterns
from breakglass.detections.patterns import Watched
from breakglass.detections.relay_patterns import relay_patterns
from breakglass.naming import Way
from components.alarms import create_alarms, relay_alarms
from components.queues import RETRY_POLICY, create_queue
from components.service_role import create_service_role

HEARTBEAT_TARGET = "arn:aws:scheduler:::aws-sdk:eventbridge:tagResource"
"""The API call that a heartbeat is
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html)."""
HEARTBEAT_TIME = "cron(5 * * * ? *)"
HEARTBEAT_WINDOW_MINUTES = 20
"""Not near the full hour, over which the alarms count; an organisation's do not come at once."""


@dataclass(frozen=True, kw_only=True)
class BreakGlassRelayArgs:
    """What `BreakGlassRelay` is made from.

    Attributes:
        account_id: Account whose events are forwarded.
        regions: Its Regions.
        watched: Whom the detections watch, and where hub and watchdog are.
        dead_letter_alarm: Whether alarms tell of events that could not be forwarded.
        depends_on: What must be there before a rule can forward to it, of what this program creates.
    """

    account_id: str
    regions: Sequence[str]
    watched: Watched
    dead_letter_alarm: bool
    depends_on: Sequence[pulumi.Resource]


class BreakGlassRelay(pulumi.ComponentResource):
    """`breakglass:index:BreakGlassRelay`: two relays in each Region of the account, to hub and watchdog.

    Creates, once: the roles `BreakGlassRelay` and `BreakGlassWatchdogRelay`, with each of which EventBridge
    puts events on exactly one bus, and the role `BreakGlassHeartbeat`; in us-east-1 alarms on dead letters,
    which notify the hub's topic for alarms.
    Creates, in each Region: on the default bus the rules `breakglass-relay`, `breakglass-relay-2` … to the
    hub and `breakglass-watchdog`, `breakglass-watchdog-2` … to the watchdog; the dead-letter queue
    `breakglass-relays-dlq` with its policy; the schedule group `breakglass` with the hourly schedule
    `breakglass-heartbeat`.

    A heartbeat is an API call that changes nothing: Scheduler tags the first relay rule with a tag that it
    has. CloudTrail records the call, both relays forward the record: so it proves trail, relays and buses.

    Does not create: the trail without which EventBridge receives none of these events; anything in a Region
    that the account enables later (the hub reports that one was enabled). It forwards in one hop: EventBridge
    drops an event that passes a third bus
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html).
    """

    def __init__(
        self, name: str, args: BreakGlassRelayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Create the roles, and the relays of each Region."""
        super().__init__("breakglass:index:BreakGlassRelay", name, None, opts)
        self._name = name
        self._account_id = args.account_id
        self._watched = args.watched
        roles = {
            way: create_service_role(
                self,
                f"{name}-{'relay' if way is naming.HUB else 'watchdog-relay'}",
                role_name=way.relay_role,
                trust=documents.relay_trust(
                    account_id=args.account_id,
                    rules=[naming.rule_arn(args.account_id, "*", f"{way.relay_rule}*")],
                ),
                permission=documents.relay_permission(bus_arn=args.watched.bus_arn(way)),
            )
            for way in naming.WAYS
        }
        beat = create_service_role(
            self,
            f"{name}-heartbeat",
            role_name=naming.HEARTBEAT_ROLE,
            trust=documents.heartbeat_trust(account_id=args.account_id),
            permission=documents.heartbeat_permission(account_id=args.account_id),
        )
        texts = [patterns.text(pattern) for pattern in relay_patterns(args.watched, args.account_id)]
        relay_rules = [f"{way.relay_rule}*" for way in naming.WAYS]
        rule_names = [
            naming.numbered(way.relay_rule, number)
            for way in naming.WAYS
            for number in range(1, len(texts) + 1)
        ]
        for region in args.regions:
            policy = documents.dead_letter_queue(
                account_id=args.account_id, region=region, name=naming.RELAY_QUEUE, rules=relay_rules
            )
            queue = create_queue(
                self,
                f"{name}-{region}-dead-letters",
                queue_name=naming.RELAY_QUEUE,
                region=region,
                policy=policy,
            )
            for way, permission in roles.items():
                for number, text in enumerate(texts, start=1):
                    self._create_rule(region, way, number, text, [permission, queue, *args.depends_on])
            self._create_heartbeat(region, [beat, queue])
        if args.dead_letter_alarm:
            create_alarms(
                self,
                name,
                relay_alarms(rule_names),
                region=naming.HOME_REGION,
                action=args.watched.alarms_topic_arn(naming.HUB),
            )
        self.register_outputs({})

    def _create_rule(
        self, region: str, way: Way, number: int, pattern: str, depends_on: Sequence[pulumi.Resource]
    ) -> None:
        noun = "rule" if way is naming.HUB else "watchdog-rule"
        key, value = naming.HEARTBEAT_TAG
        first = way is naming.HUB and number == 1
        rule = cloudwatch.EventRule(
            naming.numbered(f"{self._name}-{region}-{noun}", number),
            name=naming.numbered(way.relay_rule, number),
            description=f"Forwards what touches break-glass access to the {way.name}",
            event_pattern=pattern,
            state=naming.ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS,
            tags={key: value} if first else None,
            region=region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        cloudwatch.EventTarget(
            naming.numbered(f"{self._name}-{region}-{noun}", number) + "-target",
            rule=rule.name,
            target_id=way.target,
            arn=self._watched.bus_arn(way),
            # Unlike topics, queues and log groups, a bus is reached through a role only.
            role_arn=naming.role_arn(self._account_id, way.relay_role),
            dead_letter_config={"arn": naming.queue_arn(self._account_id, region, naming.RELAY_QUEUE)},
            retry_policy=RETRY_POLICY,
            region=region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=depends_on),
        )

    def _create_heartbeat(self, region: str, depends_on: Sequence[sqs.Queue | iam.RolePolicy]) -> None:
        group = scheduler.ScheduleGroup(
            f"{self._name}-{region}-schedule-group",
            name=naming.SCHEDULE_GROUP,
            region=region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        key, value = naming.HEARTBEAT_TAG
        beat = {
            "ResourceARN": naming.rule_arn(self._account_id, region, naming.HUB.relay_rule),
            "Tags": [{"Key": key, "Value": value}],
        }
        scheduler.Schedule(
            f"{self._name}-{region}-heartbeat",
            name=naming.HEARTBEAT_SCHEDULE,
            group_name=group.name,
            # Stated, so that a schedule that was disabled shows up as a change.
            state="ENABLED",
            schedule_expression=HEARTBEAT_TIME,
            flexible_time_window={
                "mode": "FLEXIBLE",
                "maximum_window_in_minutes": HEARTBEAT_WINDOW_MINUTES,
            },
            target={
                "arn": HEARTBEAT_TARGET,
                "role_arn": naming.role_arn(self._account_id, naming.HEARTBEAT_ROLE),
                "input": json.dumps(beat),
                # By default Scheduler tries for a day: a late heartbeat would stand for a later one.
                "retry_policy": {"maximum_event_age_in_seconds": 900, "maximum_retry_attempts": 3},
                "dead_letter_config": {"arn": naming.queue_arn(self._account_id, region, naming.RELAY_QUEUE)},
            },
            region=region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=depends_on, delete_before_replace=True),
        )
