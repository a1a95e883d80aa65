"""What it costs to look: `drill check` of two accounts with 17 Regions each, and a quiet drill."""

import statistics
import time
from collections.abc import Callable

from rich.console import Console
from rich.progress import track
from rich.table import Table

from sandbox.run import Sandbox, sandboxed

ROUNDS = 5
CHECK = ("python", "-m", "drill", "check", "--json")
CONTESTANTS = {
    "python -m drill use (asks AWS nothing)": ("python", "-m", "drill", "use"),
    "python -m drill check --stack member": (*CHECK, "--stack", "member"),
    "python -m drill check (both accounts)": CHECK,
    "python -m drill fire --quiet (34 events)": (
        "python",
        "-m",
        "drill",
        "fire",
        "--quiet",
        "--why",
        "bench",
    ),
}

console = Console()


def deploy(sandbox: Sandbox) -> None:
    """Deploy both stacks in every Region; raises RuntimeError when one fails."""
    for stack in sandbox.accounts:
        up = sandbox.run("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack)
        if up.returncode:
            raise RuntimeError(f"{stack} could not be deployed:\n{up.stdout}")


def timed(sandbox: Sandbox, *command: str) -> Callable[[], float]:
    """Return a function that runs a command and returns its seconds; raises RuntimeError on a traceback."""

    def run() -> float:
        started = time.monotonic()
        outcome = sandbox.run(*command)
        seconds = time.monotonic() - started
        if outcome.returncode not in (0, 1, 2) or "Traceback" in outcome.stdout:
            raise RuntimeError(f"{' '.join(command)} failed:\n{outcome.stdout}")
        return seconds

    return run


def main() -> None:
    """Measure, the contestants taking turns, and print the table."""
    with sandboxed(console.print) as sandbox:
        deploy(sandbox)
        runs = {name: timed(sandbox, *command) for name, command in CONTESTANTS.items()}
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in track(range(ROUNDS), description="drills", console=console):
            for name, run in runs.items():
                seconds[name].append(run())
    table = Table("2 accounts x 17 Regions", "median", "slowest", "ratio", title_justify="left")
    base = statistics.median(next(iter(seconds.values())))
    for name, values in seconds.items():
        median = statistics.median(values)
        table.add_row(name, f"{median:.2f} s", f"{max(values):.2f} s", f"{median / base:.2f}")
    console.print(table)


if __name__ == "__main__":
    main()
