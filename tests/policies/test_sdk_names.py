"""Types and properties that the rules read exist in the installed pulumi-aws; a typo would match nothing."""

import importlib

import pulumi_aws
import pytest
from breakglass_policies import iam_full_access, placement
from pulumi._types import input_type_py_to_pulumi_names
from pulumi_aws import iam

READ: dict[str, set[str]] = {
    **{
        kind: {p for place in places for p in (place.principal, place.policy)}
        for kind, places in iam_full_access.ATTACHMENTS.items()
    },
    **{kind: {place.principal, place.policy, "name"} for kind, place in iam_full_access.DOCUMENTS.items()},
    **{kind: {*keys, "region"} for kind, keys in placement.NAMED_BY.items()},
}
READ[iam_full_access.ROLE] |= {iam_full_access.INLINE_POLICIES}
READ[placement.EVENT_TARGET] |= {"arn"}
READ[placement.USER] = {"name"}


def properties(args_class: type) -> set[str]:
    return set(input_type_py_to_pulumi_names(args_class).values())


@pytest.mark.parametrize(("token", "names"), READ.items(), ids=READ.keys())
def test_type_and_properties_exist(token, names):
    module, name = token.removeprefix("aws:").partition("/")[0], token.rpartition(":")[2]
    service = importlib.import_module(f"pulumi_aws.{module}")
    assert getattr(service, name).pulumi_type == token
    assert names <= properties(getattr(service, f"{name}Args"))


def test_nested_and_provider_properties_exist():
    assert {"name", "policy"} <= properties(iam.RoleInlinePolicyArgs)
    assert "region" in properties(pulumi_aws.ProviderArgs)


def test_no_way_to_attach_a_policy_is_overlooked():
    """A new class of the IAM module that takes a policy must be looked at."""
    takes_policy = {
        getattr(iam, name.removesuffix("Args")).pulumi_type
        for name in dir(iam)
        if name.endswith("Args")
        and hasattr(getattr(iam, name.removesuffix("Args"), None), "pulumi_type")
        and properties(getattr(iam, name)) & {"policy", "policyArn", "policyArns", "managedPolicyArns"}
    }
    assert takes_policy == {*iam_full_access.ATTACHMENTS, *iam_full_access.DOCUMENTS}
