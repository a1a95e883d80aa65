"""Guards against accidental deletion of break-glass resources, and against secrets in the state.

The engine hands every property over decrypted and without a mark, so whether a value is a secret shows only
where the program itself says so (`additionalSecretOutputs`). pulumi-aws does it for passwords and keys, but
not for the seed of a virtual MFA device.
"""

from collections.abc import Callable

from pulumi_policy import Severity

from breakglass import naming

from .key import KEY, publishers
from .policy import PREPARED_ACCESS, Problems, resource_policy
from .reading import Resource, is_ours

PARTS: dict[str, Callable[[Resource], object]] = {
    "aws:iam/user:User": lambda user: is_ours(user, "BreakGlassUser"),
    "aws:iam/role:Role": lambda role: is_ours(role, "BreakGlassRole"),
    "aws:sns/topic:Topic": lambda topic: topic["name"] in naming.TOPICS,
    "aws:cloudwatch/eventBus:EventBus": lambda bus: bus["name"] in naming.BUSES,
    "aws:cloudwatch/logGroup:LogGroup": lambda log: log["name"] == naming.AUDIT_LOG_GROUP,
    KEY: publishers,
}
"""Resource types that break-glass access is made of, and whether a resource is a part of it."""

VIRTUAL_MFA_DEVICE = "aws:iam/virtualMfaDevice:VirtualMfaDevice"
PLAIN_SECRETS: dict[str, tuple[str, ...]] = {VIRTUAL_MFA_DEVICE: ("base32StringSeed", "qrCodePng")}
"""Outputs that hold a secret and that pulumi-aws does not mark as one."""


@resource_policy(
    "break-glass-protected",
    "Break-glass access cannot be deleted by mistake",
    types=[*PARTS],
    # A name that is not known yet does not matter if the resource is protected.
    applies=lambda resource: resource.of.opts.protect or PARTS[resource.type](resource),
    severity=Severity.HIGH,
    framework=PREPARED_ACCESS,
    fix="Set protect=True in the options of the resource.",
    url="https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_emergency_process.html",
)
def break_glass_protected(resource: Resource) -> Problems:
    """User, role, topics, key, bus and log of break-glass access must be protected."""
    if not resource.of.opts.protect:
        yield (
            "is not protected: removing it from the program, or `pulumi destroy`, deletes it, and with it "
            "access or alarm. Set protect=True in its options."
        )


@resource_policy(
    "no-secret-in-plain-output",
    "No second factor is readable in the state",
    types=[*PLAIN_SECRETS],
    severity=Severity.HIGH,
    fix="Enrol devices by hand, or set additional_secret_outputs for seed and QR code.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_virtual.html",
)
def no_secret_in_plain_output(device: Resource) -> Problems:
    """The seed of a virtual MFA device must not be in the state unencrypted."""
    marked = set(device.of.opts.additional_secret_outputs)
    if unmarked := [name for name in PLAIN_SECRETS[device.type] if name not in marked]:
        yield (
            f"writes {' and '.join(unmarked)} into the state unencrypted: anyone who can read the state has "
            "the second factor. Enrol the device by hand, or list both under additional_secret_outputs."
        )
