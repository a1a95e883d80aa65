"""The break-glass users."""

import json
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from breakglass import documents, naming
from breakglass.settings.model import UserSettings


@dataclass(frozen=True, kw_only=True)
class BreakGlassUserArgs:
    """What `BreakGlassUser` is made from; the role is the one that the users may assume."""

    settings: UserSettings
    account_id: str
    role_name: str


class BreakGlassUser(pulumi.ComponentResource):
    """`breakglass:index:BreakGlassUser`: the IAM users that people sign in as when single sign-on is down.

    Creates: one `iam.User` per name at path `/`; the customer managed policies `BreakGlassAssumeRole`,
    `BreakGlassCliSignIn`, `BreakGlassRequireMfa` and, while enrolment is open, `BreakGlassMfaEnrolment`;
    one attachment per user and policy.

    Does not create: a login profile, an access key or an MFA device. A password or a key in the state would
    be a second copy of the key to the kingdom: `python -m drill password` sets a password, and the users
    enrol their MFA devices.

    Attributes:
        user_arns: ARNs of the users, in the order of the configured names.
    """

    user_arns: list[pulumi.Output[str]]

    def __init__(
        self, name: str, args: BreakGlassUserArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Create the users and their policies."""
        super().__init__("breakglass:index:BreakGlassUser", name, None, opts)
        attached = dict.fromkeys(args.settings.managed_policy_arns) | self._create_policies(name, args)
        self.user_arns = []
        for user_name in args.settings.names:
            user = iam.User(
                f"{name}-{user_name}",
                name=user_name,
                path="/",
                opts=pulumi.ResourceOptions(parent=self, protect=True, delete_before_replace=True),
            )
            self.user_arns.append(user.arn)
            for arn, policy in attached.items():
                iam.UserPolicyAttachment(
                    f"{name}-{user_name}-{arn.rsplit('/', 1)[-1]}",
                    user=user.name,
                    policy_arn=arn,
                    opts=pulumi.ResourceOptions(parent=self, depends_on=policy),
                )
        self.register_outputs({"userArns": self.user_arns})

    def _create_policies(self, name: str, args: BreakGlassUserArgs) -> dict[str, iam.Policy]:
        """Create the users' own policies, and return them by ARN."""
        enrolment_open = args.settings.mfa_enrolment == "open"
        wanted = {
            naming.ASSUME_ROLE_POLICY: documents.assume_role(
                role_name=args.role_name, account_ids=args.settings.account_ids
            ),
            naming.SIGN_IN_POLICY: documents.cli_sign_in(account_id=args.account_id),
            naming.REQUIRE_MFA_POLICY: documents.require_mfa(enrolment_open=enrolment_open),
        }
        if enrolment_open:
            wanted[naming.MFA_ENROLMENT_POLICY] = documents.mfa_enrolment(account_id=args.account_id)
        return {
            # Not the policy's output: unknown at the first preview, and then the policy pack cannot read it.
            naming.policy_arn(args.account_id, policy_name): iam.Policy(
                f"{name}-{policy_name}",
                name=policy_name,
                path="/",
                policy=json.dumps(document),
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )
            for policy_name, document in wanted.items()
        }
