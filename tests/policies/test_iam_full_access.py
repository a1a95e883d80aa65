"""Full control of IAM blocks unless it is accepted, and is shown when it is."""

import json

import pytest
from breakglass_policies.iam_full_access import (
    ATTACHMENTS,
    DOCUMENTS,
    iam_full_access,
    iam_full_access_accepted,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

IAM_ARN = "arn:aws:iam::aws:policy/IAMFullAccess"
READ_ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess"
REASON = "repairs access when single sign-on is down"


def allowing(action):
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": statement}


FULL, HARMLESS = allowing("iam:*"), allowing("s3:*")

ROLE = "aws:iam/role:Role"
ROLE_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
USER_ATTACHMENT = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
GROUP_ATTACHMENT = "aws:iam/groupPolicyAttachment:GroupPolicyAttachment"
ATTACHMENT = "aws:iam/policyAttachment:PolicyAttachment"
ROLE_EXCLUSIVE = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"
USER_EXCLUSIVE = "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive"
GROUP_EXCLUSIVE = "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive"
POLICY = "aws:iam/policy:Policy"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
USER_POLICY = "aws:iam/userPolicy:UserPolicy"
GROUP_POLICY = "aws:iam/groupPolicy:GroupPolicy"

# type, properties, and every (attachedTo, policy) that they grant full access by
GRANTS = [
    (ROLE_ATTACHMENT, {"role": "R", "policyArn": IAM_ARN}, [("role/R", IAM_ARN)]),
    (USER_ATTACHMENT, {"user": "U", "policyArn": IAM_ARN}, [("user/U", IAM_ARN)]),
    (GROUP_ATTACHMENT, {"group": "G", "policyArn": IAM_ARN}, [("group/G", IAM_ARN)]),
    (
        ATTACHMENT,
        {"name": "x", "policyArn": IAM_ARN, "users": ["U", "V"], "roles": ["R"], "groups": ["G"]},
        [("user/U", IAM_ARN), ("user/V", IAM_ARN), ("role/R", IAM_ARN), ("group/G", IAM_ARN)],
    ),
    (ROLE_EXCLUSIVE, {"roleName": "R", "policyArns": [READ_ARN, IAM_ARN]}, [("role/R", IAM_ARN)]),
    (USER_EXCLUSIVE, {"userName": "U", "policyArns": [IAM_ARN]}, [("user/U", IAM_ARN)]),
    (GROUP_EXCLUSIVE, {"groupName": "G", "policyArns": [IAM_ARN]}, [("group/G", IAM_ARN)]),
    (ROLE, {"name": "R", "managedPolicyArns": [READ_ARN, IAM_ARN]}, [("role/R", IAM_ARN)]),
    (
        ROLE,
        {
            "name": "R",
            "inlinePolicies": [{"name": "a", "policy": json.dumps(HARMLESS)}, {"name": "b", "policy": FULL}],
        },
        [("role/R", "b")],
    ),
    (
        ROLE,
        {
            "name": "R",
            "managedPolicyArns": [IAM_ARN],
            "inlinePolicies": [{"name": "b", "policy": json.dumps(FULL)}],
        },
        [("role/R", IAM_ARN), ("role/R", "b")],
    ),
    (
        ROLE,
        {
            "name": "R",
            "inlinePolicies": [
                {"name": "a", "policy": allowing("iam:CreateAccessKey")},
                {"name": "b", "policy": HARMLESS},
                {"name": "c", "policy": allowing("iam:AttachUserPolicy")},
            ],
        },
        [("role/R", "a and b and c")],
    ),
    (POLICY, {"name": "P", "policy": json.dumps(FULL)}, [("policy/P", "P")]),
    (ROLE_POLICY, {"name": "p", "role": "R", "policy": json.dumps(FULL)}, [("role/R", "p")]),
    (USER_POLICY, {"name": "p", "user": "U", "policy": json.dumps(FULL)}, [("user/U", "p")]),
    (GROUP_POLICY, {"name": "p", "group": "G", "policy": FULL}, [("group/G", "p")]),
]


@pytest.fixture
def check_both(check):
    """Run the policy and then the note, as the SDK does: only the policy is configured."""

    def run(kind, props, *, config=None):
        return check(iam_full_access, kind, props, config=config), check(
            iam_full_access_accepted, kind, props
        )

    return run


def accept(*grants):
    return {"accepted": [{"attachedTo": who, "policy": policy, "reason": REASON} for who, policy in grants]}


@pytest.mark.parametrize(("kind", "props", "grants"), GRANTS)
def test_a_grant_that_is_not_accepted_blocks(check, kind, props, grants):
    outcome = check(iam_full_access, kind, props)
    assert len(outcome.violations) == len(grants)
    for violation, (who, policy) in zip(outcome.violations, grants, strict=True):
        assert violation.startswith(f"{kind.rpartition(':')[2]} 'thing' gives {who} full control of IAM, ")
        assert f'{{"attachedTo": "{who}", "policy": "{policy}", "reason": "' in violation


@pytest.mark.parametrize(("kind", "props", "grants"), GRANTS)
def test_an_accepted_grant_passes(check, kind, props, grants):
    assert check(iam_full_access, kind, props, config=accept(*grants)).passed


@pytest.mark.parametrize(("kind", "props", "grants"), GRANTS)
def test_each_grant_is_accepted_by_itself(check, kind, props, grants):
    for accepted in grants:
        outcome = check(iam_full_access, kind, props, config=accept(accepted))
        assert len(outcome.violations) == len(grants) - 1


@pytest.mark.parametrize(("kind", "props", "grants"), GRANTS)
def test_an_accepted_grant_is_shown_with_its_reason_and_no_other(check_both, kind, props, grants):
    title = f"{kind.rpartition(':')[2]} 'thing'"
    _, shown = check_both(kind, props, config=accept(*grants))
    assert shown.violations == tuple(
        f"{title} gives {who} full control of IAM by {policy.rpartition('/')[2]}. It is accepted: {REASON}"
        for who, policy in grants
    )
    _, shown = check_both(kind, props, config=None)
    assert shown.violations == ()


@pytest.mark.parametrize(
    "accepted",
    [
        ("role/Other", IAM_ARN),
        ("user/R", IAM_ARN),
        ("role/r", IAM_ARN),
        ("role/R", "IAMFullAccess"),
        ("role/R", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("role/*", IAM_ARN),
        ("role/R", "*"),
    ],
)
def test_only_exactly_this_grant_is_accepted(check, accepted):
    outcome = check(
        iam_full_access, ROLE_ATTACHMENT, {"role": "R", "policyArn": IAM_ARN}, config=accept(accepted)
    )
    assert len(outcome.violations) == 1


@pytest.mark.parametrize(
    ("arn", "full"),
    [
        (IAM_ARN, True),
        ("arn:aws-cn:iam::aws:policy/IAMFullAccess", True),
        ("arn:aws-us-gov:iam::aws:policy/IAMFullAccess", True),
        ("arn:aws-iso-b:iam::aws:policy/IAMFullAccess", True),
        ("arn:aws:iam::aws:policy/AdministratorAccess", True),
        ("arn:aws:iam::aws:policy/iamfullaccess", True),
        (READ_ARN, False),
        ("arn:aws:iam::aws:policy/AdministratorAccess-Amplify", True),
        ("arn:aws:iam::aws:policy/AWSMcpServiceActionsFullAccess", True),
        ("arn:aws:iam::aws:policy/service-role/AWSCodeStarServiceRole", False),
        ("arn:aws:iam::aws:policy/service-role/IAMFullAccess", True),
        ("arn:aws:iam::aws:policy/IAMReadOnlyAccess", False),
        ("arn:aws:iam::111111111111:policy/IAMFullAccess", False),
        ("IAMFullAccess", False),
    ],
)
def test_managed_policies_by_arn(check, arn, full):
    outcome = check(iam_full_access, ROLE_ATTACHMENT, {"role": "R", "policyArn": arn})
    assert bool(outcome.violations) is full
    assert full or outcome.passed
    assert not full or f"[policy {arn}]" in outcome.violations[0]


@pytest.mark.parametrize(
    ("kind", "props"),
    [
        *((kind, {}) for kind in ATTACHMENTS),
        (ROLE_ATTACHMENT, {"role": "R", "policyArn": None}),
        (ROLE, {"name": "R", "managedPolicyArns": None, "inlinePolicies": None}),
        (ROLE, {"name": "R", "managedPolicyArns": [], "inlinePolicies": [{}]}),
        (ROLE, {"name": "R", "inlinePolicies": [{"name": "", "policy": ""}]}),
        (ATTACHMENT, {"policyArn": IAM_ARN}),
        (ATTACHMENT, {"policyArn": IAM_ARN, "users": [], "roles": None}),
        (ROLE_ATTACHMENT, {"role": "R", "policyArn": 7}),
        (ROLE_POLICY, {"role": "R", "policy": json.dumps(HARMLESS)}),
        (ROLE_POLICY, {"policy": HARMLESS}),
    ],
)
def test_what_attaches_nothing_passes(check, kind, props):
    assert check(iam_full_access, kind, props).passed
    assert check(iam_full_access_accepted, kind, props).passed


@pytest.mark.parametrize("kind", ["aws:iam/user:User", "aws:s3/bucket:Bucket", "pulumi:pulumi:Stack", "x"])
def test_other_types_are_not_applicable(check, kind):
    for policy in (iam_full_access, iam_full_access_accepted):
        props = {"policyArn": IAM_ARN, "managedPolicyArns": [IAM_ARN], "policy": FULL}
        assert check(policy, kind, props).not_applicable


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (None, "it is missing"),
        ("not JSON", "it is not JSON"),
        ("[1]", "it holds JSON of type list, not an object"),
        (["x"], "it is of type list, not a JSON object"),
        ("{}", "it has no Statement"),
        ({"Statement": 7}, "statement 1 is of type int, not an object"),
    ],
)
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_an_unreadable_document_blocks(check, kind, document, reason):
    props = {"name": "p", "policy": document}
    outcome = check(iam_full_access, kind, props, config=accept(("policy/p", "p")))
    (violation,) = outcome.violations
    assert violation.startswith(f"{kind.rpartition(':')[2]} 'thing' has a policy that could not be read, ")
    assert f"its policy document: {reason}" in violation
    assert check(iam_full_access_accepted, kind, props).passed


@pytest.mark.parametrize("entry", [{"name": "x", "policy": "{"}, {"policy": 0}, "text", 7, None])
def test_an_unreadable_inline_policy_blocks(check, entry):
    inline = [{"name": "full", "policy": FULL}, entry]
    outcome = check(
        iam_full_access, ROLE, {"name": "R", "inlinePolicies": inline}, config=accept(("role/R", "full"))
    )
    (violation,) = outcome.violations
    assert violation.startswith("Role 'thing' has a policy that could not be read, ")
    assert "its inline policy 2: " in violation


@pytest.mark.parametrize(
    ("kind", "props", "who"),
    [
        (ROLE_ATTACHMENT, {"role": UNKNOWN_STRING_VALUE, "policyArn": IAM_ARN}, "role"),
        (ROLE_EXCLUSIVE, {"roleName": UNKNOWN_STRING_VALUE, "policyArns": [IAM_ARN]}, "role"),
        (ATTACHMENT, {"users": UNKNOWN_STRING_VALUE, "policyArn": IAM_ARN}, "user"),
        (ATTACHMENT, {"groups": [UNKNOWN_STRING_VALUE], "policyArn": IAM_ARN}, "group"),
        (ROLE, {"name": UNKNOWN_STRING_VALUE, "managedPolicyArns": [IAM_ARN]}, "role"),
        (ROLE, {"namePrefix": "R-", "managedPolicyArns": [IAM_ARN]}, "role"),
        (USER_POLICY, {"user": UNKNOWN_STRING_VALUE, "name": "p", "policy": FULL}, "user"),
        (POLICY, {"name": UNKNOWN_STRING_VALUE, "policy": FULL}, "policy"),
    ],
)
def test_a_principal_unknown_at_preview_does_not_hide_the_grant(check_both, kind, props, who):
    named = accept((f"{who}/R", IAM_ARN), (f"{who}/R", "p"))
    blocked, shown = check_both(kind, props, config=named)
    (violation,) = blocked.violations
    assert f"gives {who} (name not known until deployment) full control of IAM" in violation
    assert "state the names in the program" in violation
    assert shown.violations == ()  # what has no name cannot be accepted


def test_an_inline_policy_name_unknown_at_preview_does_not_hide_the_grant(check, unknown):
    for props in (
        {"name": "R", "inlinePolicies": [{"name": unknown, "policy": FULL}]},
        {"name": "R", "inlinePolicies": [{"policy": json.dumps(FULL)}]},
    ):
        (violation,) = check(iam_full_access, ROLE, props).violations
        assert "gives role/R full control" in violation
        assert "by a policy (name not known until deployment)" in violation


@pytest.mark.parametrize(
    ("kind", "props", "path", "known"),
    [
        (ROLE_ATTACHMENT, {"role": "R", "policyArn": UNKNOWN_STRING_VALUE}, "policyArn", 0),
        (ATTACHMENT, {"users": ["U"], "policyArn": UNKNOWN_STRING_VALUE}, "policyArn", 0),
        (ROLE_EXCLUSIVE, {"roleName": "R", "policyArns": UNKNOWN_STRING_VALUE}, "policyArns", 0),
        (ROLE_EXCLUSIVE, {"policyArns": [UNKNOWN_STRING_VALUE, IAM_ARN]}, "policyArns.0", 1),
        (ROLE_POLICY, {"role": "R", "policy": UNKNOWN_STRING_VALUE}, "policy", 0),
        (
            POLICY,
            {"policy": {"Statement": [{"Effect": UNKNOWN_STRING_VALUE}]}},
            "policy.Statement.0.Effect",
            0,
        ),
        (
            ROLE,
            {"managedPolicyArns": UNKNOWN_STRING_VALUE, "inlinePolicies": [{"name": "b", "policy": FULL}]},
            "managedPolicyArns",
            1,
        ),
        (
            ROLE,
            {
                "managedPolicyArns": [IAM_ARN],
                "inlinePolicies": [UNKNOWN_STRING_VALUE, {"policy": UNKNOWN_STRING_VALUE}, {"policy": FULL}],
            },
            "inlinePolicies.0",
            2,
        ),
    ],
)
def test_a_policy_unknown_at_preview_is_left_to_the_engine_after_what_is_known(
    check, kind, props, path, known
):
    outcome = check(iam_full_access, kind, props)
    assert outcome.unknown == path
    assert len(outcome.violations) == known
    assert check(iam_full_access_accepted, kind, props).passed  # it is said once


def test_an_unknown_property_that_does_not_matter_is_not_touched(check, unknown):
    assert check(iam_full_access, ROLE_ATTACHMENT, {"role": unknown, "policyArn": READ_ARN}).passed
    assert check(iam_full_access, POLICY, {"policy": HARMLESS, "arn": unknown, "tags": unknown}).passed
