"""The hub: receives every relayed event, notifies people of the important ones, and records all of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, iam, kms

from breakglass import documents, naming
from breakglass.detections import hub_patterns, patterns
from breakglass.detections.catalogue import DETECTIONS
from breakglass.detections.message import message
from components.logs import create_log_group
from components.place import Place, PlaceArgs, create_place
from components.rules import Target, create_rule
from components.service_role import create_service_role

KEY_DELETION_WINDOW_DAYS = 10


@dataclass(frozen=True, kw_only=True)
class BreakGlassAlertsArgs:
    """What `BreakGlassAlerts` is made from.

    Attributes:
        place: What hub and watchdog have alike.
        audit_retention_days: How long audit log and archive keep events.
        audit_log_protected: Whether AWS refuses to delete the audit log.
    """

    place: PlaceArgs
    audit_retention_days: int
    audit_log_protected: bool


class BreakGlassAlerts(pulumi.ComponentResource):
    """`breakglass:index:BreakGlassAlerts`: the hub that relays forward to, and the alarm it raises.

    Creates: the event bus `breakglass` with its policy and an archive; one rule per detection that notifies,
    with a target `SendToSNS`; the rule for changes of the key, on the default bus, which tells the topic for
    alarms and, with the role `BreakGlassKeyRelay`, the watchdog's bus as well; the audit log group
    `/breakglass/audit` with its policy and the rule that records; the topic `breakglassuser-console-logins`,
    encrypted with a customer managed key (`alias/breakglassSNS`), with policy and subscriptions; the topic
    `breakglass-alarms` with its policy and both places' recipients; the rule for heartbeats with its log
    group `/breakglass/heartbeats`; the queue `breakglass-hub-drill`, where a drill sees what the topic sent;
    the dead-letter queue `breakglass-hub-dlq`; alarms on undelivered events and messages, on floods and on
    missing heartbeats.

    Does not create: relays (`BreakGlassRelay`), CloudTrail trails, a log delivery for the bus's error log, or
    anything in another Region. The audit log holds full CloudTrail records, and those of AssumeRole carry
    session tokens: anyone who may read the log group must be trusted with them.

    Attributes:
        topic_arn: ARN of the topic for alerts.
        bus_arn: ARN of the hub bus.
        place: The parts that others depend on.
    """

    topic_arn: pulumi.Output[str]
    bus_arn: pulumi.Output[str]
    place: Place

    def __init__(
        self, name: str, args: BreakGlassAlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Create the hub, in one Region of one account."""
        super().__init__("breakglass:index:BreakGlassAlerts", name, None, opts)
        self._name = name
        self._args = args
        self._watched = args.place.watched
        self._account_id, self._region = self._watched.place(naming.HUB)
        key = self._create_key()
        place = create_place(self, name, naming.HUB, args.place, key)
        self._create_archive(place.bus)
        self._create_rules(place, key, [self._create_audit_log(), self._create_key_role()])
        self.topic_arn = place.topic.arn
        self.bus_arn = place.bus.arn
        self.place = place
        self.register_outputs({"topicArn": self.topic_arn, "busArn": self.bus_arn})

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

    def _create_audit_log(self) -> cloudwatch.LogResourcePolicy:
        rules = (f"{naming.HUB.bus}/{naming.RECORD_RULE}", naming.KEY_RULE)
        return create_log_group(
            self,
            f"{self._name}-audit-log",
            group_arn=naming.log_group_arn(self._account_id, self._region),
            rules=[naming.rule_arn(self._account_id, self._region, rule) for rule in rules],
            retention_days=self._args.audit_retention_days,
            region=self._region,
            deletion_protected=self._args.audit_log_protected,
        )

    def _create_key_role(self) -> iam.RolePolicy:
        rule = naming.rule_arn(self._account_id, self._region, naming.KEY_RULE)
        permission = documents.relay_permission(bus_arn=self._watched.bus_arn(naming.WATCHDOG))
        return create_service_role(
            self,
            f"{self._name}-key-relay",
            role_name=naming.KEY_ROLE,
            trust=documents.relay_trust(account_id=self._account_id, rules=[rule]),
            permission=permission,
        )

    def _create_archive(self, bus: cloudwatch.EventBus) -> None:
        cloudwatch.EventArchive(
            f"{self._name}-archive",
            name=naming.ARCHIVE,
            event_source_arn=self._watched.bus_arn(naming.HUB),
            event_pattern=patterns.text(hub_patterns.NO_HEARTBEAT),
            retention_days=self._args.audit_retention_days,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[bus], delete_before_replace=True),
        )

    def _create_rules(self, place: Place, key: kms.Key, needed: Sequence[pulumi.Resource]) -> None:
        topic = self._watched.topic_arn(naming.HUB)
        record = Target(naming.RECORD_TARGET_ID, naming.log_group_arn(self._account_id, self._region))

        def rule(
            noun: str,
            pattern: pulumi.Input[str],
            targets: Sequence[Target],
            bus: cloudwatch.EventBus | None = place.bus,
        ) -> None:
            create_rule(
                self,
                self._name,
                noun,
                pattern,
                targets,
                bus=bus,
                region=self._region,
                dead_letters=place.dead_letters,
                depends_on=[*place.destinations, *needed],
            )

        for detection in DETECTIONS:
            if detection.action != "notify":
                continue
            text = message(detection, runbook_url=self._args.place.runbook_url)
            for number, pattern in enumerate(detection.rule_patterns(self._watched), start=1):
                noun = naming.numbered(detection.id, number)
                rule(noun, patterns.text(pattern), [Target(naming.SNS_TARGET_ID, topic, text)])
            if detection.id == "key-change":
                # The one pattern that is unknown before the first deployment: AWS chooses the key's id. When
                # this rings, the topic may be what was broken: the watchdog and a plain topic are told too.
                pattern = pulumi.Output.all(key.arn, key.key_id).apply(
                    lambda ids: patterns.text(hub_patterns.key_change(*ids))
                )
                watchdog_bus = self._watched.bus_arn(naming.WATCHDOG)
                role = naming.role_arn(self._account_id, naming.KEY_ROLE)
                targets = [
                    Target(naming.SNS_TARGET_ID, topic, text),
                    Target(naming.ALARMS_TARGET_ID, self._watched.alarms_topic_arn(naming.HUB), text),
                    Target(naming.WATCHDOG.target, watchdog_bus, role_arn=role),
                    record,
                ]
                rule(detection.id, pattern, targets, None)
        rule("record", patterns.text(hub_patterns.NO_HEARTBEAT), [record])
