"""`python -m drill stacks`: the stacks of the project, and whether they go together. Asks AWS nothing."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from breakglass.settings.agreement import disagreements
from drill.options import project_stacks


def listing(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print them as JSON on one line, for a workflow's matrix.")
    ] = False,
) -> None:
    """List the stacks of the project, the hub's first.

    Exit code 0: they agree with each other; 1: they do not.
    """
    stacks = project_stacks(needed=())
    wrong = disagreements({stack.name: stack.settings for stack in stacks})
    if as_json:
        listed = [
            {
                "stack": stack.name,
                "account": stack.account_id,
                "components": stack.settings.components,
                "hub": stack.settings.is_hub,
            }
            for stack in stacks
        ]
        print(json.dumps(listed))
    else:
        table = Table("stack", "account", "components")
        for stack in stacks:
            table.add_row(Text(stack.name), stack.account_id, ", ".join(stack.settings.components))
        console = Console(highlight=False)
        console.print(table)
    for one in wrong:
        typer.echo(f"stack {one.stack}: {one.problem}", err=True)
    raise typer.Exit(1 if wrong else 0)
