"""One stack as it is meant to be and as it is: what every check looks at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, TypeVar

from alertpath.model import Deployment, Resource, deployment
from alertpath.proof import Judgement, prove
from breakglass import naming
from breakglass.naming import Way
from breakglass.settings.agreement import disagreements
from drill.account import CANNOT_TELL, Account, explained
from drill.check import live, rendered
from drill.check.live import Properties
from drill.places import Place
from drill.progress import Progress
from drill.stacks import Stack

Key = TypeVar("Key")
Value = TypeVar("Value")

AT_ONCE = 16
"""Calls in flight: enough for 17 Regions, few enough for AWS's rates."""


@dataclass(frozen=True, kw_only=True)
class StackState:
    """One stack as it is meant to be and as it is.

    Attributes:
        enabled: Regions that the account has enabled; None if they cannot be listed (`enabled_problem`).
        live: What exists, by the name of the rendered resource: its properties, None if it does not exist, or
            the exception that reading it raised.
        answers: Enabled Regions, each with the exception that a call there raised, or None.
        relays: Regions that must have a relay, by account, of all accounts of the project.
        stacks: Names of the project's stacks, by account.
        disagreements: What of this stack does not go together with the others.
        deployed: What exists in all selected accounts, as `alertpath` takes it.
        unread: Why resources of these accounts could not be read, one entry for each resource.
        now: When this was read, UTC.
    """

    stack: Stack
    account: Account
    enabled: Sequence[str] | None
    enabled_problem: str
    rendered: Sequence[Resource]
    live: Mapping[str, Properties | Exception | None] = field(default_factory=dict)
    answers: Mapping[str, Exception | None] = field(default_factory=dict)
    relays: Mapping[str, Sequence[str]] = field(default_factory=dict)
    stacks: Mapping[str, str] = field(default_factory=dict)
    disagreements: Sequence[str] = ()
    deployed: Sequence[Resource] = ()
    unread: Sequence[str] = ()
    now: datetime

    @cached_property
    def model(self) -> Deployment:
        """What exists in all selected accounts, as one model."""
        return deployment(self.deployed)

    @cached_property
    def judgements(self) -> list[Judgement]:
        """The proof over what exists, played once for all checks."""
        return prove(self.model)

    @property
    def relay_places(self) -> set[Place]:
        """Where a relay must be, in all accounts."""
        return {Place(account, region) for account, regions in self.relays.items() for region in regions}

    @property
    def meant(self) -> set[str]:
        """Regions of the account that must have a relay, also if the hub does not list the account."""
        rendered = (schedule.home[1] for schedule in self.of("Schedule"))
        return set(self.relays.get(self.account.id, rendered))

    @property
    def excluded(self) -> set[str]:
        """Regions that are configured to have no relay."""
        relay = self.stack.settings.relay
        return set(() if relay is None else relay.exclude_regions)

    def ago(self, then: datetime) -> str:
        """Return how many days ago a time was, such as `3 days ago`."""
        days = (self.now - then).days
        return "today" if days < 1 else f"{days} day{'s' if days > 1 else ''} ago"

    def region(self, way: Way) -> str:
        """Return the Region of hub or watchdog."""
        return self.stack.settings.watched.place(way)[1]

    @property
    def home(self) -> str:
        """Region of the hub."""
        return naming.HOME_REGION

    def aws(self, command: str) -> str:
        """Return an AWS CLI command with the account's profile: another's would act there."""
        return f"aws {command} --profile {self.profile}"

    def pulumi(self, verb: str, options: str) -> str:
        """Return a Pulumi command on the stack, with its account's profile."""
        return f"AWS_PROFILE={self.profile} pulumi {verb} -s {self.stack.name} {options}"

    @property
    def profile(self) -> str:
        """The AWS profile that was used; if none was, the one that is looked for first."""
        return self.account.profile or self.stack.name

    def of(self, *kinds: str) -> list[Resource]:
        """Return the rendered resources of some kinds, such as `EventRule`."""
        return [resource for resource in self.rendered if resource.type.rsplit(":", 1)[-1] in kinds]

    def of_component(self, component: str, *kinds: str) -> list[Resource]:
        """Return the rendered resources of some kinds of a component such as `relay`, sorted by URN."""
        found = [each for each in self.of(*kinds) if each.urn.startswith(f"break-glass-{component}-")]
        return sorted(found, key=lambda each: each.urn)  # the program registers them in any order

    def look(self, resource: Resource) -> Properties | None:
        """Return the live properties of a rendered resource, None if it does not exist.

        Raises:
            ClientError, BotoCoreError, NotSignedIn: It could not be read.
        """
        properties = self.live[resource.urn]
        if isinstance(properties, Exception):
            raise properties
        return properties


def prepare(
    stacks: Sequence[Stack], accounts: Sequence[Account], *, only: Sequence[str], progress: Progress
) -> list[StackState]:
    """Return the state of the stacks named in `only`: renders what is meant, reads what exists.

    All stacks are given, the hub's first: those not selected still determine which relays there must be.
    """
    now, names = datetime.now(UTC), {stack.account_id: stack.name for stack in stacks}
    found = disagreements({stack.name: stack.settings for stack in stacks})
    meant: list[StackState] = []
    for stack, account in zip(stacks, accounts, strict=True):
        if stack.name in only:
            enabled, problem = enabled_regions(account)
            key: dict[str, str] = {}
            if stack.settings.is_hub:
                with suppress(*CANNOT_TELL):  # the reading of the key itself will say why
                    chosen = live.key(account, naming.HOME_REGION)
                    key = {"keyId": chosen["KeyId"], "arn": chosen["Arn"]}
            resources = rendered.render(stack, enabled_regions=enabled or [naming.HOME_REGION], key=key)
            meant.append(
                StackState(
                    stack=stack,
                    account=account,
                    enabled=enabled,
                    enabled_problem=problem,
                    rendered=resources,
                    stacks=names,
                    disagreements=[one.problem for one in found if one.stack == stack.name],
                    now=now,
                )
            )
    stack_states = list(_read(meant, _relays(stacks, meant), progress))
    deployed = [resource for stack_state in stack_states for resource in _deployed(stack_state)]
    unread = [
        explained(properties)
        for stack_state in stack_states
        for properties in stack_state.live.values()
        if isinstance(properties, Exception)
    ]
    return [replace(stack_state, deployed=deployed, unread=unread) for stack_state in stack_states]


def _deployed(stack_state: StackState) -> Iterator[Resource]:
    """Yield what exists, and the stack's outputs as they would be, for the proof."""
    for resource in stack_state.rendered:
        live_properties = stack_state.live[resource.urn]
        if isinstance(live_properties, Mapping):
            # Every stack has the same names; this one says which stack it is.
            urn = f"{resource.urn} of {stack_state.stack.name}"
            yield replace(resource, urn=urn, properties={**resource.properties, **live_properties})
    account = stack_state.account.id
    role = naming.role_arn(account, stack_state.stack.settings.role.name)
    yield Resource(
        type="pulumi:pulumi:Stack",
        urn=stack_state.stack.name,
        properties={"coveredRegions": sorted(stack_state.meant), "roleArn": role},
        account=account,
        region=naming.HOME_REGION,
    )


def enabled_regions(account: Account) -> tuple[list[str] | None, str]:
    """Return the Regions that an account has enabled; None, and why, if they cannot be listed."""
    try:
        regions = account.client("ec2").describe_regions()["Regions"]
    except CANNOT_TELL as error:
        return None, explained(error)
    return sorted(region["RegionName"] for region in regions), ""


def _relays(stacks: Sequence[Stack], meant: Sequence[StackState]) -> dict[str, list[str]]:
    """Return the Regions that must have a relay; a member that is not selected has those of the hub."""
    known = {
        stack_state.account.id: sorted({schedule.home[1] for schedule in stack_state.of("Schedule")})
        for stack_state in meant
    }
    hub, alerts = stacks[0], stacks[0].settings.alerts
    members = () if alerts is None else alerts.member_account_ids
    usual = known.get(hub.account_id) or next(iter(known.values()), [])
    return {account_id: known.get(account_id, usual) for account_id in (hub.account_id, *members)}


def _read(
    meant: Sequence[StackState], relays: Mapping[str, Sequence[str]], progress: Progress
) -> Iterator[StackState]:
    """Yield the stack states with what exists, read in parallel."""
    calls: dict[tuple[str, str], Callable[[], Any]] = {}
    for stack_state in meant:
        stack, account = stack_state.stack.name, stack_state.account
        for resource in stack_state.rendered:
            calls[stack, resource.urn] = partial(live.read, account, resource)
        for region in stack_state.enabled or ():
            calls[stack, region] = partial(live.event_bus, account, region, "default")
    answers = in_parallel(calls, progress)
    for stack_state in meant:
        stack = stack_state.stack.name
        buses = {region: answers[stack, region] for region in stack_state.enabled or ()}
        yield replace(
            stack_state,
            live={resource.urn: answers[stack, resource.urn] for resource in stack_state.rendered},
            answers={region: bus if isinstance(bus, Exception) else None for region, bus in buses.items()},
            relays=relays,
        )


def in_parallel(
    calls: Mapping[Key, Callable[[], Value]], progress: Progress = lambda _done, _of: None
) -> dict[Key, Value | Exception]:
    """Return what each call returns, or the exception of `account.CANNOT_TELL` that it raises.

    An interruption cancels the calls that have not begun and does not wait for the others: they only read.
    """
    answers: dict[Key, Value | Exception] = {}
    pool = ThreadPoolExecutor(AT_ONCE)
    running = {pool.submit(call): key for key, call in calls.items()}
    try:
        for done, future in enumerate(as_completed(running), start=1):
            try:
                answers[running[future]] = future.result()
            except CANNOT_TELL as error:
                answers[running[future]] = error
            progress(done, len(calls))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return answers
