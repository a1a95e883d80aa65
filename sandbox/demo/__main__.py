"""`make demo`: deploys the project's stacks, rings the alarm and checks it, without an AWS account.

Every step checks its result. A step that fails ends the demo with exit code 1 and is named.
"""

import sys
import tempfile
import time
from pathlib import Path

from rich.table import Table
from rich.text import Text

from sandbox.demo.alarm import AlarmSteps
from sandbox.demo.operator import OperatorSteps
from sandbox.demo.stacks import prepare
from sandbox.demo.steps import StepFailed, console
from sandbox.engine import locate
from sandbox.run import ROOT, sandboxed


def main(project: Path = ROOT) -> int:
    """Run the demo on a project's stacks and return its exit code: 0, or 1 when a step failed."""
    started = time.monotonic()
    timings: list[tuple[str, float]] = []
    title = "starting the sandbox"
    try:
        console.rule("[bold]AWS break-glass access: your stacks on this machine", align="left")
        console.print(
            "Only AWS is emulated. The Pulumi engine, the SDK and the policy pack are the real ones.\n"
        )
        with (
            tempfile.TemporaryDirectory(prefix="breakglass-demo-") as folder,
            sandboxed(
                console.print, (stacks := prepare(project, Path(folder))).regions, Path(folder)
            ) as sandbox,
        ):
            console.print(f"engine: {sandbox.engine}")
            console.print(f"stacks: {', '.join(f'{one} ({id})' for one, id in sandbox.accounts.items())}")
            for said in stacks.left_out:
                console.print(Text(said))
            console.print(f"Regions that the emulated accounts have enabled: {', '.join(stacks.regions)}")
            for title, step in [
                *AlarmSteps(sandbox, stacks).steps(),
                *OperatorSteps(sandbox, stacks).steps(),
            ]:
                console.print()
                console.rule(f"[bold]{len(timings) + 1}. {title}", align="left")
                before = time.monotonic()
                step()
                timings.append((title, time.monotonic() - before))
    except (StepFailed, locate.EngineUnavailable, RuntimeError) as error:
        console.print(f"\n[bold red]The demo stopped at: {title}")
        console.print(Text(str(error)))
        return 1
    console.print()
    table = Table("step", "seconds", title="Every step succeeded", title_justify="left")
    table.columns[1].justify = "right"
    for title, seconds in timings:
        table.add_row(title, f"{seconds:.1f}")
    table.add_section()
    table.add_row("all, including start and end of the sandbox", f"{time.monotonic() - started:.1f}")
    console.print(table)
    console.print(
        "Only a real AWS account can show mail delivery, and policies as AWS enforces them.\n"
        "Next: README.md, section 'Deploy to AWS'."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
