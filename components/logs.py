"""Log groups that rules write to."""

import json
from collections.abc import Sequence

import pulumi
from pulumi_aws import cloudwatch

from breakglass import documents


def create_log_group(
    parent: pulumi.Resource,
    name: str,
    *,
    group_arn: str,
    rules: Sequence[str],
    retention_days: int,
    region: str,
    deletion_protected: bool | None = None,
) -> cloudwatch.LogResourcePolicy:
    """Create a log group with its policy, and return the policy: what writes to the group depends on it.

    Args:
        parent: The component.
        name: Name of the log group's resource.
        group_arn: ARN of the log group.
        rules: ARNs of the rules that write to it; `*` at the end.
        retention_days: How long it keeps events.
        region: Its Region.
        deletion_protected: Whether AWS and Pulumi refuse to delete it; None for a group that may go.
    """
    group = cloudwatch.LogGroup(
        name,
        name=group_arn.split(":log-group:")[1],
        retention_in_days=retention_days,
        deletion_protection_enabled=deletion_protected,
        region=region,
        opts=pulumi.ResourceOptions(
            parent=parent, protect=deletion_protected is not None, delete_before_replace=True
        ),
    )
    # The policy of the log group itself: an account-wide one would be one of ten that a Region allows.
    return cloudwatch.LogResourcePolicy(
        f"{name}-policy",
        resource_arn=group_arn,
        policy_document=json.dumps(documents.log_group(group_arn=group_arn, rules=rules)),
        region=region,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[group]),
    )
