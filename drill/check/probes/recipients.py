"""Somebody is told: subscriptions, and nobody else is."""

from collections import Counter
from collections.abc import Iterator

from alertpath.model import UNKNOWN
from breakglass import naming
from drill.check import live
from drill.check.compare import redeploy
from drill.check.finding import Finding, not_ready, ready
from drill.check.subject import Subject

Subscriber = tuple[str, str]
"""Protocol and endpoint; the endpoint is `UNKNOWN` where the configuration holds it encrypted."""


def subscriptions(subject: Subject) -> Iterator[Finding]:
    """Compare each topic's subscriptions with the configured ones: confirmed, and no stranger's.

    Endpoints are not shown: the URL of a webhook is often its password.
    """
    for name in (naming.TOPIC, naming.WATCHDOG_TOPIC):
        arn = naming.topic_arn(subject.account.id, subject.home, name)
        yield from _of_topic(subject, arn, live.subscriptions(subject.account, arn))


def _of_topic(subject: Subject, arn: str, found: list[dict[str, str]]) -> Iterator[Finding]:
    name = arn.rsplit(":", 1)[-1]
    wanted = [
        (str(one["protocol"]), str(one["endpoint"]))
        for one in subject.of("TopicSubscription")
        if one["topic"] == arn
    ]
    confirmed: Counter[str] = Counter()
    for one in found:
        matched = _matched((one["Protocol"], one["Endpoint"]), wanted)
        if matched is None:
            yield not_ready(
                f"a stranger's {one['Protocol']} subscription hears topic {name}: {one['SubscriptionArn']}",
                subject.aws(
                    f"sns unsubscribe --region {subject.home} --subscription-arn {one['SubscriptionArn']}"
                ),
                fix="find out whose it is, then end it",
            )
            continue
        wanted.remove(matched)
        if live.is_pending(one):
            yield not_ready(
                f"{one['Protocol']} subscription of topic {name} is not confirmed: nobody is told there",
                subject.aws(
                    f"sns subscribe --region {subject.home} --topic-arn {arn} --protocol {one['Protocol']} "
                    "--notification-endpoint ENDPOINT"
                ),
                fix="follow the link in AWS's mail; if that is older than two days, have it sent again, to "
                "the ENDPOINT of the stack file",
            )
        elif not is_drill_queue(one["Protocol"], one["Endpoint"]):
            confirmed[one["Protocol"]] += 1
    for protocol, _ in wanted:
        yield not_ready(f"topic {name} lacks a subscription ({protocol})", redeploy(subject))
    if confirmed:
        listed = ", ".join(f"{count} {protocol}" for protocol, count in sorted(confirmed.items()))
        advice = "; a second recipient is advised" if confirmed.total() == 1 else ""
        yield ready(f"topic {name}: {confirmed.total()} confirmed ({listed}){advice}")


def _matched(found: Subscriber, wanted: list[Subscriber]) -> Subscriber | None:
    """Return the configured subscriber that a live one is."""
    protocol, endpoint = found
    exact = [one for one in wanted if one == (protocol, endpoint)]
    encrypted = [one for one in wanted if one == (protocol, UNKNOWN)]
    return next(iter(exact + encrypted), None)


def is_drill_queue(protocol: str, endpoint: str) -> bool:
    """Whether a subscription is the drill queue's, which observes and is no recipient."""
    return protocol == "sqs" and endpoint.endswith(f":{naming.DRILL_QUEUE}")
