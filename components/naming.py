"""Physical names and ARNs, made from account id and fixed names.

Nothing here is an output of a resource: every ARN is known before anything exists, so that a policy
document is known at preview (a policy pack skips what is unknown) and each stack can be previewed
without the other's state. Names shared with AWS's Terraform sample are kept, because people type them.
"""

PARTITION = "aws"
HOME_REGION = "us-east-1"

ASSUME_ROLE_POLICY = "BreakGlassAssumeRole"
SIGN_IN_POLICY = "BreakGlassCliSignIn"
REQUIRE_MFA_POLICY = "BreakGlassRequireMfa"
MFA_ENROLMENT_POLICY = "BreakGlassMfaEnrolment"

TOPIC = "breakglassuser-console-logins"
KEY_ALIAS = "alias/breakglassSNS"
DEAD_LETTER_QUEUE = "breakglass-alerts-dlq"
RULE_PREFIX = "capture-breakglass-"
SNS_TARGET_ID = "SendToSNS"


def iam_arn(account_id: str, resource: str) -> str:
    """Return the ARN of an IAM resource such as `user/BreakglassUser` (IAM ARNs carry no Region)."""
    return f"arn:{PARTITION}:iam::{account_id}:{resource}"


def user_arn(account_id: str, name: str) -> str:
    """Return the ARN of an IAM user at path `/`."""
    return iam_arn(account_id, f"user/{name}")


def role_arn(account_id: str, name: str) -> str:
    """Return the ARN of an IAM role at path `/`; `account_id` may be `*` in a policy."""
    return iam_arn(account_id, f"role/{name}")


def policy_arn(account_id: str, name: str) -> str:
    """Return the ARN of a customer managed policy at path `/`."""
    return iam_arn(account_id, f"policy/{name}")


def topic_arn(account_id: str, region: str, name: str = TOPIC) -> str:
    """Return the ARN of an SNS topic."""
    return f"arn:{PARTITION}:sns:{region}:{account_id}:{name}"


def queue_arn(account_id: str, region: str, name: str = DEAD_LETTER_QUEUE) -> str:
    """Return the ARN of an SQS queue."""
    return f"arn:{PARTITION}:sqs:{region}:{account_id}:{name}"


def queue_url(account_id: str, region: str, name: str = DEAD_LETTER_QUEUE) -> str:
    """Return the URL of an SQS queue, which QueuePolicy takes instead of its ARN."""
    return f"https://sqs.{region}.amazonaws.com/{account_id}/{name}"


def rule_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of an EventBridge rule on the default bus; `name` may end in `*` in a policy."""
    return f"arn:{PARTITION}:events:{region}:{account_id}:rule/{name}"
