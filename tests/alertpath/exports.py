"""Both stacks as `pulumi stack export` would give them, made from the program itself without an engine."""

import json
from collections.abc import Sequence
from typing import Any

from tests.program import KEY_ARN, KEY_ID, Recording, run

ACCOUNTS = {"mgmt": "111111111111", "member": "222222222222"}

Export = dict[str, Any]


def export(stack: str, regions: Sequence[str], *, preview: bool = False) -> Export:
    """Return the stack's export after a deployment in which everybody confirmed their subscription."""
    return as_export(stack, run(stack, enabled_regions=regions, preview=preview), regions)


def as_export(stack: str, recording: Recording, regions: Sequence[str]) -> Export:
    prefix = f"urn:pulumi:{stack}::breakglass"
    provider = f"{prefix}::pulumi:providers:aws::aws::id"
    account = ACCOUNTS[stack]
    resources: list[Any] = [
        {
            "urn": f"{prefix}::pulumi:pulumi:Stack::breakglass-{stack}",
            "type": "pulumi:pulumi:Stack",
            "outputs": {
                "coveredRegions": sorted(regions),
                "roleArn": f"arn:aws:iam::{account}:role/BreakGlassRole",
            },
        },
        {
            "urn": f"{prefix}::pulumi:providers:aws::aws",
            "id": "id",
            "type": "pulumi:providers:aws",
            "inputs": {"region": "us-east-1", "allowedAccountIds": json.dumps([account])},
        },
    ]
    # Threads register resources in any order; the proof names the first of several that are equally to blame.
    for resource in sorted(recording, key=lambda one: (one.type, one.name)):
        if resource.type.startswith("aws:"):
            outputs = dict(resource.inputs)
            if resource.type.endswith(":TopicSubscription"):
                outputs["pendingConfirmation"] = False
            if resource.type.endswith(":Queue"):
                region = outputs["region"]
                outputs["url"] = f"https://sqs.{region}.amazonaws.com/{account}/{outputs['name']}"
            if resource.type.endswith("kms/key:Key"):
                outputs |= {"keyId": KEY_ID, "arn": KEY_ARN}
            resources.append(
                {
                    "urn": f"{prefix}::{resource.type}::{resource.name}",
                    "type": resource.type,
                    "provider": provider,
                    "inputs": resource.inputs,
                    "outputs": outputs,
                }
            )
    return {"version": 3, "deployment": {"resources": resources}}
