import json

import pytest
from breakglass_policies.sizes import QUOTAS, policy_size_within_limits

from breakglass import documents

every_type = pytest.mark.parametrize(("kind", "quota"), QUOTAS.items(), ids=QUOTAS.keys())
BUS_POLICY = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"


def document_of(length: int, letter: str = "x") -> str:
    return json.dumps({"Statement": letter * (length - len('{"Statement":""}'))}, separators=(",", ":"))


@every_type
def test_the_last_character_that_fits_passes_and_the_next_blocks(check, kind, quota):
    assert check(policy_size_within_limits, kind, {quota.property: document_of(quota.maximum)}).passed
    for value in (document_of(quota.maximum + 1), json.loads(document_of(quota.maximum + 1))):
        (violation,) = check(policy_size_within_limits, kind, {quota.property: value}).violations
        assert violation.startswith(
            f"{kind.rpartition(':')[2]} 'thing' has {quota.maximum + 1} {quota.unit} in its "
            f"{quota.property}, and AWS takes at most {quota.maximum}."
        )


@every_type
def test_white_space_counts_outside_of_iam_only(check, kind, quota):
    spaced = document_of(quota.maximum) + " \n"
    outcome = check(policy_size_within_limits, kind, {quota.property: spaced})
    assert outcome.passed is kind.startswith("aws:iam/")


@every_type
def test_letters_that_need_two_bytes(check, kind, quota):
    two_bytes = document_of(quota.maximum).replace("x", "é")
    outcome = check(policy_size_within_limits, kind, {quota.property: two_bytes})
    assert bool(outcome.violations) is (quota.unit == "bytes")


@every_type
def test_missing_odd_and_unknown_documents(check, kind, quota, unknown):
    for value in (None, "", 7, [document_of(99999)]):
        assert check(policy_size_within_limits, kind, {quota.property: value}).not_applicable
    assert check(policy_size_within_limits, kind, {}).not_applicable
    props = {quota.property: unknown}
    assert check(policy_size_within_limits, kind, props).not_applicable
    ours = check(policy_size_within_limits, kind, props, component="BreakGlassRole")
    assert ours.unknown == quota.property


def test_other_resources_are_not_applicable(check):
    props = {"policy": document_of(99999)}
    assert check(policy_size_within_limits, "aws:s3/bucketPolicy:BucketPolicy", props).not_applicable


@pytest.mark.parametrize(("members", "passes"), [(200, True), (300, False)])
def test_the_hubs_own_policy(check, members, passes):
    document = documents.bus(
        bus_arn="arn:aws:events:us-east-1:111111111111:event-bus/breakglass",
        account_ids=["111111111111", *(f"{number:012}" for number in range(members))],
        organization_id=None,
    )
    assert check(policy_size_within_limits, BUS_POLICY, {"policy": json.dumps(document)}).passed is passes
