"""How commands are timed: contestants take turns in one sandbox, so that a busy machine slows all of them."""

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track
from rich.table import Table

from sandbox.run import Sandbox

console = Console()
Name = TypeVar("Name")


def timed(
    sandbox: Sandbox, *command: str, cwd: Path | None = None, exits: Sequence[int] = (0,)
) -> Callable[[], float]:
    """Return a function that runs the command and returns its seconds; another exit code ends the run."""

    def run() -> float:
        arguments = [*command, "--cwd", str(cwd)] if cwd is not None else command
        started = time.perf_counter()
        outcome = sandbox.run(*arguments)
        seconds = time.perf_counter() - started
        if outcome.returncode not in exits:
            sys.exit(f"{' '.join(arguments)} failed:\n{outcome.stdout}")
        return seconds

    return run


def taking_turns(contestants: Mapping[Name, Callable[[], float]], *, rounds: int) -> dict[Name, list[float]]:
    """Return the seconds of each contestant in each round."""
    seconds: dict[Name, list[float]] = {name: [] for name in contestants}
    for _ in track(range(rounds), description="rounds", console=console):
        for name, run in contestants.items():
            seconds[name].append(run())
    return seconds


def report(title: str, seconds: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Print median, spread and the ratio to the first contestant; return the medians."""
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    first = next(iter(medians.values()))
    table = Table(title, "median s", "fastest", "slowest", "ratio")
    for name, values in seconds.items():
        numbers = (medians[name], min(values), max(values), medians[name] / first)
        table.add_row(name, *(f"{number:.2f}" for number in numbers))
    console.print(table)
    return medians
