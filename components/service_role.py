"""Roles that AWS services use for us."""

import json

import pulumi
from pulumi_aws import iam

from breakglass import documents


def create_service_role(
    parent: pulumi.Resource,
    name: str,
    *,
    role_name: str,
    trust: documents.Document,
    permission: documents.Document,
) -> iam.RolePolicy:
    """Create a role with one inline policy, and return the policy: what uses the role depends on it."""
    role = iam.Role(
        f"{name}-role",
        name=role_name,
        path="/",
        description="Break-glass alerting, used by AWS services only",
        assume_role_policy=json.dumps(trust),
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
    )
    return iam.RolePolicy(
        f"{name}-permission",
        role=role.name,
        name=name.rsplit("-", 1)[-1],
        policy=json.dumps(permission),
        opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
    )
