"""The event corpus through both deployed stacks: relay, hub, message, record; and with the alarm attacked."""

import json
from pathlib import Path

import pytest

from sandbox.cloud.delivery import SubscribedQueue, deliver
from sandbox.confirm import confirm

EVENTS = Path(__file__).parents[1] / "events"
EXPECTED = json.loads((EVENTS / "expected.json").read_text())
SAMPLE_KEY = "5e1f0a2c-9b7d-4c36-8f10-2d4b6a8c0e12"
TOPIC = "arn:aws:sns:us-east-1:111111111111:breakglassuser-console-logins"
WATCHDOG = "arn:aws:sns:us-east-1:111111111111:breakglass-watchdog"
HUB = "arn:aws:events:us-east-1:111111111111:event-bus/breakglass"
LOG = "arn:aws:logs:us-east-1:111111111111:log-group:/breakglass/audit"
COVERED = ("us-east-1", "us-east-2", "eu-north-1", "ap-southeast-2", "eu-west-1")


@pytest.fixture
def deployed(sandbox, mgmt, member):
    """Both stacks."""
    mgmt.pulumi("up", "--yes", "--skip-preview", pack=True)
    member.pulumi("up", "--yes", "--skip-preview", pack=True)
    return sandbox


def event(path, key_id):
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
    """Exit code and output of the offline proof on what the engine exports."""
    for stack in deployed.accounts:
        export = deployed.run("pulumi", "stack", "export", "--stack", stack, "--file", f"{stack}.json")
        assert export.returncode == 0, export.stdout
    outcome = deployed.run("python", "-m", "alertpath", "mgmt.json", "member.json")
    return outcome.returncode, outcome.stdout


@pytest.mark.parametrize("sandbox", [COVERED], ids=["regions of the corpus"], indirect=True)
def test_the_corpus_through_the_deployed_stacks_and_under_attack(deployed, mgmt):
    exit_code, output = proven(deployed)
    assert exit_code == 1
    assert "no subscription of the topic has been confirmed" in output
    assert len(confirm(deployed.account("mgmt"))) == 2
    mgmt.pulumi("refresh", "--yes")
    exit_code, output = proven(deployed)
    assert exit_code == 0, output
    assert "scenarios end as they must" in output

    account = deployed.account("mgmt")
    kms = account.client("kms", "us-east-1")
    key_id = kms.describe_key(KeyId="alias/breakglassSNS")["KeyMetadata"]["KeyId"]
    mail, watchdog = SubscribedQueue(account, TOPIC), SubscribedQueue(account, WATCHDOG)

    for name, expected in EXPECTED.items():
        heard = event(f"alert/{name}.json", key_id)
        deliveries = deliver(deployed.account_by_id, heard)
        ends = arrived(deliveries)
        # The default bus of the event's Region, then the hub: EventBridge drops an event at a third bus.
        assert {delivery.bus for delivery in deliveries} <= {default_bus(heard), HUB}, name
        both = expected["detection"] in ("alerting-change", "key-change")
        notified = ([TOPIC, WATCHDOG] if both else [TOPIC]) if expected["action"] == "notify" else []
        tampers_with_relay = name == "events-disable-rule-member-forwarder-eu-west-1"
        copies = 2 if tampers_with_relay else 1  # forwarded by two rules, on purpose
        assert ends == sorted([LOG, *notified] * copies), name
        assert len(mail.receive()) == (TOPIC in notified) * copies, name
        assert len(watchdog.receive()) == (WATCHDOG in notified) * copies, name

    for quiet in (EVENTS / "quiet").iterdir():
        assert deliver(deployed.account_by_id, event(f"quiet/{quiet.name}", key_id)) == [], quiet.name

    logs = account.client("logs", "us-east-1")
    recorded = logs.filter_log_events(logGroupName="/breakglass/audit", limit=1)["events"]
    assert json.loads(recorded[0]["message"])["detail"]

    kms.disable_key(KeyId=key_id)
    deliveries = deliver(deployed.account_by_id, event("alert/kms-disable-key.json", key_id))
    failed = {delivery.destination: delivery.failed for delivery in deliveries if delivery.failed}
    assert failed.keys() == {TOPIC}
    assert "disabled" in failed[TOPIC]
    (text,) = watchdog.receive()
    assert "the alarm's key was changed" in text

    mgmt.pulumi("refresh", "--yes")
    exit_code, output = proven(deployed)
    assert exit_code == 1
    assert "the topic's key is disabled" in output

    account.client("sns", "us-east-1").delete_topic(TopicArn=TOPIC)
    deliveries = deliver(deployed.account_by_id, event("alert/sns-delete-topic.json", key_id))
    assert {delivery.destination for delivery in deliveries if delivery.failed} == {TOPIC}
    (text,) = watchdog.receive()
    assert "the alarm itself was changed" in text
