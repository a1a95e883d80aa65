"""The result of a drill: a table, what to do next, and an exit code."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakglass import naming
from drill.evidence import LEGS, Arrival, Drill, Where
from drill.fire.follow import TOPICS, Expected
from drill.fire.send import Sent
from drill.places import Place, in_words

INTERRUPTED = "interrupted before it was known to be sent"


@dataclass(frozen=True, kw_only=True)
class DrillResult:
    """A drill, what could not be read about it, such as `audit log`, and the accounts without credentials."""

    drill: Drill
    unreadable: frozenset[str] = field(default_factory=frozenset)
    unreached: frozenset[str] = field(default_factory=frozenset)

    @property
    def lost(self) -> list[Arrival]:
        """Events that did not arrive somewhere, although their arrival there could have been seen."""
        return [
            arrival
            for arrival in self.drill.arrivals
            if arrival.account not in self.unreached and set(self.drill.missing(arrival)) - self.unreadable
        ]

    @property
    def exit_code(self) -> int:
        """0: all arrived; 1: something did not; 2: unknown. What did not arrive outweighs the unknown."""
        if self.lost:
            return 1
        return 2 if self.drill.arrived < len(self.drill.arrivals) or self.drill.problems else 0


def arrivals(
    places: Sequence[Place],
    sent: Mapping[Place, Sent],
    seen: Mapping[Expected, datetime],
    *,
    started: datetime,
    offset: timedelta,
) -> Iterator[Arrival]:
    """Yield what became of each event, in the order of the places; one missing in `sent` was never sent.

    The times in `seen` and `started` are by AWS's clock, which is `offset` ahead of the local one.
    """
    for place in places:
        event = sent.get(place, Sent(at=started - offset, error=INTERRUPTED))
        arrival = Arrival(
            account=place.account, region=place.region, sent=event.at + offset, error=event.error
        )
        took = {
            name: round(max(0.0, (seen[place, where] - arrival.sent).total_seconds()), 2)
            for where, name in LEGS.items()
            if (place, where) in seen
        }
        yield replace(arrival, **took)


def counted(number: int, noun: str) -> str:
    """Return a number of things, such as `1 event`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def show(result: DrillResult, console: Console) -> None:
    """Print when each event arrived where, and what to do next."""
    drill = result.drill
    title = f"{'Quiet drill' if drill.quiet else 'Drill'} {drill.id}: seconds until each event arrived"
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("account", "Region", *drill.legs):
        table.add_column(name, no_wrap=True, justify="right" if name in drill.legs else "left")
    for arrival in drill.arrivals:
        cells = (_cell(result, arrival, where) for where in drill.legs)
        table.add_row(arrival.account, arrival.region, *cells)
    console.print(Text(title, style="italic"), table, "", sep="\n")
    for line in _verdict(result):
        # Each is one line, to be searched for and copied whole.
        console.print(line, soft_wrap=True)


def _cell(result: DrillResult, arrival: Arrival, where: Where) -> Text:
    seconds = arrival.took(where)
    if seconds is not None:
        return Text(f"{seconds:.1f}")
    if arrival.error:
        return Text("not sent", style="bold red")
    if where in result.unreadable:
        return Text("could not tell", style="yellow")
    return Text("did not arrive", style="bold red")


def _verdict(result: DrillResult) -> Iterator[Text]:
    drill = result.drill
    errors: dict[str, list[Place]] = {}
    for arrival in drill.arrivals:
        if arrival.error:
            errors.setdefault(arrival.error, []).append(arrival.place)
    for error, places in errors.items():
        yield Text(f"Not sent: {in_words(places)}: {error}", style="red")
    for problem in drill.problems:
        yield Text(f"Could not tell: {problem}", style="yellow")
    if lost := [arrival for arrival in result.lost if not arrival.error]:
        where = in_words(arrival.place for arrival in lost)
        # In the relays' queue if they never reached the place, else in the queue of the place.
        queues = [f"{naming.RELAY_QUEUE} of that Region"]
        for way, leg in TOPICS.items():
            if any(leg in drill.missing(arrival) for arrival in lost):
                queues.append(f"{way.dead_letter_queue} of the {way.name}")
        look = f"Look next at `python -m drill check`, and at the dead-letter queues: {', '.join(queues)}."
        yield Text(f"Did not arrive: {where}. {look}", style="bold red")
    style = {0: "green", 1: "bold red", 2: "yellow"}[result.exit_code]
    total = counted(len(drill.arrivals), "event")
    yield Text(f"{drill.arrived} of {total} arrived everywhere they had to.", style=style)
    if not drill.quiet:
        topic, watchdog = _messages(result, "topic"), _messages(result, "watchdog topic")
        yield Text(
            f"Ask every recipient whether the messages came, {topic} of the topic and {watchdog} of the "
            "watchdog topic: no API can tell."
        )


def _messages(result: DrillResult, where: Where) -> int:
    """Return how many messages a topic has sent to each recipient, as far as is known."""
    if where in result.unreadable:
        return sum(not arrival.error for arrival in result.drill.arrivals)
    return sum(arrival.took(where) is not None for arrival in result.drill.arrivals)
