"""What one more Region costs: resources and preview seconds of the management stack, by number of Regions.

The medians are held against a straight line.
"""

import statistics
from collections.abc import Callable, Mapping
from typing import NamedTuple

from rich.table import Table

from bench.preview import PREVIEW
from bench.stacks import cover, planned, some_regions
from bench.timing import console, taking_turns, timed
from sandbox.run import Sandbox, sandboxed

COUNTS = (1, 4, 17, 34)
ROUNDS = 5


class Line(NamedTuple):
    """The straight line closest to some points (least squares), and how far the farthest lies from it."""

    slope: float
    intercept: float
    largest_deviation: float

    def at(self, count: int) -> float:
        return self.intercept + self.slope * count


def fitted(points: Mapping[int, float]) -> Line:
    """Return the line for values by number of Regions."""
    slope, intercept = statistics.linear_regression(list(points), list(points.values()))
    farthest = max(abs(value - (intercept + slope * count)) for count, value in points.items())
    return Line(slope, intercept, farthest)


def measure(sandbox: Sandbox) -> tuple[dict[int, int], dict[int, list[float]]]:
    """Return the number of AWS resources and the seconds of each preview, by number of Regions."""
    resources = {}
    for count in COUNTS:
        cover(sandbox, "mgmt", some_regions(count))
        resources[count] = len(planned(sandbox, "mgmt"))
    contestants = {count: _covering(sandbox, count) for count in COUNTS}
    return resources, taking_turns(contestants, rounds=ROUNDS)


def _covering(sandbox: Sandbox, count: int) -> Callable[[], float]:
    preview = timed(sandbox, *PREVIEW, "mgmt")

    def run() -> float:
        cover(sandbox, "mgmt", some_regions(count))
        return preview()

    return run


def report(resources: Mapping[int, int], seconds: Mapping[int, list[float]]) -> None:
    """Print the table and the two lines."""
    medians = {count: statistics.median(values) for count, values in seconds.items()}
    in_resources, in_seconds = fitted(resources), fitted(medians)
    table = Table(
        "Regions", "AWS resources", "median s", "fastest", "slowest", "on the line, s",
        title=f"Preview of mgmt, {ROUNDS} rounds, taking turns",
    )  # fmt: skip
    for count, values in seconds.items():
        times = (medians[count], min(values), max(values), in_seconds.at(count))
        table.add_row(str(count), str(resources[count]), *(f"{value:.2f}" for value in times))
    console.print(table)
    console.print(
        f"Each Region adds {in_resources.slope:.1f} resources to {in_resources.intercept:.1f}; "
        f"no number lies further than {in_resources.largest_deviation:.1f} from that line."
    )
    console.print(
        f"Each Region adds {in_seconds.slope:.3f} s to {in_seconds.intercept:.2f} s; "
        f"no median lies further than {in_seconds.largest_deviation:.2f} s from that line."
    )


def main() -> None:
    """Measure and print."""
    console.rule("[bold]Regions: what one more costs", align="left")
    with sandboxed(console.print) as sandbox:
        resources, seconds = measure(sandbox)
    report(resources, seconds)


if __name__ == "__main__":
    main()
