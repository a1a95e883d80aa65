"""`python -m drill fire`: puts a marked event on every default bus, and watches who hears of it."""

import secrets
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from breakglass import naming
from drill import audit_log, evidence
from drill.account import CANNOT_TELL, Account, explained
from drill.evidence import Drill, UnusableEvidence
from drill.fire import follow, outcome, plan, send
from drill.fire.follow import Follower, Key, Where
from drill.fire.outcome import Outcome
from drill.fire.plan import Plan
from drill.fire.send import Clock, Place, Sent
from drill.options import ALL, Chosen, MemberRoleOption, ProfileOption, StackOption, choose
from drill.progress import progress

CLOCK = Clock()
LONGEST_REASON = 200
"""Characters; it stands in one line of a mail."""
MARGIN = timedelta(minutes=1)
"""How far before the drill the audit log is read; clocks differ."""

WhyOption = Annotated[
    str, typer.Option("--why", metavar="TEXT", help="Why, in one line; recorded and told to everybody.")
]
RegionOption = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="REGION", help="Drill this Region only; repeat for others."),
]
QuietOption = Annotated[
    bool, typer.Option("--quiet", help="Tell nobody: test everything up to the audit log.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask; for schedulers.")]
EvidenceOption = Annotated[
    Path | None,
    typer.Option("--evidence", metavar="DIR", help="Keep what happened there, for `drill report`."),
]
TimeoutOption = Annotated[
    int, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait for arrivals.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print what happened as JSON.")]


def fire(
    why: WhyOption,
    stack: StackOption = ALL,
    profile: ProfileOption = None,
    member_role: MemberRoleOption = None,
    region: RegionOption = None,
    quiet: QuietOption = False,
    yes: YesOption = False,
    folder: EvidenceOption = None,
    timeout: TimeoutOption = 180,
    as_json: JsonOption = False,
) -> None:
    """Ring the alarm for a test, from every Region, and see every event arrive.

    Says first how many messages reach whom, and asks. Exit code 0: every event arrived everywhere it had to;
    1: at least one did not; 2: could not tell, or nothing was sent.
    """
    console = Console(stderr=True, highlight=False)
    reason = _one_line(why)
    if folder is not None:
        _check_folder(folder)
    chosen = choose(stack, profile, member_role)
    planned = plan.plan(chosen, region or ())
    ringing = _prepare(chosen, planned, reason, quiet=quiet)
    _announce(ringing, console)
    if not quiet and not yes:
        _ask()
    interrupted = ringing.run(timeout)
    found = ringing.outcome()
    file = _save(folder, found.drill, console) if folder is not None else None
    if interrupted:
        whole = sum(not found.drill.missing(arrival) for arrival in found.drill.arrivals)
        print(f"interrupted: {whole} of {len(found.drill.arrivals)} had arrived", file=sys.stderr)
        raise typer.Exit(130)
    if as_json:
        print(evidence.as_json(found.drill))
        for problem in found.drill.problems:
            print(f"could not tell: {problem}", file=sys.stderr)
    else:
        outcome.show(found, Console(highlight=False))
    unsaved = folder is not None and file is None
    raise typer.Exit(found.exit_code or (2 if unsaved else 0))


@dataclass(kw_only=True)
class Ringing:
    """A drill under way; what is known of it stays known when it is interrupted.

    Attributes:
        drill: The drill; its arrivals come last.
        planned: Where its events go.
        hub: The hub's account.
        home: The hub's Region.
        queue: URL of the drill queue; "" in a quiet drill.
        clock: The time.
    """

    drill: Drill
    planned: Plan
    hub: Account
    home: str
    queue: str
    clock: Clock
    _sent: dict[tuple[str, str], Sent] = field(default_factory=dict)
    _follower: Follower = field(init=False)

    def __post_init__(self) -> None:
        """Start with nothing seen."""
        self._follower = Follower(self.clock)

    def run(self, timeout: float) -> bool:
        """Send and follow; tell whether somebody interrupted it."""
        try:
            self._send()
            self._follow(timeout)
        except KeyboardInterrupt:
            return True
        return False

    def _send(self) -> None:
        drill, places = self.drill, self.planned.places
        entry = partial(send.entry, drill_id=drill.id, who=drill.who, why=drill.why, quiet=drill.quiet)
        pace = None if drill.quiet else send.LOUD_PER_SECOND
        sending = send.send(places, entry, per_second=pace, clock=self.clock)
        with progress("sent") as told, closing(sending):
            for place, sent in sending:
                self._sent[place.key] = sent
                told(len(self._sent), len(places))

    def _follow(self, timeout: float) -> None:
        drill_id = self.drill.id
        since = self._started - MARGIN
        watches = [follow.audit_log_watch(self.hub, self.home, drill_id=drill_id, since=since)]
        if not self.drill.quiet:
            watches.append(follow.queue_watch(self.hub, self.home, self.queue, drill_id=drill_id))
        wheres: list[Where] = [where for watch in watches for where in watch.where]
        wanted: set[Key] = {
            (*place, where) for place, sent in self._sent.items() if not sent.error for where in wheres
        }
        with progress("arrived") as told:
            self._follower.follow(watches, wanted, timeout=timeout, told=told)

    @property
    def _offset(self) -> timedelta:
        return send.offset(list(self._sent.values()))

    @property
    def _started(self) -> datetime:
        return self.drill.started + self._offset

    def outcome(self) -> Outcome:
        """Return what became of it, as far as is known."""
        places, seen = self.planned.places, self._follower.seen
        made = outcome.arrivals(places, self._sent, seen, started=self._started, offset=self._offset)
        unreadable = self._follower.unreadable
        reasons = dict.fromkeys(unreadable.values())
        problems = [
            f"{', '.join(where for where in unreadable if unreadable[where] == reason)}: {reason}"
            for reason in reasons
        ]
        return Outcome(
            drill=Drill(
                id=self.drill.id,
                started=self._started,
                who=self.drill.who,
                why=self.drill.why,
                quiet=self.drill.quiet,
                arrivals=tuple(made),
                problems=(*self.planned.problems, *problems),
            ),
            unreadable=frozenset(unreadable),
            unreached=frozenset(place.account.id for place in places if place.account.session is None),
        )


def _one_line(why: str) -> str:
    """Return the reason as one line of text: it becomes a line of a mail."""
    reason = " ".join("".join(one if one.isprintable() else " " for one in why).split())
    if not reason or len(reason) > LONGEST_REASON:
        raise typer.BadParameter(
            f"--why: must be a reason of 1 to {LONGEST_REASON} characters, such as "
            f'"quarterly drill"; has {len(reason)}'
        )
    return reason


def _check_folder(folder: Path) -> None:
    try:
        evidence.check_writable(folder)
    except UnusableEvidence as error:
        raise typer.BadParameter(f"--evidence: {error}") from error


def _prepare(chosen: Chosen, planned: Plan, reason: str, *, quiet: bool) -> Ringing:
    """Return the drill, ready to ring: who asks is known, and what it is seen by can be read.

    Exits with 2 where that is not so, before anybody is rung for nothing.
    """
    stack, hub = chosen.hub
    home, now = stack.settings.watched.hub_region, CLOCK.now()
    looking = "GetCallerIdentity"
    try:
        who = hub.client("sts").get_caller_identity()["Arn"]
        looking = "the audit log"
        next(audit_log.records(hub, home, source=naming.DRILL_SOURCE, since=now - MARGIN), None)
        looking = "the drill queue"
        queue = "" if quiet else follow.queue_url(hub, home)
    except CANNOT_TELL as error:
        _refuse(f"the hub's {looking} cannot be read: {explained(error)}")
    drill = Drill(id=secrets.token_hex(4), started=now, who=who, why=reason, quiet=quiet, arrivals=())
    return Ringing(drill=drill, planned=planned, hub=hub, home=home, queue=queue, clock=CLOCK)


def _announce(ringing: Ringing, console: Console) -> None:
    planned, quiet = ringing.planned, ringing.drill.quiet
    counted = outcome.counted(len(planned.places), "event")
    console.print(Text(f"Drill {ringing.drill.id}, {ringing.drill.why}: {counted}"))
    for problem in planned.problems:
        console.print(Text(f"Could not tell: {problem}", style="yellow"))
    lines = [*plan.announced(planned, quiet=quiet)]
    if not quiet:
        lines += plan.audience(ringing.hub, ringing.home, _messages(planned.places))
    for line in lines:
        console.print(Text(f"  {line}", style="bold red" if "NOBODY" in line else ""))


def _messages(places: Sequence[Place]) -> int:
    """Return how many events can be sent at all, each of which becomes a message on both topics."""
    return sum(place.account.session is not None for place in places)


def _ask() -> None:
    """Ask whether to ring people; exits with 2 where the answer is no, or nobody is there to ask."""
    if not _somebody_there():
        _refuse("this rings people, and there is no terminal to ask at: give --yes, or --quiet")
    try:
        agreed = typer.confirm("Ring them?", err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        _refuse("not agreed to")


def _somebody_there() -> bool:
    return sys.stdin.isatty()


def _refuse(reason: str) -> NoReturn:
    print(f"nothing was sent: {reason}", file=sys.stderr)
    raise typer.Exit(2)


def _save(folder: Path, drill: Drill, console: Console) -> Path | None:
    """Keep the evidence; where that fails after all, show it, for the drill cannot be done again."""
    try:
        file = evidence.save(folder, drill)
    except UnusableEvidence as error:
        print(f"{error}; it is:\n{evidence.as_json(drill)}", file=sys.stderr)
        return None
    console.print(Text(f"Evidence: {file}"), soft_wrap=True)
    return file
