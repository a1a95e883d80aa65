"""What one more Region costs: resources and preview seconds of the management stack, by number of Regions."""

import statistics
from collections.abc import Mapping
from functools import partial

from bench.preview import PREVIEW
from bench.stacks import STACKS, cover, planned
from bench.timing import compare, console, timed
from sandbox.run import Sandbox, sandboxed

COUNTS = (2, 4, 17, 34)
ROUNDS = 5


def preview(sandbox: Sandbox, count: int) -> float:
    """Return the seconds that a preview with so many Regions takes."""
    cover(sandbox, count)
    return timed(sandbox, *PREVIEW, "mgmt")()


def counted(sandbox: Sandbox, count: int) -> int:
    """Return the number of AWS resources with so many Regions."""
    cover(sandbox, count)
    return len(planned(sandbox, "mgmt"))


def line(values: Mapping[int, float], digits: int) -> str:
    """Return, in words, the straight line closest to values by number of Regions (least squares)."""
    slope, intercept = statistics.linear_regression(list(values), list(values.values()))
    farthest = max(abs(value - (intercept + slope * count)) for count, value in values.items())
    return f"{slope:.{digits}f} to {intercept:.{digits}f}; the farthest number is {farthest:.{digits}f} away"


def main() -> None:
    """Measure; print the table and the two lines."""
    console.rule("[bold]Regions: what one more costs", align="left")
    with sandboxed(console.print, stack_files=STACKS) as sandbox:
        resources = {count: counted(sandbox, count) for count in COUNTS}
        runs = {f"{count} Regions": partial(preview, sandbox, count) for count in COUNTS}
        medians = compare("Preview of mgmt", runs, rounds=ROUNDS)
    console.print(
        f"AWS resources: {', '.join(f'{resources[count]} in {count} Regions' for count in COUNTS)}."
    )
    console.print(f"Resources: each Region adds {line(resources, 1)}.")
    console.print(f"Seconds: each Region adds {line(dict(zip(COUNTS, medians.values(), strict=True)), 3)}.")


if __name__ == "__main__":
    main()
