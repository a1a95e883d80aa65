"""Every relay was heard today: the heartbeat that each Region sends at noon is in the audit log."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from components import naming
from drill import audit_log
from drill.check.finding import Finding, not_ready, ready, unknown
from drill.check.subject import Subject

DAY = timedelta(hours=25)
"""A day, and an hour for heartbeats that are late."""

Place = tuple[str, str]
"""Account and Region."""


def heard(subject: Subject) -> Iterator[Finding]:
    """Look for a heartbeat of every Region with a relay; which are silent, no alarm can say."""
    since, hours = subject.now - DAY, DAY // timedelta(hours=1)
    records = audit_log.records(subject.account, subject.home, source=naming.HEARTBEAT_SOURCE, since=since)
    arrived = {record.place for record in records}
    wanted = {(account, region) for account, regions in subject.relays.items() for region in regions}
    missing = wanted - arrived
    young = missing & set(_young(subject, since))
    for account, regions in _by_account(missing - young):
        stack = subject.stacks.get(account, f"of account {account}")
        yield not_ready(
            f"no heartbeat in the last {hours} hours from {account}: {', '.join(regions)}",
            fix=f"see what `python -m drill check --stack {stack}` says of its relays, and redeploy it",
        )
    for account, regions in _by_account(young):
        yield unknown(
            f"no heartbeat yet from {account}: {', '.join(regions)}: the first is due at 12:00 UTC",
            fix="check again after 12:00 UTC",
        )
    if wanted and not missing:
        yield ready(f"heartbeats of all {len(wanted)} relays in the last {hours} hours")


def _young(subject: Subject, since: datetime) -> Iterator[Place]:
    """Yield where the schedule is too young to have fired; told of accounts that are looked at."""
    for resource in subject.deployed:
        if resource.type.endswith(":Schedule"):
            created = resource["created"]
            if isinstance(created, datetime) and created > since:
                yield resource.home


def _by_account(places: Iterable[Place]) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for account, region in sorted(places):
        found.setdefault(account, []).append(region)
    return list(found.items())
