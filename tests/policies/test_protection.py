"""Accidental deletion, and secrets in the state."""

import json

import pytest
from breakglass_policies.protection import (
    PARTS,
    PLAIN_SECRETS,
    VIRTUAL_MFA_DEVICE,
    break_glass_protected,
    no_secret_in_plain_output,
)

from breakglass import documents, naming

KEY = "aws:kms/key:Key"
PROTECTED = {"protect": True}
OWN_KEY = json.dumps(documents.hub_key(account_id="111111111111"))
OURS = [
    ("aws:iam/user:User", {"name": "BreakglassUser"}),
    ("aws:iam/role:Role", {"name": "BreakGlassRole"}),
    *(("aws:sns/topic:Topic", {"name": name}) for name in naming.TOPICS),
    *(("aws:cloudwatch/eventBus:EventBus", {"name": way.bus}) for way in naming.WAYS),
    ("aws:cloudwatch/logGroup:LogGroup", {"name": naming.AUDIT_LOG_GROUP}),
    (KEY, {"policy": OWN_KEY}),
]
OTHERS = [
    *((kind, {"name": name}) for kind in PARTS for name in ("other", None, 7, [naming.HUB.topic])),
    *((kind, {}) for kind in PARTS),
    *((KEY, {"policy": policy}) for policy in (None, "", "{", [], '{"Statement": []}')),
    ("aws:sns/topicPolicy:TopicPolicy", {"name": naming.HUB.topic}),
    ("aws:iam/role:Role", {"name": naming.HUB.relay_role}),
]


class TestProtected:
    @pytest.mark.parametrize(("kind", "props"), OURS)
    def test_a_part_must_be_protected(self, check, kind, props):
        assert check(break_glass_protected, kind, props, opts=PROTECTED).passed
        (violation,) = check(break_glass_protected, kind, props).violations
        assert violation.startswith(f"{kind.rpartition(':')[2]} 'thing' is not protected: ")
        assert violation.endswith("Set protect=True in its options.")

    @pytest.mark.parametrize(("kind", "props"), OTHERS)
    def test_others_are_not_applicable(self, check, kind, props):
        assert check(break_glass_protected, kind, props).not_applicable

    @pytest.mark.parametrize(
        ("kind", "component"),
        [
            ("aws:iam/user:User", "BreakGlassUser"),
            ("aws:iam/role:Role", "BreakGlassRole"),
            (KEY, "BreakGlassAlerts"),
        ],
    )
    def test_ours_must_be_protected_whatever_its_name(self, check, kind, component):
        props = {"name": "emergency"}
        assert check(break_glass_protected, kind, props, component=component).violations
        assert check(break_glass_protected, kind, props).not_applicable

    @pytest.mark.parametrize(("kind", "props"), OURS)
    def test_what_is_unknown_is_left_to_the_engine_unless_it_is_protected(self, check, kind, props, unknown):
        (key,) = props
        outcome = check(break_glass_protected, kind, {key: unknown})
        assert outcome.not_applicable if kind == KEY else outcome.unknown == key  # ours has a component
        assert check(break_glass_protected, kind, {key: unknown}, opts=PROTECTED).passed


class TestSecrets:
    @pytest.mark.parametrize(
        ("marked", "unmarked"),
        [
            ((), "base32StringSeed and qrCodePng"),
            (("base32StringSeed",), "qrCodePng"),
            (("qrCodePng", "arn"), "base32StringSeed"),
        ],
    )
    def test_a_seed_that_is_not_marked_blocks(self, check, marked, unmarked):
        props = {"virtualMfaDeviceName": "x"}
        opts = {"secret_outputs": marked}
        (violation,) = check(no_secret_in_plain_output, VIRTUAL_MFA_DEVICE, props, opts=opts).violations
        assert f" writes {unmarked} into the state unencrypted: " in violation

    def test_a_marked_seed_passes(self, check):
        opts = {"secret_outputs": PLAIN_SECRETS[VIRTUAL_MFA_DEVICE]}
        assert check(no_secret_in_plain_output, VIRTUAL_MFA_DEVICE, {}, opts=opts).passed

    def test_others_are_not_applicable(self, check):
        assert check(no_secret_in_plain_output, "aws:iam/user:User", {"name": "x"}).not_applicable
