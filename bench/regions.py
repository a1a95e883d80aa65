"""What one more Region costs: resources and preview seconds of the management stack, by number of Regions."""

import statistics
from collections.abc import Callable, Mapping

from rich.table import Table

from bench.preview import PREVIEW
from bench.stacks import cover, planned, some_regions
from bench.timing import console, taking_turns, timed
from sandbox.run import Sandbox, sandboxed

COUNTS = (1, 4, 17, 34)
ROUNDS = 5


def covering(sandbox: Sandbox, count: int) -> Callable[[], float]:
    """Return a function that times a preview with so many Regions."""
    preview = timed(sandbox, *PREVIEW, "mgmt")

    def run() -> float:
        cover(sandbox, "mgmt", some_regions(count))
        return preview()

    return run


def counted(sandbox: Sandbox, count: int) -> int:
    """Return the number of AWS resources with so many Regions."""
    cover(sandbox, "mgmt", some_regions(count))
    return len(planned(sandbox, "mgmt"))


def line(values: Mapping[int, float], digits: int) -> str:
    """Return, in words, the straight line closest to values by number of Regions (least squares)."""
    slope, intercept = statistics.linear_regression(list(values), list(values.values()))
    farthest = max(abs(value - (intercept + slope * count)) for count, value in values.items())
    return f"{slope:.{digits}f} to {intercept:.{digits}f}; the farthest number is {farthest:.{digits}f} away"


def main() -> None:
    """Measure; print the table and the two lines."""
    console.rule("[bold]Regions: what one more costs", align="left")
    with sandboxed(console.print) as sandbox:
        resources = {count: counted(sandbox, count) for count in COUNTS}
        seconds = taking_turns({count: covering(sandbox, count) for count in COUNTS}, rounds=ROUNDS)
    medians = {count: statistics.median(values) for count, values in seconds.items()}
    table = Table("Regions", "AWS resources", "median s", "fastest", "slowest", title="Preview of mgmt")
    for count, values in seconds.items():
        times = (f"{value:.2f}" for value in (medians[count], min(values), max(values)))
        table.add_row(str(count), str(resources[count]), *times)
    console.print(table)
    console.print(f"Resources: each Region adds {line(resources, 1)}.")
    console.print(f"Seconds: each Region adds {line(medians, 3)}.")


if __name__ == "__main__":
    main()
