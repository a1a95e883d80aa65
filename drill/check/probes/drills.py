"""It was drilled this quarter: a loud drill, heard from every Region with a relay."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from breakglass import naming
from drill import audit_log
from drill.audit_log import Record
from drill.check.finding import Finding, not_ready, ready
from drill.check.subject import Subject

QUARTER = timedelta(days=92)
FIX = 'python -m drill fire --why "quarterly drill"'

Place = tuple[str, str]
"""Account and Region."""


@dataclass(kw_only=True)
class Heard:
    """What the audit log has of one drill.

    Attributes:
        places: Where its events came from.
        loud: Whether people were told of each of them.
        last: When the last of them arrived, UTC.
    """

    last: datetime
    places: set[Place] = field(default_factory=set)
    loud: bool = True


def last_drill(subject: Subject) -> Iterator[Finding]:
    """Find the last full drill in the audit log: it was loud, and heard from every Region with a relay."""
    found = audit_log.records(
        subject.account, subject.home, source=naming.DRILL_SOURCE, since=subject.now - QUARTER
    )
    drills = sorted(heard(found), key=lambda drill: drill.last, reverse=True)
    wanted = {(account, region) for account, regions in subject.relays.items() for region in regions}
    for drill in drills:
        if drill.loud and wanted and wanted <= drill.places:
            yield ready(f"full drill {_ago(subject.now - drill.last)}, heard from {len(wanted)} Regions")
            return
    last = f"; last heard: {_said(drills[0], wanted, subject.now)}" if drills else ""
    yield not_ready(f"no full drill in the last {_looked_back(subject)} days{last}", FIX)


def heard(records: Iterable[Record]) -> list[Heard]:
    """Return the drills that some records are of; an event that names a place not its own is of none."""
    drills: dict[str, Heard] = {}
    for record in records:
        drill_id, _, place = audit_log.nonce(record).partition(".")
        if not drill_id or place != ".".join(record.place):
            continue
        drill = drills.setdefault(drill_id, Heard(last=record.arrived))
        drill.places.add(record.place)
        drill.last = max(drill.last, record.arrived)
        drill.loud = drill.loud and record.event.get("detail-type") == naming.DRILL_TYPE
    return list(drills.values())


def _said(drill: Heard, wanted: set[Place], now: datetime) -> str:
    missed = sorted(wanted - drill.places)
    by_account: dict[str, list[str]] = {}
    for account, region in missed:
        by_account.setdefault(account, []).append(region)
    listed = "; ".join(f"{account} {', '.join(regions)}" for account, regions in by_account.items())
    quiet = "" if drill.loud else "quiet "
    return f"a {quiet}drill {_ago(now - drill.last)}{f', which missed {listed}' if missed else ''}"


def _ago(age: timedelta) -> str:
    days = max(0, age.days)
    return {0: "today", 1: "a day ago"}.get(days, f"{days} days ago")


def _looked_back(subject: Subject) -> int:
    """Return how many days back the audit log can tell."""
    alerts = subject.stack.settings.alerts
    return min(QUARTER.days, alerts.audit_retention_days) if alerts is not None else QUARTER.days
