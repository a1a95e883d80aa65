"""There was a full drill this quarter: loud, and with an event from every Region of the hub's account."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from breakglass import naming
from drill import audit_log
from drill.audit_log import Record
from drill.check.finding import Findings, not_ready, ready
from drill.check.stack_state import StackState
from drill.places import Place, in_words

QUARTER = timedelta(days=92)
FIX = 'python -m drill fire --why "quarterly drill"'


@dataclass(kw_only=True)
class PastDrill:
    """What the audit log has of one drill: `loud` if every event notified people, `last` when one arrived."""

    last: datetime
    places: set[Place] = field(default_factory=set)
    loud: bool = True


def last_drill(stack_state: StackState) -> Findings:
    """Find the last full drill in the audit log: it was loud, and came from every Region of this account."""
    records = audit_log.records(
        stack_state.account,
        stack_state.home,
        source=naming.DRILL_SOURCE,
        since=stack_state.now - QUARTER,
    )
    drills = sorted(past_drills(records), key=lambda drill: drill.last, reverse=True)
    wanted = {place for place in stack_state.relay_places if place.account == stack_state.account.id}
    for drill in drills:
        if drill.loud and wanted and wanted <= drill.places:
            yield ready(f"full drill {stack_state.ago(drill.last)}, with events from {len(wanted)} Regions")
            return
    alerts = stack_state.stack.settings.alerts
    days = QUARTER.days if alerts is None else min(QUARTER.days, alerts.audit_retention_days)
    latest = ""
    if drills:
        missed = in_words(sorted(wanted - drills[0].places))
        latest = (
            f"; the last one was a {'' if drills[0].loud else 'quiet '}drill "
            f"{stack_state.ago(drills[0].last)}{f', which missed {missed}' if missed else ''}"
        )
    yield not_ready(f"no full drill in the last {days} days{latest}", FIX)


def past_drills(records: Iterable[Record]) -> list[PastDrill]:
    """Return the drills that some records belong to; an event that names a place not its own is ignored."""
    drills: dict[str, PastDrill] = {}
    for record in records:
        drill_id, _, place = audit_log.nonce(record).partition(".")
        if not drill_id or place != f"{record.place.account}.{record.place.region}":
            continue
        drill = drills.setdefault(drill_id, PastDrill(last=record.arrived))
        drill.places.add(record.place)
        drill.last = max(drill.last, record.arrived)
        drill.loud = drill.loud and record.event.get("detail-type") == naming.DRILL_TYPE
    return list(drills.values())
