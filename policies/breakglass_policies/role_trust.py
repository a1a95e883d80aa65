"""Who may assume the break-glass role, and for how long.

Only statements that let AWS principals in are judged: services and federated principals have no MFA in AWS.
"""

import re
from collections.abc import Iterator
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)

from .allowances import Allowance, parse_allowances
from .arns import has_wildcard
from .documents import Unreadable
from .framework import CIS_MFA, EMERGENCY_ACCESS, PREPARED_ACCESS
from .plain import plain, title

ROLE = "aws:iam/role:Role"

DEFAULT_ROLE_NAMES = ["BreakGlassRole"]
DEFAULT_MAX_MFA_AGE = 14400
DEFAULT_MAX_SESSION = 14400

# A user by ARN, or by the unique id that IAM makes of it.
_USER = re.compile(r"arn:[^:]+:iam::[0-9]*:user/.*|AIDA[A-Z0-9]+", re.IGNORECASE | re.DOTALL)
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_AT_MOST = frozenset({"numericlessthan", "numericlessthanequals"})


def check_mfa(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report each statement of the trust policy that lets AWS principals in without a recent MFA sign-in.

    Raises:
        UnknownValueError: name or trust policy is not known until deployment.
    """
    what = _break_glass_role(args)
    trust = _trust(args)
    if isinstance(trust, Unreadable):
        return report(
            f"could not read the trust policy of {what}: {trust.reason}, so nothing shows that it asks for "
            "MFA. Write it as a JSON object with one or more objects as Statement.",
            args.urn,
        )
    statements = [statement for statement in trust if _lets_aws_in(statement)]
    if not statements:
        return args.not_applicable("no statement of the trust policy lets AWS principals in")
    max_age = args.get_config().get("maxMfaAge", DEFAULT_MAX_MFA_AGE)
    for statement in statements:
        for gap in _mfa_gaps(statement, max_age):
            report(f"{what}: {statement.where} of its trust policy {gap}", args.urn)
    return None


def _mfa_gaps(statement: Allowance, max_age: float) -> Iterator[str]:
    if not any(
        operator == "bool" and key == "aws:multifactorauthpresent" and _are(values, "true")
        for operator, key, values in statement.conditions
    ):
        yield (
            "lets AWS principals in without MFA. Add the condition Bool aws:MultiFactorAuthPresent true "
            "(BoolIfExists also matches requests that say nothing of MFA, as those with an access key)."
        )
    if not any(
        operator in _AT_MOST and key == "aws:multifactorauthage" and _are_at_most(values, max_age)
        for operator, key, values in statement.conditions
    ):
        yield (
            "does not limit how long ago MFA was used. Add the condition NumericLessThanEquals "
            f"aws:MultiFactorAuthAge {max_age:.0f} or less."
        )


def _are(values: tuple[str, ...], wanted: str) -> bool:
    return bool(values) and all(value.lower() == wanted for value in values)


def _are_at_most(values: tuple[str, ...], seconds: float) -> bool:
    """Return whether all of the values, of which any may match, are numbers up to `seconds`."""
    return bool(values) and all(_SECONDS.fullmatch(value) and float(value) <= seconds for value in values)


def check_user_arn(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report each user that the trust policy names as a principal.

    Raises:
        UnknownValueError: name or trust policy is not known until deployment.
    """
    what = _break_glass_role(args)
    for statement in _readable_trust(args):
        for principal in statement.principals:
            if principal.kind == "aws" and _USER.fullmatch(principal.name):
                report(
                    f"{what}: {statement.where} of its trust policy names {principal.name} as a principal. "
                    "IAM stores a user's unique id, so nobody gets in once the user was deleted and created "
                    "again. Name the account (arn:aws:iam::<account>:root), and the user under ArnEquals "
                    "aws:PrincipalArn.",
                    args.urn,
                )


def check_wildcard(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report each statement of the trust policy that lets in more than it names, with or without conditions.

    Raises:
        UnknownValueError: name or trust policy is not known until deployment.
    """
    what = _break_glass_role(args)
    for statement in _readable_trust(args):
        wildcards = [principal.name for principal in statement.principals if has_wildcard(principal.name)]
        if statement.not_principal:
            named = "NotPrincipal, which lets in everybody else"
        elif wildcards:
            named = f"{', '.join(dict.fromkeys(wildcards))} as a principal"
        else:
            continue
        report(
            f"{what}: {statement.where} of its trust policy has {named}: one mistake in its conditions "
            "opens the role to every AWS account. Name the users' account as the principal.",
            args.urn,
        )


def check_session(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a role whose sessions may last longer than the configuration allows.

    Raises:
        UnknownValueError: name or duration is not known until deployment.
    """
    what = _break_glass_role(args)
    limit = args.get_config().get("maxSeconds", DEFAULT_MAX_SESSION)
    duration = plain(args.props.get("maxSessionDuration"))
    if duration is None:
        return  # IAM's default: an hour, the shortest there is
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        report(
            f"could not tell how long sessions of {what} last: write maxSessionDuration as a number.",
            args.urn,
        )
    elif not duration <= limit:
        report(
            f"sessions of {what} last up to {duration:.0f} seconds; they must not outlive the emergency. "
            f"Set maxSessionDuration to {limit:.0f} or less.",
            args.urn,
        )


def _break_glass_role(args: ResourceValidationArgs) -> str:
    """Return what messages call the break-glass role; anything else is not applicable."""
    if args.resource_type != ROLE:
        args.not_applicable("the resource is not a role")
    names = args.get_config().get("roleNames", DEFAULT_ROLE_NAMES)
    name = plain(args.props.get("name"))
    if not isinstance(name, str) or name.lower() not in {known.lower() for known in names}:
        args.not_applicable("the role is not a break-glass role")
    return title(ROLE, args.name)


def _trust(args: ResourceValidationArgs) -> list[Allowance] | Unreadable:
    return parse_allowances(plain(args.props.get("assumeRolePolicy")))


def _readable_trust(args: ResourceValidationArgs) -> list[Allowance]:
    trust = _trust(args)
    if isinstance(trust, Unreadable):
        args.not_applicable("the trust policy cannot be read; role-trust-requires-mfa blocks it")
        return []
    return trust


def _lets_aws_in(statement: Allowance) -> bool:
    return statement.not_principal or any(kind == "aws" for kind, _ in statement.principals)


_ROLE_NAMES: dict[str, Any] = {
    "roleNames": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "minLength": 1},
        "default": DEFAULT_ROLE_NAMES,
        "description": "Names of the break-glass roles.",
    }
}

ROLE_TRUST_REQUIRES_MFA = ResourceValidationPolicy(
    name="role-trust-requires-mfa",
    display_name="The break-glass role is assumed with recent MFA",
    description="The trust policy of the break-glass role must ask for a recent sign-in with MFA.",
    validate=check_mfa,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=CIS_MFA,
    config_schema=PolicyConfigSchema(
        properties={
            **_ROLE_NAMES,
            "maxMfaAge": {
                "type": "integer",
                "minimum": 900,
                "maximum": 129600,
                "default": DEFAULT_MAX_MFA_AGE,
                "description": "Seconds after which a sign-in with MFA must no longer count.",
            },
        }
    ),
    remediation_steps=(
        "Add Bool aws:MultiFactorAuthPresent true and NumericLessThanEquals aws:MultiFactorAuthAge to each "
        "statement that lets AWS principals in."
    ),
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
)

ROLE_TRUST_NOT_BARE_USER_ARN = ResourceValidationPolicy(
    name="role-trust-not-bare-user-arn",
    display_name="The break-glass role survives its users",
    description="The trust policy of the break-glass role must not name users as principals.",
    validate=check_user_arn,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=PREPARED_ACCESS,
    config_schema=PolicyConfigSchema(properties=_ROLE_NAMES),
    remediation_steps="Name the account as the principal, and the users under ArnEquals aws:PrincipalArn.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
)

ROLE_TRUST_NO_WILDCARD = ResourceValidationPolicy(
    name="role-trust-no-wildcard",
    display_name="The break-glass role trusts nobody unnamed",
    description="The trust policy of the break-glass role must have no wildcard and no NotPrincipal.",
    validate=check_wildcard,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(properties=_ROLE_NAMES),
    remediation_steps="Name the users' account as the principal: arn:aws:iam::<account>:root.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html",
)

ROLE_SESSION_AT_MOST = ResourceValidationPolicy(
    name="role-session-at-most",
    display_name="Break-glass sessions end soon",
    description="Sessions of the break-glass role must not last longer than configured.",
    validate=check_session,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.MEDIUM,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(
        properties={
            **_ROLE_NAMES,
            "maxSeconds": {
                "type": "integer",
                "minimum": 3600,
                "maximum": 43200,
                "default": DEFAULT_MAX_SESSION,
                "description": "Longest session, in seconds.",
            },
        }
    ),
    remediation_steps="Set maxSessionDuration to `maxSeconds` or less.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html",
)

RULES: list[Policy] = [
    ROLE_TRUST_REQUIRES_MFA,
    ROLE_TRUST_NOT_BARE_USER_ARN,
    ROLE_TRUST_NO_WILDCARD,
    ROLE_SESSION_AT_MOST,
]
"""The rules of this module, in the order in which they are registered."""
