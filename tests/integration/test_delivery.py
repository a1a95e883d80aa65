"""The event corpus through both deployed stacks: relay, hub, message, record; then with the alarm attacked.

The tests share one deployment and run in this order: the last one takes the alarm apart.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.cloud.delivery import Batch, SubscribedQueue, deliver
from sandbox.confirm import confirm
from sandbox.run import Sandbox
from tests.integration.conftest import Stack, deploy_both, fresh

EVENTS = Path(__file__).parents[1] / "events"
EXPECTED = json.loads((EVENTS / "expected.json").read_text())
SAMPLE_KEY = "5e1f0a2c-9b7d-4c36-8f10-2d4b6a8c0e12"
TOPIC = "arn:aws:sns:us-east-1:111111111111:breakglassuser-console-logins"
ALARMS = "arn:aws:sns:us-east-1:111111111111:breakglass-alarms"
WATCHDOG = "arn:aws:sns:us-west-2:111111111111:breakglass-watchdog"
BUSES = {
    "arn:aws:events:us-east-1:111111111111:event-bus/breakglass",
    "arn:aws:events:us-west-2:111111111111:event-bus/breakglass-watchdog",
}
LOG = "arn:aws:logs:us-east-1:111111111111:log-group:/breakglass/audit"
COVERED = ("us-east-1", "us-east-2", "us-west-2", "eu-north-1", "ap-southeast-2", "eu-west-1")


@pytest.fixture(scope="module")
def deployed() -> Iterator[Sandbox]:
    """Both stacks, in the Regions of the corpus."""
    with fresh(COVERED) as sandbox:
        deploy_both(sandbox, pack=True)
        yield sandbox


@pytest.fixture(scope="module")
def confirmed(deployed):
    """Both stacks with confirmed subscriptions, and two queues that get what the topics' recipients get."""
    exit_code, output = proven(deployed)
    assert exit_code == 1
    assert "no subscription of the topic has been confirmed" in output
    account = deployed.account("mgmt")
    assert len(confirm(account)) == 6
    assert_proven(deployed)
    return deployed, SubscribedQueue(account, TOPIC), SubscribedQueue(account, WATCHDOG)


def key_of(sandbox):
    kms = sandbox.account("mgmt").client("kms", "us-east-1")
    return kms.describe_key(KeyId="alias/breakglassSNS")["KeyMetadata"]["KeyId"]


def sample(path, key_id):
    """The sample event, about the key that was deployed here."""
    return json.loads((EVENTS / path).read_text().replace(SAMPLE_KEY, key_id))


def default_bus(event):
    return f"arn:aws:events:{event['region']}:{event['account']}:event-bus/default"


def arrived(deliveries):
    """Where the event ended, without the relays' hops."""
    assert [delivery.failed for delivery in deliveries if delivery.failed] == []
    return sorted(
        delivery.destination.removesuffix(":*")
        for delivery in deliveries
        if ":event-bus/" not in delivery.destination
    )


def proven(deployed):
    """Exit code and output of the offline proof on what the engine exports after a refresh of the hub."""
    Stack(deployed, "mgmt").pulumi("refresh", "--yes")
    for stack in deployed.accounts:
        export = deployed.run("pulumi", "stack", "export", "--stack", stack, "--file", f"{stack}.json")
        assert export.returncode == 0, export.stdout
    outcome = deployed.run("python", "-m", "alertpath", "mgmt.json", "member.json")
    return outcome.returncode, outcome.stdout


def assert_proven(deployed):
    exit_code, output = proven(deployed)
    assert exit_code == 0, output
    assert "scenarios end as they must" in output


def test_every_event_of_the_corpus_ends_where_it_must(confirmed):
    deployed, mail, watchdog = confirmed
    key_id, batch = key_of(deployed), Batch(deployed.account_by_id)
    for name, expected in EXPECTED.items():
        event = sample(f"alert/{name}.json", key_id)
        deliveries = batch.deliver(default_bus(event), event)
        ends = arrived(deliveries)
        # The default bus of the event's Region, then hub and watchdog: EventBridge drops it at a third bus.
        assert {delivery.bus for delivery in deliveries} <= {default_bus(event), *BUSES}, name
        notified = [TOPIC, WATCHDOG] if expected["action"] == "notify" else []
        plain = [ALARMS] if expected["detection"] == "key-change" else []
        assert ends == sorted([LOG, *notified, *plain]), name
        assert len(mail.receive()) == (TOPIC in notified), name
        assert len(watchdog.receive()) == (WATCHDOG in notified), name
    for quiet in (EVENTS / "quiet").iterdir():
        event = sample(f"quiet/{quiet.name}", key_id)
        assert batch.deliver(default_bus(event), event) == [], quiet.name
    logs = deployed.account("mgmt").client("logs", "us-east-1")
    recorded = logs.filter_log_events(logGroupName="/breakglass/audit", limit=1)["events"]
    assert json.loads(recorded[0]["message"])["detail"]


def test_an_attack_on_key_or_topic_is_told_by_the_watchdog(confirmed):
    deployed, _, watchdog = confirmed
    account, key_id = deployed.account("mgmt"), key_of(deployed)
    account.client("kms", "us-east-1").disable_key(KeyId=key_id)
    deliveries = deliver(deployed.account_by_id, sample("alert/kms-disable-key.json", key_id))
    failed = {delivery.destination: delivery.failed for delivery in deliveries if delivery.failed}
    assert failed.keys() == {TOPIC}
    assert "disabled" in failed[TOPIC]
    (text,) = watchdog.receive()
    assert text.startswith('"BREAK-GLASS: DisableKey (AWS API Call via CloudTrail)"')
    exit_code, output = proven(deployed)
    assert exit_code == 1
    assert "the topic's key is disabled" in output

    account.client("sns", "us-east-1").delete_topic(TopicArn=TOPIC)
    deliveries = deliver(deployed.account_by_id, sample("alert/sns-delete-topic.json", key_id))
    assert {delivery.destination for delivery in deliveries if delivery.failed} == {TOPIC}
    (text,) = watchdog.receive()
    assert text.startswith('"BREAK-GLASS: DeleteTopic (AWS API Call via CloudTrail)"')
