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
    hubs = [stack for stack, settings in stacks.items() if settings.alerts is not None]
    for other in hubs[1:]:
        yield other, f"alerts: found a hub beside stack {hubs[0]}, must be in one stack only"
    if not hubs:
        return
    name, hub = hubs[0], stacks[hubs[0]]
    for stack, settings in stacks.items():
        if settings.alerts is not None:
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
        yield from ((stack, problem) for problem in _of_a_member(name, hub, settings))
        if settings.relay is not None and not _admits(hub, settings.account_id):
            wanted = f"must be in alerts.memberAccountIds of stack {name}: its hub refuses others' events"
            yield stack, f"accountId: found {settings.account_id!r}, {wanted}"


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
