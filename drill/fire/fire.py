"""`python -m drill fire`: puts a marked event on every default bus, and watches where it arrives."""

import secrets
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from breakglass import naming
from breakglass.detections.patterns import Watched
from drill import audit_log, evidence
from drill.account import CANNOT_TELL, Account, explained
from drill.evidence import Drill, UnusableEvidence
from drill.fire import follow, result, send
from drill.fire.follow import TOPICS, Expected, Follower, Watch
from drill.fire.plan import Plan, announced, audience, plan
from drill.fire.result import DrillResult, counted
from drill.fire.send import Sent
from drill.fire.timing import Timing
from drill.options import ALL, MemberRoleOption, ProfileOption, Selection, StackOption, select
from drill.places import Place
from drill.progress import progress

LONGEST_REASON = 200
"""Characters; it is one line of a mail."""
MARGIN = timedelta(minutes=1)
"""How long before the drill the audit log is read from; clocks differ."""


def fire(
    context: typer.Context,
    why: Annotated[
        str,
        typer.Option(
            "--why", metavar="TEXT", help="Reason, in one line; recorded, and part of each message."
        ),
    ],
    stack: StackOption = ALL,
    profile: ProfileOption = None,
    member_role: MemberRoleOption = None,
    region: Annotated[
        list[str] | None,
        typer.Option("--region", metavar="REGION", help="Drill only this Region; repeat for others."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Notify nobody: test everything up to the audit log.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation; for schedulers.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--evidence", metavar="DIR", help="Keep the result in this folder, for `drill report`."),
    ] = None,
    timeout: Annotated[
        int, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait for arrivals.")
    ] = 180,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Test the alarm: send an event from every Region, and see each one arrive.

    A loud drill sends from the Regions of the hub's account; a quiet one from all accounts.

    First shows how many messages each recipient will get, and asks for confirmation. Exit code 0: every event
    arrived everywhere it had to; 1: at least one did not; 2: could not tell, or nothing was sent.
    """
    # A test gives a timing of its own as the context's object.
    timing = context.obj or Timing()
    console = Console(stderr=True, highlight=False)
    reason = _one_line(why)
    try:
        if folder is not None:
            evidence.check_writable(folder)
    except UnusableEvidence as error:
        raise typer.BadParameter(f"--evidence: {error}") from error
    selection = select(stack, profile, member_role)
    drill_run = _prepare(
        selection, plan(selection, region or (), quiet=quiet), reason, quiet=quiet, timing=timing
    )
    _announce(drill_run, console)
    if not quiet and not yes:
        _confirm()
    interrupted = drill_run.run(timeout)
    outcome = drill_run.result()
    saved = folder is None or _save(folder, outcome.drill, console)
    if interrupted:
        total = len(outcome.drill.arrivals)
        print(f"interrupted: {outcome.drill.arrived} of {total} had arrived", file=sys.stderr)
        raise typer.Exit(130)
    if as_json:
        print(evidence.as_json(outcome.drill))
        for problem in outcome.drill.problems:
            print(f"could not tell: {problem}", file=sys.stderr)
    else:
        result.show(outcome, Console(highlight=False))
    raise typer.Exit(outcome.exit_code or (0 if saved else 2))


@dataclass(kw_only=True)
class DrillRun:
    """A drill in progress, still without arrivals; what is known of it stays known when it is interrupted.

    The `queues` are the drill queues, none in a quiet drill.
    """

    drill: Drill
    plan: Plan
    hub: Account
    watched: Watched
    queues: Sequence[follow.Queue]
    timing: Timing
    follower: Follower
    sent: dict[Place, Sent] = field(default_factory=dict)

    @property
    def offset(self) -> timedelta:
        """What to add to the local clock to get AWS's."""
        return send.offset(list(self.sent.values()))

    def run(self, timeout: float) -> bool:
        """Send and follow; return whether Ctrl-C interrupted it."""
        with suppress(KeyboardInterrupt):
            self._send()
            self._follow(timeout)
            return False
        return True

    def _send(self) -> None:
        drill, places = self.drill, self.plan.places
        entry = partial(send.entry, drill_id=drill.id, who=drill.who, why=drill.why, quiet=drill.quiet)
        pace = None if drill.quiet else self.timing.loud_per_second
        sending = send.send(places, self.plan.accounts, entry, per_second=pace, timing=self.timing)
        with progress("sent") as show, closing(sending):
            for place, sent in sending:
                self.sent[place] = sent
                show(len(self.sent), len(places))

    def _follow(self, timeout: float) -> None:
        drill_id, since = self.drill.id, self.drill.started + self.offset - MARGIN
        log = partial(follow.in_audit_log, self.hub, naming.HOME_REGION, drill_id=drill_id, since=since)
        watches = [Watch(where=("audit log",), look=log)]
        for queue in self.queues:
            look = partial(follow.in_queue, queue, drill_id=drill_id, timing=self.timing)
            watches.append(Watch(where=(queue.where,), look=look))
        sent = [place for place, event in self.sent.items() if not event.error]
        expected: set[Expected] = {
            (place, where) for place in sent for watch in watches for where in watch.where
        }
        with progress("arrived") as show:
            self.follower.follow(watches, expected, timeout=timeout, progress=show)

    def result(self) -> DrillResult:
        """Return what became of it, as far as is known."""
        started, unreadable = self.drill.started + self.offset, self.follower.unreadable
        arrivals = result.arrivals(
            self.plan.places, self.sent, self.follower.seen, started=started, offset=self.offset
        )
        problems = [
            f"{', '.join(where for where in unreadable if unreadable[where] == reason)}: {reason}"
            for reason in dict.fromkeys(unreadable.values())
        ]
        return DrillResult(
            drill=replace(
                self.drill,
                started=started,
                arrivals=tuple(arrivals),
                problems=(*self.plan.problems, *problems),
            ),
            unreadable=frozenset(unreadable),
            unreached=frozenset(self.plan.unreached),
        )


def _one_line(why: str) -> str:
    """Return the reason as one line of text: it becomes a line of a mail."""
    reason = " ".join("".join(character if character.isprintable() else " " for character in why).split())
    if not reason or len(reason) > LONGEST_REASON:
        raise typer.BadParameter(
            f"--why: must be a reason of 1 to {LONGEST_REASON} characters, such as "
            f'"quarterly drill"; has {len(reason)}'
        )
    return reason


def _prepare(selection: Selection, planned: Plan, reason: str, *, quiet: bool, timing: Timing) -> DrillRun:
    """Return the drill, ready to run: the caller is known, and the places where events arrive can be read.

    Exits with 2 if not, before anybody is notified for nothing.
    """
    stack, hub = selection.hub
    watched, now = stack.settings.watched, timing.now()
    reading = "who you are in the hub's account"
    try:
        who = hub.client("sts").get_caller_identity()["Arn"]
        reading = "the hub's audit log"
        next(audit_log.records(hub, naming.HOME_REGION, source=naming.DRILL_SOURCE, since=now - MARGIN), None)
        queues: list[follow.Queue] = []
        for way in () if quiet else naming.WAYS:
            reading = f"the {way.name}'s drill queue"
            account_id, region = watched.place(way)
            if account_id not in planned.accounts:
                _refuse(f"{reading} cannot be read: no stack here is of account {account_id}")
            account = planned.accounts[account_id]
            url = account.client("sqs", region).get_queue_url(QueueName=way.drill_queue)["QueueUrl"]
            queues.append(
                follow.Queue(
                    account=account,
                    region=region,
                    url=url,
                    topic_arn=watched.topic_arn(way),
                    where=TOPICS[way],
                )
            )
    except CANNOT_TELL as error:
        _refuse(f"{reading} cannot be read: {explained(error)}")
    drill = Drill(id=secrets.token_hex(4), started=now, who=who, why=reason, quiet=quiet, arrivals=())
    return DrillRun(
        drill=drill,
        plan=planned,
        hub=hub,
        watched=watched,
        queues=queues,
        timing=timing,
        follower=Follower(timing),
    )


def _announce(drill_run: DrillRun, console: Console) -> None:
    planned, drill = drill_run.plan, drill_run.drill
    console.print(Text(f"Drill {drill.id}, {drill.why}: {counted(len(planned.places), 'event')}"))
    for problem in planned.problems:
        console.print(Text(f"Could not tell: {problem}", style="yellow"))
    lines = [*announced(planned, quiet=drill.quiet, timing=drill_run.timing)]
    if not drill.quiet:
        # Each event that can be sent becomes a message on both topics.
        messages = sum(place.account not in planned.unreached for place in planned.places)
        lines += audience(drill_run.watched, planned.accounts, messages)
    for line in lines:
        console.print(Text(f"  {line}", style="bold red" if "NOBODY" in line else ""))


def _confirm() -> None:
    """Ask whether to notify people; exits with 2 if the answer is no, or if there is no terminal."""
    if not _on_terminal():
        _refuse("this notifies people, and there is no terminal to confirm it on: use --yes, or --quiet")
    try:
        agreed = typer.confirm("Notify them?", err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        _refuse("not confirmed")


def _on_terminal() -> bool:
    return sys.stdin.isatty()


def _refuse(reason: str) -> NoReturn:
    print(f"nothing was sent: {reason}", file=sys.stderr)
    raise typer.Exit(2)


def _save(folder: Path, drill: Drill, console: Console) -> bool:
    """Return whether the evidence could be kept; if not, print it, because the drill cannot be repeated."""
    try:
        file = evidence.save(folder, drill)
    except UnusableEvidence as error:
        print(f"{error}; it is:\n{evidence.as_json(drill)}", file=sys.stderr)
        return False
    console.print(Text(f"Evidence: {file}"), soft_wrap=True)
    return True
