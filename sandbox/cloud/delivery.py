"""Delivers an event to the deployed rules' targets, as EventBridge would.

moto's own event bus cannot reach an SNS target. So this reads the deployed buses, rules and targets out of
the emulated AWS, matches and renders with `alertpath`, and follows each event from bus to bus until it is
published, recorded or dropped. It considers account, Region, rule state, pattern, target, message, the number
of hops, the permissions of a role that forwards to a bus, the state of a topic's key and a target's
dead-letter queue. It does NOT evaluate the policies of buses, keys, topics, queues and log groups, or a
role's trust: an alert that is delivered here may still be refused by one of them at AWS (`alertpath` judges
that). It does not fill archives.
"""

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from alertpath.eventbridge.pattern import matches
from alertpath.eventbridge.template import render
from alertpath.iam.evaluate import Verdict, evaluate
from alertpath.iam.sent import by_role
from breakglass.naming import ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, HOME_REGION, bus_arn
from sandbox.cloud.emulation import Account
from sandbox.provider.resources.base import is_gone

Event = dict[str, Any]
Target = dict[str, Any]
Accounts = Callable[[str], Account]
"""Returns clients into the account with this id; raises RuntimeError for an unknown account."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one target of one matching rule did with the event.

    Attributes:
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
        region, account_id, topic = topic_arn.split(":")[3:]
        self._sqs, self._sns = account.client("sqs", region), account.client("sns", region)
        self._url = self._sqs.create_queue(QueueName=f"copy-of-{topic}")["QueueUrl"]
        self._subscription = self._sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=f"arn:aws:sqs:{region}:{account_id}:copy-of-{topic}",
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


class _Undelivered(Exception):
    """AWS would not deliver this; the message says why, `code` is EventBridge's error code."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Batch:
    """Events that are delivered together: rules and targets are read once for all of them."""

    def __init__(self, accounts: Accounts) -> None:
        """Deliver to buses and targets in the accounts that `accounts` returns."""
        self._accounts = accounts
        self._rules = cache(self._read_rules)
        self._targets = cache(self._read_targets)
        self._policies = cache(self._read_policies)

    def deliver(self, bus: str, event: Event) -> list[Delivery]:
        """Put `event` on the bus with this ARN; otherwise like the function `deliver`."""
        return list(self._on_bus(bus, event, forwarded=False))

    def _on_bus(self, bus: str, event: Event, *, forwarded: bool) -> Iterator[Delivery]:
        for rule in self._rules(bus):
            if not _wants(rule, event):
                continue
            for target in self._targets(bus, rule["Name"]):
                message, failed = _message(target, event), None
                try:
                    text = json.dumps(event) if message is None else message
                    self._permitted(target)
                    self._send(target["Arn"], text, forwarded=forwarded)
                except (ClientError, _Undelivered) as error:
                    failed = str(error)
                    if "DeadLetterConfig" in target:
                        self._keep_in_dead_letters(rule["Arn"], target, event, error)
                yield Delivery(
                    rule=rule["Name"], bus=bus, destination=target["Arn"], message=message, failed=failed
                )
                if _service(target["Arn"]) == "events" and failed is None:
                    yield from self._on_bus(target["Arn"], event, forwarded=True)

    def _read_rules(self, bus: str) -> list[dict[str, Any]]:
        pages = self._client(bus).get_paginator("list_rules").paginate(EventBusName=_bus_name(bus))
        return list(pages.search("Rules[]"))

    def _read_targets(self, bus: str, rule: str) -> list[Target]:
        return self._client(bus).list_targets_by_rule(Rule=rule, EventBusName=_bus_name(bus))["Targets"]

    def _read_policies(self, role_arn: str) -> list[Any]:
        iam, role = self._client(role_arn), role_arn.rsplit("/", 1)[-1]
        names = iam.list_role_policies(RoleName=role)["PolicyNames"]
        inline = [iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names]
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        for policy in attached:
            arn = policy["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            inline.append(
                iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            )
        return inline

    def _permitted(self, target: Target) -> None:
        """Check that the target's role may put events on the bus: AWS asks IAM, moto does not."""
        role_arn = target.get("RoleArn")
        if role_arn is None or _service(target["Arn"]) != "events":
            return
        request = by_role(role_arn, "events:PutEvents", target["Arn"])
        account = role_arn.split(":")[4]
        decision = evaluate(request, identity=self._policies(role_arn), resource_account=account)
        if decision.verdict is not Verdict.ALLOWED:
            raise _Undelivered("NO_PERMISSIONS", f"role {role_arn} may not put events: {decision.reason}")

    def _client(self, arn: str, service: str = "") -> Any:
        """Return the client of the resource's own service, or another, in its account and Region."""
        _, _, own, region, account_id, _ = arn.split(":", 5)
        return self._accounts(account_id).client(service or own, region or HOME_REGION)

    def _send(self, destination: str, text: str, *, forwarded: bool) -> None:
        service = _service(destination)
        if service == "sns":
            sns = self._client(destination)
            key = sns.get_topic_attributes(TopicArn=destination)["Attributes"].get("KmsMasterKeyId")
            if key:  # moto publishes regardless of the key's state; AWS cannot
                state = self._client(destination, "kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
                if state != "Enabled":
                    said = {"Disabled": "disabled", "PendingDeletion": "pending deletion"}.get(state, state)
                    raise _Undelivered("ERROR_FROM_TARGET", f"key {key} is {said}")
            sns.publish(TopicArn=destination, Message=text)
        elif service == "sqs":
            self._enqueue(destination, text)
        elif service == "logs":
            name = destination.split(":log-group:")[1].removesuffix(":*")
            where = {"logGroupName": name, "logStreamName": str(uuid.uuid4())}
            logs = self._client(destination)
            logs.create_log_stream(**where)
            # Not the event's time: CloudWatch Logs drops what is two weeks old.
            now = time.time_ns() // 1_000_000
            logs.put_log_events(**where, logEvents=[{"timestamp": now, "message": text}])
        elif service == "events" and forwarded:
            code = "THIRD_ACCOUNT_HOP_DETECTED"
            raise _Undelivered(code, "EventBridge drops an event that would reach a third bus")
        elif service == "events":  # only whether the bus is there: its rules come next
            self._client(destination).describe_event_bus(Name=_bus_name(destination))
        else:
            raise RuntimeError(
                f"the sandbox does not deliver to {destination}: only to topics, queues, log groups and buses"
            )

    def _enqueue(self, queue: str, text: str, **attributes: str) -> None:
        sqs = self._client(queue)
        url = sqs.get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"]
        typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        sqs.send_message(QueueUrl=url, MessageBody=text, MessageAttributes=typed)

    def _keep_in_dead_letters(
        self, rule: str, target: Target, event: Event, error: ClientError | _Undelivered
    ) -> None:
        """Put the event into the target's dead-letter queue, if that exists.

        The attributes are those of https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
        """
        if isinstance(error, _Undelivered):
            code = error.code
        else:
            code = "NO_RESOURCE" if is_gone(error) else "SDK_CLIENT_ERROR"
        said = {
            "RULE_ARN": rule,
            "TARGET_ARN": target["Arn"],
            "ERROR_CODE": code,
            "ERROR_MESSAGE": str(error),
        }
        with contextlib.suppress(ClientError):
            self._enqueue(target["DeadLetterConfig"]["Arn"], json.dumps(event), **said)


def _wants(rule: dict[str, Any], event: Event) -> bool:
    """Whether the rule receives the event and its pattern matches; read-only events need the wider state."""
    if "ManagedBy" in rule or "EventPattern" not in rule:  # AWS's own, such as an archive's; or a schedule
        return False
    states = {ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS}
    if not event["detail"].get("readOnly", False):
        states.add("ENABLED")
    return rule["State"] in states and matches(rule["EventPattern"], event)


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


def _bus_name(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]


def _service(arn: str) -> str:
    return arn.split(":")[2]
