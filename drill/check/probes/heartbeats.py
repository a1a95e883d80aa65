"""Every relay was heard today: the heartbeat that each Region sends at noon is in the audit log."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from breakglass import naming
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
    young = set(_young(subject, since, missing))
    for account, regions in _by_account(missing - young):
        text = f"no heartbeat in the last {hours} hours from {account}: {', '.join(regions)}"
        if account in subject.stacks:
            command = f"python -m drill check --stack {subject.stacks[account]}"
            yield not_ready(text, command, fix="see what the rows of its relays say")
        else:
            yield not_ready(text, fix="check that account from the clone that holds its stack file")
    for account, regions in _by_account(young):
        yield unknown(
            f"no heartbeat yet from {account}: {', '.join(regions)}: the first is due at 12:00 UTC",
            fix="check again after 12:00 UTC",
        )
    if wanted and not missing:
        yield ready(f"heartbeats of all {len(wanted)} relays in the last {hours} hours")


def _young(subject: Subject, since: datetime, missing: set[Place]) -> Iterator[Place]:
    """Yield which of the missing have a schedule too young to have fired.

    Of an account that is not looked at: as young as the youngest of the hub's own, for it cannot be older.
    """
    created = {
        one.home: one["created"]
        for one in subject.deployed
        if one.type.endswith(":Schedule") and isinstance(one["created"], datetime)
    }
    hub = max((then for place, then in created.items() if place[0] == subject.account.id), default=since)
    seen = {account for account, _ in created}
    for place in missing:
        if created.get(place, hub if place[0] not in seen else since) > since:
            yield place


def _by_account(places: Iterable[Place]) -> list[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for account, region in sorted(places):
        found.setdefault(account, []).append(region)
    return list(found.items())
