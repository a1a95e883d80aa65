"""The arithmetic of the benchmarks, without an engine."""

import pytest
from pulumi.runtime.rpc import UNKNOWN

from bench import cost, prices
from bench.raw import recording
from bench.regions import line
from bench.stacks import Planned, some_regions
from breakglass.settings.constraints import REGIONS

ASSUMED = cost.Assumptions(
    heartbeats_per_schedule=30, events_per_account=100, event_kb=2, messages=10,
    kms_requests_per_message=4, dead_letters=5, requests_per_dead_letter=3,
)  # fmt: skip
TOPIC = "arn:aws:sns:us-east-1:111111111111:breakglassuser-console-logins"
ALARMS_TOPIC = "arn:aws:sns:us-east-1:111111111111:breakglass-alarms"
RELAY = Planned(cost.SCHEDULE, {})
RULE = Planned("cloudwatch/eventRule:EventRule", {})
HUB = [
    Planned(cost.KEY, {"enableKeyRotation": True}),
    Planned(cost.ALARM, {}),
    Planned(cost.ALARM, {}),
    Planned(cost.LOG_GROUP, {"name": "/breakglass/audit", "retentionInDays": 60}),
    Planned(cost.LOG_GROUP, {"name": "/breakglass/heartbeats", "retentionInDays": 3}),
    Planned(cost.ARCHIVE, {"retentionDays": 90}),
    Planned(cost.SUBSCRIPTION, {"protocol": "email", "topic": TOPIC}),
    Planned(cost.SUBSCRIPTION, {"protocol": "https", "topic": TOPIC}),
    Planned(cost.SUBSCRIPTION, {"protocol": "email", "topic": TOPIC}),
    Planned(cost.SUBSCRIPTION, {"protocol": "sqs", "topic": TOPIC}),
    Planned(cost.SUBSCRIPTION, {"protocol": "sms", "topic": ALARMS_TOPIC}),
    RELAY,
    RULE,
]
STACKS = {"mgmt": HUB, "member": [RELAY, RELAY, RULE, Planned(cost.ALARM, {})]}


def test_a_straight_line_is_said_in_words():
    assert line({1: 85, 4: 115, 17: 245, 34: 415}, 1) == "10.0 to 75.0; the farthest number is 0.0 away"
    assert line({0: 0, 1: 3, 2: 0}, 2) == "0.00 to 1.00; the farthest number is 2.00 away"


KEY = "urn:pulumi:mgmt::p::x:index:X$aws:kms/key:Key::key"
STATES = [
    {"type": "pulumi:pulumi:Stack", "urn": "urn:pulumi:mgmt::p::pulumi:pulumi:Stack::p-mgmt"},
    {
        "type": "pulumi:providers:aws", "urn": "urn:pulumi:mgmt::p::pulumi:providers:aws::aws",
        "inputs": {"region": "us-east-1", "allowedAccountIds": '["1"]', "defaultTags": "{}", "version": "7"},
    },
    {
        "type": "aws:kms/key:Key", "urn": KEY, "protect": True, "dependencies": [],
        "inputs": {"__defaults": [], "enableKeyRotation": True, "region": "us-east-1"},
        "propertyDependencies": {"enableKeyRotation": [], "region": []},
    },
    {
        "type": "aws:sns/topic:Topic", "urn": "urn:pulumi:mgmt::p::x:index:X$aws:sns/topic:Topic::topic",
        "inputs": {"name": "alarm", "kmsMasterKeyId": UNKNOWN}, "dependencies": [KEY, "urn:…::x:index:X::x"],
        "propertyDependencies": {"name": [], "kmsMasterKeyId": [KEY]},
    },
]  # fmt: skip


def test_a_recording_has_each_aws_resource_with_python_names_and_its_dependencies():
    recorded = recording(STATES)
    assert recorded["provider"] == {
        "region": "us-east-1", "allowed_account_ids": ["1"], "default_tags": {},
    }  # fmt: skip
    key, topic = recorded["resources"]
    assert (key["module"], key["class"], key["name"]) == ("pulumi_aws.kms", "Key", "key")
    assert key["inputs"] == {"enable_key_rotation": True, "region": "us-east-1"}
    assert (key["protect"], key["after"], key["inputs_from"]) == (True, [], {})
    assert topic["inputs"] == {"name": "alarm"}
    assert (topic["protect"], topic["after"], topic["inputs_from"]) == (
        False,
        [],
        {"kms_master_key_id": [KEY]},
    )


def test_chosen_regions_are_different_ones_and_hold_those_of_hub_and_watchdog():
    for count in (2, 4, 17, 34):
        chosen = some_regions(count)
        assert chosen[:2] == ["us-east-1", "us-west-2"]
        assert len(set(chosen)) == count
    assert set(some_regions(34)) == REGIONS


def test_a_price_is_for_as_many_as_it_says():
    assert prices.PRICES["events sent on"].of(500_000) == pytest.approx(0.50)
    assert prices.PRICES["SNS e-mail"].of(50) == pytest.approx(0.001)
    assert prices.PRICES["AWS events"].of(1e9) == 0


@pytest.mark.parametrize("name", prices.PRICES)
def test_each_price_names_aws_s_page(name):
    assert prices.PRICES[name].page.startswith("https://aws.amazon.com/")


def test_quantities_of_a_member_are_those_of_its_relays():
    assert cost.quantities(STACKS, ASSUMED)["member"] == pytest.approx(
        {
            "AWS events": 160,
            "scheduler": 60,
            "events sent on": 320,
            "data between Regions": 320 * 2 / 1e6,
            "SQS requests": 15,
            "alarms": 1,
        }
    )


def test_the_hub_records_what_all_accounts_send():
    found = cost.quantities(STACKS, ASSUMED)["mgmt"]
    events_gb, heartbeats_gb = (100 + 100) * 2 / 1e6, (30 + 60) * 2 / 1e6
    assert found["archive ingestion"] == pytest.approx(events_gb)
    assert found["archive storage"] == pytest.approx(events_gb * 3)
    assert found["log ingestion"] == pytest.approx(events_gb + heartbeats_gb)
    assert found["log storage"] == pytest.approx(events_gb * 2 + heartbeats_gb / 10)


def test_the_hub_pays_for_its_key_its_alarms_and_its_messages():
    found = cost.quantities(STACKS, ASSUMED)["mgmt"]
    expected = {
        "key": 1, "rotated key": 2, "alarms": 2, "KMS requests": 40,
        "SNS publishes": 20, "SNS e-mail": 20, "SNS https": 10,
        "SQS requests": 15 + 10,  # dead letters, and each message to the drill queue
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_a_key_that_does_not_rotate_never_costs_more():
    fixed = [Planned(cost.KEY, {"enableKeyRotation": False}), *HUB[1:]]
    assert cost.quantities({"mgmt": fixed}, ASSUMED)["mgmt"]["rotated key"] == 0


def test_the_total_is_the_sum_over_prices_and_stacks():
    found = {"mgmt": {"key": 1, "alarms": 4}, "member": {"events sent on": 1_000_000}}
    assert cost.total(found) == pytest.approx(1 + 0.4 + 1)


def test_every_price_is_used_and_every_quantity_has_a_price():
    found = cost.quantities(STACKS, ASSUMED)
    assert {name for amounts in found.values() for name in amounts} == prices.PRICES.keys()
