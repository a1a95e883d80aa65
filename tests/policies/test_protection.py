import json

import pytest
from breakglass_policies.protection import (
    BREAK_GLASS_PROTECTED,
    NAMES,
    NO_SECRET_IN_PLAIN_OUTPUT,
    PLAIN_SECRETS,
    VIRTUAL_MFA_DEVICE,
)
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from breakglass import documents, naming

KEY = "aws:kms/key:Key"
PROTECTED = {"protect": True}
OWN_KEY = json.dumps(documents.hub_key(account_id="111111111111"))
PARTS = [
    ("aws:iam/user:User", {"name": "BreakglassUser"}),
    ("aws:iam/role:Role", {"name": "BreakGlassRole"}),
    ("aws:sns/topic:Topic", {"name": naming.TOPIC}),
    ("aws:sns/topic:Topic", {"name": naming.WATCHDOG_TOPIC}),
    ("aws:cloudwatch/eventBus:EventBus", {"name": naming.HUB_BUS}),
    ("aws:cloudwatch/logGroup:LogGroup", {"name": naming.AUDIT_LOG_GROUP}),
    (KEY, {"policy": OWN_KEY}),
]
OTHERS = [
    *((kind, {"name": name}) for kind in NAMES for name in ("other", None, 7, [naming.TOPIC])),
    *((kind, {}) for kind in (*NAMES, KEY)),
    *((KEY, {"policy": policy}) for policy in (None, "", "{", [], '{"Statement": []}')),
    ("aws:sns/topicPolicy:TopicPolicy", {"name": naming.TOPIC}),
    ("aws:iam/role:Role", {"name": naming.RELAY_ROLE}),
]


class TestProtected:
    @pytest.mark.parametrize(("kind", "props"), PARTS)
    def test_a_part_must_be_protected(self, check, kind, props):
        assert check(BREAK_GLASS_PROTECTED, kind, props, opts=PROTECTED).passed
        (violation,) = check(BREAK_GLASS_PROTECTED, kind, props).violations
        assert violation.startswith(f"{kind.rpartition(':')[2]} 'thing' is not protected: ")
        assert violation.endswith("Set protect=True in its options.")

    @pytest.mark.parametrize(("kind", "props"), OTHERS)
    def test_others_are_not_applicable(self, check, kind, props):
        assert check(BREAK_GLASS_PROTECTED, kind, props).not_applicable

    @pytest.mark.parametrize(("kind", "entry"), NAMES.items())
    def test_names_are_those_of_the_configuration(self, check, kind, entry):
        config = {entry[0]: ["one", "two"]}
        assert check(BREAK_GLASS_PROTECTED, kind, {"name": "two"}, config=config).violations
        assert check(BREAK_GLASS_PROTECTED, kind, {"name": entry[1][0]}, config=config).not_applicable

    @pytest.mark.parametrize(("kind", "props"), PARTS)
    def test_what_is_unknown_is_left_to_the_engine_unless_it_is_protected(self, check, kind, props, unknown):
        (key,) = props
        assert check(BREAK_GLASS_PROTECTED, kind, {key: unknown}).unknown == key
        assert check(BREAK_GLASS_PROTECTED, kind, {key: unknown}, opts=PROTECTED).passed


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
        (violation,) = check(NO_SECRET_IN_PLAIN_OUTPUT, VIRTUAL_MFA_DEVICE, props, opts=opts).violations
        assert f" writes {unmarked} into the state unencrypted: " in violation

    def test_a_marked_seed_passes(self, check):
        opts = {"secret_outputs": PLAIN_SECRETS[VIRTUAL_MFA_DEVICE]}
        assert check(NO_SECRET_IN_PLAIN_OUTPUT, VIRTUAL_MFA_DEVICE, {}, opts=opts).passed

    def test_others_are_not_applicable(self, check):
        assert check(NO_SECRET_IN_PLAIN_OUTPUT, "aws:iam/user:User", {"name": "x"}).not_applicable


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.text()
    | st.sampled_from([UNKNOWN_STRING_VALUE, OWN_KEY, naming.TOPIC]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KINDS = st.sampled_from([*NAMES, KEY, VIRTUAL_MFA_DEVICE])


@given(KINDS, st.dictionaries(st.sampled_from(["name", "policy"]), VALUES), st.booleans())
def test_no_properties_raise_anything_but_unknown(check, kind, props, protect):
    check(BREAK_GLASS_PROTECTED, kind, props, opts={"protect": protect})
    check(NO_SECRET_IN_PLAIN_OUTPUT, kind, props)
