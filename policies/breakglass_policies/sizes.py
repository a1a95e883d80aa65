"""Policy documents must not be longer than AWS takes: it refuses them in the middle of a deployment."""

import json
from dataclasses import dataclass
from typing import Any, Literal

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)

from .framework import EMERGENCY_ACCESS
from .plain import plain, title

ROLE = "aws:iam/role:Role"

# IAM counts characters and no white space.
_Unit = Literal["characters without white space", "characters", "bytes"]


@dataclass(frozen=True, kw_only=True)
class Quota:
    """How long the policy document of a resource type may be."""

    property: str
    maximum: int
    unit: _Unit


QUOTAS: dict[str, Quota] = {
    ROLE: Quota(property="assumeRolePolicy", maximum=2048, unit="characters without white space"),
    "aws:iam/policy:Policy": Quota(property="policy", maximum=6144, unit="characters without white space"),
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": Quota(
        property="policy", maximum=10240, unit="characters"
    ),
    "aws:sns/topic:Topic": Quota(property="policy", maximum=30 * 1024, unit="bytes"),
    "aws:sns/topicPolicy:TopicPolicy": Quota(property="policy", maximum=30 * 1024, unit="bytes"),
    "aws:sqs/queue:Queue": Quota(property="policy", maximum=8192, unit="bytes"),
    "aws:sqs/queuePolicy:QueuePolicy": Quota(property="policy", maximum=8192, unit="bytes"),
    "aws:kms/key:Key": Quota(property="policy", maximum=32768, unit="bytes"),
    "aws:kms/keyPolicy:KeyPolicy": Quota(property="policy", maximum=32768, unit="bytes"),
}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, eb-quota.html, and the quotas
pages of SNS, SQS and KMS."""


def check_size(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a policy document that is longer than AWS takes.

    Raises:
        UnknownValueError: the document is not known until deployment.
    """
    quota = QUOTAS.get(args.resource_type)
    document = plain(args.props.get(quota.property)) if quota else None
    if quota is None or not document or not isinstance(document, str | dict):
        return args.not_applicable("the resource holds no policy document with a quota")
    maximum = quota.maximum
    if args.resource_type == ROLE:
        maximum = int(args.get_config().get("maxTrustCharacters", maximum))
    size = _size(document, quota.unit)
    if size > maximum:
        report(
            f"{title(args.resource_type, args.name)}: {quota.property} holds {size} {quota.unit}, and AWS "
            f"takes at most {maximum}. Name fewer accounts or principals, or shorten statements.",
            args.urn,
        )
    return None


def _size(document: str | dict[str, Any], unit: _Unit) -> int:
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    if unit == "bytes":
        return len(text.encode(errors="surrogatepass"))
    return len(text if unit == "characters" else "".join(text.split()))


POLICY_SIZE_WITHIN_LIMITS = ResourceValidationPolicy(
    name="policy-size-within-limits",
    display_name="Policy documents are within AWS's quotas",
    description="Policies of roles, buses, topics, queues and keys must not be longer than AWS takes.",
    validate=check_size,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.MEDIUM,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(
        properties={
            "maxTrustCharacters": {
                "type": "integer",
                "minimum": 2048,
                "maximum": 8192,
                "default": QUOTAS[ROLE].maximum,
                "description": "Longest trust policy that the account's quota allows.",
            }
        }
    ),
    remediation_steps=(
        "Name fewer accounts or principals: an organization id instead of account ids, a name prefix instead "
        "of names. Where AWS has raised the account's quota for trust policies, set `maxTrustCharacters` in "
        "policies/config/<stack>.json."
    ),
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
)

RULES: list[Policy] = [POLICY_SIZE_WITHIN_LIMITS]
"""The rules of this module."""
