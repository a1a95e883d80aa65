"""Who may assume the break-glass role, and for how long."""

import json

import pytest
from breakglass_policies.role import (
    role_session_at_most,
    role_trust_no_wildcard,
    role_trust_not_bare_user_arn,
    role_trust_only_named_users,
    role_trust_requires_mfa,
    role_trust_users_of_hub,
)
from pulumi_policy.proxy import UNKNOWN_NUMBER_VALUE

from breakglass import documents

ROLE = "aws:iam/role:Role"
NAME = "BreakGlassRole"
ROOT = "arn:aws:iam::111111111111:root"
USER_ARN = "arn:aws:iam::111111111111:user/BreakglassUser"
ANN = "arn:aws:iam::111111111111:user/ann"
PRESENT = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
RECENT = {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "3600"}}
TRUST_POLICIES = [
    role_trust_requires_mfa,
    role_trust_only_named_users,
    role_trust_not_bare_user_arn,
    role_trust_no_wildcard,
]
POLICIES = [*TRUST_POLICIES, role_session_at_most]
NAMED = {"ArnEquals": {"aws:PrincipalArn": USER_ARN}}
OWN = documents.role_trust(user_account_id="111111111111", user_names=["BreakglassUser"], mfa_max_age=3600)
SERVICE = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def allow(principal=None, condition=None, **more):
    return {
        "Effect": "Allow",
        "Principal": principal or {"AWS": ROOT},
        "Action": "sts:AssumeRole",
        "Condition": {**PRESENT, **RECENT} if condition is None else condition,
        **more,
    }


def but(principal):
    return {key: value for key, value in allow(NotPrincipal=principal).items() if key != "Principal"}


def role(*statements, **more):
    trust = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"name": NAME, "assumeRolePolicy": json.dumps(trust), **more}


def role_with(trust):
    return {"name": NAME, "assumeRolePolicy": trust}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
class TestWhichRole:
    @pytest.mark.parametrize("props", [{"name": "Other"}, {"name": None}, {}, {"name": [NAME]}, {"name": 7}])
    def test_others_are_not_applicable(self, check, policy, props):
        bad = role(allow("*", {}), maxSessionDuration=43200)
        unnamed = {key: bad[key] for key in bad if key != "name"}
        assert check(policy, ROLE, unnamed | props).not_applicable
        assert check(policy, "aws:iam/user:User", bad).not_applicable

    def test_ours_is_told_by_its_component_or_by_its_name_in_any_case(self, check, policy):
        bad = role(allow({"AWS": [ANN, "*"]}, {}), maxSessionDuration=43200)
        assert check(policy, ROLE, bad | {"name": "EmergencyRole"}, component="BreakGlassRole").violations
        assert check(
            policy, ROLE, bad | {"name": "EmergencyRole"}, component="BreakGlassRelay"
        ).not_applicable
        assert check(policy, ROLE, bad | {"name": "breakglassROLE"}).violations

    def test_a_role_that_trusts_our_user_is_one_too(self, check, policy, unknown):
        bad = role(allow({"AWS": [USER_ARN, "*"]}, {}), maxSessionDuration=43200) | {"name": "Emergency"}
        assert check(policy, ROLE, bad).violations
        assert check(policy, ROLE, bad | {"assumeRolePolicy": unknown}).not_applicable

    def test_a_name_unknown_at_preview_is_left_to_the_engine(self, check, policy, unknown):
        assert check(policy, ROLE, role(allow()) | {"name": unknown}).unknown == "name"

    def test_the_program_s_own_document_passes(self, check, policy):
        own = role_with(json.dumps(OWN)) | {"maxSessionDuration": 3600.0}
        assert check(policy, ROLE, own).passed
        assert check(policy, ROLE, own | {"assumeRolePolicy": OWN}).passed


@pytest.mark.parametrize("policy", TRUST_POLICIES, ids=lambda policy: policy.name)
class TestTrust:
    def test_unknown_at_preview_is_left_to_the_engine(self, check, policy, unknown):
        assert check(policy, ROLE, role_with(unknown)).unknown == "assumeRolePolicy"
        assert (
            check(policy, ROLE, role_with({"Statement": [unknown]})).unknown == "assumeRolePolicy.Statement.0"
        )

    @pytest.mark.parametrize(
        "trust",
        [
            None,
            "",
            "{",
            "[]",
            "7",
            "{}",
            7,
            ["x"],
            '{"Statement": [7]}',
            '{"Statement": {"Effect": "allow"}}',
            '{"Statement": {"Effect": "Allow", "effect": "Deny"}}',
            json.dumps({"Statement": allow("everybody")}),
            json.dumps({"Statement": allow(condition=["x"])}),
        ],
    )
    def test_one_policy_blocks_what_cannot_be_read(self, check, policy, trust):
        outcome = check(policy, ROLE, role_with(trust))
        if policy is role_trust_requires_mfa:
            (violation,) = outcome.violations
            assert violation.startswith("Role 'thing' has a trust policy that could not be read: ")
        else:
            assert outcome.not_applicable

    def test_a_deny_lets_nobody_in(self, check, policy):
        deny = allow("*", {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, Effect="Deny")
        trusted = allow(condition={**PRESENT, **RECENT, **NAMED})
        assert check(policy, ROLE, role(trusted, deny)).passed


class TestMfa:
    @pytest.mark.parametrize(
        "condition",
        [
            PRESENT | RECENT,
            {
                "Bool": {"AWS:multifactorauthpresent": True},
                "NumericLessThan": {"aws:multifactorauthage": 14400},
            },
            PRESENT | {"NumericLessThan": {"aws:MultiFactorAuthAge": ["60", "14400"]}},
            {"Bool": {"aws:MultiFactorAuthPresent": ["true"], "aws:SecureTransport": "true"}} | RECENT,
            PRESENT | RECENT | {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
            # A request without MFA has no age, so the limit alone refuses it.
            RECENT,
            {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}} | RECENT,
            # A request with MFA has an age.
            PRESENT | {"NumericLessThanEqualsIfExists": {"aws:MultiFactorAuthAge": "60"}},
            PRESENT | {"NumericEquals": {"aws:MultiFactorAuthAge": "60"}},
        ],
    )
    def test_recent_mfa_passes(self, check, condition):
        assert check(role_trust_requires_mfa, ROLE, role(allow(condition=condition))).passed
        named = role(allow(condition={**condition, **NAMED}))
        assert check(role_trust_requires_mfa, ROLE, named).passed

    def test_a_denial_without_mfa_counts(self, check):
        denial = allow("*", {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, Effect="Deny")
        trust = role(allow(condition={"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "60"}}), denial)
        assert check(role_trust_requires_mfa, ROLE, trust).passed

    @pytest.mark.parametrize(
        "condition",
        [
            {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
            {"ForAllValues:Bool": {"aws:MultiFactorAuthPresent": "true"}},
            {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
            {"Bool": {"aws:MultiFactorAuthPresent": ["true", "false"]}},
            {"Bool": {"aws:MultiFactorAuthPresent": []}},
            {"bool": {"aws:MultiFactorAuthPresent": "true"}},
            {"Bool": {"aws:SecureTransport": "true"}},
            {},
        ],
    )
    @pytest.mark.parametrize("more", [{}, NAMED])
    def test_without_mfa_it_blocks(self, check, condition, more):
        limit = {"NumericLessThanEqualsIfExists": {"aws:MultiFactorAuthAge": "60"}}
        trust = role(allow(condition=condition | limit | more))
        (violation,) = check(role_trust_requires_mfa, ROLE, trust).violations
        assert violation.startswith("Role 'thing' lets arn:aws:iam::111111111111:user/")
        assert " in without MFA. Add the condition Bool aws:MultiFactorAuthPresent true" in violation
        assert "Statement[0]" in violation

    @pytest.mark.parametrize(
        "tests",
        [
            {},
            {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "14401"}},
            {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": ["60", "99999"]}},
            {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": []}},
            {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "an hour"}},
            {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "nan"}},
            {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": True}},
            {"NumericLessThanEqualsIfExists": {"aws:MultiFactorAuthAge": "99999"}},
            {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "60"}},
            {"NumericLessThanEquals": {"aws:TokenAge": "60"}},
        ],
    )
    def test_without_a_limit_of_age_it_blocks(self, check, tests):
        violations = check(role_trust_requires_mfa, ROLE, role(allow(condition=PRESENT | tests))).violations
        assert len(violations) == 1
        assert "aws:MultiFactorAuthAge 14400 or less" in violations[0]

    def test_the_limit_is_that_of_the_configuration(self, check):
        config = {"maxMfaAge": 3599.0}
        (violation,) = check(role_trust_requires_mfa, ROLE, role(allow()), config=config).violations
        assert "aws:MultiFactorAuthAge 3599 or less" in violation
        assert check(role_trust_requires_mfa, ROLE, role(allow()), config={"maxMfaAge": 3600.0}).passed

    @pytest.mark.parametrize(
        "principal",
        ["*", {"AWS": "*"}, {"AWS": [ROOT]}, {"AWS": "111111111111"}, {"AWS": ROOT[:-4] + "user/a"}],
    )
    def test_every_statement_for_aws_principals_is_judged(self, check, principal):
        statements = [allow(), SERVICE, allow(principal, {}, Sid="Open")]
        violations = check(role_trust_requires_mfa, ROLE, role(*statements)).violations
        assert len(violations) == 2
        assert all("Statement[2] (Open)" in violation for violation in violations)

    def test_not_principal_lets_aws_principals_in(self, check):
        assert check(role_trust_requires_mfa, ROLE, role({**but({"AWS": ROOT}), "Condition": {}})).violations

    def test_a_trust_policy_of_another_partition_is_judged(self, check):
        principal = {"AWS": "arn:aws-cn:iam::111111111111:root"}
        assert check(role_trust_requires_mfa, ROLE, role(allow(principal, {}))).violations

    @pytest.mark.parametrize(
        "principal", [{"Service": "ec2.amazonaws.com"}, {"Federated": "accounts.google.com"}]
    )
    def test_services_have_no_mfa(self, check, principal):
        assert check(role_trust_requires_mfa, ROLE, role(allow(principal, {}))).not_applicable


MFA = PRESENT | RECENT
OTHER_USER = "arn:aws:iam::222222222222:user/BreakglassUser"


class TestOnlyNamedUsers:
    @pytest.mark.parametrize(
        "named",
        [
            NAMED,
            {"ArnEquals": {"aws:PrincipalArn": [USER_ARN, USER_ARN + "2"]}},
            {"StringEquals": {"aws:PrincipalArn": USER_ARN}},
            {"ArnLike": {"aws:PrincipalArn": USER_ARN}},
            {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:user/team/Ann"}},
            NAMED | {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        ],
    )
    def test_users_named_one_by_one_pass(self, check, named):
        for principal in ({"AWS": ROOT}, {"AWS": "111111111111"}):
            trust = role(allow(principal, MFA | named))
            assert check(role_trust_only_named_users, ROLE, trust).passed

    @pytest.mark.parametrize(
        ("principal", "condition", "other"),
        [
            ({"AWS": ROOT}, MFA, "arn:aws:iam::111111111111:user/any"),
            ({"AWS": ROOT}, MFA | {"ArnLike": {"aws:PrincipalArn": USER_ARN[:-4] + "*"}}, "user/Breakglassx"),
            (
                {"AWS": ROOT},
                MFA | {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:*"}},
                "user/any",
            ),
            (
                {"AWS": ROOT},
                MFA | {"StringEquals": {"aws:username": "BreakglassUser"}},
                "user/BreakglassUser",
            ),
            ({"AWS": ROOT}, MFA | {"StringLike": {"aws:username": "Break*"}}, "user/Breakx"),
            ({"AWS": ROOT}, MFA | {"StringEquals": {"aws:PrincipalTag/team": "sre"}}, "user/any"),
            ({"AWS": ROOT}, MFA | {"ArnNotEquals": {"aws:PrincipalArn": USER_ARN}}, "user/any"),
            ({"AWS": ROOT}, MFA | {"ArnEqualsIfExists": {"aws:PrincipalTag/x": USER_ARN}}, "user/any"),
            ("*", MFA | {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, "999999999999:user/any"),
            (
                "*",
                MFA | {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/BreakglassUser"}},
                "999999999999:user/BreakglassUser",
            ),
            (
                {"AWS": [ROOT, "222222222222"]},
                MFA | {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/a"}},
                ":user/a",
            ),
            ({"AWS": "arn:aws:iam::111111111111:role/ci"}, MFA, "role/ci"),
            ({"AWS": "arn:aws:iam::111111111111:role/ci"}, {}, "role/ci"),
        ],
    )
    def test_anyone_else_blocks(self, check, principal, condition, other):
        violations = check(role_trust_only_named_users, ROLE, role(allow(principal, condition))).violations
        assert len(violations) == 1
        assert violations[0].startswith("Role 'thing' lets arn:aws:iam::")
        assert f"{other} in, which its trust policy does not name" in violations[0]

    def test_a_second_open_statement_blocks(self, check):
        trust = role(allow(condition=MFA | NAMED), allow({"AWS": "222222222222"}, MFA))
        (violation,) = check(role_trust_only_named_users, ROLE, trust).violations
        assert "lets arn:aws:iam::222222222222:user/any in" in violation

    def test_named_users_of_two_accounts_block(self, check):
        both = {"ArnEquals": {"aws:PrincipalArn": [USER_ARN, OTHER_USER]}}
        trust = role(allow({"AWS": [ROOT, "222222222222"]}, MFA | both))
        (violation,) = check(role_trust_only_named_users, ROLE, trust).violations
        assert "users of the accounts 111111111111 and 222222222222" in violation

    def test_a_named_user_whom_the_principal_leaves_out_is_not_let_in(self, check):
        both = {"ArnEquals": {"aws:PrincipalArn": [USER_ARN, OTHER_USER]}}
        assert check(role_trust_only_named_users, ROLE, role(allow({"AWS": ROOT}, MFA | both))).passed

    @pytest.mark.parametrize(
        "principal",
        [{"Service": "ec2.amazonaws.com"}, {"Federated": "arn:aws:iam::111111111111:saml-provider/x"}],
    )
    def test_a_principal_that_is_not_a_user_blocks(self, check, principal):
        trust = role(allow(condition=MFA | NAMED), allow(principal, {}))
        (violation,) = check(role_trust_only_named_users, ROLE, trust).violations
        assert "statement 2 of its trust policy" in violation

    @pytest.mark.parametrize("session", ["assumed-role/admin/ann", "federated-user/bob"])
    def test_a_session_as_principal_blocks(self, check, session):
        principal = {"AWS": f"arn:aws:sts::111111111111:{session}"}
        for condition in (MFA, {}, MFA | {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/a/admin"}}):
            trust = role(allow(condition=MFA | NAMED), allow(principal, condition))
            violations = check(role_trust_only_named_users, ROLE, trust).violations
            assert f"{session} in: statement 2 of its trust policy" in violations[-1]

    @pytest.mark.parametrize(
        "condition",
        [
            {"StringLike": {"aws:userid": "AIDA*"}},
            {"StringEquals": {"aws:userid": "${aws:userid}"}},
            {"ArnEquals": {"aws:PrincipalArn": USER_ARN[:-4] + "${sts:RoleSessionName}"}},
            {"StringEquals": {"aws:username": "${aws:PrincipalTag/name}"}},
        ],
    )
    def test_what_the_caller_controls_names_nobody(self, check, condition):
        assert check(role_trust_only_named_users, ROLE, role(allow(condition=MFA | condition))).violations

    @pytest.mark.parametrize(
        "exempted",
        [
            {"ArnNotLike": {"aws:PrincipalArn": USER_ARN.replace("Break", "ops/*")}},
            {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/ops*"}},
            {"StringNotLike": {"aws:username": "b*"}},
        ],
    )
    def test_those_whom_a_deny_exempts_block(self, check, exempted):
        trust = role(allow(condition=MFA), allow("*", exempted, Effect="Deny"))
        assert check(role_trust_only_named_users, ROLE, trust).violations

    def test_a_deny_of_all_but_the_named_passes(self, check):
        others = {"ArnNotEquals": {"aws:PrincipalArn": USER_ARN}}
        trust = role(allow(condition=MFA), allow("*", others, Effect="Deny"))
        assert check(role_trust_only_named_users, ROLE, trust).passed


class TestNobody:
    @pytest.mark.parametrize(
        "statements",
        [
            [],
            [allow("*", {}, Effect="Deny")],
            [allow(condition=MFA | NAMED), allow("*", {}, Effect="Deny")],
            [allow(condition=MFA | NAMED, Action="sts:TagSession")],
            [allow(condition=NAMED | {"Bool": {"aws:MultiFactorAuthPresent": "false"}})],
        ],
    )
    def test_a_role_that_no_user_can_use_blocks(self, check, statements):
        (violation,) = check(role_trust_only_named_users, ROLE, role(*statements)).violations
        assert " lets nobody in who signed in with MFA" in violation


class TestUsersOfHub:
    """Our users are those of one account, and the role must not trust an attacker's."""

    USER = ("aws:iam/user:User", {"name": "BreakglassUser"})
    TARGET = "aws:cloudwatch/eventTarget:EventTarget"
    HUB = (TARGET, {"arn": "arn:aws:events:us-east-1:111111111111:event-bus/breakglass"})
    GOOD = (ROLE, role(allow(condition=MFA | NAMED)))
    BAD = (ROLE, role(allow({"AWS": "222222222222"}, MFA | {"ArnEquals": {"aws:PrincipalArn": OTHER_USER}})))

    @pytest.mark.parametrize(("others", "account"), [([USER], "111111111111"), ([HUB], "222222222222")])
    def test_only_users_of_the_hub_s_account_pass(self, check_stack, others, account):
        assert check_stack(role_trust_users_of_hub, [self.GOOD, *others], account=account).passed
        (violation,) = check_stack(role_trust_users_of_hub, [self.BAD, *others], account=account).violations
        assert f"lets {OTHER_USER} in, but the break-glass users are in 111111111111. " in violation

    def test_our_users_tell_more_than_the_hub(self, check_stack):
        stack = [self.GOOD, self.USER, self.HUB]
        assert check_stack(role_trust_users_of_hub, stack, account="222222222222").violations

    def test_where_nothing_tells_the_account_it_is_not_applicable(self, check_stack, unknown):
        for others in ([], [self.USER], [(self.TARGET, {"arn": unknown})], [("x", {})]):
            assert check_stack(role_trust_users_of_hub, [self.BAD, *others]).not_applicable
        ann = {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:user/ann"}}
        other_role = (ROLE, role(allow({"AWS": "222222222222"}, MFA | ann)) | {"name": "Other"})
        assert check_stack(role_trust_users_of_hub, [other_role, self.HUB]).not_applicable

    def test_a_trust_policy_unknown_at_preview_is_left_to_the_engine(self, check_stack, unknown):
        stack = [(ROLE, role_with(unknown)), self.BAD, self.HUB]
        outcome = check_stack(role_trust_users_of_hub, stack)
        assert (outcome.unknown, len(outcome.violations)) == ("assumeRolePolicy", 1)


class TestOtherConditions:
    """A condition on neither identity nor MFA is met, by choice or by chance, and excuses nothing."""

    ALLOWS = (
        {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
        {"NumericLessThan": {"sts:DurationSeconds": "3600"}},
        {"NumericGreaterThan": {"aws:EpochTime": "1"}},
        {"Null": {"aws:PrincipalTag/x": "false"}},
        {"Null": {"aws:SourceIp": "false"}},
        {"StringEquals": {"sts:ExternalId": "a"}, "StringLike": {"sts:ExternalId": "*b"}},
    )
    DENIES = (
        {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
        {"StringNotEquals": {"aws:PrincipalTag/x": "y"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}},
    )
    POLICIES = (role_trust_requires_mfa, role_trust_only_named_users)

    @pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
    @pytest.mark.parametrize("condition", ALLOWS)
    def test_of_an_allow(self, check, policy, condition):
        assert check(policy, ROLE, role(allow(condition=condition))).violations
        assert check(policy, ROLE, role(allow(condition=MFA | NAMED | condition))).passed

    @pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
    @pytest.mark.parametrize("condition", DENIES)
    def test_of_a_deny(self, check, policy, condition):
        deny = allow("*", condition, Effect="Deny")
        assert check(policy, ROLE, role(allow(condition={}), deny)).violations
        assert check(policy, ROLE, role(allow(condition=MFA | NAMED), deny)).passed

    def test_of_two_statements_with_the_same_key(self, check):
        named, other = ({"StringEquals": {"sts:ExternalId": text}} for text in ("a", "b"))
        trust = role(allow(condition=MFA | NAMED | named), allow(condition=MFA | other))
        assert check(role_trust_only_named_users, ROLE, trust).violations


class TestUserArn:
    @pytest.mark.parametrize(
        "name", [USER_ARN, "arn:aws-cn:iam::111111111111:user/a/b", "AIDACKCEVSQ6C2EXAMPLE"]
    )
    def test_a_user_as_principal_blocks(self, check, name):
        for principal in ({"AWS": name}, {"AWS": [ROOT, name]}):
            (violation,) = check(role_trust_not_bare_user_arn, ROLE, role(allow(principal))).violations
            assert f"names {name} as a principal" in violation

    @pytest.mark.parametrize(
        "principal",
        [
            {"AWS": ROOT},
            {"AWS": "111111111111"},
            {"AWS": "*"},
            "*",
            {"AWS": "arn:aws:iam::111111111111:role/R"},
        ],
    )
    def test_others_pass(self, check, principal):
        assert check(role_trust_not_bare_user_arn, ROLE, role(allow(principal))).passed


class TestWildcard:
    @pytest.mark.parametrize(
        "principal",
        ["*", {"AWS": "*"}, {"AWS": [ROOT, "*"]}, {"AWS": "arn:aws:iam::*:root"}, {"Federated": "*"}],
    )
    def test_it_blocks_with_and_without_conditions(self, check, principal):
        for condition in ({}, PRESENT | RECENT):
            (violation,) = check(role_trust_no_wildcard, ROLE, role(allow(principal, condition))).violations
            assert "One mistake in the conditions opens " in violation

    def test_not_principal_blocks(self, check):
        (violation,) = check(role_trust_no_wildcard, ROLE, role(but({"AWS": ROOT}))).violations
        assert " has NotPrincipal, which lets everybody else in: " in violation

    def test_names_pass(self, check):
        assert check(role_trust_no_wildcard, ROLE, role(allow({"AWS": [ROOT, USER_ARN]}), SERVICE)).passed


class TestSession:
    @pytest.mark.parametrize("duration", [None, 3600, 3600.0, 14400.0])
    def test_short_passes(self, check, duration):
        assert check(role_session_at_most, ROLE, role(allow(), maxSessionDuration=duration)).passed
        assert check(role_session_at_most, ROLE, role(allow())).passed

    @pytest.mark.parametrize("duration", [14401.0, 43200, float("inf"), float("nan")])
    def test_long_blocks(self, check, duration):
        (violation,) = check(
            role_session_at_most, ROLE, role(allow(), maxSessionDuration=duration)
        ).violations
        assert violation.endswith("Set maxSessionDuration to 14400 or less.")

    @pytest.mark.parametrize("duration", ["3600", True, [3600], {}])
    def test_what_is_no_number_blocks(self, check, duration):
        (violation,) = check(
            role_session_at_most, ROLE, role(allow(), maxSessionDuration=duration)
        ).violations
        assert violation.startswith("Role 'thing' has a maxSessionDuration that is not a number")

    def test_the_limit_is_that_of_the_configuration(self, check):
        props = role(allow(), maxSessionDuration=7200.0)
        assert check(role_session_at_most, ROLE, props, config={"maxSeconds": 7200.0}).passed
        assert check(role_session_at_most, ROLE, props, config={"maxSeconds": 3600.0}).violations

    def test_unknown_at_preview_is_left_to_the_engine(self, check):
        props = role(allow(), maxSessionDuration=UNKNOWN_NUMBER_VALUE)
        assert check(role_session_at_most, ROLE, props).unknown == "maxSessionDuration"
