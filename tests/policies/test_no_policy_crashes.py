"""No policy raises anything but UnknownValueError: the engine would end the preview of any program."""

import json

import pytest
from breakglass_policies import POLICIES
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi_policy import Policy, ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from breakglass import naming
from tests.policies.test_sdk_names import READ

TRUST = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
# Words that lead far into a check.
WORDS = [
    UNKNOWN_STRING_VALUE,
    *(
        "*",
        "iam:*",
        "kms:*",
        "sns:Publish",
        "sts:AssumeRole",
        "Allow",
        "Deny",
        "Service",
        "AWS",
        "Bool",
        "Null",
    ),
    *(
        "events.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "scheduler.amazonaws.com",
        "true",
        "sqs",
        "DISABLED",
    ),
    *("aws:MultiFactorAuthPresent", "aws:SourceAccount", "aws:SourceArn", "aws:PrincipalArn", "111111111111"),
    *(
        *naming.TOPICS,
        *(text for way in naming.WAYS for text in (way.bus, way.relay_rule, way.relay_role)),
        naming.HEARTBEAT_ROLE,
    ),
    *(*naming.DEFAULT_USER_NAMES, *naming.DEFAULT_ROLE_NAMES, f"{naming.RULE_PREFIX}key-change", "us-east-1"),
    naming.topic_arn("111111111111", "us-east-1", naming.HUB.topic),
    naming.bus_arn("111111111111", "us-west-2", naming.WATCHDOG.bus),
    "arn:aws:iam::aws:policy/IAMFullAccess",
    "arn:aws:iam::111111111111:root",
    json.dumps({"Version": "2012-10-17", "Statement": [TRUST]}),
]
TEXTS = st.sampled_from(WORDS) | st.text(max_size=5)
ELEMENTS = st.sampled_from(
    [
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "Sid",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXTS | st.sampled_from(["name", "policy", "arn", "key", "value"]), inner, max_size=3
        )
        | st.fixed_dictionaries({"Statement": st.lists(st.dictionaries(ELEMENTS, inner) | inner, max_size=2)})
    ),
    max_leaves=8,
)
VALUES = JSON | JSON.map(json.dumps)
KINDS = sorted({*READ, "aws:iam/virtualMfaDevice:VirtualMfaDevice", "aws:s3/bucket:Bucket"})
COMPONENTS = st.sampled_from(
    [None, "BreakGlassUser", "BreakGlassRole", "BreakGlassRelay", "BreakGlassAlerts"]
)
RESOURCES = st.sampled_from(KINDS).flatmap(
    lambda kind: st.tuples(
        st.just(kind), st.dictionaries(st.sampled_from(sorted(READ.get(kind, {"name"}))), VALUES)
    )
)


def ids(policies: list[Policy]) -> list[str]:
    return [policy.name for policy in policies]


OF_RESOURCES: list[Policy] = [policy for policy in POLICIES if isinstance(policy, ResourceValidationPolicy)]
OF_STACKS: list[Policy] = [policy for policy in POLICIES if isinstance(policy, StackValidationPolicy)]


@pytest.mark.parametrize("policy", OF_RESOURCES, ids=ids(OF_RESOURCES))
@settings(max_examples=100)
@given(RESOURCES, COMPONENTS)
def test_no_resource_raises_anything_but_unknown(check, policy, resource, component):
    check(policy, *resource, component=component)


@pytest.mark.parametrize("policy", OF_STACKS, ids=ids(OF_STACKS))
@settings(max_examples=100)
@given(st.lists(RESOURCES, max_size=6), COMPONENTS)
def test_no_stack_raises_anything_but_unknown(check_stack, policy, resources, component):
    check_stack(policy, resources, components=dict.fromkeys(range(len(resources)), component))
