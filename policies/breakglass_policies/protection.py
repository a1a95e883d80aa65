"""What must not go by mistake: the parts of break-glass access from being deleted, a secret from the state.

Policies get every property decrypted and without a mark, so whether a value is a secret shows only where the
program itself says so (`additionalSecretOutputs`). pulumi-aws does it for passwords and keys, but not for the
seed of a virtual MFA device.
"""

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

from .framework import EMERGENCY_ACCESS, PREPARED_ACCESS
from .key import KEY, encrypts_alerts
from .plain import plain, title
from .reading import Resource

NAMES: dict[str, tuple[str, list[str], str]] = {
    "aws:iam/user:User": ("userNames", ["BreakglassUser"], "users"),
    "aws:iam/role:Role": ("roleNames", ["BreakGlassRole"], "roles"),
    "aws:sns/topic:Topic": (
        "topicNames",
        ["breakglassuser-console-logins", "breakglass-watchdog"],
        "SNS topics",
    ),
    "aws:cloudwatch/eventBus:EventBus": ("eventBusNames", ["breakglass"], "event buses"),
    "aws:cloudwatch/logGroup:LogGroup": ("logGroupNames", ["/breakglass/audit"], "log groups"),
}
"""Resource types that `name` tells apart: key of the configuration, default, what messages call them."""

VIRTUAL_MFA_DEVICE = "aws:iam/virtualMfaDevice:VirtualMfaDevice"
PLAIN_SECRETS: dict[str, tuple[str, ...]] = {VIRTUAL_MFA_DEVICE: ("base32StringSeed", "qrCodePng")}
"""Outputs that hold a secret and that pulumi-aws does not mark as one."""


def check_protected(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a part of break-glass access that the engine would delete.

    Raises:
        UnknownValueError: it is not protected, and its name or key policy is not known until deployment.
    """
    if args.resource_type not in NAMES and args.resource_type != KEY:
        return args.not_applicable("the resource is no protected part of break-glass access")
    if args.opts.protect:
        return None
    if not _is_break_glass(args):
        return args.not_applicable("the resource is no part of break-glass access")
    report(
        f"{title(args.resource_type, args.name)} is not protected: removing it from the program, or "
        "`pulumi destroy`, deletes it, and with it access or alarm. Set protect=True in its options.",
        args.urn,
    )
    return None


def _is_break_glass(args: ResourceValidationArgs) -> bool:
    if args.resource_type == KEY:
        return encrypts_alerts(Resource(args))
    key, default, _ = NAMES[args.resource_type]
    return plain(args.props.get("name")) in args.get_config().get(key, default)


def check_secrets(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report an output that holds a secret and that nobody marked as one."""
    if args.resource_type not in PLAIN_SECRETS:
        return args.not_applicable("the resource has no secret that pulumi-aws leaves unmarked")
    marked = set(args.opts.additional_secret_outputs)
    if unmarked := [name for name in PLAIN_SECRETS[args.resource_type] if name not in marked]:
        report(
            f"{title(args.resource_type, args.name)} writes {' and '.join(unmarked)} into the state "
            "unencrypted: who reads it has the second factor. Enrol the device by hand, or list both under "
            "additional_secret_outputs.",
            args.urn,
        )
    return None


def _schema() -> dict[str, Any]:
    return {
        key: {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "default": default,
            "description": f"Names of the {called} that must be protected.",
        }
        for key, default, called in NAMES.values()
    }


BREAK_GLASS_PROTECTED = ResourceValidationPolicy(
    name="break-glass-protected",
    display_name="Break-glass access cannot be deleted by mistake",
    description="User, role, topics, key, bus and log of break-glass access must be protected.",
    validate=check_protected,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=PREPARED_ACCESS,
    config_schema=PolicyConfigSchema(properties=_schema()),
    remediation_steps="Set protect=True in the options of the resource.",
    url="https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_emergency_process.html",
)

NO_SECRET_IN_PLAIN_OUTPUT = ResourceValidationPolicy(
    name="no-secret-in-plain-output",
    display_name="No second factor is in the state in plain",
    description="The seed of a virtual MFA device must not be in the state unencrypted.",
    validate=check_secrets,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    remediation_steps="Enrol devices by hand, or set additional_secret_outputs for seed and QR code.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html",
)

RULES: list[Policy] = [BREAK_GLASS_PROTECTED, NO_SECRET_IN_PLAIN_OUTPUT]
"""The rules of this module, in the order in which they are registered."""
