"""AWS's limits: how long documents and patterns may be, and how many policies may be attached."""

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
ROLE_TRUST = 2048
"""Characters of a role's trust policy, the default quota."""
MANAGED_POLICY = 6144
"""Characters of a customer managed policy."""
ATTACHED_POLICIES = 10
"""Managed policies per user or role, the default quota; AWS raises it to 20 on request."""

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
EVENT_PATTERN = 2048
"""Characters of an event pattern."""
BUS_POLICY = 10240
"""Characters of the policy of an event bus."""

TOPIC_POLICY = 30 * 1024
"""Bytes of a topic's policy (https://docs.aws.amazon.com/general/latest/gr/sns.html)."""
QUEUE_POLICY = 8192
"""Bytes of a queue's policy
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html)."""
KEY_POLICY = 32768
"""Bytes of a key's policy (https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html)."""
