"""What the settings make together must not be longer than AWS allows: documents and event patterns."""

import json
from collections.abc import Iterator

from breakglass import documents, naming, quotas
from breakglass.detections.catalogue import DETECTIONS
from breakglass.detections.patterns import PatternTooLong, checked
from breakglass.detections.relay_patterns import relay_patterns
from breakglass.settings.model import Settings


def problems(settings: Settings) -> list[str]:
    """Return a problem for each document or pattern that AWS would refuse for its length."""
    found = list(_long_documents(settings))
    try:
        _build_patterns(settings)
    except PatternTooLong as error:
        found.append(
            f"breakglass:user.names: makes an {error}: "
            "name fewer users, or shorter names (11 of 14 letters fit)"
        )
    return found


def _long_documents(settings: Settings) -> Iterator[str]:
    trust = documents.role_trust(
        user_account_id=settings.hub_account_id,
        user_names=settings.user.names,
        mfa_max_age=settings.role.mfa_max_age,
    )
    yield from _too_long(
        trust, quotas.ROLE_TRUST, "user.names", "role's trust policy", "name fewer users, or shorter names"
    )
    assume = documents.assume_role(role_name=settings.role.name, account_ids=settings.user.account_ids)
    yield from _too_long(
        assume,
        quotas.MANAGED_POLICY,
        "user.accountIds",
        f"policy {naming.ASSUME_ROLE_POLICY}",
        "list fewer, or none for all",
    )
    if settings.alerts is not None:
        bus = documents.hub_bus(
            account_id=settings.account_id,
            region=settings.alerts.region,
            member_account_ids=settings.alerts.member_account_ids,
            organization_id=settings.alerts.organization_id,
        )
        yield from _too_long(
            bus,
            quotas.BUS_POLICY,
            "alerts.memberAccountIds",
            "hub bus's policy",
            "list fewer, or give organizationId",
        )


def _too_long(document: documents.Document, limit: int, key: str, name: str, remedy: str) -> Iterator[str]:
    """Yield a problem if a document is too long; `key` makes it so, and `remedy` is what to do about it."""
    # Without white space, which AWS does not count.
    length = len(json.dumps(document, separators=(",", ":")))
    if length > limit:
        yield (
            f"breakglass:{key}: makes the {name} {length} characters long, must be at most {limit}: {remedy}"
        )


def _build_patterns(settings: Settings) -> None:
    """Build what the stack would deploy; raises PatternTooLong where a pattern cannot be split further."""
    if settings.relay is not None:
        relay_patterns(settings.watched, settings.account_id)
    if settings.alerts is not None:
        for detection in DETECTIONS:
            for pattern in detection.patterns(settings.watched):
                checked(pattern)
