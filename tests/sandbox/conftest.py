"""An emulated AWS for the tests of the sandbox, started once, with two accounts."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from breakglass.naming import ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS
from sandbox.cloud import emulation
from sandbox.cloud.delivery import SubscribedQueue
from sandbox.run import Sandbox

HUB, MEMBER = "111111111111", "222222222222"
PATIENCE = 10
"""Seconds within which a delivery in the background must have arrived."""


def soon(look, count=1):
    """What `look` finds, as soon as it is as much as expected; fails when that takes too long."""
    found, until = [], time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found += look()
        if len(found) >= count:
            break
        time.sleep(0.05)
    assert len(found) == count, found
    return found


@pytest.fixture(scope="session")
def endpoint():
    with emulation.running() as url:
        yield url


@pytest.fixture(scope="session")
def sandbox(endpoint):
    accounts = {"mgmt": HUB, "member": MEMBER}
    return Sandbox(directory=Path(), environment={}, endpoint=endpoint, accounts=accounts, engine="none")


@pytest.fixture(scope="session")
def account(sandbox):
    return sandbox.account("mgmt")


@dataclass
class Place:
    """One account and Region, and what the tests put there."""

    sandbox: Sandbox
    account_id: str
    region: str

    def client(self, service):
        return self.sandbox.account_by_id(self.account_id).client(service, self.region)

    def bus_arn(self, name):
        return f"arn:aws:events:{self.region}:{self.account_id}:event-bus/{name}"

    def bus(self, name):
        self.client("events").create_event_bus(Name=name)
        return self.bus_arn(name)

    def topic(self, name, **attributes):
        return self.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"]

    def rule(
        self, name, target, *, bus="default", state=ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS,
        who="BreakglassUser", says=False, dead_letters=None,
    ):  # fmt: skip
        events = self.client("events")
        pattern = json.dumps({"detail": {"who": [who]}})
        events.put_rule(Name=name, EventBusName=bus, State=state, EventPattern=pattern)
        transformer = {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": f'"{name}: <who>"'}
        entry = {"Id": "target", "Arn": target} | ({"InputTransformer": transformer} if says else {})
        if dead_letters:
            entry["DeadLetterConfig"] = {"Arn": dead_letters}
        events.put_targets(Rule=name, EventBusName=bus, Targets=[entry])

    def clear(self):
        events = self.client("events")
        for bus in events.list_event_buses()["EventBuses"]:
            for rule in events.list_rules(EventBusName=bus["Name"])["Rules"]:
                where = {"EventBusName": bus["Name"]}
                events.remove_targets(Rule=rule["Name"], Ids=["target"], **where)
                events.delete_rule(Name=rule["Name"], **where)
            if bus["Name"] != "default":
                events.delete_event_bus(Name=bus["Name"])


@pytest.fixture
def place(sandbox):
    """Makes places in Regions that no other test uses, and clears them."""
    made = []

    def make(account_id, region):
        made.append(Place(sandbox, account_id, region))
        return made[-1]

    yield make
    for place in made:
        place.clear()


@pytest.fixture
def home(place):
    return place(HUB, "eu-west-3")


@pytest.fixture
def away(place):
    return place(MEMBER, "eu-north-1")


@pytest.fixture
def alarm(home):
    topic = home.topic("alarm")
    return topic, SubscribedQueue(home.sandbox.account_by_id(HUB), topic)


@pytest.fixture
def queue(home):
    """A queue of the hub: its ARN, and a function that takes what is in it."""
    sqs = home.client("sqs")
    url = sqs.create_queue(QueueName="background")["QueueUrl"]

    def take():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    yield f"arn:aws:sqs:eu-west-3:{HUB}:background", take
    sqs.delete_queue(QueueUrl=url)
