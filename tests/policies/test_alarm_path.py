"""The proof as policies of the pack, on the resources that a stack policy sees."""

import json

import pytest
from breakglass_policies import alarm_path
from breakglass_policies.alarm_path import alarm_path_not_yet_proven as OPEN
from breakglass_policies.alarm_path import alarm_path_proven as PROVEN
from breakglass_policies.alarm_path import alarm_survives_tampering as SURVIVES
from pulumi_policy.policy import (
    PolicyProviderResource,
    PolicyResource,
    StackValidationArgs,
    _NotApplicableError,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, unknown_checking_proxy

from tests.alertpath.exports import export
from tests.alertpath.faults import FAULTS, SEEN_WITH_BOTH
from tests.program import KEY_ARN

REGIONS = ["us-east-1", "eu-west-1", "us-west-2"]


def seen(exported):
    """The resources of an export as a stack policy sees them."""
    entries = exported["deployment"]["resources"]
    (provider,) = (entry for entry in entries if entry["type"] == "pulumi:providers:aws")
    pinned = PolicyProviderResource(
        provider["type"], unknown_checking_proxy(provider["inputs"]), provider["urn"], "aws"
    )
    return [
        PolicyResource(
            entry["type"],
            unknown_checking_proxy(entry.get("outputs") or entry.get("inputs") or {}),
            entry["urn"],
            entry["urn"].rsplit("::", 1)[-1],
            None,  # pyright: ignore[reportArgumentType] - the policy looks at no option
            pinned if entry["type"].startswith("aws:") else None,
            None,
            [],
            {},
        )
        for entry in entries
    ]


def reported(policy, resources):
    found = []
    policy.validate(
        StackValidationArgs(resources, {}), lambda message, urn=None: found.append((message, urn))
    )
    return found


@pytest.fixture(scope="module")
def mgmt():
    return export("mgmt", REGIONS)


def entry(exported, name):
    return next(one for one in exported["deployment"]["resources"] if one["urn"].endswith(f"::{name}"))


def changed(exported, name, **outputs):
    copied = json.loads(json.dumps(exported))
    entry(copied, name)["outputs"] |= outputs
    return copied


def test_the_intact_stack_is_proven_and_nothing_is_open(mgmt):
    assert reported(PROVEN, seen(mgmt)) == []
    assert reported(OPEN, seen(mgmt)) == []
    assert reported(SURVIVES, seen(mgmt)) == []


def without(exported, *words):
    """The stack without the resources that have one of the words in their names."""
    copied = json.loads(json.dumps(exported))
    resources = copied["deployment"]["resources"]
    copied["deployment"]["resources"] = [
        one for one in resources if not any(word in one["urn"].rsplit("::", 1)[-1] for word in words)
    ]
    return copied


def test_a_stack_with_one_way_only_hears_no_attack_on_it(mgmt):
    found = reported(SURVIVES, seen(without(mgmt, "watchdog-rule")))
    messages = " ".join(message for message, _ in found)
    assert "would not be told once landed" in messages
    assert "attacks on the role BreakGlassRelay" in messages
    assert "on the hub's bus would not be told" in messages


def test_a_relay_that_is_missing_in_one_region_is_found(mgmt):
    found = reported(SURVIVES, seen(without(mgmt, "relay-eu-west-1-watchdog-rule")))
    assert found
    assert all("attack" in message for message, _ in found)


def test_a_way_that_shares_the_role_of_the_other_is_found(mgmt):
    copied = json.loads(json.dumps(mgmt))
    role = "arn:aws:iam::111111111111:role/BreakGlassRelay"
    for one in copied["deployment"]["resources"]:
        if "watchdog-rule" in one["urn"] and one["urn"].endswith("target"):
            one["outputs"]["roleArn"] = role
    permission = entry(copied, "break-glass-relay-relay-permission")["outputs"]
    permission["policy"] = permission["policy"].replace(
        '"arn:aws:events:us-east-1:111111111111:event-bus/breakglass"',
        '["arn:aws:events:us-east-1:111111111111:event-bus/breakglass",'
        '"arn:aws:events:us-west-2:111111111111:event-bus/breakglass-watchdog"]',
    )
    trust = entry(copied, "break-glass-relay-relay-role")["outputs"]
    trust["assumeRolePolicy"] = trust["assumeRolePolicy"].replace(
        "rule/breakglass-relay*", "rule/breakglass-*"
    )
    assert "attacks on the role BreakGlassRelay would not be told" in str(reported(SURVIVES, seen(copied)))


@pytest.mark.parametrize("missing", ["break-glass-watchdog-bus", "break-glass-alerts-bus"])
def test_where_one_way_ends_in_another_stack_tampering_is_not_judged(mgmt, missing):
    with pytest.raises(_NotApplicableError):
        reported(SURVIVES, seen(without(mgmt, missing)))


def test_what_is_unknown_before_a_deployment_is_no_reason_to_refuse_it(mgmt):
    unknown = {"arn": UNKNOWN_STRING_VALUE, "keyId": UNKNOWN_STRING_VALUE}
    preview = changed(mgmt, "break-glass-alerts-key", **unknown)
    entry(preview, "break-glass-alerts-topic")["outputs"]["kmsMasterKeyId"] = UNKNOWN_STRING_VALUE
    entry(preview, "break-glass-alerts-rule-key-change")["outputs"]["eventPattern"] = UNKNOWN_STRING_VALUE
    for one in preview["deployment"]["resources"]:
        if one["type"].endswith(":TopicSubscription"):
            one["outputs"]["pendingConfirmation"] = UNKNOWN_STRING_VALUE
    assert reported(SURVIVES, seen(preview)) == []


def test_a_hardened_key_policy_is_refused_with_the_reason(mgmt):
    policy = json.loads(entry(mgmt, "break-glass-alerts-key")["outputs"]["policy"])
    policy["Statement"][1]["Condition"] = {"StringEquals": {"aws:SourceAccount": "1" * 12}}
    ((message, urn),) = reported(
        PROVEN, seen(changed(mgmt, "break-glass-alerts-key", policy=json.dumps(policy)))
    )
    assert urn is not None
    assert urn.endswith("break-glass-alerts-key")
    assert message.startswith("Key 'break-glass-alerts-key' is where ")
    assert "scenarios would end: the key's policy does not allow it" in message
    assert "aws:SourceAccount" in message
    assert not message.endswith("..")


FAULTS_OF_THE_HUB = [fault for fault in FAULTS if not fault.name.startswith(("member", SEEN_WITH_BOTH))]


@pytest.mark.parametrize("fault", FAULTS_OF_THE_HUB, ids=lambda fault: fault.name)
def test_a_preview_of_the_management_stack_shows_the_fault(mgmt, fault):
    """Refused, or, where it cannot be proven, listed; and the resource is named."""
    faulty = {"mgmt": json.loads(json.dumps(mgmt))}
    blamed = fault.inject(faulty)
    resources = seen(faulty["mgmt"])
    found = [*reported(PROVEN, resources), *reported(OPEN, resources)]
    assert found
    assert all(blamed.rsplit("::", 1)[-1] in message for message, _ in found)


def test_what_is_missing_altogether_is_the_stack_s_own_matter(mgmt):
    copied = json.loads(json.dumps(mgmt))
    copied["deployment"]["resources"].remove(entry(copied, "break-glass-relay-eu-west-1-rule-2"))
    ((message, urn),) = reported(PROVEN, seen(copied))
    assert urn is None
    assert "rule breakglass-relay-2 is missing in eu-west-1" in message


def test_a_subscription_that_nobody_confirmed_is_open_and_not_refused(mgmt):
    """No deployment can mend it, so it must not fail one; it is listed until it is confirmed."""
    pending = changed(mgmt, "break-glass-alerts-subscription-email-786906db", pendingConfirmation=True)
    assert reported(PROVEN, seen(pending)) == []
    ((message, _),) = reported(OPEN, seen(pending))
    assert "no subscription of the topic has been confirmed" in message


def test_at_the_first_preview_a_key_without_id_is_judged_by_its_policy(mgmt):
    """The id is unknown, but that it will be the stack's own key is not."""
    unknown = {"arn": UNKNOWN_STRING_VALUE, "keyId": UNKNOWN_STRING_VALUE}
    preview = changed(mgmt, "break-glass-alerts-key", **unknown, policy='{"Statement": []}')
    entry(preview, "break-glass-alerts-topic")["outputs"]["kmsMasterKeyId"] = UNKNOWN_STRING_VALUE
    entry(preview, "break-glass-alerts-rule-key-change")["outputs"]["eventPattern"] = UNKNOWN_STRING_VALUE
    resources = seen(preview)
    (key,) = (one for one in resources if one.name == "break-glass-alerts-key")
    (topic,) = (one for one in resources if one.name == "break-glass-alerts-topic")
    assert "break-glass-alerts-topic" in str(reported(OPEN, resources))

    topic.property_dependencies["kmsMasterKeyId"] = [key]
    ((message, urn),) = reported(PROVEN, resources)
    assert urn == key.urn
    assert "the key's policy" in message
    assert KEY_ARN not in message


def test_a_stack_without_the_hub_is_not_judged():
    with pytest.raises(_NotApplicableError):
        reported(PROVEN, seen(export("member", REGIONS)))


def test_the_proof_is_made_once_for_both_policies_and_anew_for_other_resources(mgmt, monkeypatch):
    proofs = []
    prove = alarm_path.prove
    monkeypatch.setattr(alarm_path, "prove", lambda model: proofs.append(model) or prove(model))
    other = changed(mgmt, "break-glass-alerts-key", isEnabled=False)
    for exported, expected in ((mgmt, 1), (other, 2)):
        for policy in (PROVEN, OPEN):
            reported(policy, seen(exported))
        assert len(proofs) == expected


def test_a_provider_that_is_unknown_at_preview_does_not_stop_the_proof(mgmt):
    resources = seen(mgmt)
    for resource in resources:
        if resource.provider:
            unknown = {"region": UNKNOWN_STRING_VALUE, "allowedAccountIds": UNKNOWN_STRING_VALUE}
            resource.provider.props = unknown_checking_proxy(unknown)
    for policy in (PROVEN, OPEN, SURVIVES):
        reported(policy, resources)


ODD = [None, 5, "", "{", [], {"a": 1}, [None], UNKNOWN_STRING_VALUE, object()]


@pytest.mark.parametrize("number", range(len(ODD)))
def test_odd_properties_never_raise(number):
    """An object stands for an asset, which is not JSON."""
    kinds = {one.resource_type: one.urn for one in seen(INTACT)}
    for urn in [*kinds.values()][number :: len(ODD)]:
        resources = seen(INTACT)
        (spoilt,) = (one for one in resources if one.urn == urn)
        odd = {name: ODD[(number + shift) % len(ODD)] for shift, name in enumerate(spoilt.props)}
        spoilt.props = unknown_checking_proxy(odd)
        for policy in (PROVEN, OPEN, SURVIVES):
            try:
                reported(policy, resources)
            except _NotApplicableError:
                assert spoilt.resource_type.endswith("EventBus")


INTACT = export("mgmt", ["us-east-1"])
