"""What the settings make together must not be longer than AWS allows: documents and event patterns."""

import json
from collections.abc import Iterator

from breakglass import documents, naming, quotas
from breakglass.detections.catalogue import DETECTIONS
from breakglass.detections.patterns import PatternTooLong
from breakglass.detections.relay_patterns import relay_patterns
from breakglass.detections.watchdog_rules import WATCHDOG_RULES
from breakglass.settings.model import Settings


def problems(settings: Settings) -> list[str]:
    """Return a problem for each document or pattern that AWS would refuse for its length."""
    found: list[str] = []
    for document, limit, key, name, remedy in _limited(settings):
        # Without white space, which AWS does not count.
        length = len(json.dumps(document, separators=(",", ":")))
        if length > limit:
            made = f"makes the {name} {length} characters long, must be at most {limit}"
            found.append(f"breakglass:{key}: {made}: {remedy}")
    try:
        # Build what the stack would deploy: a pattern may be too long and impossible to split.
        if settings.relay is not None:
            relay_patterns(settings.watched, settings.account_id)
        for detection in (*DETECTIONS, *WATCHDOG_RULES) if settings.alerts is not None else ():
            detection.rule_patterns(settings.watched)
    except PatternTooLong as error:
        found.append(
            f"breakglass:user.names: makes an {error}: "
            "name fewer users, or shorter names (9 names of 14 letters fit)"
        )
    return found


def _limited(settings: Settings) -> Iterator[tuple[documents.Document, int, str, str, str]]:
    """Yield each document with its limit, the key that makes it long, its name, and a remedy."""
    trust = documents.role_trust(
        user_account_id=settings.hub_account_id,
        user_names=settings.user.names,
        mfa_max_age=settings.role.mfa_max_age,
    )
    remedy = "name fewer users, or shorter names"
    yield trust, quotas.ROLE_TRUST, "user.names", "role's trust policy", remedy
    assume = documents.assume_role(role_name=settings.role.name, account_ids=settings.user.account_ids)
    name = f"policy {naming.ASSUME_ROLE_POLICY}"
    yield assume, quotas.MANAGED_POLICY, "user.accountIds", name, "list fewer, or none for all"
    if settings.alerts is not None:
        # The watchdog's bus has the longer name.
        bus = documents.bus(
            bus_arn=settings.watched.bus_arn(naming.WATCHDOG),
            account_ids=settings.relaying_accounts,
            organization_id=settings.alerts.organization_id,
        )
        remedy = "list fewer, or give organizationId"
        yield bus, quotas.BUS_POLICY, "alerts.memberAccountIds", "policy of each bus", remedy
