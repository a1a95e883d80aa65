"""How long a preview of the management stack takes, as a multiple of an empty Pulumi program's preview.

The two take turns in one sandbox, so that a busy machine slows both; medians are compared.
"""

import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from sandbox.run import Sandbox, sandboxed

ROUNDS = 9
PACK_TARGET = 1.5
PACK = ("--policy-pack", "policies", "--policy-pack-config", "policies/config/mgmt.json")

console = Console()


def preview(sandbox: Sandbox, *arguments: str, cwd: Path | None = None) -> Callable[[], float]:
    """Return a function that runs one preview and returns its seconds; a failing preview ends the run."""

    def timed() -> float:
        command = ["pulumi", "preview", "--non-interactive", *arguments]
        if cwd is not None:
            command += ["--cwd", str(cwd)]
        started = time.perf_counter()
        outcome = sandbox.run(*command)
        seconds = time.perf_counter() - started
        if outcome.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{outcome.stdout}")
        return seconds

    return timed


def empty_project(sandbox: Sandbox) -> Path:
    """Make a project beside the mirror with the same runtime and an empty program; returns its folder."""
    folder = sandbox.directory.with_name("empty")
    folder.mkdir()
    settings = (sandbox.directory / "Pulumi.yaml").read_text().split("config:")[0]
    (folder / "Pulumi.yaml").write_text(settings.replace("name: breakglass", "name: empty"))
    (folder / "__main__.py").write_text('"""Nothing."""\n')
    (folder / ".venv").symlink_to(sandbox.directory / ".venv")
    sandbox.run("pulumi", "stack", "init", "empty", "--cwd", str(folder))
    return folder


def main() -> None:
    """Measure and print the table."""
    console.rule("[bold]Preview: mgmt against an empty program", align="left")
    with sandboxed(console.print) as sandbox:
        folder = empty_project(sandbox)
        contestants = {
            "empty program": preview(sandbox, "--stack", "empty", cwd=folder),
            "mgmt": preview(sandbox, "--stack", "mgmt"),
            "mgmt with the policy pack": preview(sandbox, "--stack", "mgmt", *PACK),
        }
        seconds: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in track(range(ROUNDS), description="previews", console=console):
            for name, measure in contestants.items():
                seconds[name].append(measure())
        shutil.rmtree(folder)
    report(seconds)


def report(seconds: dict[str, list[float]]) -> None:
    """Print medians, spread and ratios to the first contestant."""
    base = statistics.median(next(iter(seconds.values())))
    table = Table(
        "preview of", "median s", "fastest", "slowest", "ratio", title=f"{ROUNDS} rounds, taking turns"
    )
    for name, values in seconds.items():
        median = statistics.median(values)
        table.add_row(
            name, f"{median:.2f}", f"{min(values):.2f}", f"{max(values):.2f}", f"{median / base:.2f}"
        )
    console.print(table)
    without, with_pack = (statistics.median(values) for values in list(seconds.values())[1:])
    console.print(f"With the pack: {with_pack / without:.2f} times without it; target at most {PACK_TARGET}.")


if __name__ == "__main__":
    main()
