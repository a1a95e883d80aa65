"""The alarm path as a whole: alertpath plays every scenario through what the stack is about to be.

The other rules know single traps; these two know whether an event still reaches a person. They judge a stack
that holds the hub: a member's relays end in another stack, and both together are proven by
`python -m alertpath mgmt.json member.json`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyResource,
    ReportViolation,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from alertpath.model import UNKNOWN, Resource, deployment, pinned_account
from alertpath.proof import Judgement, problems, prove
from alertpath.trace import Outcome

from .framework import EMERGENCY_ACCESS
from .plain import plain

NOT_CONFIRMED = "confirmed"
"""Word in the reasons for a subscription that nobody has confirmed, which no deployment can mend."""


def check_proven(args: StackValidationArgs, report: ReportViolation) -> None:
    """Report each resource at which an event would be lost, or that would ring for nothing."""
    for (urn, reason), count in _findings(args, lost=True).items():
        report(
            f"{count} scenarios would end at {urn.rsplit('::', 1)[-1]}: {reason.rstrip('.')}.",
            _urn(args, urn),
        )


def check_open(args: StackValidationArgs, report: ReportViolation) -> None:
    """Report what cannot be proven yet: unknown before the deployment, or not confirmed after it."""
    for (urn, reason), count in _findings(args, lost=False).items():
        name = urn.rsplit("::", 1)[-1]
        report(
            f"{count} scenarios are not yet proven, because of {name}: {reason.rstrip('.')}.", _urn(args, urn)
        )


def _findings(args: StackValidationArgs, *, lost: bool) -> Mapping[tuple[str, str], int]:
    judgements = _judged(json.dumps([vars(resource) for resource in _resources(args.resources)]))
    if not judgements:
        return args.not_applicable("the stack holds no hub (event bus breakglass)") or {}
    counted: dict[tuple[str, str], int] = {}
    for judgement in problems(judgements):
        if _is_lost(judgement) == lost:
            key = (judgement.resource, judgement.reason)
            counted[key] = counted.get(key, 0) + 1
    return counted


@lru_cache(maxsize=1)
def _judged(resources: str) -> Sequence[Judgement]:
    """Return the proof of the resources, given as JSON; the two rules ask for the same one in turn."""
    return prove(deployment(Resource(**resource) for resource in json.loads(resources)))


def _is_lost(judgement: Judgement) -> bool:
    return judgement.outcome is not Outcome.UNPROVEN and NOT_CONFIRMED not in judgement.reason


def _urn(args: StackValidationArgs, urn: str) -> str | None:
    """Return the URN if the stack has it; what is missing has only an ARN, and is the stack's own matter."""
    return urn if any(resource.urn == urn for resource in args.resources) else None


def _resources(resources: list[PolicyResource]) -> Iterator[Resource]:
    for resource in resources:
        provider = {} if resource.provider is None else _known(resource.provider.props)
        account, region = pinned_account(provider), str(provider.get("region") or "")
        properties = _known(resource.props)
        if properties.get("kmsMasterKeyId") == UNKNOWN and _made_of_a_key(resource):
            # The id is not known before the key exists, but which key it will be is.
            home = f"{properties.get('region') or region}:{account}"
            properties["kmsMasterKeyId"] = f"arn:aws:kms:{home}:key/{UNKNOWN}"
        yield Resource(
            type=resource.resource_type,
            urn=resource.urn,
            properties=properties,
            account=account,
            region=region,
        )


def _made_of_a_key(resource: PolicyResource) -> bool:
    """Whether the topic's key comes from the one key that the stack creates."""
    sources = resource.property_dependencies.get("kmsMasterKeyId", [])
    return [source.resource_type for source in sources] == ["aws:kms/key:Key"]


def _known(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties with Pulumi's marker for those of which something is not known yet."""
    known = {}
    for name in props:
        try:
            known[name] = plain(props[name])
        except UnknownValueError:
            known[name] = UNKNOWN
    return known


RULES: list[Policy] = [
    StackValidationPolicy(
        name="alarm-path-proven",
        display_name="The alarm would ring",
        description="Every event of the catalogue must reach the people and the record it is meant for.",
        validate=check_proven,
        enforcement_level=EnforcementLevel.MANDATORY,
        severity=Severity.CRITICAL,
        framework=EMERGENCY_ACCESS,
        remediation_steps=(
            "Mend the resource that is named: the first on the event's way that does not let it pass. "
            "In the project, `python -m alertpath` on the stack's export shows every scenario."
        ),
        url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html",
    ),
    StackValidationPolicy(
        name="alarm-path-not-yet-proven",
        display_name="What about the alarm is not proven yet",
        description="What is unknown before a deployment, or unconfirmed after it, is listed.",
        validate=check_open,
        enforcement_level=EnforcementLevel.ADVISORY,
        severity=Severity.MEDIUM,
        framework=EMERGENCY_ACCESS,
        remediation_steps="Deploy, confirm each subscription by the link in AWS's mail, refresh.",
        url="https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html",
    ),
]
