"""Policy documents must not be longer than AWS takes: it refuses them in the middle of a deployment."""

import json
from typing import Literal, NamedTuple

from pulumi_policy import Severity
from pulumi_policy.proxy import UnknownValueError

from breakglass import quotas

from .policy import Problems, resource_policy
from .reading import Resource, in_component


class Quota(NamedTuple):
    """The property that holds a policy document, how long it may be, and what AWS counts."""

    property: str
    maximum: int
    unit: Literal["characters without white space", "characters", "bytes"]


_TOPIC = Quota("policy", quotas.TOPIC_POLICY, "bytes")
_QUEUE = Quota("policy", quotas.QUEUE_POLICY, "bytes")
_KEY = Quota("policy", quotas.KEY_POLICY, "bytes")

QUOTAS: dict[str, Quota] = {
    "aws:iam/role:Role": Quota("assumeRolePolicy", quotas.ROLE_TRUST, "characters without white space"),
    "aws:iam/policy:Policy": Quota("policy", quotas.MANAGED_POLICY, "characters without white space"),
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": Quota("policy", quotas.BUS_POLICY, "characters"),
    "aws:sns/topic:Topic": _TOPIC,
    "aws:sns/topicPolicy:TopicPolicy": _TOPIC,
    "aws:sqs/queue:Queue": _QUEUE,
    "aws:sqs/queuePolicy:QueuePolicy": _QUEUE,
    "aws:kms/key:Key": _KEY,
    "aws:kms/keyPolicy:KeyPolicy": _KEY,
}
"""The limits of AWS, by resource type."""


def _has_document(resource: Resource) -> bool:
    try:
        return isinstance(resource[QUOTAS[resource.type].property] or None, str | dict)
    except UnknownValueError:
        if in_component(resource):
            raise
        return False  # in another program it is known, and judged, at the deployment


@resource_policy(
    "policy-size-within-limits",
    "Policy documents are within AWS's quotas",
    types=QUOTAS,
    applies=_has_document,
    severity=Severity.MEDIUM,
    fix=(
        "Name fewer accounts or principals: an organization id instead of account ids, a name prefix instead "
        "of names. If AWS has raised the account's quota for trust policies, set the `enforcementLevel` of "
        "this policy to advisory in policies/config.json."
    ),
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
)
def policy_size_within_limits(resource: Resource) -> Problems:
    """Policies of roles, buses, topics, queues and keys must not be longer than AWS takes."""
    quota = QUOTAS[resource.type]
    document = resource[quota.property]
    text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    if quota.unit == "bytes":
        size = len(text.encode(errors="surrogatepass"))
    else:
        size = len(text if quota.unit == "characters" else "".join(text.split()))
    if size > quota.maximum:
        yield (
            f"has {size} {quota.unit} in its {quota.property}, and AWS takes at most {quota.maximum}. Name "
            "fewer accounts or principals, or shorten statements."
        )
