"""What a drill is going to do: where its events go, and how many messages that is for whom."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import typer

from breakglass import naming
from drill.account import CANNOT_TELL, Account, explained
from drill.check import live, subject
from drill.check.probes.recipients import is_drill_queue
from drill.fire.outcome import counted
from drill.fire.send import LOUD_PER_SECOND, Place
from drill.options import Chosen
from drill.stacks import Stack, relay_regions


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where a drill's events go.

    Attributes:
        places: Every Region with a relay of the chosen accounts, or those asked for.
        problems: What cannot be told; the drill goes on without it.
    """

    places: Sequence[Place]
    problems: Sequence[str]


def plan(chosen: Chosen, only_regions: Sequence[str]) -> Plan:
    """Return where the events go; an account whose Regions cannot be told is taken to have the hub's.

    Args:
        chosen: Stacks and accounts.
        only_regions: Regions to drill; all with a relay if empty.

    Raises:
        typer.BadParameter: There is nothing to drill, or no relay in a Region that was asked for.
    """
    places: list[Place] = []
    problems: list[str] = []
    of_hub: list[str] = []
    for stack, account in zip(chosen.stacks, chosen.accounts, strict=True):
        regions, problem = _regions(stack, account, of_hub)
        of_hub = of_hub or regions
        if stack.name in chosen.only and regions:
            places += [Place(account=account, region=region) for region in regions]
            problems += [problem] if problem else []
    covered = sorted({place.region for place in places})
    if strange := sorted(set(only_regions) - set(covered)):
        raise typer.BadParameter(
            f"--region {', '.join(strange)}: no relay there; must be of {', '.join(covered) or 'no Region'}"
        )
    if not places:
        raise typer.BadParameter(
            f"no relay in stack {', '.join(chosen.only)}: nothing to drill {'; '.join(problems)}".rstrip()
        )
    wanted = [place for place in places if not only_regions or place.region in only_regions]
    return Plan(places=wanted, problems=problems)


def _regions(stack: Stack, account: Account, usual: Sequence[str]) -> tuple[list[str], str]:
    """Return the Regions with a relay, and what is wrong with that answer."""
    relay = stack.settings.relay
    if relay is None:
        return [], ""
    if relay.regions is not None:
        return relay_regions(stack, ()), account.problem
    enabled, problem = subject.enabled_regions(account)
    if enabled is not None:
        return relay_regions(stack, enabled), ""
    return relay_regions(stack, usual), f"the Regions of {account.id} cannot be listed: {problem}"


def announced(plan: Plan, *, quiet: bool) -> Iterator[str]:
    """Yield what is going to happen, in lines for people."""
    regions: dict[str, list[str]] = {}
    for place in plan.places:
        regions.setdefault(place.account.id, []).append(place.region)
    for account_id, names in regions.items():
        yield f"{account_id}: {counted(len(names), 'event')}, to {', '.join(names)}"
    if quiet:
        yield "A quiet drill: the audit log hears of it, nobody else."
    else:
        seconds = round((len(plan.places) - 1) / LOUD_PER_SECOND)
        yield f"At {LOUD_PER_SECOND} a second, which takes {seconds} seconds: a drill must not flood anybody."


def audience(hub: Account, region: str, messages: int) -> Iterator[str]:
    """Yield who is going to be told, by topic; never an endpoint, whose URL is often its password."""
    for name in (naming.TOPIC, naming.WATCHDOG_TOPIC):
        try:
            found = live.subscriptions(hub, naming.topic_arn(hub.id, region, name))
        except CANNOT_TELL as error:
            yield f"Topic {name}: who is told cannot be listed: {explained(error)}"
            continue
        people = [one for one in found if not is_drill_queue(one["Protocol"], one["Endpoint"])]
        confirmed = Counter(one["Protocol"] for one in people if not live.is_pending(one))
        pending = Counter(one["Protocol"] for one in people if live.is_pending(one))
        each = f"{counted(messages, 'message')} to each of"
        told = f"{each} {_by_protocol(confirmed)}" if confirmed else "tells NOBODY"
        late = f"; pending, so not told: {_by_protocol(pending)}" if pending else ""
        yield f"Topic {name}: {told}{late}"


def _by_protocol(protocols: Counter[str]) -> str:
    return ", ".join(f"{count} {protocol}" for protocol, count in sorted(protocols.items()))
