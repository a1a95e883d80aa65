"""The key that encrypts alerts: its policy must let the publishers of alerts in, and it must be usable.

EventBridge and CloudWatch use the key when they publish to an encrypted topic. If they may not, the alert is
lost, and nobody sees an error (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
"""

from collections.abc import Iterator
from typing import Any

from pulumi_policy import Severity
from pulumi_policy.proxy import UnknownValueError

from alertpath.iam.evaluate import Request
from alertpath.iam.sent import by_service
from breakglass import naming

from .access import named_arns, own_accounts, refused, region_in_arn
from .policy import CIS_KEY_ROTATION, Problems, resource_policy
from .reading import Resource, in_component
from .statements import Unreadable, services, statements

KEY = "aws:kms/key:Key"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
ENABLED_BY: dict[str, str] = {
    KEY: "isEnabled",
    "aws:kms/replicaKey:ReplicaKey": "enabled",
    "aws:kms/externalKey:ExternalKey": "enabled",
    "aws:kms/replicaExternalKey:ReplicaExternalKey": "enabled",
}
"""Resource types that are keys, and which property enables them; all have a `policy`, as has KEY_POLICY."""

EVENTS = "events.amazonaws.com"
CLOUDWATCH = "cloudwatch.amazonaws.com"
NEEDED = ("kms:GenerateDataKey", "kms:Decrypt")
"""Actions that a publisher to an encrypted topic needs."""


def publishers(key: Resource) -> list[str]:
    """Return the services that must be able to use a key: those its policy names, EventBridge for our own.

    There are none if the key is not for alerts, or if its policy is another program's and not known until
    deployment, which judges it.
    """
    if in_component(key, "BreakGlassAlerts"):
        return [EVENTS]
    try:
        document = key["policy"]
    except UnknownValueError:
        return []
    unreadable = isinstance(statements(document), Unreadable)
    named = str(document).lower() if unreadable else [name.lower() for name in services(document)]
    return [service for service in (EVENTS, CLOUDWATCH) if service in named]


@resource_policy(
    "key-lets-publishers-in",
    "The key lets publishers of alerts in",
    types=[*ENABLED_BY, KEY_POLICY],
    applies=publishers,
    severity=Severity.CRITICAL,
    fix=(
        "Allow the service kms:GenerateDataKey* and kms:Decrypt. For EventBridge put no condition on "
        "aws:SourceAccount, aws:SourceArn, aws:SourceOrgID or aws:SourceOrgPaths."
    ),
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
)
def key_lets_publishers_in(key: Resource) -> Problems:
    """The policy of a key for alerts must let their publishers encrypt: EventBridge, and whom it names.

    EventBridge sends KMS no source, so a condition on one shuts it out; CloudWatch sends the alarm's.
    """
    document = key["policy"]
    for service in publishers(key):
        for action in NEEDED:
            alarms = naming.PLACE_ALARMS if service == CLOUDWATCH else [None]
            reasons = (refused(document, _requests(key, document, service, action, one)) for one in alarms)
            if reason := next(filter(None, reasons), None):
                yield (
                    f"does not let {service} use {action}, so its alerts are lost without an error. "
                    f"{reason} Allow it both kms:GenerateDataKey* and kms:Decrypt, for EventBridge without a "
                    "condition on the source."
                )


def _requests(
    key: Resource, document: Any, service: str, action: str, alarm: str | None
) -> Iterator[Request]:
    """Yield the forms in which a service may ask KMS: for each account and ARN that the key may have."""
    region = region_in_arn(key.region)
    for account in own_accounts(key.account, document):
        alarm_arn = naming.alarm_arn(account, region, alarm or "")
        source = {"SourceAccount": account, "SourceArn": alarm_arn} if alarm else {}
        for arn in [naming.key_arn(account, region, "any"), *named_arns(document, "kms", account)]:
            yield by_service(service, action, arn, **source)


@resource_policy(
    "key-rotation",
    "The key is rotated",
    types=[KEY],
    applies=publishers,
    severity=Severity.MEDIUM,
    framework=CIS_KEY_ROTATION,
    fix="Set enableKeyRotation to true.",
    url="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
)
def key_rotation(key: Resource) -> Problems:
    """The key that encrypts alerts must be rotated."""
    if key["enableKeyRotation"] is not True:
        yield "is not rotated. Set enableKeyRotation to true."


@resource_policy(
    "key-enabled",
    "The key is enabled",
    types=[*ENABLED_BY],
    applies=publishers,
    severity=Severity.CRITICAL,
    fix="Set isEnabled (enabled, where AWS did not make the key) to true.",
    url="https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html",
)
def key_enabled(key: Resource) -> Problems:
    """The key that encrypts alerts must be enabled."""
    enabled_by = ENABLED_BY[key.type]
    if key[enabled_by] is False:
        yield f"is disabled, so alerts are lost without an error. Set {enabled_by} to true."
