import json

import pytest
from breakglass_policies.role_trust import (
    ROLE_SESSION_AT_MOST,
    ROLE_TRUST_NO_WILDCARD,
    ROLE_TRUST_NOT_BARE_USER_ARN,
    ROLE_TRUST_REQUIRES_MFA,
    RULES,
)
from hypothesis import given
from hypothesis import strategies as st
from pulumi_policy.proxy import UNKNOWN_NUMBER_VALUE, UNKNOWN_STRING_VALUE

from breakglass import documents

ROLE = "aws:iam/role:Role"
NAME = "BreakGlassRole"
ROOT = "arn:aws:iam::111111111111:root"
USER_ARN = "arn:aws:iam::111111111111:user/BreakglassUser"
PRESENT = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
RECENT = {"NumericLessThanEquals": {"aws:MultiFactorAuthAge": "3600"}}
TRUST_RULES = [ROLE_TRUST_REQUIRES_MFA, ROLE_TRUST_NOT_BARE_USER_ARN, ROLE_TRUST_NO_WILDCARD]
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


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
class TestWhichRole:
    @pytest.mark.parametrize("props", [{"name": "Other"}, {"name": None}, {}, {"name": [NAME]}, {"name": 7}])
    def test_others_are_not_applicable(self, check, rule, props):
        bad = role(allow("*", {}), maxSessionDuration=43200)
        expected = "the role is not a break-glass role"
        assert (
            check(rule, ROLE, {key: bad[key] for key in bad if key != "name"} | props).not_applicable
            == expected
        )
        assert check(rule, "aws:iam/user:User", bad).not_applicable == "the resource is not a role"

    def test_names_are_those_of_the_configuration(self, check, rule):
        bad = role(allow({"AWS": [USER_ARN, "*"]}, {}), maxSessionDuration=43200)
        config = {"roleNames": ["A", "B"]}
        assert check(rule, ROLE, bad | {"name": "b"}, config=config).violations
        assert check(rule, ROLE, bad, config=config).not_applicable
        assert check(rule, ROLE, bad).violations

    def test_a_name_unknown_at_preview_is_left_to_the_engine(self, check, rule, unknown):
        assert check(rule, ROLE, role(allow()) | {"name": unknown}).unknown == "name"

    def test_the_program_s_own_document_passes(self, check, rule):
        own = role_with(json.dumps(OWN)) | {"maxSessionDuration": 3600.0}
        assert check(rule, ROLE, own).passed
        assert check(rule, ROLE, own | {"assumeRolePolicy": OWN}).passed


@pytest.mark.parametrize("rule", TRUST_RULES, ids=lambda rule: rule.name)
class TestTrust:
    def test_unknown_at_preview_is_left_to_the_engine(self, check, rule, unknown):
        assert check(rule, ROLE, role_with(unknown)).unknown == "assumeRolePolicy"
        assert (
            check(rule, ROLE, role_with({"Statement": [unknown]})).unknown == "assumeRolePolicy.Statement.0"
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
        ],
    )
    def test_one_rule_blocks_what_cannot_be_read(self, check, rule, trust):
        outcome = check(rule, ROLE, role_with(trust))
        if rule is ROLE_TRUST_REQUIRES_MFA:
            (violation,) = outcome.violations
            assert violation.startswith("could not read the trust policy of Role 'thing': ")
        else:
            assert outcome.not_applicable

    def test_a_deny_is_no_way_in(self, check, rule):
        deny = allow("*", {}, Effect="Deny")
        assert check(rule, ROLE, role(allow(), deny)).passed


class TestMfa:
    @pytest.mark.parametrize(
        "condition",
        [
            PRESENT | RECENT,
            {
                "bool": {"AWS:multifactorauthpresent": True},
                "numericlessthan": {"aws:multifactorauthage": 14400},
            },
            PRESENT | {"NumericLessThan": {"aws:MultiFactorAuthAge": ["60", "14400"]}},
            {"Bool": {"aws:MultiFactorAuthPresent": ["true"], "aws:SecureTransport": "true"}} | RECENT,
            PRESENT | RECENT | {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
        ],
    )
    def test_recent_mfa_passes(self, check, condition):
        assert check(ROLE_TRUST_REQUIRES_MFA, ROLE, role(allow(condition=condition))).passed

    @pytest.mark.parametrize(
        "condition",
        [
            RECENT,
            {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}} | RECENT,
            {"ForAllValues:Bool": {"aws:MultiFactorAuthPresent": "true"}} | RECENT,
            {"Bool": {"aws:MultiFactorAuthPresent": "false"}} | RECENT,
            {"Bool": {"aws:MultiFactorAuthPresent": ["true", "false"]}} | RECENT,
            {"Bool": {"aws:MultiFactorAuthPresent": []}} | RECENT,
            {"StringEquals": {"aws:MultiFactorAuthPresent": "true"}} | RECENT,
            {"Bool": {"aws:SecureTransport": "true"}} | RECENT,
        ],
    )
    def test_without_mfa_it_blocks(self, check, condition):
        (violation,) = check(ROLE_TRUST_REQUIRES_MFA, ROLE, role(allow(condition=condition))).violations
        assert violation.startswith(
            "Role 'thing': statement 1 of its trust policy lets AWS principals in without"
        )

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
            {"NumericLessThanEqualsIfExists": {"aws:MultiFactorAuthAge": "60"}},
            {"NumericGreaterThan": {"aws:MultiFactorAuthAge": "60"}},
            {"NumericEquals": {"aws:MultiFactorAuthAge": "60"}},
            {"NumericLessThanEquals": {"aws:TokenAge": "60"}},
        ],
    )
    def test_without_a_limit_of_age_it_blocks(self, check, tests):
        (violation,) = check(ROLE_TRUST_REQUIRES_MFA, ROLE, role(allow(condition=PRESENT | tests))).violations
        assert "aws:MultiFactorAuthAge 14400 or less" in violation

    def test_the_limit_is_that_of_the_configuration(self, check):
        config = {"maxMfaAge": 3599.0}
        (violation,) = check(ROLE_TRUST_REQUIRES_MFA, ROLE, role(allow()), config=config).violations
        assert "aws:MultiFactorAuthAge 3599 or less" in violation
        assert check(ROLE_TRUST_REQUIRES_MFA, ROLE, role(allow()), config={"maxMfaAge": 3600.0}).passed

    @pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": [ROOT]}, {"aws": "111111111111"}])
    def test_every_statement_for_aws_principals_is_judged(self, check, principal):
        statements = [allow(), SERVICE, allow(principal, {}, Sid="Open")]
        violations = check(ROLE_TRUST_REQUIRES_MFA, ROLE, role(*statements)).violations
        assert len(violations) == 2
        assert all(": statement 3 (Open) of its trust policy " in violation for violation in violations)

    def test_not_principal_lets_aws_principals_in(self, check):
        assert check(ROLE_TRUST_REQUIRES_MFA, ROLE, role({**but({"AWS": ROOT}), "Condition": {}})).violations

    @pytest.mark.parametrize(
        "principal", [{"Service": "ec2.amazonaws.com"}, {"Federated": "accounts.google.com"}]
    )
    def test_services_have_no_mfa(self, check, principal):
        outcome = check(ROLE_TRUST_REQUIRES_MFA, ROLE, role(allow(principal, {})))
        assert outcome.not_applicable == "no statement of the trust policy lets AWS principals in"


class TestUserArn:
    @pytest.mark.parametrize(
        "name", [USER_ARN, "arn:aws-cn:iam::111111111111:user/a/b", "AIDACKCEVSQ6C2EXAMPLE"]
    )
    def test_a_user_as_principal_blocks(self, check, name):
        for principal in ({"AWS": name}, {"AWS": [ROOT, name]}):
            (violation,) = check(ROLE_TRUST_NOT_BARE_USER_ARN, ROLE, role(allow(principal))).violations
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
        assert check(ROLE_TRUST_NOT_BARE_USER_ARN, ROLE, role(allow(principal))).passed


class TestWildcard:
    @pytest.mark.parametrize(
        "principal",
        ["*", {"AWS": "*"}, {"AWS": [ROOT, "*"]}, {"AWS": "arn:aws:iam::*:root"}, {"Federated": "*"}],
    )
    def test_it_blocks_with_and_without_conditions(self, check, principal):
        for condition in ({}, PRESENT | RECENT):
            (violation,) = check(ROLE_TRUST_NO_WILDCARD, ROLE, role(allow(principal, condition))).violations
            assert " as a principal: one mistake in its conditions opens " in violation

    def test_not_principal_blocks(self, check):
        (violation,) = check(ROLE_TRUST_NO_WILDCARD, ROLE, role(but({"AWS": ROOT}))).violations
        assert " has NotPrincipal, which lets in everybody else: " in violation

    def test_names_pass(self, check):
        assert check(ROLE_TRUST_NO_WILDCARD, ROLE, role(allow({"AWS": [ROOT, USER_ARN]}), SERVICE)).passed


class TestSession:
    @pytest.mark.parametrize("duration", [None, 3600, 3600.0, 14400.0])
    def test_short_passes(self, check, duration):
        assert check(ROLE_SESSION_AT_MOST, ROLE, role(allow(), maxSessionDuration=duration)).passed
        assert check(ROLE_SESSION_AT_MOST, ROLE, role(allow())).passed

    @pytest.mark.parametrize("duration", [14401.0, 43200, float("inf"), float("nan")])
    def test_long_blocks(self, check, duration):
        (violation,) = check(
            ROLE_SESSION_AT_MOST, ROLE, role(allow(), maxSessionDuration=duration)
        ).violations
        assert violation.endswith("Set maxSessionDuration to 14400 or less.")

    @pytest.mark.parametrize("duration", ["3600", True, [3600], {}])
    def test_what_is_no_number_blocks(self, check, duration):
        (violation,) = check(
            ROLE_SESSION_AT_MOST, ROLE, role(allow(), maxSessionDuration=duration)
        ).violations
        assert violation.startswith("could not tell how long sessions of Role 'thing' last")

    def test_the_limit_is_that_of_the_configuration(self, check):
        props = role(allow(), maxSessionDuration=7200.0)
        assert check(ROLE_SESSION_AT_MOST, ROLE, props, config={"maxSeconds": 7200.0}).passed
        assert check(ROLE_SESSION_AT_MOST, ROLE, props, config={"maxSeconds": 3600.0}).violations

    def test_unknown_at_preview_is_left_to_the_engine(self, check):
        props = role(allow(), maxSessionDuration=UNKNOWN_NUMBER_VALUE)
        assert check(ROLE_SESSION_AT_MOST, ROLE, props).unknown == "maxSessionDuration"


WORDS = [UNKNOWN_STRING_VALUE, NAME, ROOT, "*", "AWS", "Allow", "Bool", "aws:MultiFactorAuthPresent", "true"]
TEXTS = st.text() | st.sampled_from(WORDS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ELEMENTS = st.sampled_from(["Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Condition"])
STATEMENTS = st.dictionaries(ELEMENTS, VALUES) | st.builds(allow, VALUES, VALUES)
TRUSTS = VALUES | st.lists(STATEMENTS, max_size=3).map(lambda statements: {"Statement": statements})


@given(st.sampled_from(RULES), TRUSTS, VALUES, st.booleans())
def test_no_role_raises_anything_but_unknown(check, rule, trust, duration, as_text):
    policy = json.dumps(trust) if as_text else trust
    check(rule, ROLE, {"name": NAME, "assumeRolePolicy": policy, "maxSessionDuration": duration})
