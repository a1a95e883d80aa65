"""Every relay sent a heartbeat lately: each Region sends one every hour, to hub and watchdog."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from breakglass import naming
from breakglass.naming import Way
from drill import audit_log
from drill.check.finding import Findings, not_ready, ready, unknown
from drill.check.stack_state import StackState
from drill.places import Place, by_account

LATELY = timedelta(hours=4)
"""As long as the alarm on missing heartbeats waits."""


def _heard(way: Way, stack_state: StackState) -> Findings:
    """Look for a heartbeat of every Region with a relay: no alarm can say which ones are missing."""
    since, hours = stack_state.now - LATELY, LATELY // timedelta(hours=1)
    records = audit_log.records(
        stack_state.account,
        stack_state.region(way),
        source="aws.events",
        since=since,
        group=naming.HEARTBEAT_LOG_GROUP,
    )
    wanted = stack_state.relay_places
    missing = wanted - {record.place for record in records}
    young = set(_young(stack_state, since, missing))
    for account, regions in by_account(sorted(missing - young)).items():
        text = f"no heartbeat in the last {hours} hours from {account}: {', '.join(regions)}"
        if account in stack_state.stacks:
            command = f"python -m drill check --stack {stack_state.stacks[account]}"
            yield not_ready(text, command, fix="see what the rows of its relays and its trail say")
        else:
            yield not_ready(text, fix="check that account from the clone that holds its stack file")
    for account, regions in by_account(sorted(young)).items():
        yield unknown(
            f"no heartbeat yet from {account}: {', '.join(regions)}: the first comes within the hour",
            fix="check again in an hour",
        )
    if wanted and not missing:
        yield ready(f"heartbeats of all {len(wanted)} relays in the last {hours} hours")


at_hub = partial(_heard, naming.HUB)
at_watchdog = partial(_heard, naming.WATCHDOG)


def _young(stack_state: StackState, since: datetime, missing: set[Place]) -> Iterator[Place]:
    """Yield which of the missing places have a schedule too young to have run.

    In an account that was not selected: as young as the youngest of the hub's own, for it cannot be older.
    """
    created = {
        Place(*resource.home): resource["created"]
        for resource in stack_state.deployed
        if resource.type.endswith(":Schedule") and isinstance(resource["created"], datetime)
    }
    accounts = {place.account for place in created}
    of_hub = [then for place, then in created.items() if place.account == stack_state.account.id]
    for place in missing:
        assumed = since if place.account in accounts else max(of_hub, default=since)
        if created.get(place, assumed) > since:
            yield place
