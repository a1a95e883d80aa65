"""Ways to silence the alarm, found by somebody who attacked the first edition, played after they landed.

`tests/attacks/attacks.json` has the steps of each, with an event as CloudTrail records it. An attack is heard
if people are told of one of its steps although that step and those before it have taken effect.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from alertpath.blows import Blow, blows
from alertpath.model import Deployment, deployment, from_stack_export
from alertpath.tampering import with_recipients
from alertpath.trace import trace
from tests.alertpath.exports import export
from tests.program import KEY_ID

ATTACKS = json.loads((Path(__file__).parents[1] / "attacks" / "attacks.json").read_text())
REGIONS = ("ap-southeast-1", "eu-central-1", "eu-north-1", "eu-west-1", "us-east-1", "us-east-2", "us-west-2")

UNHEARD = {
    "F01": "forged: no CloudTrail record of the heartbeat's role, so it counts as no heartbeat",
    "H12": "a policy of the user, its name in another case",
    "H16": "another user is given the name of the break-glass user",
    "H18": "the account's password policy",
    "H19": "sign-in resource policies",
    "M23": "the policy of a default bus: AWS's own events do not need it",
    "M25": "the trail's bucket and key: EventBridge does not read them",
    "T01": "the user was asked for MFA: recorded",
}
"""Attacks that nobody is told of, each with what it does."""


@cache
def whole() -> Deployment:
    exports = {stack: export(stack, REGIONS) for stack in ("mgmt", "member")}
    return with_recipients(
        deployment([one for name in exports for one in from_stack_export(json.dumps(exports[name]), name)])
    )


@cache
def catalogue() -> dict[tuple[str, str, str], list[Blow]]:
    found: dict[tuple[str, str, str], list[Blow]] = {}
    for blow in blows(whole()):
        found.setdefault(call(blow.event), []).append(blow)
    return found


def call(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["account"], event["region"], event["detail"].get("eventName", "")


NAMES = ("name", "rule", "roleName", "topicArn", "subscriptionArn", "queueUrl", "keyId", "logGroupName",
         "eventBusName", "omitted", "alarmNames")  # fmt: skip


def named(event: dict[str, Any]) -> set[tuple[str, str]]:
    """What the parameters of a call name; a subscription by its topic."""
    parameters = event["detail"].get("requestParameters") or {}
    return {
        (key, str(parameters[key]).lower().rsplit(":", key == "subscriptionArn")[0])
        for key in NAMES
        if key in parameters
    }


def effect(deployed: Deployment, event: dict[str, Any]) -> Deployment:
    """What is deployed after a call: the blow of the catalogue that names the same, if there is one."""
    same = [blow for blow in catalogue().get(call(event), []) if named(event) & named(blow.event)]
    if not same:
        return deployed
    return max(same, key=lambda blow: len(named(event) & named(blow.event))).effect(deployed)


def told(attack: dict[str, Any]) -> Iterator[bool]:
    deployed = whole()
    for step in attack["steps"]:
        deployed = effect(deployed, step["event"])
        yield any(ending.message is not None for ending in trace(deployed, step["event"]))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack["id"])
def test_an_attack_is_heard_after_its_effect_or_listed(attack):
    heard = any(told(attack))
    assert heard or attack["byDesign"] or attack["id"] in UNHEARD
    assert not (heard and attack["id"] in UNHEARD)


def test_the_attacks_are_about_this_deployment():
    assert len(ATTACKS) == 83
    hit = [
        step
        for attack in ATTACKS
        for step in attack["steps"]
        if effect(whole(), step["event"]) is not whole()
    ]
    assert len(hit) > 50
    keys = [step["event"] for attack in ATTACKS for step in attack["steps"] if "DisableKey" in str(step)]
    assert any(KEY_ID in json.dumps(event) for event in keys)
