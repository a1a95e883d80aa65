"""How long drills took: numbers over many of them, and the picture of one."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from drill.evidence import Arrival, Drill

Place = tuple[str, str]
"""Account and Region."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One of the ways that a drill's event goes.

    Attributes:
        field: Attribute of `Arrival`.
        name: What people call it.
        shape: Stands for it in the picture, so that colour is not the only sign.
    """

    field: str
    name: str
    shape: str

    def seconds(self, arrival: Arrival) -> float | None:
        """Return how long the event took this way."""
        return getattr(arrival, self.field)


LEGS = (
    Leg(field="audit_log", name="audit log", shape="circle"),
    Leg(field="topic", name="topic", shape="square"),
    Leg(field="watchdog", name="watchdog topic", shape="triangle"),
)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How long one leg took over some drills; the numbers are None where nothing arrived."""

    leg: str
    sent: int
    arrived: int
    median: float | None
    p95: float | None
    slowest: float | None


def spreads(drills: Sequence[Drill]) -> list[Spread]:
    """Return the numbers of each leg; what never arrived is counted, never left out unseen."""
    return [_spread(leg, drills) for leg in LEGS]


def _spread(leg: Leg, drills: Sequence[Drill]) -> Spread:
    going = [one for drill in drills if leg is LEGS[0] or not drill.quiet for one in drill.arrivals]
    took = sorted(seconds for one in going if (seconds := leg.seconds(one)) is not None)
    return Spread(
        leg=leg.name,
        sent=len(going),
        arrived=len(took),
        median=round(median(took), 3) if took else None,
        # Nearest rank: a latency that was measured, never one between two.
        p95=took[math.ceil(0.95 * len(took)) - 1] if took else None,
        slowest=took[-1] if took else None,
    )


def places(drill: Drill) -> set[Place]:
    """Return where a drill's events were put."""
    return {(one.account, one.region) for one in drill.arrivals}


def last_full(drills: Sequence[Drill], wanted: set[Place]) -> Drill | None:
    """Return the latest loud drill that was everywhere it must be; failing that, the latest loud one.

    Args:
        drills: The latest first.
        wanted: Where a relay must be.
    """
    loud = [drill for drill in drills if not drill.quiet]
    return next((drill for drill in loud if wanted <= places(drill)), next(iter(loud), None))


# --- The picture ----------------------------------------------------------------------------------
# Across in percent, down in pixels: so it fits a phone and a desktop without text that shrinks or grows.

_LEFT, _RIGHT = 34.0, 96.0
_HEAD, _LANE, _LINE, _GAP = 20, 9, 15, 8
_RISE = 3
"""How far a line of text stands above the lower edge of its place."""
_TICKS = 5
_LABEL = 14
"""Characters of the longest name that AWS has given a Region, such as `ap-southeast-1`."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One leg of a Region: the slowest of its accounts, and the fastest."""

    leg: Leg
    y: int
    slowest: float
    fastest: float
    said: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One Region of the picture.

    Attributes:
        region: Its name.
        label: The same, short enough for its place.
        top: Upper edge.
        middle: Where the label stands.
        marks: What arrived.
        problem: What did not; "" when all did.
        note: Where the line of the problem stands.
        said: All of it in words.
    """

    region: str
    label: str
    top: int
    middle: int
    marks: Sequence[Mark]
    problem: str
    note: int
    said: str


@dataclass(frozen=True, kw_only=True)
class Plot:
    """The picture of one drill.

    Attributes:
        drill: The drill.
        lines: One for each Region, by name.
        ticks: Places on the axis and what stands there.
        left: Where the axis begins, in percent.
        bottom: Where the last line ends, in pixels.
        accounts: How many accounts the drill was in.
        silent: How many Regions something did not arrive from.
        absent: Where a relay must be and the drill was not.
    """

    drill: Drill
    lines: Sequence[Line]
    ticks: Sequence[tuple[float, str]]
    left: float
    bottom: int
    accounts: int
    silent: int
    absent: Sequence[Place]


def plot(drill: Drill, wanted: set[Place]) -> Plot:
    """Return the picture of a loud drill; where a relay must be and the drill was not, it says so."""
    by_region: dict[str, list[Arrival]] = {region: [] for _, region in wanted}
    for arrival in drill.arrivals:
        by_region.setdefault(arrival.region, []).append(arrival)
    took = [seconds for one in drill.arrivals for leg in LEGS if (seconds := leg.seconds(one)) is not None]
    axis = _axis(max(took, default=0.0))
    lines = list(_lines(drill, by_region, axis[-1]))
    return Plot(
        drill=drill,
        lines=lines,
        ticks=[(_across(tick, axis[-1]), f"{tick:g}") for tick in axis],
        left=_LEFT,
        bottom=lines[-1].note + _RISE + _GAP if lines else _HEAD,
        accounts=len({arrival.account for arrival in drill.arrivals}),
        silent=len({arrival.region for arrival in drill.arrivals if drill.missing(arrival)}),
        absent=sorted(wanted - places(drill)),
    )


def _axis(slowest: float) -> list[float]:
    """Return round numbers from 0 to the first one that nothing exceeds."""
    step = next(
        base * 10.0**power
        for power in range(-2, 9)
        for base in (1, 2, 5)
        if base * 10.0**power * _TICKS >= slowest
    )
    return [round(step * number, 3) for number in range(max(1, math.ceil(slowest / step)) + 1)]


def _across(seconds: float, end: float) -> float:
    """Return where on the axis some seconds are; clocks that differ could make them negative."""
    return round(_LEFT + (_RIGHT - _LEFT) * max(seconds, 0.0) / end, 2)


def _lines(drill: Drill, by_region: Mapping[str, Sequence[Arrival]], end: float) -> Iterator[Line]:
    top = _HEAD
    for region in sorted(by_region):
        arrivals = by_region[region]
        marks = list(_marks(arrivals, top, end))
        problem = _problem(drill, arrivals)
        # A Region of which nothing arrived has one line of text and no lanes.
        lanes = _LANE * len(LEGS) if marks else 0
        note = top + lanes + (_LINE if problem else 0)
        yield Line(
            region=region,
            label=region if len(region) <= _LABEL else f"{region[: _LABEL - 1]}…",
            top=top,
            middle=top + (lanes // 2 + 4 if marks else _LINE - _RISE),
            marks=marks,
            problem=problem,
            note=note - _RISE,
            said=f"{region}: {', '.join(filter(None, [*(mark.said for mark in marks), problem]))}",
        )
        top = note + _GAP


def _marks(arrivals: Sequence[Arrival], top: int, end: float) -> Iterator[Mark]:
    for number, leg in enumerate(LEGS):
        took = [seconds for one in arrivals if (seconds := leg.seconds(one)) is not None]
        if took:
            span = f"{min(took):.1f} to {max(took):.1f}" if min(took) < max(took) else f"{max(took):.1f}"
            yield Mark(
                leg=leg,
                y=top + _LANE * number + _LANE // 2,
                slowest=_across(max(took), end),
                fastest=_across(min(took), end),
                said=f"{leg.name} {span} s",
            )


def _problem(drill: Drill, arrivals: Sequence[Arrival]) -> str:
    """Return what did not arrive from one Region, "" when all did."""
    if not arrivals:
        return "not in this drill"
    failed = [one for one in arrivals if drill.missing(one)]
    if not failed:
        return ""
    names = [leg.name for leg in LEGS if any(leg.seconds(one) is None for one in failed)]
    word = "not sent" if all(one.error for one in failed) else "silent"
    place = f" in {len(failed)} of {len(arrivals)} accounts" if len(arrivals) > 1 else ""
    return word + place + (f": {', '.join(names)}" if len(names) < len(LEGS) else "")
