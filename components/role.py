"""The break-glass role."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from breakglass import documents
from breakglass.settings.model import RoleSettings


@dataclass(frozen=True, kw_only=True)
class BreakGlassRoleArgs:
    """What `BreakGlassRole` is made from; the users are those that the role trusts."""

    settings: RoleSettings
    user_account_id: str
    user_names: tuple[str, ...]


class BreakGlassRole(pulumi.ComponentResource):
    """`breakglass:index:BreakGlassRole`: the role that exists in every account, the user's own included.

    Creates: one `iam.Role` at path `/`, one `iam.RolePolicyAttachment` per configured managed policy.

    Does not create: policies of its own, an instance profile, the permissions boundary, which must already
    exist. The trust policy says who may assume the role, see `documents.role_trust`.

    Attributes:
        role_arn: ARN of the role.
    """

    role_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: BreakGlassRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Create the role."""
        super().__init__("breakglass:index:BreakGlassRole", name, None, opts)
        settings = args.settings
        trust = documents.role_trust(
            user_account_id=args.user_account_id,
            user_names=args.user_names,
            mfa_max_age=settings.mfa_max_age,
        )
        role = iam.Role(
            f"{name}-role",
            name=settings.name,
            path="/",
            description="Break-glass access: assumed in an emergency only, every use is reported",
            assume_role_policy=json.dumps(trust),
            max_session_duration=settings.max_session_duration,
            permissions_boundary=settings.permissions_boundary_arn,
            opts=pulumi.ResourceOptions(parent=self, protect=True, delete_before_replace=True),
        )
        for arn in settings.managed_policy_arns:
            iam.RolePolicyAttachment(
                f"{name}-{arn.rsplit('/', 1)[-1]}",
                role=role.name,
                policy_arn=arn,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.role_arn = role.arn
        self.register_outputs({"roleArn": self.role_arn})
