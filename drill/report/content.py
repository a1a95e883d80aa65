"""What a report says: the page and the JSON file are both made of these types."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field, PlainSerializer, TypeAdapter, computed_field
from pydantic.alias_generators import to_camel

from alertpath import report as pictures
from alertpath.proof import Judgement
from drill.check.finding import CheckFinding, State
from drill.check.runner import CheckResult, worst
from drill.check.stack_state import StackState
from drill.evidence import LEGS, Arrival, Drill
from drill.places import Place
from drill.report import latency
from drill.report.latency import Spread
from drill.report.provenance import Accepted, Caller, Versions
from drill.stacks import Stack

FORMAT = 1
"""Of the JSON file: raised when what is in it changes its meaning."""

DRILLS_SHOWN = 12

LIMITS = (
    "Whether anybody reads a mail, and acts on it. It shows that messages leave AWS.",
    (
        "A recipient who follows the unsubscribe link in a mail leaves no CloudTrail event: only the number "
        "of subscriptions, at the time of this report, shows it."
    ),
    "The password, where it is kept, who can open that vault, and where the MFA devices are.",
    "What happened between two reports. The record of that is the hub's audit log.",
    (
        "The proof plays events as AWS documents them. Whether AWS records and delivers them so, only drills "
        "and real sign-ins show; docs/architecture.md lists what only a real account can confirm."
    ),
    "Accounts and Regions that are not named here were not checked.",
    "Drills are shown as they are in the folder's files; anyone who can write there can change them.",
)

_NOT_IN_JSON = Field(exclude=True)


def moment(time: datetime) -> str:
    """Return a time as the report writes it."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


Moment = Annotated[datetime, PlainSerializer(moment)]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The worst state, and the headline."""

    state: State
    text: str


@dataclass(frozen=True, kw_only=True)
class OpenFinding(CheckFinding):
    """A finding that is not "ready", with the check and the stack that it is about."""

    check: str
    stack: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who is meant to get in. It has no recipients: an address is often a password."""

    account: str
    mfa_max_age: int
    max_session_duration: int
    mfa_enrolment: str
    role: str | None
    role_boundary: str | None
    role_policies: Sequence[str]
    stack: str
    users: Sequence[str]
    users_here: bool
    users_of: str


@dataclass(frozen=True, kw_only=True)
class Cell:
    """How many scenarios one detection has in a Region, and how many of them end how."""

    ends: Mapping[str, int]
    scenarios: int


@dataclass(frozen=True, kw_only=True)
class CoveredAccount:
    """The Regions of an account, and how the scenarios end there, by detection and Region."""

    account: str
    detections: Mapping[str, Mapping[str, Cell]]
    enabled: Sequence[str] | None
    enabled_problem: str
    excluded: Sequence[str]
    meant: Sequence[str]
    not_enabled: Sequence[str]
    scenarios: int
    stack: str
    uncovered: Sequence[str]
    wrong: int


@dataclass(frozen=True, kw_only=True)
class Unread:
    """How many resources could not be read for one reason."""

    count: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The proof over what is live."""

    accounts: Sequence[CoveredAccount]
    scenarios: int
    unread: Sequence[Unread]
    wrong: int


@dataclass(frozen=True, kw_only=True)
class Missing(Place):
    """Where (`at`) the event of one place did not arrive in time."""

    at: Sequence[str]
    error: str


@dataclass(frozen=True, kw_only=True)
class DrillSummary:
    """One drill in short."""

    arrived: int
    id: str
    missing: Sequence[Missing]
    problems: Sequence[str]
    quiet: bool
    sent: int
    slowest: float | None
    started: Moment
    who: str
    why: str


@dataclass(frozen=True, kw_only=True)
class ReportedArrival(Arrival):
    """An arrival, with its time as the report writes it."""

    __pydantic_config__: ClassVar = ConfigDict(alias_generator=to_camel)

    sent: Moment


@dataclass(frozen=True, kw_only=True)
class LastFull:
    """All numbers of the last full drill, and where (`absent`) a relay must be but the drill was not."""

    absent: Sequence[Place]
    arrivals: Sequence[ReportedArrival]
    arrived: int
    id: str
    started: Moment


@dataclass(frozen=True, kw_only=True)
class Drills:
    """The drills that are kept: how many, the last ones, and how long they took."""

    kept: int
    latencies: Sequence[Spread]
    last_full: LastFull | None
    loud: int
    shown: Sequence[DrillSummary]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything that a report says; the JSON file has these names in camel case.

    Of all stacks, the hub's is the first; at least one is selected, and so has a state. Of the kept drills,
    the latest is the first.
    """

    __pydantic_config__: ClassVar = ConfigDict(alias_generator=to_camel, arbitrary_types_allowed=True)

    made: Moment
    all_stacks: Annotated[Sequence[Stack], _NOT_IN_JSON]
    stack_states: Annotated[Sequence[StackState], _NOT_IN_JSON]
    judgements: Annotated[Sequence[Judgement], _NOT_IN_JSON]
    kept_drills: Annotated[Sequence[Drill], _NOT_IN_JSON]
    accepted: Accepted
    accounts: Sequence[Caller]
    checks: Sequence[CheckResult]
    versions: Versions
    format: int = FORMAT
    limits: Sequence[str] = LIMITS

    @property
    def wanted(self) -> set[Place]:
        """Where a relay must be, in all accounts."""
        return self.stack_states[0].relay_places

    @property
    def last_full_drill(self) -> Drill | None:
        """The latest full drill, as `latency.last_full` finds it."""
        return latency.last_full(self.kept_drills, self.wanted)

    @computed_field
    @cached_property
    def coverage(self) -> Coverage:
        """The proof over what is live, by account."""
        matrices = {matrix.account: matrix for matrix in pictures.matrices(self.judgements)}
        no_matrix = pictures.Matrix(account="", regions=(), rows=(), wrong=0, total=0)
        unread = Counter(self.stack_states[0].unread)
        return Coverage(
            accounts=[
                _covered(stack_state, matrices.get(stack_state.account.id, no_matrix))
                for stack_state in self.stack_states
            ],
            scenarios=len(self.judgements),
            unread=[Unread(count=count, reason=reason) for reason, count in sorted(unread.items())],
            wrong=sum(not judgement.good for judgement in self.judgements),
        )

    @computed_field
    @cached_property
    def drills(self) -> Drills:
        """What the kept drills show."""
        last, last_full = self.last_full_drill, None
        if last is not None:
            last_full = LastFull(
                absent=latency.absent(last, self.wanted),
                arrivals=[ReportedArrival(**vars(arrival)) for arrival in _by_region(last)],
                arrived=last.arrived,
                id=last.id,
                started=last.started,
            )
        return Drills(
            kept=len(self.kept_drills),
            latencies=list(latency.spreads(self.kept_drills)),
            last_full=last_full,
            loud=sum(not drill.quiet for drill in self.kept_drills),
            shown=[_summary(drill) for drill in self.kept_drills[:DRILLS_SHOWN]],
        )

    @computed_field
    @property
    def identity(self) -> list[Identity]:
        """Who is meant to get in, by stack."""
        return [
            Identity(
                account=stack.account_id,
                mfa_max_age=stack.settings.role.mfa_max_age,
                max_session_duration=stack.settings.role.max_session_duration,
                mfa_enrolment=stack.settings.user.mfa_enrolment,
                role=stack.settings.role.name if "role" in stack.settings.components else None,
                role_boundary=stack.settings.role.permissions_boundary_arn,
                role_policies=sorted(stack.settings.role.managed_policy_arns),
                stack=stack.name,
                users=sorted(stack.settings.user.names),
                users_here="user" in stack.settings.components,
                users_of=stack.settings.hub_account_id,
            )
            for stack in (stack_state.stack for stack_state in self.stack_states)
        ]

    @computed_field
    @property
    def not_looked_at(self) -> list[str]:
        """Names of the stacks that were not selected."""
        selected = {stack_state.stack.name for stack_state in self.stack_states}
        return sorted({stack.name for stack in self.all_stacks} - selected)

    @computed_field
    @property
    def open_findings(self) -> list[OpenFinding]:
        """What is not ready, then what is unknown."""
        return [
            OpenFinding(**vars(finding), check=result.check, stack=result.stack, title=result.title)
            for state in (State.NOT_READY, State.UNKNOWN)
            for result in self.checks
            for finding in result.findings
            if finding.state is state
        ]

    @computed_field
    @property
    def verdict(self) -> Verdict:
        """The worst state, and the headline: "could not tell" is never called "ready"."""
        counted = Counter(result.state for result in self.checks)
        state = worst(list(counted))
        bad, unknown = counted[State.NOT_READY], counted[State.UNKNOWN]
        total = f"{len(self.checks)} check{'s' if len(self.checks) != 1 else ''}"
        if not self.checks:
            text = "Could not tell: nothing was checked"
        elif state is State.READY:
            text = f"Ready: {len(self.checks)} of {total}"
        elif state is State.UNKNOWN:
            text = f"Could not tell: {unknown} of {total} could not be answered"
        else:
            text = f"Not ready: {bad} of {total} failed"
            text += f", {unknown} could not be answered" if unknown else ""
        if self.not_looked_at:
            text += f"; {', '.join(self.not_looked_at)} not checked"
        return Verdict(state=state, text=text)


_REPORT = TypeAdapter(Report)


def as_json(report: Report) -> dict[str, Any]:
    """Return a report as its JSON file has it."""
    return _REPORT.dump_python(report, mode="json", by_alias=True)


def _covered(stack_state: StackState, matrix: pictures.Matrix) -> CoveredAccount:
    excluded, meant = stack_state.excluded, stack_state.meant
    enabled = meant if stack_state.enabled is None else set(stack_state.enabled)
    return CoveredAccount(
        account=stack_state.account.id,
        detections={
            row.detection: {
                cell.region: Cell(
                    ends={kind.word: number for kind, number in cell.kinds}, scenarios=cell.total
                )
                for cell in row.cells
                if cell is not None
            }
            for row in matrix.rows
        },
        enabled=None if stack_state.enabled is None else sorted(enabled),
        enabled_problem=stack_state.enabled_problem,
        excluded=sorted(excluded),
        meant=sorted(meant),
        not_enabled=sorted(meant - enabled),
        scenarios=matrix.total,
        stack=stack_state.stack.name,
        uncovered=sorted(enabled - meant - excluded),
        wrong=matrix.wrong,
    )


def in_parts(matrix: pictures.Matrix, columns: int) -> list[pictures.Matrix]:
    """Return the picture of an account in pieces that fit a sheet of paper."""
    starts = range(0, len(matrix.regions), columns)
    return [
        replace(
            matrix,
            regions=matrix.regions[start : start + columns],
            rows=[replace(row, cells=row.cells[start : start + columns]) for row in matrix.rows],
        )
        for start in starts
    ]


def _summary(drill: Drill) -> DrillSummary:
    return DrillSummary(
        arrived=drill.arrived,
        id=drill.id,
        missing=[
            Missing(account=arrival.account, at=at, error=arrival.error, region=arrival.region)
            for arrival in _by_region(drill)
            if (at := drill.missing(arrival))
        ],
        problems=drill.problems,
        quiet=drill.quiet,
        sent=len(drill.arrivals),
        slowest=max(latency.seconds(drill.arrivals, *LEGS), default=None),
        started=drill.started,
        who=drill.who,
        why=drill.why,
    )


def _by_region(drill: Drill) -> list[Arrival]:
    return sorted(drill.arrivals, key=lambda arrival: (arrival.region, arrival.account))
