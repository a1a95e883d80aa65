"""The break-glass user: no credentials in the program, nothing without MFA."""

import json

import pytest
from breakglass_policies.user import (
    CREDENTIALS,
    EXEMPT,
    LOGIN_PROFILE,
    user_no_access_key,
    user_no_login_profile_in_state,
    user_requires_mfa,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from breakglass import documents

USER = "aws:iam/user:User"
POLICY = "aws:iam/policy:Policy"
USER_POLICY = "aws:iam/userPolicy:UserPolicy"
GROUP_POLICY = "aws:iam/groupPolicy:GroupPolicy"
USER_ATTACHMENT = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
GROUP_ATTACHMENT = "aws:iam/groupPolicyAttachment:GroupPolicyAttachment"
ATTACHMENT = "aws:iam/policyAttachment:PolicyAttachment"
EXCLUSIVE = "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive"
USER_GROUPS = "aws:iam/userGroupMembership:UserGroupMembership"
GROUP_USERS = "aws:iam/groupMembership:GroupMembership"

NAME = "BreakglassUser"
ARN = "arn:aws:iam::111111111111:policy/RequireMfa"
READ_ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TRUST_OF_MALLORY = documents.role_trust(
    user_account_id="111111111111", user_names=["mallory"], mfa_max_age=3600
)
CREDENTIAL_CASES = [
    *((user_no_access_key, kind, key) for kind, key in CREDENTIALS.items()),
    (user_no_login_profile_in_state, LOGIN_PROFILE, "user"),
]


@pytest.mark.parametrize(("policy", "kind", "key"), CREDENTIAL_CASES)
class TestCredentials:
    @pytest.mark.parametrize("more", [{}, {"pgpKey": "keybase:someone"}, {"status": "Inactive"}])
    @pytest.mark.parametrize("name", [NAME, "breakglassUSER"])
    def test_of_a_break_glass_user_block(self, check_stack, policy, kind, key, more, name):
        (violation,) = check_stack(policy, [(kind, {key: name, **more})]).violations
        assert violation.startswith(f"{kind.rpartition(':')[2]} 'thing-0' ")
        assert "of a break-glass user" in violation
        assert "Remove " in violation

    def test_of_our_user_block_whatever_its_name(self, check_stack, policy, kind, key, unknown):
        ours = (USER, {"name": "emergency"})
        by_name = check_stack(policy, [ours, (kind, {key: "Emergency"})], components={0: "BreakGlassUser"})
        by_source = check_stack(
            policy,
            [ours, (kind, {key: unknown})],
            components={0: "BreakGlassUser"},
            made_of={(1, key): 0},
        )
        assert len(by_name.violations) == len(by_source.violations) == 1

    def test_of_a_user_whom_the_role_trusts_block(self, check_stack, policy, kind, key, unknown):
        for trust in (TRUST_OF_MALLORY, json.dumps(TRUST_OF_MALLORY)):
            stack = [("aws:iam/role:Role", {"name": "BreakGlassRole", "assumeRolePolicy": trust})]
            assert len(check_stack(policy, [*stack, (kind, {key: "Mallory"})]).violations) == 1
            by_source = [*stack, (USER, {"name": "mallory"}), (kind, {key: unknown})]
            assert len(check_stack(policy, by_source, made_of={(2, key): 1}).violations) == 1
        stack = [("aws:iam/role:Role", {"name": "Other", "assumeRolePolicy": TRUST_OF_MALLORY})]
        assert check_stack(policy, [*stack, (kind, {key: "mallory"})]).passed
        stack = [("aws:iam/role:Role", {"name": "BreakGlassRole", "assumeRolePolicy": unknown})]
        assert check_stack(policy, [*stack, (kind, {key: "mallory"})]).passed

    def test_of_others_pass(self, check_stack, policy, kind, key, unknown):
        for user in ("Other", "", None, 7, [NAME]):
            assert check_stack(policy, [(kind, {key: user})]).passed
        assert check_stack(policy, [(kind, {})]).passed
        other = [(USER, {"name": "Other"}), (kind, {key: unknown})]
        assert check_stack(policy, other, made_of={(1, key): 0}).passed

    def test_a_stack_without_credentials_is_not_applicable(self, check_stack, policy, kind, key):
        assert check_stack(policy, [(USER, {"name": NAME})]).not_applicable

    def test_a_user_unknown_at_preview_is_left_to_the_engine_after_what_is_known(
        self, check_stack, policy, kind, key, unknown
    ):
        outcome = check_stack(policy, [(kind, {key: unknown}), (kind, {key: NAME})])
        assert outcome.unknown == key
        assert len(outcome.violations) == 1


def deny(condition=None, **more):
    statement = {
        "Effect": "Deny",
        "NotAction": ["iam:EnableMFADevice"],
        "Resource": "*",
        "Condition": condition or {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    }
    return {key: value for key, value in {**statement, **more}.items() if value is not None}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


DENIES = document(deny())
HARMLESS = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
THE_USER = (USER, {"name": NAME})


def inline(policy):
    return [THE_USER, (USER_POLICY, {"user": NAME, "policy": policy})]


WAYS = {
    "inline": inline(DENIES),
    "object": inline(json.loads(DENIES)),
    "attached": [
        (USER_ATTACHMENT, {"user": NAME, "policyArn": ARN}),
        (POLICY, {"name": "RequireMfa", "path": "/", "policy": DENIES, "arn": UNKNOWN_STRING_VALUE}),
    ],
    "no path": [
        (USER_ATTACHMENT, {"user": NAME, "policyArn": ARN}),
        (POLICY, {"name": "RequireMfa", "policy": DENIES}),
    ],
    "path": [
        (USER_ATTACHMENT, {"user": NAME, "policyArn": ARN.replace("policy/", "policy/a/b/")}),
        (POLICY, {"name": "RequireMfa", "path": "/a/b/", "policy": DENIES}),
    ],
    "one attachment of many": [
        (ATTACHMENT, {"users": ["Other", NAME], "policyArn": ARN}),
        (POLICY, {"name": "RequireMfa", "policy": DENIES}),
    ],
    "exclusive": [
        (EXCLUSIVE, {"userName": NAME, "policyArns": [READ_ARN, ARN]}),
        (POLICY, {"name": "RequireMfa", "policy": DENIES}),
    ],
    "group policy": [
        (USER_GROUPS, {"user": NAME, "groups": ["other", "emergency"]}),
        (GROUP_POLICY, {"group": "emergency", "policy": DENIES}),
    ],
    "attached to a group": [
        (GROUP_USERS, {"group": "emergency", "users": [NAME], "name": "x"}),
        (GROUP_ATTACHMENT, {"group": "emergency", "policyArn": ARN}),
        (POLICY, {"name": "RequireMfa", "policy": DENIES}),
    ],
}
MISSING = {
    "nothing": [],
    "not attached": [(POLICY, {"name": "RequireMfa", "policy": DENIES})],
    "attached to another": [
        (USER_ATTACHMENT, {"user": "Other", "policyArn": ARN}),
        (POLICY, {"name": "RequireMfa", "policy": DENIES}),
    ],
    "inline of another": [(USER_POLICY, {"user": "Other", "policy": DENIES})],
    "policy of another program": [(USER_ATTACHMENT, {"user": NAME, "policyArn": ARN})],
    "another path": [
        (USER_ATTACHMENT, {"user": NAME, "policyArn": ARN}),
        (POLICY, {"name": "RequireMfa", "path": "/a/", "policy": DENIES}),
    ],
    "group without the user": [
        (USER_GROUPS, {"user": "Other", "groups": ["emergency"]}),
        (GROUP_POLICY, {"group": "emergency", "policy": DENIES}),
    ],
    "another group": [
        (USER_GROUPS, {"user": NAME, "groups": ["other"]}),
        (GROUP_POLICY, {"group": "emergency", "policy": DENIES}),
    ],
    "group of the user's name": [(GROUP_POLICY, {"group": NAME, "policy": DENIES})],
    "harmless": [(USER_POLICY, {"user": NAME, "policy": HARMLESS})],
    "attachment without ARN": [(USER_ATTACHMENT, {"user": NAME})],
}


class TestMfa:
    @pytest.mark.parametrize("resources", WAYS.values(), ids=WAYS.keys())
    def test_a_denial_counts_however_it_is_attached(self, check_stack, resources):
        assert check_stack(user_requires_mfa, [THE_USER, *resources]).passed
        assert check_stack(user_requires_mfa, [*reversed(resources), THE_USER]).passed

    @pytest.mark.parametrize("resources", MISSING.values(), ids=MISSING.keys())
    def test_without_a_denial_the_user_blocks(self, check_stack, resources):
        (violation,) = check_stack(user_requires_mfa, [THE_USER, *resources]).violations
        assert violation.startswith("User 'thing-0' may do something without MFA: no policy of this stack ")
        assert "BoolIfExists" in violation

    @pytest.mark.parametrize(
        "statement",
        [
            deny(),
            deny(NotAction=sorted(EXEMPT)),
            deny(NotAction="IAM:EnableMFADevice"),
            deny(NotAction=None, Action="*"),
            deny(NotAction=None, Action=["s3:*", "*"]),
            deny(Resource=["*"]),
            deny({"BoolIfExists": {"aws:MultiFactorAuthPresent": False}}),
            deny({"BoolIfExists": {"aws:MultiFactorAuthPresent": ["false"]}}),
            deny({"BoolIfExists": {"AWS:multifactorauthpresent": "False"}}),
        ],
    )
    def test_what_denies_everything(self, check_stack, statement):
        assert check_stack(user_requires_mfa, inline(document(statement))).passed
        both = document(json.loads(HARMLESS)["Statement"][0], statement)
        assert check_stack(user_requires_mfa, inline(both)).passed

    @pytest.mark.parametrize(
        "statement",
        [
            deny(Effect="Allow"),
            deny({"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
            deny({"Null": {"aws:MultiFactorAuthPresent": "true"}}),
            deny({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}),
            deny({"BoolIfExists": {"aws:MultiFactorAuthPresent": ["false", "true"]}}),
            deny({"BoolIfExists": {"aws:MultiFactorAuthPresent": []}}),
            deny({"BoolIfExists": {"aws:MultiFactorAuthAge": "false"}}),
            deny({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false", "aws:ViaAWSService": "false"}}),
            deny(
                {
                    "BoolIfExists": {"aws:MultiFactorAuthPresent": "false"},
                    "IpAddress": {"aws:SourceIp": "192.0.2.0/24"},
                }
            ),
            deny({"BoolIfExists": "aws:MultiFactorAuthPresent"}),
            deny(["BoolIfExists"]),
            deny(NotAction=["iam:EnableMFADevice", "sts:AssumeRole"]),
            deny(NotAction="iam:*"),
            deny(NotAction=["iam:EnableMFADevice", 7]),
            deny(NotAction=[]),
            deny(NotAction=None),
            deny(NotAction=None, Action=["iam:*", "sts:*"]),
            deny(Resource="arn:aws:s3:::x"),
            deny(Resource=None, NotResource="arn:aws:s3:::x"),
            deny(Resource=None),
        ],
    )
    def test_what_leaves_something_allowed(self, check_stack, statement):
        assert len(check_stack(user_requires_mfa, inline(document(statement))).violations) == 1

    @pytest.mark.parametrize("policy", [None, "", "x", "[]", "{}", '{"Statement": [7]}', 7, ["x"]])
    def test_what_cannot_be_read_denies_nothing(self, check_stack, policy):
        assert len(check_stack(user_requires_mfa, inline(policy)).violations) == 1

    @pytest.mark.parametrize("resources", [[], [(USER, {"name": "Other"})], [(USER, {})]])
    def test_without_a_break_glass_user_it_is_not_applicable(self, check_stack, resources):
        assert check_stack(user_requires_mfa, resources).not_applicable

    def test_each_user_is_judged_by_itself(self, check_stack):
        resources = [
            (USER, {"name": "Alice"}),
            (USER_POLICY, {"user": "Alice", "policy": DENIES}),
            (USER, {"name": "Bob"}),
            (USER, {"name": "Other"}),
        ]
        ours = {0: "BreakGlassUser", 2: "BreakGlassUser"}
        (violation,) = check_stack(user_requires_mfa, resources, components=ours).violations
        assert "User 'thing-2'" in violation

    def test_two_statements_deny_together(self, check_stack):
        absent = deny({"Null": {"aws:MultiFactorAuthPresent": "true"}})
        false = deny({"Bool": {"aws:MultiFactorAuthPresent": "false"}})
        assert check_stack(user_requires_mfa, inline(document(absent, false))).passed

    @pytest.mark.parametrize(
        ("resources", "path"),
        [
            ([(USER, {"name": UNKNOWN_STRING_VALUE})], "name"),
            ([THE_USER, (USER_ATTACHMENT, {"user": NAME, "policyArn": UNKNOWN_STRING_VALUE})], "policyArn"),
            ([THE_USER, (USER_POLICY, {"user": UNKNOWN_STRING_VALUE, "policy": DENIES})], "user"),
            (inline(UNKNOWN_STRING_VALUE), "policy"),
        ],
    )
    def test_what_is_unknown_and_decides_is_left_to_the_engine(self, check_stack, resources, path):
        outcome = check_stack(user_requires_mfa, resources)
        assert outcome.unknown == path
        assert not outcome.violations
        if resources[0] == THE_USER:
            assert check_stack(user_requires_mfa, [*resources, *inline(DENIES)[1:]]).passed

    @pytest.mark.parametrize("enrolment_open", [True, False])
    def test_the_program_s_own_document_passes(self, check_stack, enrolment_open):
        own = json.dumps(documents.require_mfa(enrolment_open=enrolment_open))
        assert check_stack(user_requires_mfa, inline(own)).passed


def test_a_user_whom_the_role_trusts_needs_mfa(check_stack):
    role = ("aws:iam/role:Role", {"name": "BreakGlassRole", "assumeRolePolicy": TRUST_OF_MALLORY})
    assert check_stack(user_requires_mfa, [(USER, {"name": "mallory"})]).not_applicable
    assert check_stack(user_requires_mfa, [(USER, {"name": "mallory"}), role]).violations
