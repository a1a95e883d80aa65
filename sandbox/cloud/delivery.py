"""Delivers an event to the deployed rules' targets, as EventBridge would.

moto's own event bus cannot reach an SNS target. So this reads the deployed buses, rules and targets out of
the emulated AWS, matches and renders with `alertpath`, and follows each event from bus to bus until it is
published, recorded or dropped. It considers account, Region, rule state, pattern, target, message, the number
of hops, the state of a topic's key and a target's dead-letter queue. It does NOT evaluate policies (of buses,
keys, topics, queues, log groups) or the permissions of a target's role: an alert that is delivered here may
still be refused by one of them at AWS (`alertpath` judges that). It does not fill archives.
"""

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from alertpath.eventbridge.pattern import matches
from alertpath.eventbridge.template import render
from breakglass.naming import ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, bus_arn
from sandbox.cloud.emulation import Account
from sandbox.provider.resources.base import is_gone

Event = dict[str, Any]
Rule = dict[str, Any]
Target = dict[str, Any]
Accounts = Callable[[str], Account]
"""Returns clients into the account with this id; raises RuntimeError for an unknown account."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one target of one matching rule did with the event.

    Attributes:
        rule: Name of the rule that matched.
        bus: ARN of the bus that the rule is on.
        destination: ARN of the target: a topic, a queue, a log group, or the next bus.
        message: The text, as the target receives it; None where it receives the event itself.
        failed: Why it did not arrive; None when it did.
    """

    rule: str
    bus: str
    destination: str
    message: str | None
    failed: str | None = None


class SubscribedQueue:
    """An SQS queue subscribed to a topic: it receives the messages that the topic's recipients get."""

    def __init__(self, account: Account, topic_arn: str) -> None:
        """Subscribe a new queue to the topic."""
        region, _, topic = topic_arn.split(":")[3:]
        self._sqs, self._sns = account.client("sqs", region), account.client("sns", region)
        self._url = self._sqs.create_queue(QueueName=f"copy-of-{topic}")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self._subscription = self._sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=attributes["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )["SubscriptionArn"]

    def receive(self) -> list[str]:
        """Return the messages that have arrived, and remove them."""
        texts = []
        while batch := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in batch:
                texts.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return texts

    def close(self) -> None:
        """End the subscription and remove the queue: the topic is again as it was deployed."""
        self._sns.unsubscribe(SubscriptionArn=self._subscription)
        self._sqs.delete_queue(QueueUrl=self._url)


def deliver(accounts: Accounts, event: Event) -> list[Delivery]:
    """Put `event` on the default bus of its account and Region; return one delivery per target, hop by hop.

    A delivery that AWS would fail has `failed` set; the other targets are served.

    Raises:
        alertpath.eventbridge.pattern.PatternError: A deployed rule's pattern cannot be evaluated.
        RuntimeError: The sandbox does not emulate a deployed target, or does not know an account.
    """
    return Batch(accounts).deliver(bus_arn(event["account"], event["region"], "default"), event)


class Batch:
    """Events that are delivered together: rules and targets are read once for all of them."""

    def __init__(self, accounts: Accounts) -> None:
        """Deliver to buses and targets in the accounts that `accounts` returns."""
        self._accounts = accounts
        self._rules: dict[str, list[Rule]] = {}
        self._targets: dict[tuple[str, str], list[Target]] = {}

    def deliver(self, bus: str, event: Event) -> list[Delivery]:
        """Put `event` on the bus with this ARN; otherwise like the function `deliver`."""
        return list(self._on_bus(bus, event, forwarded=False))

    def _on_bus(self, bus: str, event: Event, *, forwarded: bool) -> Iterator[Delivery]:
        for rule in self._rules_of(bus):
            if not _wants(rule, event):
                continue
            for target in self._targets_of(bus, rule["Name"]):
                delivery = _delivered(self._accounts, rule, bus, target, event, forwarded=forwarded)
                yield delivery
                if _is_bus(delivery.destination) and delivery.failed is None:
                    yield from self._on_bus(delivery.destination, event, forwarded=True)

    def _rules_of(self, bus: str) -> list[Rule]:
        if bus not in self._rules:
            pages = self._events(bus).get_paginator("list_rules").paginate(EventBusName=_bus_name(bus))
            self._rules[bus] = [rule for page in pages for rule in page["Rules"]]
        return self._rules[bus]

    def _targets_of(self, bus: str, rule: str) -> list[Target]:
        if (bus, rule) not in self._targets:
            listed = self._events(bus).list_targets_by_rule(Rule=rule, EventBusName=_bus_name(bus))
            self._targets[bus, rule] = listed["Targets"]
        return self._targets[bus, rule]

    def _events(self, bus: str) -> Any:
        _, _, _, region, account_id, _ = bus.split(":", 5)
        return self._accounts(account_id).client("events", region)


class _Undelivered(Exception):
    """AWS would not deliver this; the message says why, `code` is EventBridge's error code."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def _wants(rule: Rule, event: Event) -> bool:
    """Whether the rule receives the event and its pattern matches; read-only events need the wider state."""
    if "ManagedBy" in rule or "EventPattern" not in rule:  # AWS's own, such as an archive's; or a schedule
        return False
    read_only = event["detail"].get("readOnly", False)
    if rule["State"] != ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS and (
        rule["State"] != "ENABLED" or read_only
    ):
        return False
    return matches(rule["EventPattern"], event)


def _delivered(
    accounts: Accounts, rule: Rule, bus: str, target: Target, event: Event, *, forwarded: bool
) -> Delivery:
    destination = target["Arn"]
    message = _message(target, event)
    failed = None
    try:
        _send(accounts, destination, json.dumps(event) if message is None else message, forwarded=forwarded)
    except (ClientError, _Undelivered) as error:
        failed = str(error)
        _keep_in_dead_letters(accounts, rule["Arn"], target, event, error)
    return Delivery(rule=rule["Name"], bus=bus, destination=destination, message=message, failed=failed)


def _keep_in_dead_letters(
    accounts: Accounts, rule: str, target: Target, event: Event, error: ClientError | _Undelivered
) -> None:
    """Put the event into the target's dead-letter queue, if it has one that exists.

    The attributes are those of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    if "DeadLetterConfig" not in target:
        return
    if isinstance(error, _Undelivered):
        code = error.code
    else:
        code = "NO_RESOURCE" if is_gone(error) else "SDK_CLIENT_ERROR"
    said = {"RULE_ARN": rule, "TARGET_ARN": target["Arn"], "ERROR_CODE": code, "ERROR_MESSAGE": str(error)}
    queue = target["DeadLetterConfig"]["Arn"]
    _, _, _, region, account_id, _ = queue.split(":", 5)
    with contextlib.suppress(ClientError):
        _enqueue(accounts(account_id).client("sqs", region), queue, json.dumps(event), **said)


def _message(target: Target, event: Event) -> str | None:
    """Return the text that the target's transformer makes of the event; None without a transformer."""
    known = {"Id", "Arn", "RoleArn", "InputTransformer", "DeadLetterConfig", "RetryPolicy"}
    if unknown := sorted(target.keys() - known):
        raise RuntimeError(f"the sandbox does not emulate {', '.join(unknown)} of target {target['Arn']}")
    transformer = target.get("InputTransformer")
    if transformer is None:
        return None
    if _service(target["Arn"]) not in {"sns", "sqs"}:
        raise RuntimeError(
            f"the sandbox does not emulate a transformer on {target['Arn']}: only on topics and queues"
        )
    return render(transformer.get("InputPathsMap", {}), transformer["InputTemplate"], event)


def _send(accounts: Accounts, destination: str, text: str, *, forwarded: bool) -> None:
    _, _, service, region, account_id, _ = destination.split(":", 5)
    account = accounts(account_id)
    if service == "sns":
        _publish(account.client("sns", region), account.client("kms", region), destination, text)
    elif service == "sqs":
        _enqueue(account.client("sqs", region), destination, text)
    elif service == "logs":
        _record(account.client("logs", region), destination, text)
    elif service == "events" and forwarded:
        code = "THIRD_ACCOUNT_HOP_DETECTED"
        raise _Undelivered(code, "EventBridge drops an event that would reach a third bus")
    elif service == "events":  # only whether the bus is there: its rules come next
        account.client("events", region).describe_event_bus(Name=_bus_name(destination))
    else:
        raise RuntimeError(
            f"the sandbox does not deliver to {destination}: only to topics, queues, log groups and buses"
        )


def _publish(sns: Any, kms: Any, topic: str, text: str) -> None:
    key = sns.get_topic_attributes(TopicArn=topic)["Attributes"].get("KmsMasterKeyId")
    if key:  # moto publishes regardless of the key's state; AWS cannot
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        if state != "Enabled":
            said = {"Disabled": "disabled", "PendingDeletion": "pending deletion"}.get(state, state)
            raise _Undelivered("ERROR_FROM_TARGET", f"key {key} is {said}")
    sns.publish(TopicArn=topic, Message=text)


def _enqueue(sqs: Any, queue: str, text: str, **attributes: str) -> None:
    url = sqs.get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"]
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    sqs.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=typed)


def _record(logs: Any, log_group: str, text: str) -> None:
    name = log_group.split(":log-group:")[1].removesuffix(":*")
    where = {"logGroupName": name, "logStreamName": str(uuid.uuid4())}
    logs.create_log_stream(**where)
    now = time.time_ns() // 1_000_000  # not the event's time: CloudWatch Logs drops what is two weeks old
    logs.put_log_events(**where, logEvents=[{"timestamp": now, "message": text}])


def _bus_name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _is_bus(arn: str) -> bool:
    return _service(arn) == "events"


def _service(arn: str) -> str:
    return arn.split(":")[2]
