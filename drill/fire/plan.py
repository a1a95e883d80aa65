"""Where a drill sends events, and how many messages each recipient will get."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import typer

from breakglass import naming
from breakglass.detections.patterns import Watched
from drill.account import CANNOT_TELL, Account, explained
from drill.check import live
from drill.check.probes.recipients import is_own_queue
from drill.check.stack_state import enabled_regions
from drill.fire.result import counted
from drill.fire.timing import Timing
from drill.options import Selection
from drill.places import Place, by_account
from drill.stacks import Stack


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where a drill's events go, all accounts by id, and what could not be read: it goes on without that."""

    places: Sequence[Place]
    accounts: Mapping[str, Account]
    problems: Sequence[str]

    @property
    def unreached(self) -> set[str]:
        """Ids of the accounts without credentials, to which nothing can be sent."""
        return {id for id, account in self.accounts.items() if account.session is None}


def plan(selection: Selection, only_regions: Sequence[str], *, quiet: bool) -> Plan:
    """Return where the events go: to every Region with a relay in the selected accounts, or `only_regions`.

    A loud drill rings from the hub's account only: anybody who may put events on a member's bus could
    otherwise flood the recipients, and tell them that nothing has happened. If an account's Regions cannot be
    listed, they are assumed to be the hub's.

    Raises:
        typer.BadParameter: There is nothing to drill, or one of `only_regions` has no relay.
    """
    places: list[Place] = []
    problems: list[str] = []
    of_hub: list[str] = []
    for stack, account in zip(selection.stacks, selection.accounts, strict=True):
        regions, problem = _regions(stack, account, of_hub)
        of_hub = of_hub or regions
        if stack.name in selection.only and (quiet or stack.settings.is_hub):
            places += [Place(account.id, region) for region in regions]
            problems += [problem] if problem else []
    covered = sorted({place.region for place in places})
    if unknown := sorted(set(only_regions) - set(covered)):
        raise typer.BadParameter(
            f"--region {', '.join(unknown)}: no relay there; must be one of "
            f"{', '.join(covered) or 'no Region'}"
        )
    if not places:
        chosen = [stack for stack in selection.stacks if stack.name in selection.only]
        if not quiet and not any(stack.settings.is_hub for stack in chosen):
            raise typer.BadParameter("a loud drill rings from the hub's account only: use --quiet for others")
        reason = "; ".join(problems) or f"no relay in stack {', '.join(selection.only)}"
        raise typer.BadParameter(f"nothing to drill: {reason}")
    return Plan(
        places=[place for place in places if not only_regions or place.region in only_regions],
        # Two stacks can be of one account, of which one was not selected and so has no credentials.
        accounts={
            account.id: account
            for account in sorted(selection.accounts, key=lambda account: account.session is not None)
        },
        problems=problems,
    )


def _regions(stack: Stack, account: Account, usual: Sequence[str]) -> tuple[list[str], str]:
    """Return the Regions with a relay, and why that answer may be wrong."""
    relay = stack.settings.relay
    if relay is None:
        return [], ""
    if relay.regions is not None:
        return relay.covered(()), account.problem
    enabled, problem = enabled_regions(account)
    if enabled is not None:
        return relay.covered(enabled), ""
    return relay.covered(usual), f"the Regions of {account.id} cannot be listed: {problem}"


def announced(plan: Plan, *, quiet: bool, timing: Timing) -> Iterator[str]:
    """Yield what is going to happen, in lines for people."""
    for account_id, regions in by_account(plan.places).items():
        yield f"{account_id}: {counted(len(regions), 'event')}, to {', '.join(regions)}"
    if quiet:
        yield "A quiet drill: it goes to the audit log only, and notifies nobody."
    else:
        seconds = counted(round((len(plan.places) - 1) / timing.loud_per_second), "second")
        yield f"At {timing.loud_per_second} a second, so that nobody is flooded: this takes {seconds}."


def audience(watched: Watched, accounts: Mapping[str, Account], messages: int) -> Iterator[str]:
    """Yield who is going to be notified, by topic; never an endpoint, whose URL is often its password."""
    for way in naming.WAYS:
        name, (account_id, _) = way.topic, watched.place(way)
        if account_id not in accounts:
            yield f"Topic {name}: its recipients cannot be listed: account {account_id} is of no stack here"
            continue
        try:
            subscriptions = live.subscriptions(accounts[account_id], watched.topic_arn(way))
        except CANNOT_TELL as error:
            yield f"Topic {name}: its recipients cannot be listed: {explained(error)}"
            continue
        people = [each for each in subscriptions if not is_own_queue(each["Protocol"], each["Endpoint"])]
        pending = Counter(each["Protocol"] for each in people if live.is_pending(each))
        confirmed = Counter(each["Protocol"] for each in people) - pending
        each = f"{counted(messages, 'message')} to each of {_by_protocol(confirmed)}"
        unconfirmed = f"; pending, so not notified: {_by_protocol(pending)}" if pending else ""
        yield f"Topic {name}: {each if confirmed else 'notifies NOBODY'}{unconfirmed}"


def _by_protocol(protocols: Counter[str]) -> str:
    return ", ".join(f"{count} {protocol}" for protocol, count in sorted(protocols.items()))
