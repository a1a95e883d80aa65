"""The role that the emergency user assumes."""

import json

import pulumi
from pulumi_aws import iam

from breakglass import documents
from breakglass.settings.reading import RoleSettings


class BreakGlassRole(pulumi.ComponentResource):
    """`breakglass:index:BreakGlassRole`: the role that exists in every account, the user's own included.

    Creates: one `iam.Role` at path `/`, one `iam.RolePolicyAttachment` per configured managed policy.

    Does not create: policies of its own, an instance profile, the permissions boundary (it is named, and
    must exist). Who may assume the role is the business of its trust policy, see `documents.role_trust`.

    Attributes:
        role_arn: ARN of the role.
    """

    role_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: RoleSettings,
        *,
        user_account_id: str,
        user_names: tuple[str, ...],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Create the role, trusting the users `user_names` of `user_account_id`."""
        super().__init__("breakglass:index:BreakGlassRole", name, None, opts)
        trust = documents.role_trust(
            user_account_id=user_account_id, user_names=user_names, mfa_max_age=args.mfa_max_age
        )
        role = iam.Role(
            f"{name}-role",
            name=args.name,
            path="/",
            description="Break-glass access: assumed in an emergency only, every use is reported",
            assume_role_policy=json.dumps(trust),
            max_session_duration=args.max_session_duration,
            permissions_boundary=args.permissions_boundary_arn,
            opts=pulumi.ResourceOptions(parent=self, protect=True, delete_before_replace=True),
        )
        for arn in args.managed_policy_arns:
            iam.RolePolicyAttachment(
                f"{name}-{arn.rsplit('/', 1)[-1]}",
                role=role.name,
                policy_arn=arn,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.role_arn = role.arn
        self.register_outputs({"roleArn": self.role_arn})
