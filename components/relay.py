"""The relay: forwards the events that concern break-glass access to the hub, from every Region."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, iam, scheduler, sqs

from breakglass import documents, naming
from breakglass.detections import patterns
from breakglass.detections.patterns import Watched
from breakglass.detections.relay_patterns import relay_patterns
from components.queues import RETRY_POLICY, create_queue

HEARTBEAT_TIME = "cron(0 12 * * ? *)"
"""Daily at 12:00 UTC: half a day from the boundaries of the day over which the hub's alarm counts."""


@dataclass(frozen=True, kw_only=True)
class BreakGlassRelayArgs:
    """What `BreakGlassRelay` is made from: the account and Regions whose events go to the hubs' ARNs."""

    account_id: str
    regions: Sequence[str]
    hubs: Sequence[str]
    watched: Watched


class BreakGlassRelay(pulumi.ComponentResource):
    """`breakglass:index:BreakGlassRelay`: forwards events from each Region of the account to the hub.

    Creates, once: the role `BreakGlassRelay`, with which EventBridge puts events on exactly the hub buses,
    and the role `BreakGlassHeartbeat`, with which Scheduler puts heartbeats on the account's default buses.
    Creates, in each Region: the rules `breakglass-relay`, `breakglass-relay-2` … on the default bus, each
    with one target per hub; the dead-letter queue `breakglass-relay-dlq` with its policy; the schedule
    group `breakglass` with the daily schedule `breakglass-heartbeat`.

    Does not create: the trail without which EventBridge receives none of these events; anything in a Region
    that the account enables later (the hub reports that one was enabled). It forwards in one hop: EventBridge
    drops an event that passes a third bus
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html).
    """

    def __init__(
        self, name: str, args: BreakGlassRelayArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Create the roles, and the relay of each Region."""
        super().__init__("breakglass:index:BreakGlassRelay", name, None, opts)
        self._name = name
        self._account_id = args.account_id
        self._hubs = args.hubs
        self._forward = self._create_role(
            "relay",
            naming.RELAY_ROLE,
            trust=documents.relay_trust(account_id=args.account_id),
            permission=documents.relay_permission(hubs=args.hubs),
        )
        self._beat = self._create_role(
            "heartbeat",
            naming.HEARTBEAT_ROLE,
            trust=documents.heartbeat_trust(account_id=args.account_id),
            permission=documents.heartbeat_permission(account_id=args.account_id),
        )
        texts = [patterns.text(pattern) for pattern in relay_patterns(args.watched, args.account_id)]
        for region in args.regions:
            policy = documents.dead_letter_queue(
                account_id=args.account_id,
                region=region,
                name=naming.RELAY_QUEUE,
                rules=[f"{naming.RELAY_RULE}*"],
            )
            queue_policy = create_queue(
                self, f"{name}-{region}-dlq", queue_name=naming.RELAY_QUEUE, region=region, policy=policy
            )
            for number, text in enumerate(texts, start=1):
                self._create_rule(region, number, text, queue_policy)
            self._create_heartbeat(region)
        self.register_outputs({})

    def _create_role(
        self, noun: str, role_name: str, *, trust: documents.Document, permission: documents.Document
    ) -> iam.RolePolicy:
        role = iam.Role(
            f"{self._name}-{noun}-role",
            name=role_name,
            path="/",
            description=f"Break-glass {noun}, used by AWS services only",
            assume_role_policy=json.dumps(trust),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        return iam.RolePolicy(
            f"{self._name}-{noun}-permission",
            role=role.name,
            name=noun,
            policy=json.dumps(permission),
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )

    def _create_rule(self, region: str, number: int, pattern: str, queue_policy: sqs.QueuePolicy) -> None:
        rule = cloudwatch.EventRule(
            naming.numbered(f"{self._name}-{region}-rule", number),
            name=naming.numbered(naming.RELAY_RULE, number),
            description="Forwards what touches break-glass access to the hub",
            event_pattern=pattern,
            state=naming.ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS,
            region=region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        for hub_number, hub in enumerate(self._hubs, start=1):
            cloudwatch.EventTarget(
                f"{naming.numbered(f'{self._name}-{region}-target', number)}-hub-{hub_number}",
                rule=rule.name,
                target_id=f"Hub{hub_number}",
                arn=hub,
                # Unlike topics, queues and log groups, a bus is reached through a role only.
                role_arn=naming.role_arn(self._account_id, naming.RELAY_ROLE),
                dead_letter_config={"arn": naming.queue_arn(self._account_id, region, naming.RELAY_QUEUE)},
                retry_policy=RETRY_POLICY,
                region=region,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[self._forward, queue_policy]),
            )

    def _create_heartbeat(self, region: str) -> None:
        group = scheduler.ScheduleGroup(
            f"{self._name}-{region}-schedule-group",
            name=naming.SCHEDULE_GROUP,
            region=region,
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        scheduler.Schedule(
            f"{self._name}-{region}-heartbeat",
            name=naming.HEARTBEAT_SCHEDULE,
            group_name=group.name,
            # Stated, so that a schedule that was disabled shows up as a change.
            state="ENABLED",
            schedule_expression=HEARTBEAT_TIME,
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": naming.bus_arn(self._account_id, region, "default"),
                "role_arn": naming.role_arn(self._account_id, naming.HEARTBEAT_ROLE),
                "input": json.dumps({"region": region}),
                "eventbridge_parameters": {
                    "detail_type": "Break-glass heartbeat",
                    "source": naming.HEARTBEAT_SOURCE,
                },
            },
            region=region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._beat], delete_before_replace=True),
        )
