import json

import pytest
from breakglass_policies.sizes import POLICY_SIZE_WITHIN_LIMITS, QUOTAS, ROLE
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from breakglass import documents

every_type = pytest.mark.parametrize(("kind", "quota"), QUOTAS.items(), ids=QUOTAS.keys())
BUS_POLICY = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"


def document_of(length: int, letter: str = "x") -> str:
    return json.dumps({"Statement": letter * (length - len('{"Statement":""}'))}, separators=(",", ":"))


@every_type
def test_the_last_character_that_fits_passes_and_the_next_blocks(check, kind, quota):
    assert check(POLICY_SIZE_WITHIN_LIMITS, kind, {quota.property: document_of(quota.maximum)}).passed
    for value in (document_of(quota.maximum + 1), json.loads(document_of(quota.maximum + 1))):
        (violation,) = check(POLICY_SIZE_WITHIN_LIMITS, kind, {quota.property: value}).violations
        assert violation.startswith(
            f"{kind.rpartition(':')[2]} 'thing': {quota.property} holds {quota.maximum + 1} {quota.unit}, "
            f"and AWS takes at most {quota.maximum}."
        )


@every_type
def test_white_space_counts_outside_of_iam_only(check, kind, quota):
    spaced = document_of(quota.maximum) + " \n"
    outcome = check(POLICY_SIZE_WITHIN_LIMITS, kind, {quota.property: spaced})
    assert outcome.passed is kind.startswith("aws:iam/")


@every_type
def test_letters_that_need_two_bytes(check, kind, quota):
    two_bytes = document_of(quota.maximum).replace("x", "é")
    outcome = check(POLICY_SIZE_WITHIN_LIMITS, kind, {quota.property: two_bytes})
    assert bool(outcome.violations) is (quota.unit == "bytes")


@every_type
def test_missing_odd_and_unknown_documents(check, kind, quota, unknown):
    for value in (None, "", 7, [document_of(99999)]):
        assert check(POLICY_SIZE_WITHIN_LIMITS, kind, {quota.property: value}).not_applicable
    assert check(POLICY_SIZE_WITHIN_LIMITS, kind, {}).not_applicable
    assert check(POLICY_SIZE_WITHIN_LIMITS, kind, {quota.property: unknown}).unknown == quota.property


def test_other_resources_are_not_applicable(check):
    props = {"policy": document_of(99999)}
    assert check(POLICY_SIZE_WITHIN_LIMITS, "aws:s3/bucketPolicy:BucketPolicy", props).not_applicable


def test_a_raised_quota_comes_from_the_configuration(check):
    config = {"maxTrustCharacters": 4096.0}
    for length, passes in ((4096, True), (4097, False)):
        props = {"assumeRolePolicy": document_of(length)}
        assert check(POLICY_SIZE_WITHIN_LIMITS, ROLE, props, config=config).passed is passes


@pytest.mark.parametrize(("members", "passes"), [(200, True), (300, False)])
def test_the_hubs_own_policy(check, members, passes):
    document = documents.hub_bus(
        account_id="111111111111",
        region="us-east-1",
        member_account_ids=[f"{number:012}" for number in range(members)],
        organization_id=None,
    )
    assert check(POLICY_SIZE_WITHIN_LIMITS, BUS_POLICY, {"policy": json.dumps(document)}).passed is passes


VALUES = st.recursive(
    st.none() | st.floats() | st.text() | st.sampled_from([UNKNOWN_STRING_VALUE, "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([*QUOTAS]), st.dictionaries(st.sampled_from(["policy", "assumeRolePolicy"]), VALUES))
def test_no_properties_raise_anything_but_unknown(check, kind, props):
    check(POLICY_SIZE_WITHIN_LIMITS, kind, props)
