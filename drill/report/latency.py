"""How long drills took: numbers over many of them, and a table of one, by Region."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from drill.evidence import LEGS, Arrival, Drill, Where
from drill.places import Place


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How long one leg took over some drills; the numbers are None if nothing arrived."""

    leg: Where
    sent: int
    arrived: int
    median: float | None
    p95: float | None
    slowest: float | None


def seconds(arrivals: Sequence[Arrival], *legs: Where) -> list[float]:
    """Return how long the events took on some legs, the fastest first; what did not arrive is left out."""
    took = (arrival.took(leg) for arrival in arrivals for leg in legs)
    return sorted(number for number in took if number is not None)


def spreads(drills: Sequence[Drill]) -> Iterator[Spread]:
    """Yield the numbers of each leg; what never arrived counts as sent, so that it shows."""
    for leg in LEGS:
        sent = [arrival for drill in drills if leg in drill.legs for arrival in drill.arrivals]
        took = seconds(sent, leg)
        yield Spread(
            leg=leg,
            sent=len(sent),
            arrived=len(took),
            median=round(median(took), 3) if took else None,
            # Nearest rank: a latency that was measured, never one between two.
            p95=took[math.ceil(0.95 * len(took)) - 1] if took else None,
            slowest=took[-1] if took else None,
        )


def absent(drill: Drill, wanted: set[Place]) -> list[Place]:
    """Return where a relay must be but the drill was not."""
    return sorted(wanted - {arrival.place for arrival in drill.arrivals})


def last_full(drills: Sequence[Drill], wanted: set[Place]) -> Drill | None:
    """Return the latest loud drill that was everywhere it must be; failing that, the latest loud one."""
    loud = [drill for drill in drills if not drill.quiet]
    return next((drill for drill in loud if not absent(drill, wanted)), next(iter(loud), None))


@dataclass(frozen=True, kw_only=True)
class RegionRow:
    """One Region of a drill, `absent` if the drill was not there, and what did not arrive (`problem`).

    For each leg there is a bar if something arrived: as long as the slowest account took, in percent of the
    slowest event of the drill, with the fastest and the slowest of the accounts in words.
    """

    region: str
    bars: Sequence[tuple[float, str] | None]
    absent: bool
    problem: str


def by_region(drill: Drill, wanted: set[Place]) -> Iterator[RegionRow]:
    """Yield a row for each Region where a loud drill was, or a relay must be."""
    slowest = max(seconds(drill.arrivals, *LEGS), default=0.0)
    for region in sorted({place.region for place in (*wanted, *drill.arrivals)}):
        arrivals = [arrival for arrival in drill.arrivals if arrival.region == region]
        yield RegionRow(
            region=region,
            bars=[_bar(seconds(arrivals, leg), slowest) for leg in LEGS],
            absent=not arrivals,
            problem=_problem(drill, arrivals),
        )


def _bar(took: Sequence[float], slowest: float) -> tuple[float, str] | None:
    if not took:
        return None
    # Clocks that differ could make a latency negative.
    percent = round(100 * max(took[-1], 0.0) / slowest, 1) if slowest > 0 else 0.0
    return percent, f"{took[0]:.1f} to {took[-1]:.1f} s" if took[0] < took[-1] else f"{took[-1]:.1f} s"


def _problem(drill: Drill, arrivals: Sequence[Arrival]) -> str:
    """Return what did not arrive from one Region, "" if everything did."""
    if not arrivals:
        return "not in this drill"
    failed = [arrival for arrival in arrivals if drill.missing(arrival)]
    if not failed:
        return ""
    names = [leg for leg in LEGS if any(arrival.took(leg) is None for arrival in failed)]
    word = "not sent" if all(arrival.error for arrival in failed) else "silent"
    where = f" in {len(failed)} of {len(arrivals)} accounts" if len(arrivals) > 1 else ""
    return word + where + (f": {', '.join(names)}" if len(names) < len(LEGS) else "")
