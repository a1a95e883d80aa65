"""Delivery in the sandbox: only rules that would hear the event, only what they would say, hop by hop."""

import json

import pytest

from breakglass.naming import ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS
from sandbox.cloud.delivery import Delivery, SubscribedQueue, deliver

HUB, MEMBER = "111111111111", "222222222222"
SIGN_IN = {
    "source": "aws.signin", "account": HUB, "region": "eu-west-3",
    "detail": {"eventName": "ConsoleLogin", "readOnly": False, "who": "BreakglassUser"},
}  # fmt: skip


def test_the_message_of_a_matching_rule_reaches_the_mailbox(sandbox, home, alarm):
    topic, inbox = alarm
    home.rule("ours", topic, says=True)
    home.rule("theirs", topic, says=True, who="Somebody")
    message = '"ours: BreakglassUser"'
    assert deliver(sandbox.account_by_id, SIGN_IN) == [
        Delivery(rule="ours", bus=home.bus_arn("default"), destination=topic, message=message)
    ]
    assert inbox.receive() == [message]
    assert inbox.receive() == []


@pytest.mark.parametrize(
    ("state", "read_only", "heard"),
    [
        ("ENABLED", False, True),
        ("ENABLED", True, False),
        (ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, True, True),
        (ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS, False, True),
        ("DISABLED", False, False),
        ("DISABLED", True, False),
    ],
)
def test_a_rule_s_state_decides_what_it_hears(sandbox, home, alarm, state, read_only, heard):
    topic, inbox = alarm
    home.rule("ours", topic, state=state)
    deliver(sandbox.account_by_id, SIGN_IN | {"detail": SIGN_IN["detail"] | {"readOnly": read_only}})
    assert len(inbox.receive()) == heard


def test_another_region_or_account_hears_nothing(sandbox, home, alarm):
    topic, inbox = alarm
    home.rule("ours", topic)
    assert deliver(sandbox.account_by_id, SIGN_IN | {"region": "eu-west-2"}) == []
    assert deliver(sandbox.account_by_id, SIGN_IN | {"account": MEMBER}) == []
    assert inbox.receive() == []


def from_away(away):
    return SIGN_IN | {"account": away.account_id, "region": away.region}


def test_an_event_crosses_accounts_and_regions_and_stays_as_it_is(sandbox, home, away, alarm):
    topic, inbox = alarm
    hub = home.bus("hub")
    away.rule("relay", hub)
    home.rule("detection", topic, bus="hub", says=True)
    home.rule("on-the-default-bus", topic)
    logs = home.client("logs")
    logs.create_log_group(logGroupName="/audit")
    log_group = f"arn:aws:logs:eu-west-3:{HUB}:log-group:/audit"
    home.rule("record", f"{log_group}:*", bus="hub")

    message = '"detection: BreakglassUser"'
    assert deliver(sandbox.account_by_id, from_away(away)) == [
        Delivery(rule="relay", bus=away.bus_arn("default"), destination=hub, message=None),
        Delivery(rule="detection", bus=hub, destination=topic, message=message),
        Delivery(rule="record", bus=hub, destination=f"{log_group}:*", message=None),
    ]
    assert inbox.receive() == [message]
    recorded = logs.filter_log_events(logGroupName="/audit")["events"]
    assert [json.loads(entry["message"]) for entry in recorded] == [from_away(away)]


def test_a_third_bus_is_not_reached(sandbox, home, away, alarm):
    topic, inbox = alarm
    last = home.bus("last")
    first = home.bus("first")
    away.rule("relay", first)
    home.rule("onward", last, bus="first")
    home.rule("never", topic, bus="last")
    relay, onward = deliver(sandbox.account_by_id, from_away(away))
    assert relay.failed is None
    assert (onward.rule, onward.destination) == ("onward", last)
    assert onward.failed == "EventBridge drops an event that would reach a third bus"
    assert inbox.receive() == []


def test_a_disabled_relay_drops(sandbox, home, away, alarm):
    topic, inbox = alarm
    away.rule("relay", home.bus("hub"), state="DISABLED")
    home.rule("detection", topic, bus="hub")
    assert deliver(sandbox.account_by_id, from_away(away)) == []
    assert inbox.receive() == []


def test_a_plain_state_on_the_hub_misses_read_only_events(sandbox, home, away, alarm):
    topic, _ = alarm
    away.rule("relay", home.bus("hub"))
    home.rule("detection", topic, bus="hub", state="ENABLED")
    event = from_away(away) | {"detail": SIGN_IN["detail"] | {"readOnly": True}}
    assert [delivery.rule for delivery in deliver(sandbox.account_by_id, event)] == ["relay"]


def test_a_hub_that_is_gone_fails_and_is_told(sandbox, home, away):
    away.rule("relay", home.bus_arn("gone"))
    (delivery,) = deliver(sandbox.account_by_id, from_away(away))
    assert "gone does not exist" in str(delivery.failed)


def test_an_archive_is_no_delivery(sandbox, home):
    hub = home.bus("hub")
    home.rule("relay", hub)
    home.client("events").create_archive(ArchiveName="archive", EventSourceArn=hub)
    assert [delivery.rule for delivery in deliver(sandbox.account_by_id, SIGN_IN)] == ["relay"]
    home.client("events").delete_archive(ArchiveName="archive")


def test_a_queue_receives_the_event(sandbox, home):
    sqs = home.client("sqs")
    url = sqs.create_queue(QueueName="events")["QueueUrl"]
    home.rule("ours", f"arn:aws:sqs:eu-west-3:{HUB}:events")
    assert [delivery.failed for delivery in deliver(sandbox.account_by_id, SIGN_IN)] == [None]
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"]) == SIGN_IN


def test_a_missing_topic_fails_and_the_second_one_still_rings(sandbox, home, alarm):
    topic, inbox = alarm
    gone = f"{topic}-gone"
    home.rule("first", gone, says=True)
    home.rule("second", topic, says=True)
    first, second = deliver(sandbox.account_by_id, SIGN_IN)
    assert (first.destination, first.message) == (gone, '"first: BreakglassUser"')
    assert "NotFound" in str(first.failed)
    assert second.failed is None
    assert inbox.receive() == ['"second: BreakglassUser"']


def test_a_key_that_cannot_encrypt_fails_the_publish(sandbox, home):
    kms = home.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/alarm", TargetKeyId=key)
    topic = home.topic("encrypted", KmsMasterKeyId="alias/alarm")
    inbox = SubscribedQueue(sandbox.account_by_id(HUB), topic)
    home.rule("ours", topic)

    def failed():
        return [delivery.failed for delivery in deliver(sandbox.account_by_id, SIGN_IN)]

    assert failed() == [None]
    assert len(inbox.receive()) == 1
    kms.disable_key(KeyId=key)
    assert failed() == ["key alias/alarm is disabled"]
    kms.schedule_key_deletion(KeyId=key)
    assert failed() == ["key alias/alarm is pending deletion"]
    assert inbox.receive() == []


def test_an_unknown_account_is_an_error_not_silence(sandbox, home):
    known = r"no account 999999999999: it knows 111111111111 \(mgmt\), 222222222222 \(member\)"
    with pytest.raises(RuntimeError, match=known):
        deliver(sandbox.account_by_id, SIGN_IN | {"account": "999999999999"})
    home.rule("relay", "arn:aws:events:us-east-1:999999999999:event-bus/hub")
    with pytest.raises(RuntimeError, match=known):
        deliver(sandbox.account_by_id, SIGN_IN)


@pytest.mark.parametrize(
    ("arn", "says", "reason"),
    [
        (f"arn:aws:lambda:eu-west-3:{HUB}:function:f", False, "does not deliver to arn:aws:lambda"),
        (
            f"arn:aws:logs:eu-west-3:{HUB}:log-group:/audit",
            True,
            "not emulate a transformer on arn:aws:logs",
        ),
    ],
)
def test_a_target_that_the_sandbox_does_not_emulate_is_an_error(sandbox, home, arn, says, reason):
    home.rule("ours", arn, says=says)
    with pytest.raises(RuntimeError, match=reason):
        deliver(sandbox.account_by_id, SIGN_IN)


def test_a_failed_delivery_goes_to_the_target_s_dead_letter_queue(sandbox, home):
    sqs = home.client("sqs")
    url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
    gone = f"arn:aws:sns:eu-west-3:{HUB}:gone"
    home.rule("ours", gone, says=True, dead_letters=f"arn:aws:sqs:eu-west-3:{HUB}:dead-letters")
    (delivery,) = deliver(sandbox.account_by_id, SIGN_IN)
    (letter,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert json.loads(letter["Body"]) == SIGN_IN
    assert {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()} == {
        "RULE_ARN": f"arn:aws:events:eu-west-3:{HUB}:rule/ours",
        "TARGET_ARN": gone,
        "ERROR_CODE": "NO_RESOURCE",
        "ERROR_MESSAGE": delivery.failed,
    }
    home.rule("ours", gone, dead_letters=f"arn:aws:sqs:eu-west-3:{HUB}:gone-as-well")
    assert len(deliver(sandbox.account_by_id, SIGN_IN)) == 1
