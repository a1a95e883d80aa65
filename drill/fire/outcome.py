"""What became of a drill, for people: a table, what to do next, and an exit code."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakglass import naming
from drill.evidence import Arrival, Drill
from drill.fire.follow import Key, Where
from drill.fire.send import Place, Sent

INTERRUPTED = "interrupted before it was known to be sent"

_COLUMNS: Mapping[Where, str] = {"audit log": "audit_log", "topic": "topic", "watchdog topic": "watchdog"}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A drill, and where about it nobody could look.

    Attributes:
        drill: The drill.
        unreadable: Where nobody could look, such as `audit log`.
        unreached: Accounts without credentials.
    """

    drill: Drill
    unreadable: frozenset[str] = field(default_factory=frozenset)
    unreached: frozenset[str] = field(default_factory=frozenset)

    @property
    def silent(self) -> list[Arrival]:
        """Events that did not arrive somewhere they could have been seen."""
        return [one for one in self.drill.arrivals if self._silent(one)]

    def _silent(self, arrival: Arrival) -> bool:
        missing = set(self.drill.missing(arrival)) - self.unreadable
        return arrival.account not in self.unreached and bool(missing)

    @property
    def exit_code(self) -> int:
        """0: all arrived; 1: something did not; 2: could not tell. What did not arrive outweighs."""
        if self.silent:
            return 1
        incomplete = any(self.drill.missing(arrival) for arrival in self.drill.arrivals)
        return 2 if incomplete or self.drill.problems else 0


def arrivals(
    places: Sequence[Place],
    sent: Mapping[tuple[str, str], Sent],
    seen: Mapping[Key, datetime],
    *,
    started: datetime,
    offset: timedelta,
) -> list[Arrival]:
    """Return what became of each event, in the order of the places.

    Args:
        places: Where the events were to go.
        sent: What became of them on this side; those that are not in it were never done.
        seen: When they arrived, by AWS's clock.
        started: When the drill started, by AWS's clock.
        offset: What to add to the local clock to have AWS's.
    """
    made = []
    for place in places:
        one = sent.get(place.key)
        if one is None:
            account, region = place.key
            made.append(Arrival(account=account, region=region, sent=started, error=INTERRUPTED))
            continue
        at = one.at + offset
        arrival = Arrival(account=place.account.id, region=place.region, sent=at, error=one.error)
        for where, name in _COLUMNS.items():
            if heard := seen.get((*place.key, where)):
                seconds = max(0.0, (heard - arrival.sent).total_seconds())
                arrival = replace(arrival, **{name: round(seconds, 2)})
        made.append(arrival)
    return made


def counted(number: int, noun: str) -> str:
    """Return a number of things, such as `1 event`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def show(outcome: Outcome, console: Console) -> None:
    """Print when each event arrived where, and what to do next."""
    drill = outcome.drill
    shown: list[Where] = [where for where in _COLUMNS if where == "audit log" or not drill.quiet]
    title = f"{'Quiet drill' if drill.quiet else 'Drill'} {drill.id}: seconds until each event arrived"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("account", "Region", *shown):
        table.add_column(name, no_wrap=True, justify="right" if name in shown else "left")
    for arrival in drill.arrivals:
        cells = (_cell(outcome, arrival, where) for where in shown)
        table.add_row(arrival.account, arrival.region, *cells)
    console.print(Text(title, style="italic"), table, "", sep="\n")
    for line in _verdict(outcome):
        # Each is one line, to be searched for and copied whole.
        console.print(line, soft_wrap=True)


def _cell(outcome: Outcome, arrival: Arrival, where: Where) -> Text:
    seconds = getattr(arrival, _COLUMNS[where])
    if seconds is not None:
        return Text(f"{seconds:.1f}")
    if arrival.error:
        return Text("not sent", style="bold red")
    if where in outcome.unreadable:
        return Text("could not tell", style="yellow")
    return Text("did not arrive", style="bold red")


def _verdict(outcome: Outcome) -> Iterator[Text]:
    drill = outcome.drill
    total = len(drill.arrivals)
    for error, regions in _errors(drill).items():
        yield Text(f"Not sent: {regions}: {error}", style="red")
    for problem in outcome.drill.problems:
        yield Text(f"Could not tell: {problem}", style="yellow")
    if lost := [one for one in outcome.silent if not one.error]:
        yield Text(f"Did not arrive: {_named(lost)}. {_look_next(outcome, lost)}", style="bold red")
    whole = sum(not drill.missing(arrival) for arrival in drill.arrivals)
    style = "green" if outcome.exit_code == 0 else "bold red" if outcome.exit_code == 1 else "yellow"
    yield Text(f"{whole} of {counted(total, 'event')} arrived everywhere they had to.", style=style)
    if not drill.quiet:
        topic, watchdog = _messages(outcome, "topic"), _messages(outcome, "watchdog topic")
        yield Text(
            f"Ask every recipient whether the messages came, {topic} of the topic and {watchdog} of the "
            "watchdog topic: no API can tell."
        )


def _messages(outcome: Outcome, where: Where) -> int:
    """Return how many messages a topic has sent to each recipient, as far as can be told."""
    if where in outcome.unreadable:
        return sum(not arrival.error for arrival in outcome.drill.arrivals)
    return sum(getattr(arrival, _COLUMNS[where]) is not None for arrival in outcome.drill.arrivals)


def _errors(drill: Drill) -> dict[str, str]:
    by_error: dict[str, list[Arrival]] = {}
    for arrival in drill.arrivals:
        if arrival.error:
            by_error.setdefault(arrival.error, []).append(arrival)
    return {error: _named(found) for error, found in by_error.items()}


def _named(found: Sequence[Arrival]) -> str:
    by_account: dict[str, list[str]] = {}
    for arrival in found:
        by_account.setdefault(arrival.account, []).append(arrival.region)
    return "; ".join(f"{account} {', '.join(regions)}" for account, regions in by_account.items())


def _look_next(outcome: Outcome, lost: Sequence[Arrival]) -> str:
    """Return where the events may lie: what never reached the hub is the relay's, the rest the hub's."""
    queues = []
    if any(arrival.audit_log is None for arrival in lost):
        queues.append(f"dead-letter queue {naming.RELAY_QUEUE} of that Region")
    if any(set(outcome.drill.missing(arrival)) - {"audit log"} for arrival in lost):
        queues.append(f"{naming.DEAD_LETTER_QUEUE} of the hub")
    return f"Look next at `python -m drill check`, and at {' and '.join(queues)}."
