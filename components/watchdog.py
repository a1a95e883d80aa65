"""The watchdog: a second hub that shares nothing with the first, and tells other people of the same."""

import pulumi

from breakglass import naming
from breakglass.detections import patterns
from breakglass.detections.message import message
from breakglass.detections.watchdog_rules import WATCHDOG_RULES
from components.place import Place, PlaceArgs, create_place
from components.rules import Target, create_rule


class BreakGlassWatchdog(pulumi.ComponentResource):
    """`breakglass:index:BreakGlassWatchdog`: tells of an attack on the hub, by a way of its own.

    Creates, in another Region than the hub's: the event bus `breakglass-watchdog` with its policy; the rules
    `capture-breakglass-alert`, `-alert-2` …, which hold every pattern of the catalogue and send one general
    message, and the rule for drills; the topic `breakglass-watchdog`, without a key, with policy and
    subscriptions; the topic `breakglass-watchdog-alarms` with its policy and both places' recipients; the
    rule for heartbeats with its log group `/breakglass/heartbeats`; the queues `breakglass-watchdog-drill`
    and `breakglass-watchdog-dlq` with their policies; alarms.

    Does not create: relays (`BreakGlassRelay`), an audit log or an archive.

    Attributes:
        topic_arn: ARN of the topic for alerts.
        bus_arn: ARN of the bus.
        place: The parts that others depend on.
    """

    topic_arn: pulumi.Output[str]
    bus_arn: pulumi.Output[str]
    place: Place

    def __init__(self, name: str, args: PlaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Create the watchdog, in one Region of one account."""
        super().__init__("breakglass:index:BreakGlassWatchdog", name, None, opts)
        _, region = args.watched.place(naming.WATCHDOG)
        topic = args.watched.topic_arn(naming.WATCHDOG)
        place = create_place(self, name, naming.WATCHDOG, args)
        for detection in WATCHDOG_RULES:
            text = message(detection, runbook_url=args.runbook_url)
            for number, pattern in enumerate(detection.rule_patterns(args.watched), start=1):
                create_rule(
                    self,
                    name,
                    naming.numbered(detection.id, number),
                    patterns.text(pattern),
                    [Target(naming.SNS_TARGET_ID, topic, text)],
                    bus=place.bus,
                    region=region,
                    dead_letters=place.dead_letters,
                    depends_on=place.destinations,
                )
        self.topic_arn = place.topic.arn
        self.bus_arn = place.bus.arn
        self.place = place
        self.register_outputs({"topicArn": self.topic_arn, "busArn": self.bus_arn})
