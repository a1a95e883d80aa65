"""What the stacks' configurations must have in common: each is good alone, and together they may not work.

AWS would not notice: a role that trusts other users than those there are, or whose name the users' own policy
does not hold, is deployed without an error and can be assumed by nobody.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from breakglass.settings.model import Settings
from breakglass.settings.walk import ROOT


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """A value of a stack that does not go with those of another: key, what was found, what would be right."""

    stack: str
    problem: str


def disagreements(stacks: Mapping[str, Settings]) -> list[Disagreement]:
    """Return what does not go together in the stacks of a project, by their names.

    Without a hub among them there is nothing to compare with, except that an account has one stack.
    """
    return [
        Disagreement(stack=stack, problem=f"{ROOT}:{problem}")
        for stack, problem in (*_one_stack_an_account(stacks), *_with_the_hub(stacks))
    ]


def _one_stack_an_account(stacks: Mapping[str, Settings]) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for stack, settings in stacks.items():
        other = first.setdefault(settings.account_id, stack)
        if other != stack:
            yield stack, f"accountId: found {settings.account_id!r} of stack {other}, must be another account"


def _with_the_hub(stacks: Mapping[str, Settings]) -> Iterator[tuple[str, str]]:
    hubs = [stack for stack, settings in stacks.items() if settings.is_hub]
    for other in hubs[1:]:
        yield other, f"alerts: found a hub beside stack {hubs[0]}, must be in one stack only"
    if not hubs:
        return
    name, hub = hubs[0], stacks[hubs[0]]
    for stack, settings in stacks.items():
        if settings.is_hub:
            continue
        as_there = f"as in stack {name}, which has the users"
        if settings.hub_account_id != hub.account_id:
            found = f"hubAccountId: found {settings.hub_account_id!r}"
            yield stack, f"{found}, must be {hub.account_id!r}, the account of stack {name}"
        if settings.role.name != hub.role.name:
            yield stack, f"role.name: found {settings.role.name!r}, must be {hub.role.name!r} {as_there}"
        if set(settings.user.names) != set(hub.user.names):
            found, wanted = ", ".join(settings.user.names), ", ".join(hub.user.names)
            yield stack, f"user.names: found {found}, must be {wanted} {as_there}"
        yield from ((stack, problem) for problem in _about_the_watchdog(name, hub, settings))
        yield from ((stack, problem) for problem in _of_a_member(name, hub, settings))
        if settings.relay is not None and not _admits(hub, settings.account_id):
            wanted = f"must be in alerts.memberAccountIds of stack {name}: its hub refuses others' events"
            yield stack, f"accountId: found {settings.account_id!r}, {wanted}"


def _about_the_watchdog(name: str, hub: Settings, settings: Settings) -> Iterator[str]:
    """Yield what a stack says of the watchdog, or does not create of it, unlike the hub's stack."""
    # Where no account is named it is the hub's, and a wrong one of that is told already.
    owner = settings.watchdog.account_id
    owner = hub.account_id if owner == settings.hub_account_id else owner
    for key, found, wanted in (
        ("region", settings.watchdog.region, hub.watchdog.region),
        ("accountId", owner, hub.watchdog.account_id),
    ):
        if found != wanted:
            yield f"watchdog.{key}: found {found}, must be {wanted} as in stack {name}, the hub's"
    watchdog = "watchdog" in settings.components
    if not watchdog and settings.account_id == hub.watchdog.account_id != hub.account_id:
        yield f"components: found no watchdog, must list it, because stack {name} says that it is here"
    if not watchdog or settings.alerts is None or hub.alerts is None:
        return
    # Hub and watchdog tell each other's recipients of their alarms, and let in the same accounts.
    for key, found, wanted in (
        ("alerts.subscriptions", settings.alerts.subscriptions, hub.alerts.subscriptions),
        ("watchdog.subscriptions", settings.watchdog.subscriptions, hub.watchdog.subscriptions),
        ("alerts.memberAccountIds", settings.alerts.member_account_ids, hub.alerts.member_account_ids),
    ):
        if set(found) != set(wanted):
            yield f"{key}: is not the same as in stack {name}, must be, as both places need it"
    if settings.alerts.organization_id != hub.alerts.organization_id:
        yield f"alerts.organizationId: is not the same as in stack {name}, must be, as both places need it"


def _of_a_member(name: str, hub: Settings, settings: Settings) -> Iterator[str]:
    """Yield what a member lacks for its role to be of use and its events to be heard."""
    allowed = hub.user.account_ids
    if "role" in settings.components and allowed is not None and settings.account_id not in allowed:
        wanted = f"must be in user.accountIds of stack {name}: its users may not assume the role here"
        yield f"accountId: found {settings.account_id!r}, {wanted}"
    members = () if hub.alerts is None else hub.alerts.member_account_ids
    if settings.relay is None and settings.account_id in members:
        yield f"components: found no relay, must list it: stack {name} waits for its heartbeats"


def _admits(hub: Settings, account_id: str) -> bool:
    alerts = hub.alerts
    return alerts is not None and (
        alerts.organization_id is not None or account_id in (hub.account_id, *alerts.member_account_ids)
    )
