"""How commands are timed: contestants take turns in one sandbox, so that a busy machine slows all of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.progress import track
from rich.table import Table

from sandbox.run import Sandbox

console = Console()


def timed(sandbox: Sandbox, *command: str, exits: Sequence[int] = (0,)) -> Callable[[], float]:
    """Return a function that runs the command and returns its seconds; another exit code ends the run."""

    def run() -> float:
        started = time.perf_counter()
        sandbox.output(*command, exits=exits)
        return time.perf_counter() - started

    return run


def compare(title: str, contestants: Mapping[str, Callable[[], float]], *, rounds: int) -> dict[str, float]:
    """Let the contestants take turns; print median, spread and ratio to the first; return the medians."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in track(range(rounds), description="rounds", console=console):
        for name, run in contestants.items():
            seconds[name].append(run())
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    first = next(iter(medians.values()))
    table = Table(title, "median s", "fastest", "slowest", "ratio")
    for name, values in seconds.items():
        numbers = (medians[name], min(values), max(values), medians[name] / first)
        table.add_row(name, *(f"{number:.2f}" for number in numbers))
    console.print(table)
    return medians
