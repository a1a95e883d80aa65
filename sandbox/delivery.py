"""Delivers an event the way EventBridge would, as far as the sandbox can tell.

moto's own event bus cannot reach an SNS target, so this reads the deployed rules and targets out of the
emulated AWS, matches and renders with `alertpath`, and publishes to the emulated topic. It takes Region, rule
state, pattern, target and message into account. It does NOT evaluate key, topic or queue policies: that an
alert is delivered here does not prove that those let it through.
"""

from dataclasses import dataclass
from typing import Any

from alertpath.message import render
from alertpath.pattern import matches
from sandbox.cloud import Account

SEES_READ_ONLY = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message that was published.

    Attributes:
        rule: Name of the rule that matched.
        topic_arn: Topic it went to.
        message: The text, as the topic's subscribers receive it.
    """

    rule: str
    topic_arn: str
    message: str


class Mailbox:
    """An SQS queue that stands in for a person's mailbox: it receives what the topic sends out."""

    def __init__(self, account: Account, topic_arn: str) -> None:
        """Subscribe a new queue to the topic."""
        region = topic_arn.split(":")[3]
        self._sqs = account.client("sqs", region)
        self._url = self._sqs.create_queue(QueueName="demo-mailbox")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        account.client("sns", region).subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=attributes["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )

    def take(self) -> list[str]:
        """Return the messages that have arrived, and remove them."""
        texts = []
        while batch := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                texts.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return texts


def deliver(account: Account, event: dict[str, Any]) -> list[Delivery]:
    """Put `event` on the default bus of `account` in the event's Region and return what was published.

    Raises:
        alertpath.pattern.PatternError: A deployed rule's pattern cannot be evaluated: the answer is not
            "quiet" but "could not tell".
    """
    region = event["region"]
    events, sns = account.client("events", region), account.client("sns", region)
    published = []
    for rule in events.list_rules()["Rules"]:
        if not _listens(rule["State"], event) or not matches(rule["EventPattern"], event):
            continue
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            transformer = target["InputTransformer"]
            message = render(transformer["InputPathsMap"], transformer["InputTemplate"], event)
            sns.publish(TopicArn=target["Arn"], Message=message)
            published.append(Delivery(rule=rule["Name"], topic_arn=target["Arn"], message=message))
    return published


def _listens(state: str, event: dict[str, Any]) -> bool:
    """Whether a rule in `state` receives the event at all; read-only ones want the wider state."""
    if state == SEES_READ_ONLY:
        return True
    return state == "ENABLED" and not event["detail"].get("readOnly", False)
