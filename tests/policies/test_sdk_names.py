"""Types and properties that the rules read exist in the installed pulumi-aws; a typo would match nothing."""

import importlib

import pulumi_aws
import pytest
from breakglass_policies import (
    alarms,
    bus,
    iam_full_access,
    key,
    placement,
    protection,
    relay,
    role,
    rules,
    sizes,
    targets,
    topics,
    user,
)
from pulumi._types import input_type_py_to_pulumi_names, resource_types
from pulumi_aws import cloudwatch, iam

READ: dict[str, set[str]] = {
    **{
        kind: {p for place in places for p in (place.principal, place.policy)}
        for kind, places in iam_full_access.ATTACHMENTS.items()
    },
    **{kind: {place.principal, place.policy, "name"} for kind, place in iam_full_access.DOCUMENTS.items()},
    **{kind: {*keys, "region"} for kind, (keys, _) in placement.PARTS.items()},
}
READ[iam_full_access.ROLE] |= {iam_full_access.INLINE_POLICIES}
READ[placement.EVENT_TARGET] |= {"arn"}
READ[placement.USER] = {"name"}
MORE: list[tuple[str, set[str]]] = [
    (rules.EVENT_RULE, {"state", "isEnabled", "eventPattern", "scheduleExpression", "eventBusName"}),
    (targets.EVENT_TARGET, {"rule", "deadLetterConfig", "roleArn", "eventBusName", "region"}),
    (topics.TOPIC, {"name", "kmsMasterKeyId", "policy"}),
    (topics.TOPIC_POLICY, {"arn", "policy"}),
    (topics.TOPIC_SUBSCRIPTION, {"topic", "protocol", "endpoint"}),
    (relay.ROLE, {"assumeRolePolicy", "inlinePolicies", "managedPolicyArns"}),
    (bus.EVENT_BUS_POLICY, {"eventBusName", "policy"}),
    (bus.EVENT_PERMISSION, {"eventBusName", "principal", "action", "condition"}),
    (relay.ROLE_POLICY, {"policy"}),
    *((kind, {key}) for kind, key in relay.NAMES_ROLE.items()),
    *((kind, {quota.property}) for kind, quota in sizes.QUOTAS.items()),
    *((kind, {*alarms.ACTIONS, "region"}) for kind in alarms.ALARMS),
    *((kind, {name}) for kind, name in user.CREDENTIALS.items()),
    *((kind, set(names)) for kind, names in user.MEMBERSHIPS.items()),
    (user.USER, {"name"}),
    (user.LOGIN_PROFILE, {"user"}),
    (user.POLICY, {"name", "path", "policy"}),
    (role.ROLE, {"name", "assumeRolePolicy", "maxSessionDuration"}),
    *((kind, {"policy", enabled}) for kind, enabled in key.ENABLED_BY.items()),
    (key.KEY, {"enableKeyRotation"}),
    (key.KEY_POLICY, {"policy"}),
    *((kind, {"name"}) for kind in protection.PARTS if kind != key.KEY),
]
for kind, keys in MORE:
    READ[kind] = READ.get(kind, set()) | keys


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
    assert "arn" in properties(cloudwatch.EventTargetDeadLetterConfigArgs)
    assert {"key", "type", "value"} <= properties(cloudwatch.EventPermissionConditionArgs)
    assert "region" in properties(pulumi_aws.ProviderArgs)


def test_outputs_exist():
    assert {*protection.PLAIN_SECRETS[protection.VIRTUAL_MFA_DEVICE]} <= set(
        resource_types(iam.VirtualMfaDevice)
    )
    assert getattr(iam.VirtualMfaDevice, "pulumi_type", None) == protection.VIRTUAL_MFA_DEVICE


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


def test_no_credential_of_a_user_is_overlooked():
    """A new class of the IAM module that names one user must be looked at."""
    of_a_user = {
        getattr(iam, name.removesuffix("Args")).pulumi_type
        for name in dir(iam)
        if name.endswith("Args")
        and hasattr(getattr(iam, name.removesuffix("Args"), None), "pulumi_type")
        and properties(getattr(iam, name)) & {"user", "userName", "username"}
    }
    others = {*iam_full_access.ATTACHMENTS, *iam_full_access.DOCUMENTS, *user.MEMBERSHIPS, user.LOGIN_PROFILE}
    others.add("aws:iam/userPoliciesExclusive:UserPoliciesExclusive")
    assert of_a_user - others == {*user.CREDENTIALS}
