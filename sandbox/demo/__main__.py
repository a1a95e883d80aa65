"""`make demo`: the whole story in a terminal, on one machine, without an AWS account.

Every step checks what it shows: one that does not behave ends the demo with exit code 1 and says which.
"""

import sys
import time
from pathlib import Path

from rich.table import Table
from rich.text import Text

from sandbox.demo.operator import Operator
from sandbox.demo.steps import StepFailed, console
from sandbox.demo.story import Story
from sandbox.engine import locate
from sandbox.world import world

REGIONS = ("us-east-1", "eu-north-1", "eu-west-1")
"""Regions that the emulated accounts have enabled here: those in which the story takes place."""


def main() -> int:
    """Run the demo and return its exit code: 0, or 1 when a step did not behave."""
    started = time.monotonic()
    timings: list[tuple[str, float]] = []
    title = "setting up the sandbox"
    try:
        console.rule("[bold]AWS break-glass access: both stacks on this machine", align="left")
        console.print("AWS is emulated here, and only AWS; engine, SDK and policy pack are the real ones.\n")
        with world(console.print, regions=REGIONS) as sandbox:
            console.print(f"engine: {sandbox.engine}")
            console.print(f"Regions enabled in the emulated accounts: {', '.join(REGIONS)}")
            for title, step in [*Story(sandbox).steps(), *Operator(sandbox).steps()]:
                console.print()
                console.rule(f"[bold]{len(timings) + 1}. {title}", align="left")
                before = time.monotonic()
                step()
                timings.append((title, time.monotonic() - before))
    except (StepFailed, locate.EngineUnavailable, RuntimeError) as error:
        console.print(f"\n[bold red]The demo stopped at: {title}")
        console.print(Text(str(error)))
        return 1
    _summary(timings, time.monotonic() - started)
    return 0


def _summary(timings: list[tuple[str, float]], total: float) -> None:
    console.print()
    table = Table("step", "seconds", title="Every step behaved", title_justify="left")
    table.columns[1].justify = "right"
    for title, seconds in timings:
        table.add_row(title, f"{seconds:.1f}")
    table.add_section()
    table.add_row("all, with setting up and taking down the sandbox", f"{total:.1f}")
    console.print(table)
    console.print(
        "Not shown, because only a real account can tell: mail delivery, and every policy in force.\n"
        f"Next: {Path('README.md')}, section 'Deploy to AWS'."
    )


if __name__ == "__main__":
    sys.exit(main())
