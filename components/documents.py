"""Policy documents as pure functions that return plain dictionaries.

Components serialise them with `json.dumps`. Every function takes account ids and names only, so each
document is known at preview and can be tested without Pulumi.
"""

from collections.abc import Sequence
from typing import Any

from components import naming

Document = dict[str, Any]

CLI_SIGN_IN_ACTIONS = ("signin:AuthorizeOAuth2Access", "signin:CreateOAuth2Token")
"""What `aws login` calls; both happen before the session could carry an MFA context."""

MFA_ENROLMENT_ACTIONS = (
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetMFADevice",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
)
"""The actions that AWS's own self-management policy exempts from its MFA requirement
(IAM User Guide, reference_policies_examples_aws_my-sec-creds-self-manage.html)."""


def _document(*statements: Document) -> Document:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def assume_role(*, role_name: str, account_ids: Sequence[str] | None) -> Document:
    """Return the user's permission to assume the break-glass role.

    Args:
        role_name: Name of the role; the same in every account.
        account_ids: Accounts whose role may be assumed. None stands for every account: the role's trust
            policy in each of them still decides.
    """
    accounts = ["*"] if account_ids is None else list(account_ids)
    return _document(
        {
            "Sid": "AssumeBreakGlassRole",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": [naming.role_arn(account, role_name) for account in accounts],
        }
    )


def cli_sign_in(*, account_id: str) -> Document:
    """Return the permission for `aws login`: command-line credentials of 12 hours without access keys.

    Only the browser on the same machine is allowed. AWS's managed policy SignInLocalDevelopmentAccess also
    allows `oauth2/public-client/remote`, where a code is carried over from another machine: that flow can be
    phished. See https://docs.aws.amazon.com/signin/latest/userguide/command-line-sign-in.html
    """
    return _document(
        {
            "Sid": "SignInFromThisMachine",
            "Effect": "Allow",
            "Action": list(CLI_SIGN_IN_ACTIONS),
            "Resource": f"arn:{naming.PARTITION}:signin:*:{account_id}:oauth2/public-client/localhost",
        }
    )


def require_mfa(*, enrolment_open: bool) -> Document:
    """Return the denial of everything without MFA.

    `BoolIfExists` and not `Bool`: a request signed with a long-term access key carries no MFA context at
    all and must be denied as well
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html).

    Args:
        enrolment_open: Whether the user may enrol an MFA device of its own before it has one. Whoever holds
            the password could then do it first, so it stays False outside of set-up.
    """
    exempt = CLI_SIGN_IN_ACTIONS + (MFA_ENROLMENT_ACTIONS if enrolment_open else ())
    return _document(
        {
            "Sid": "DenyEverythingWithoutMfa",
            "Effect": "Deny",
            "NotAction": list(exempt),
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        }
    )


def mfa_enrolment(*, account_id: str) -> Document:
    """Return the user's permission to enrol MFA devices of its own; attached only while enrolment is open."""
    own_user = naming.user_arn(account_id, "${aws:username}")
    return _document(
        {
            "Sid": "EnrolOwnDevices",
            "Effect": "Allow",
            "Action": [
                "iam:EnableMFADevice",
                "iam:GetMFADevice",
                "iam:GetUser",
                "iam:ListMFADevices",
                "iam:ResyncMFADevice",
            ],
            "Resource": own_user,
        },
        {
            "Sid": "CreateVirtualDevice",
            "Effect": "Allow",
            "Action": "iam:CreateVirtualMFADevice",
            "Resource": naming.iam_arn(account_id, "mfa/*"),
        },
        # IAM knows no resource for this action: with an ARN it would never match.
        {
            "Sid": "ListVirtualDevices",
            "Effect": "Allow",
            "Action": "iam:ListVirtualMFADevices",
            "Resource": "*",
        },
    )


def role_trust(*, user_account_id: str, user_names: Sequence[str], mfa_max_age: int) -> Document:
    """Return who may assume the break-glass role: the named users, with a recent MFA sign-in.

    The principal is the account, narrowed by `aws:PrincipalArn`: a bare user ARN is stored as the user's
    unique id, and every role would break when the user is deleted and created again
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html).

    Args:
        user_account_id: Account that holds the users.
        user_names: The users, in the exact case of their names.
        mfa_max_age: Seconds since the MFA sign-in after which the role can no longer be assumed.
    """
    return _document(
        {
            "Sid": "BreakGlassUserWithMfa",
            "Effect": "Allow",
            "Principal": {"AWS": naming.iam_arn(user_account_id, "root")},
            "Action": "sts:AssumeRole",
            "Condition": {
                "ArnEquals": {
                    "aws:PrincipalArn": [naming.user_arn(user_account_id, name) for name in user_names]
                },
                "Bool": {"aws:MultiFactorAuthPresent": "true"},
                "NumericLessThanEquals": {"aws:MultiFactorAuthAge": str(mfa_max_age)},
            },
        }
    )


def alert_key(*, account_id: str) -> Document:
    """Return the policy of the key that encrypts the topic.

    EventBridge sends none of aws:SourceAccount, aws:SourceArn and aws:SourceOrgID to KMS: with any of them
    here every alert would be lost without an error
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html). The topic policy is the place that
    narrows the account.
    """
    return _document(
        {
            "Sid": "AccountAdministersTheKey",
            "Effect": "Allow",
            "Principal": {"AWS": naming.iam_arn(account_id, "root")},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "EventBridgeEncryptsAlerts",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
            "Resource": "*",
        },
    )


def alert_topic(*, account_id: str, region: str) -> Document:
    """Return the policy of the topic: EventBridge rules of this account may publish, nobody else is named.

    `aws:SourceAccount` is supported here
    (https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html), unlike in the key policy.
    """
    return _document(
        {
            "Sid": "EventBridgePublishes",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": naming.topic_arn(account_id, region),
            "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
        }
    )


def dead_letter_queue(*, account_id: str, region: str) -> Document:
    """Return the policy of the dead-letter queue: our own rules may put what they could not deliver.

    See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    return _document(
        {
            "Sid": "RulesKeepWhatTheyCouldNotDeliver",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": naming.queue_arn(account_id, region),
            "Condition": {
                "ArnLike": {
                    "aws:SourceArn": naming.rule_arn(account_id, region, f"{naming.RULE_PREFIX}*"),
                }
            },
        }
    )
