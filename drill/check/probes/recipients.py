"""Topics have confirmed subscribers, and only the configured ones."""

from collections import Counter
from functools import partial

from alertpath.model import UNKNOWN
from breakglass import naming
from breakglass.naming import Way
from drill.check import live
from drill.check.compare import redeploy
from drill.check.finding import Findings, not_ready, ready
from drill.check.stack_state import StackState


def _subscriptions(way: Way, stack_state: StackState) -> Findings:
    """Compare the subscriptions of a way's topics with the configured ones: all confirmed, and no others.

    Endpoints are not shown: the URL of a webhook is often its password.
    """
    for name in (way.topic, way.alarms_topic):
        arn = naming.topic_arn(stack_state.account.id, stack_state.region(way), name)
        yield from _of_topic(stack_state, name, arn, live.subscriptions(stack_state.account, arn))


def _of_topic(
    stack_state: StackState, name: str, topic_arn: str, live_subscriptions: list[dict[str, str]]
) -> Findings:
    # The endpoint is `UNKNOWN` if the configuration holds it encrypted.
    wanted = [
        (str(resource["protocol"]), str(resource["endpoint"]))
        for resource in stack_state.of("TopicSubscription")
        if resource["topic"] == topic_arn
    ]
    confirmed: Counter[str] = Counter()
    region = f"--region {topic_arn.split(':')[3]}"
    for subscription in live_subscriptions:
        protocol, endpoint, arn = (subscription[key] for key in ("Protocol", "Endpoint", "SubscriptionArn"))
        matched = next((each for each in ((protocol, endpoint), (protocol, UNKNOWN)) if each in wanted), None)
        if matched is None:
            yield not_ready(
                f"{protocol} subscription of topic {name} is not in the configuration: {arn}",
                stack_state.aws(f"sns unsubscribe {region} --subscription-arn {arn}"),
                fix="find out who made it, then end it",
            )
            continue
        wanted.remove(matched)
        if live.is_pending(subscription):
            yield not_ready(
                f"{protocol} subscription of topic {name} is not confirmed: it gets no messages",
                stack_state.aws(
                    f"sns subscribe {region} --topic-arn {topic_arn} --protocol {protocol} "
                    "--notification-endpoint ENDPOINT"
                ),
                fix="follow the link in AWS's mail; if that is older than two days, have it sent again, to "
                "the ENDPOINT of the stack file",
            )
        elif not is_own_queue(protocol, endpoint):
            confirmed[protocol] += 1
    for protocol, _ in wanted:
        yield not_ready(f"topic {name} lacks a subscription ({protocol})", redeploy(stack_state))
    if confirmed:
        listed = ", ".join(f"{count} {protocol}" for protocol, count in sorted(confirmed.items()))
        advice = "; a second recipient is advised" if confirmed.total() == 1 else ""
        yield ready(f"topic {name}: {confirmed.total()} confirmed ({listed}){advice}")


def is_own_queue(protocol: str, endpoint: str) -> bool:
    """Whether a subscription is that of one of our own queues, which are not recipients."""
    return protocol == "sqs" and endpoint.rsplit(":", 1)[-1] in naming.OWN_QUEUES


at_hub = partial(_subscriptions, naming.HUB)
at_watchdog = partial(_subscriptions, naming.WATCHDOG)
