"""Every blow is told after it has landed, and what shares a part is found."""

import copy
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from alertpath.blows import Blow, blows
from alertpath.model import UNKNOWN, Deployment, deployment, from_stack_export
from alertpath.tampering import bad, pairs, play, table, with_recipients
from alertpath.trace import trace
from breakglass import naming
from tests.alertpath.exports import export
from tests.alertpath.faults import entry

REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
STACKS = ("mgmt", "member")


@cache
def exports() -> dict[str, Any]:
    return {stack: export(stack, REGIONS) for stack in STACKS}


def modelled(content: dict[str, Any]) -> Deployment:
    return deployment([one for name in content for one in from_stack_export(json.dumps(content[name]), name)])


@cache
def whole() -> Deployment:
    return modelled(exports())


@cache
def catalogue() -> list[Blow]:
    return list(blows(whole()))


def test_every_single_blow_is_told_after_its_effect():
    heard = play(whole())
    assert len(heard) >= 250
    assert bad(heard) == []
    assert all(one.ways for one in heard)
    # What they end, although they are told, is what guard rails have to prevent.
    assert {one.blow.hit for one in heard if one.lost} == {"the rule about the key", "the organisation"}
    assert all(one.blow.known for one in heard if one.lost)


def test_what_breaks_one_way_is_told_by_the_other():
    rows = {row.hit: row for row in table(play(whole()))}
    for hit, broken, telling in (
        ("the role BreakGlassRelay", naming.HUB, naming.WATCHDOG),
        ("the role BreakGlassWatchdogRelay", naming.WATCHDOG, naming.HUB),
        ("the topic breakglassuser-console-logins", naming.HUB, naming.WATCHDOG),
        ("the topic breakglass-watchdog", naming.WATCHDOG, naming.HUB),
    ):
        assert (rows[hit].by[broken], rows[hit].by[telling]) == (0, rows[hit].count)


def test_the_catalogue_hits_everything_that_is_deployed():
    touched = {arn for blow in catalogue() for arn in blow.touched}
    deployed = whole()
    for arn in (*deployed.buses, *deployed.topics, *deployed.queues, *deployed.logs):
        assert arn in touched
    assert {rule.arn for rules in deployed.rules.values() for rule in rules} <= touched
    roles = {arn for arn in deployed.roles if not arn.endswith(":role/BreakGlassRole")}
    assert roles <= touched
    assert {key.arn for key in deployed.keys.values()} <= touched
    calls = {blow.event["detail"]["eventName"] for blow in catalogue()}
    assert calls >= {
        "DeleteAlarms", "PutAlarmMuteRule", "DeleteSchedule", "StopLogging", "PutEventSelectors",
        "AttachPolicy", "MoveAccount", "PutDataProtectionPolicy", "SetSubscriptionAttributes",
        "UpdateEventBus",
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted({blow.hit for blow in catalogue()}))
def test_no_blow_changes_what_it_is_applied_to(kind):
    before = copy.deepcopy(whole())
    for blow in catalogue():
        if blow.hit == kind:
            blow.effect(whole())
    assert whole() == before


def test_what_a_blow_does_not_touch_is_as_it_was():
    """The proof plays only those scenarios again that depend on what was touched: this is why it may."""
    deployed = with_recipients(whole())
    for blow in catalogue()[:: max(1, len(catalogue()) // 60)]:
        after = blow.effect(deployed)
        for other in catalogue()[::40]:
            kept = {
                (end.destination, end.message, end.through)
                for end in trace(deployed, other.event)
                if end.through.isdisjoint(blow.touched)
            }
            assert kept <= {(end.destination, end.message, end.through) for end in trace(after, other.event)}


def shared_role(content: dict[str, Any]) -> None:
    for stack in STACKS:
        for one in content[stack]["deployment"]["resources"]:
            if one["type"].endswith(":EventTarget") and "-watchdog-rule" in one["urn"]:
                one["outputs"]["roleArn"] = one["outputs"]["roleArn"].replace("WatchdogRelay", "Relay")
        for noun, key in (("relay-role", "assumeRolePolicy"), ("relay-permission", "policy")):
            outputs = entry(content, stack, f"break-glass-relay-{noun}")["outputs"]
            document = json.loads(outputs[key])
            statement = document["Statement"][0]
            statement["Condition" if key == "assumeRolePolicy" else "Resource"] = (
                {} if key == "assumeRolePolicy" else "*"
            )
            outputs[key] = json.dumps(document)


def no_watchdog(content: dict[str, Any]) -> None:
    for stack in STACKS:
        resources = content[stack]["deployment"]["resources"]
        resources[:] = [
            one
            for one in resources
            if "watchdog" not in one["urn"] or one["type"].endswith(":TopicSubscription")
        ]


def one_topic(content: dict[str, Any]) -> None:
    """The watchdog's rules send to nobody."""
    for one in content["mgmt"]["deployment"]["resources"]:
        if one["type"].endswith(":TopicSubscription") and one["urn"].endswith("a14e1db7"):
            one["outputs"]["topic"] = "arn:aws:sns:us-west-2:111111111111:elsewhere"


def half_a_pattern(content: dict[str, Any]) -> None:
    """The relays to the watchdog do not forward what names a relay's role."""
    for stack in STACKS:
        for one in content[stack]["deployment"]["resources"]:
            if one["type"].endswith(":EventRule") and "-watchdog-rule" in one["urn"]:
                text = one["outputs"]["eventPattern"]
                one["outputs"]["eventPattern"] = text.replace('"BreakGlassRelay"', '"BreakGlassRelayX"')


@pytest.mark.parametrize(
    ("spoil", "hits"),
    [
        (shared_role, {"the role BreakGlassRelay"}),
        (no_watchdog, {"the role BreakGlassRelay", "the hub's bus", "a rule of the relay to the hub"}),
        (one_topic, {"the role BreakGlassRelay", "the hub's bus"}),
        (half_a_pattern, {"the role BreakGlassRelay"}),
    ],
)
def test_where_the_ways_share_a_part_or_one_is_deaf_blows_go_unheard(
    spoil: Callable[[dict[str, Any]], None], hits: set[str]
):
    content = copy.deepcopy(exports())
    spoil(content)
    unheard = [one for one in play(modelled(content)) if not one.ways]
    assert {one.blow.hit for one in unheard} >= hits
    assert all(one.reason for one in unheard)


def test_recipients_and_a_key_that_are_not_known_yet_do_not_matter_here():
    content = copy.deepcopy(exports())
    for one in content["mgmt"]["deployment"]["resources"]:
        if one["type"].endswith(":TopicSubscription"):
            del one["outputs"]["pendingConfirmation"]
        if one["urn"].endswith("break-glass-alerts-key"):
            one["outputs"] |= {"arn": UNKNOWN, "keyId": UNKNOWN}
        if one["urn"].endswith("break-glass-alerts-topic"):
            one["outputs"]["kmsMasterKeyId"] = UNKNOWN
        if one["urn"].endswith("rule-key-change"):
            one["outputs"]["eventPattern"] = UNKNOWN
    assert bad(play(modelled(content))) == []


def test_without_the_hub_there_is_nothing_to_play():
    member = {"member": exports()["member"]}
    assert play(modelled(member)) == []
    assert pairs(modelled(member)).count == 0


def test_pairs_are_counted_and_only_those_that_hit_both_ways_are_silent():
    found = pairs(whole())
    own = [sum(blow.account == account for blow in catalogue()) for account in ("1" * 12, "2" * 12)]
    assert found.count == sum(number * (number - 1) // 2 for number in own)
    assert 0 < found.silent < found.count / 50
    assert found.silent == sum(found.hits.values())
    for pair in found.hits:
        assert "a CloudWatch alarm" not in pair
        assert "the archive" not in pair
    assert ("the role BreakGlassRelay", "the role BreakGlassWatchdogRelay") in found.hits
