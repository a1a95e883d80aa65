"""What the settings make together must not be longer than AWS allows: documents and event patterns."""

import json
from typing import TYPE_CHECKING, NamedTuple

from breakglass import documents
from breakglass.detections.catalogue import DETECTIONS
from breakglass.detections.patterns import PatternTooLong, checked
from breakglass.detections.relay_patterns import relay_patterns

if TYPE_CHECKING:  # settings calls this module
    from breakglass.settings.reading import Settings


class _Document(NamedTuple):
    """A rendered document whose length depends on the settings; lengths are in characters.

    Attributes:
        path: The key that makes it long.
        name: What a problem calls it.
        length: How long it is.
        limit: How long AWS allows it to be.
        remedy: What to do about it, as it follows a colon in a problem.
    """

    path: str
    name: str
    length: int
    limit: int
    remedy: str


def problems(settings: "Settings") -> list[str]:
    """Return a problem for each document or pattern that AWS would refuse for its length."""
    found = [
        f"breakglass:{document.path}: makes the {document.name} {document.length} characters long, "
        f"must be at most {document.limit}: {document.remedy}"
        for document in [*_identity_documents(settings), *_hub_documents(settings)]
        if document.length > document.limit
    ]
    try:
        _build_patterns(settings)
    except PatternTooLong as error:
        found.append(
            f"breakglass:user.names: makes an {error}: "
            "name fewer users, or shorter names (11 of 14 letters fit)"
        )
    return found


def _identity_documents(settings: "Settings") -> list[_Document]:
    """Return the documents of user and role.

    Limits: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    user, role = settings.user, settings.role
    trust = documents.role_trust(
        user_account_id=settings.hub_account_id, user_names=user.names, mfa_max_age=role.mfa_max_age
    )
    assume = documents.assume_role(role_name=role.name, account_ids=user.account_ids)
    shorter = "name fewer users, or shorter names"
    fewer = "list fewer, or none for all"
    return [
        _Document("user.names", "role's trust policy", _length(trust), 2048, shorter),
        _Document("user.accountIds", "policy BreakGlassAssumeRole", _length(assume), 6144, fewer),
    ]


def _hub_documents(settings: "Settings") -> list[_Document]:
    """Return the documents of the hub.

    Limits: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
    """
    if settings.alerts is None:
        return []
    bus = documents.hub_bus(
        account_id=settings.account_id,
        region=settings.alerts.region,
        member_account_ids=settings.alerts.member_account_ids,
        organization_id=settings.alerts.organization_id,
    )
    remedy = "list fewer, or give organizationId"
    return [_Document("alerts.memberAccountIds", "hub bus's policy", _length(bus), 10240, remedy)]


def _build_patterns(settings: "Settings") -> None:
    """Build what the stack would deploy; raises PatternTooLong where a pattern cannot be split further."""
    if settings.relay is not None:
        relay_patterns(settings.watched, settings.account_id)
    if settings.alerts is not None:
        for detection in DETECTIONS:
            for pattern in detection.patterns(settings.watched):
                checked(pattern)


def _length(document: documents.Document) -> int:
    """Return the length of a document in characters, without white space, which AWS does not count."""
    return len(json.dumps(document, separators=(",", ":")))


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
ROLE_TRUST = 2048
"""Characters of a role's trust policy, the default quota."""
MANAGED_POLICY = 6144
"""Characters of a customer managed policy."""

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
