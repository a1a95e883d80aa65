"""`python -m drill check`: looks at the live accounts, changes nothing, and says whether they are ready."""

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from alertpath.visible import visible
from drill.check import runner, subject
from drill.check.catalogue import CHECKS
from drill.check.finding import Finding, State
from drill.check.runner import Row
from drill.check.subject import Subject
from drill.options import ALL, Chosen, MemberRoleOption, ProfileOption, StackOption, choose
from drill.progress import progress

EXIT = {State.READY: 0, State.NOT_READY: 1, State.UNKNOWN: 2}
"""Exit code of the command, by the worst answer: what is not ready outweighs what cannot be told."""

_LOOKS = {
    State.READY: ("✓", "green"),
    State.NOT_READY: ("✕", "bold red"),
    State.UNKNOWN: ("?", "yellow"),
}
_SHOWN = 4
"""Findings shown of a check; `--json` has all."""


def readiness(
    stack: StackOption = ALL,
    profile: ProfileOption = None,
    member_role: MemberRoleOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every finding as JSON.")] = False,
) -> None:
    """Look at the live accounts: is everything ready for an emergency?

    Changes nothing. Exit code 0: ready; 1: something is not ready; 2: something could not be told.
    """
    _, rows = looked_at(choose(stack, profile, member_role))
    if as_json:
        print(json.dumps(plain(rows), indent=1))
    else:
        show(rows, Console(highlight=False))
    raise typer.Exit(EXIT[runner.worst([row.state for row in rows])])


def looked_at(chosen: Chosen) -> tuple[list[Subject], list[Row]]:
    """Return what was read of the chosen stacks and the answers of all checks; tells stderr how far it is."""
    with progress("reading what is deployed") as reading:
        subjects = subject.prepare(chosen.stacks, chosen.accounts, only=chosen.only, progress=reading)
    with progress("checking") as checking:
        return subjects, runner.run(CHECKS, subjects, checking)


def plain(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows as JSON has them."""
    return [
        {
            "check": row.check.id,
            "title": row.check.title,
            "stack": row.stack,
            "account": row.account_id,
            "state": row.state.value,
            "findings": [
                {
                    "state": finding.state.value,
                    "text": finding.text,
                    "fix": finding.fix,
                    "commands": list(finding.commands),
                }
                for finding in row.findings
            ],
        }
        for row in rows
    ]


def show(rows: Sequence[Row], console: Console) -> None:
    """Print the answers, each with what was seen and what mends it, and the verdict."""
    console.print("[bold]Ready for an emergency?")
    for row in rows:
        symbol, style = _LOOKS[row.state]
        console.print(
            Text.assemble((f"{symbol} {row.state.value:<15}", style), f"{row.stack:<7} {row.check.title}")
        )
        shown = row.shown[:_SHOWN]
        for finding, following in zip(shown, [*shown[1:], None], strict=True):
            console.print(_wrapped(finding.text, console), style="dim" if row.state is State.READY else "")
            if following is None or _mending(following) != _mending(finding):
                _show_fix(finding, console)
        if len(row.shown) > _SHOWN:
            console.print(f"    and {len(row.shown) - _SHOWN} more: see --json")
    counted = Counter(row.state for row in rows)
    said = ", ".join(f"{counted[state]} {state.value}" for state in State if counted[state])
    verdict = runner.worst(list(counted))
    console.print(Text(f"\n{len(rows)} checks: {said}", style=_LOOKS[verdict][1]))


def _mending(finding: Finding) -> tuple[str, tuple[str, ...]]:
    return finding.fix, finding.commands


def _show_fix(finding: Finding, console: Console) -> None:
    """Print what mends something: words wrapped, each command whole in a line of its own, to be copied."""
    if finding.fix:
        console.print(_wrapped(f"fix: {finding.fix}", console))
    for command in finding.commands:
        console.print(Text(f"    $ {visible(command)}"), soft_wrap=True)


def _wrapped(text: str, console: Console) -> Text:
    """Return a text between words; names and ARNs stay whole, so that they can be looked for."""
    lines = textwrap.wrap(visible(text), console.width - 4, break_long_words=False, break_on_hyphens=False)
    return Text("\n".join(f"    {line}" for line in lines))
