"""One stack as it is meant and as it is: what every check looks at."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TypeVar

from alertpath.model import Deployment, Resource, deployment
from alertpath.proof import Judgement, prove
from breakglass import naming
from drill.account import CANNOT_TELL, Account, explained
from drill.check import live, rendered
from drill.check.live import Properties
from drill.progress import Progress
from drill.stacks import Stack

Key = TypeVar("Key")
Value = TypeVar("Value")

AT_ONCE = 16
"""Calls in flight: enough for 17 Regions, few enough for AWS's rates."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One stack as it is meant and as it is.

    Attributes:
        stack: The stack and its settings.
        account: Its account.
        enabled: Regions that the account has enabled; None where that cannot be told.
        enabled_problem: Why it cannot be told.
        rendered: What this version deploys.
        live: What is there, by the name of the rendered resource: its properties, None where it does not
            exist, or the exception that reading it raised.
        answers: Enabled Regions, each with the exception that a call there raised, None where it answered.
        relays: Regions that must have a relay, by account; of all accounts, whichever are looked at.
        stacks: Names of the project's stacks, by account.
        deployed: What is there in all accounts that are looked at, as `alertpath` takes it.
        unread: Why resources of all these accounts could not be read, one entry for each.
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
    deployed: Sequence[Resource] = ()
    unread: Sequence[str] = ()
    now: datetime

    @cached_property
    def model(self) -> Deployment:
        """What is there in all accounts that are looked at, as one model."""
        return deployment(self.deployed)

    @cached_property
    def judgements(self) -> list[Judgement]:
        """The proof over what is there, played once, whoever asks."""
        return prove(self.model)

    @property
    def home(self) -> str:
        """Region of the hub."""
        return self.stack.settings.watched.hub_region

    @property
    def hub_account_id(self) -> str:
        """Account of the users and the hub."""
        return self.stack.settings.hub_account_id

    def aws(self, command: str) -> str:
        """Return an AWS CLI command with the account's profile: with another's it would act there."""
        return f"aws {command} --profile {self._profile}"

    def pulumi(self, verb: str, options: str) -> str:
        """Return a Pulumi command on the stack, with its account's profile."""
        return f"AWS_PROFILE={self._profile} pulumi {verb} -s {self.stack.name} {options}"

    @property
    def _profile(self) -> str:
        """The profile that was used; where none was, the one that is looked for first."""
        return self.account.profile or self.stack.name

    def of(self, *kinds: str) -> list[Resource]:
        """Return the rendered resources of some kinds, such as `EventRule`."""
        return [one for one in self.rendered if one.type.rsplit(":", 1)[-1] in kinds]

    def look(self, resource: Resource) -> Properties | None:
        """Return the live properties of a rendered resource, None where it does not exist.

        Raises:
            ClientError, BotoCoreError, NotSignedIn: It could not be read.
        """
        found = self.live[resource.urn]
        if isinstance(found, Exception):
            raise found
        return found


def prepare(
    stacks: Sequence[Stack], accounts: Sequence[Account], *, only: Sequence[str], progress: Progress
) -> list[Subject]:
    """Return the subjects of the stacks in `only`: renders what is meant, reads what is there.

    Args:
        stacks: All stacks of the project; those that are not looked at still say which relays there must be.
        accounts: Their accounts, in the same order.
        only: Names of the stacks to look at.
        progress: Is told how far the reading is.
    """
    now = datetime.now(UTC)
    looked_at = [pair for pair in zip(stacks, accounts, strict=True) if pair[0].name in only]
    meant: list[Subject] = []
    for stack, account in looked_at:
        enabled, problem = enabled_regions(account)
        key = _key(stack, account)
        resources = rendered.render(stack, enabled_regions=enabled or [naming.HOME_REGION], key=key)
        meant.append(
            Subject(
                stack=stack,
                account=account,
                enabled=enabled,
                enabled_problem=problem,
                rendered=resources,
                stacks={one.account_id: one.name for one in stacks},
                now=now,
            )
        )
    there = list(_read(meant, _relays(stacks, meant), progress))
    everything = [resource for subject in there for resource in _deployed(subject)]
    unread = [
        explained(found)
        for subject in there
        for found in subject.live.values()
        if isinstance(found, Exception)
    ]
    return [replace(subject, deployed=everything, unread=unread) for subject in there]


def _deployed(subject: Subject) -> Iterator[Resource]:
    """Yield what is there, and the stack's outputs as they would be, for the proof."""
    for resource in subject.rendered:
        found = subject.live[resource.urn]
        if isinstance(found, Mapping):
            # The same names stand in every stack; this one says whose.
            urn = f"{resource.urn} of {subject.stack.name}"
            yield replace(resource, urn=urn, properties={**resource.properties, **found})
    role = naming.role_arn(subject.account.id, subject.stack.settings.role.name)
    yield Resource(
        type="pulumi:pulumi:Stack",
        urn=subject.stack.name,
        properties={"coveredRegions": list(subject.relays.get(subject.account.id, ())), "roleArn": role},
        account=subject.account.id,
        region=naming.HOME_REGION,
    )


def enabled_regions(account: Account) -> tuple[list[str] | None, str]:
    """Return the Regions that an account has enabled; None, and why, where that cannot be told."""
    try:
        found = account.client("ec2").describe_regions()["Regions"]
    except CANNOT_TELL as error:
        return None, explained(error)
    return sorted(region["RegionName"] for region in found), ""


def _key(stack: Stack, account: Account) -> dict[str, str]:
    """Return id and ARN of the alarm's key, which AWS made up; nothing where they cannot be had."""
    if stack.settings.alerts is None:
        return {}
    try:
        found = live.key(account, stack.settings.alerts.region)
    except CANNOT_TELL:
        return {}  # the reading of the key itself will say why
    return {"keyId": found["KeyId"], "arn": found["Arn"]}


def _relays(stacks: Sequence[Stack], meant: Sequence[Subject]) -> dict[str, list[str]]:
    """Return the Regions that must have a relay; a member that is not looked at has those of the hub."""
    known = {
        subject.stack.account_id: sorted(
            {resource.home[1] for resource in subject.of("Schedule")},
        )
        for subject in meant
    }
    hub = next(stack for stack in stacks if stack.settings.alerts is not None)
    alerts = hub.settings.alerts
    members = alerts.member_account_ids if alerts is not None else ()
    usual = known.get(hub.account_id) or next(iter(known.values()), [])
    return {account_id: known.get(account_id, usual) for account_id in (hub.account_id, *members)}


def _read(
    meant: Sequence[Subject], relays: Mapping[str, Sequence[str]], progress: Progress
) -> Iterator[Subject]:
    """Yield the subjects with what is there, read in parallel."""
    calls = {
        **{
            (subject.stack.name, resource.urn): partial(live.read, subject.account, resource)
            for subject in meant
            for resource in subject.rendered
        },
        **{
            (subject.stack.name, region): partial(live.event_bus, subject.account, region, "default")
            for subject in meant
            for region in subject.enabled or ()
        },
    }
    found = in_parallel(calls, progress)
    for subject in meant:
        stack = subject.stack.name
        answers = {region: found[stack, region] for region in subject.enabled or ()}
        yield replace(
            subject,
            live={one.urn: found[stack, one.urn] for one in subject.rendered},
            answers={name: one if isinstance(one, Exception) else None for name, one in answers.items()},
            relays=relays,
        )


def in_parallel(calls: Mapping[Key, Callable[[], Value]], progress: Progress) -> dict[Key, Value | Exception]:
    """Return what each call returns, or the exception of `account.CANNOT_TELL` that it raises.

    An interruption cancels what has not begun and waits for nothing: calls under way only read.
    """
    found: dict[Key, Value | Exception] = {}
    pool = ThreadPoolExecutor(AT_ONCE)
    running = {pool.submit(call): key for key, call in calls.items()}
    try:
        for done, future in enumerate(as_completed(running), start=1):
            try:
                found[running[future]] = future.result()
            except CANNOT_TELL as error:
                found[running[future]] = error
            progress(done, len(calls))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return found
