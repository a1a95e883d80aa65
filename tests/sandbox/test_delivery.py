"""Delivery in the sandbox: only rules that would hear the event, and only what they would say."""

import json

import pytest

from sandbox.delivery import Mailbox, deliver

SIGN_IN = {
    "source": "aws.signin", "account": "111111111111", "region": "eu-west-3",
    "detail": {"eventName": "ConsoleLogin", "readOnly": False, "who": "BreakglassUser"},
}  # fmt: skip


@pytest.fixture
def region(account):
    """A topic, a mailbox and one rule in a Region that no other test uses."""
    sns, events = account.client("sns", "eu-west-3"), account.client("events", "eu-west-3")
    topic = sns.create_topic(Name="alarm")["TopicArn"]

    def rule(name, state, who="BreakglassUser"):
        events.put_rule(Name=name, State=state, EventPattern=json.dumps({"detail": {"who": [who]}}))
        transformer = {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": f'"{name}: <who>"'}
        events.put_targets(
            Rule=name, Targets=[{"Id": "SendToSNS", "Arn": topic, "InputTransformer": transformer}]
        )

    yield rule, Mailbox(account, topic)
    for entry in events.list_rules()["Rules"]:
        events.remove_targets(Rule=entry["Name"], Ids=["SendToSNS"])
        events.delete_rule(Name=entry["Name"])


def test_the_message_of_a_matching_rule_reaches_the_mailbox(account, region):
    rule, mailbox = region
    rule("ours", "ENABLED")
    rule("theirs", "ENABLED", who="Somebody")
    assert [delivery.rule for delivery in deliver(account, SIGN_IN)] == ["ours"]
    assert mailbox.take() == ['"ours: BreakglassUser"']
    assert mailbox.take() == []


@pytest.mark.parametrize(
    ("state", "read_only", "heard"),
    [
        ("ENABLED", False, True),
        ("ENABLED", True, False),
        ("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", True, True),
        ("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", False, True),
        ("DISABLED", False, False),
        ("DISABLED", True, False),
    ],
)
def test_a_rule_s_state_decides_what_it_hears(account, region, state, read_only, heard):
    rule, mailbox = region
    rule("ours", state)
    deliver(account, SIGN_IN | {"detail": SIGN_IN["detail"] | {"readOnly": read_only}})
    assert len(mailbox.take()) == heard


def test_another_region_hears_nothing(account, region):
    rule, mailbox = region
    rule("ours", "ENABLED")
    assert deliver(account, SIGN_IN | {"region": "eu-west-2"}) == []
    assert mailbox.take() == []
