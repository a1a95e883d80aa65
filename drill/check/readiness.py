"""`python -m drill check`: looks at the live accounts, changes nothing, and says whether they are ready."""

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.text import Text

from alertpath.visible import visible
from breakglass.settings.agreement import disagreements
from drill.check import runner
from drill.check.catalogue import CHECKS, IDENTITY
from drill.check.compare import redeploy
from drill.check.finding import State, not_ready, ready, unknown
from drill.check.runner import CheckResult
from drill.check.stack_state import StackState, prepare
from drill.options import ALL, MemberRoleOption, ProfileOption, Selection, StackOption, select
from drill.progress import progress
from drill.stacks import Stack

EXIT = {State.READY: 0, State.NOT_READY: 1, State.UNKNOWN: 2}
"""Exit code of the command, by the worst answer: "not ready" outweighs "could not tell"."""

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
    """Check whether the live accounts are ready for an emergency.

    Changes nothing. Exit code 0: ready; 1: something is not ready; 2: something could not be checked.
    """
    _, results = run_checks(select(stack, profile, member_role))
    if as_json:
        without = {"__all__": {"group"}}
        print(TypeAdapter(list[CheckResult]).dump_json(results, indent=1, exclude=without).decode())
    else:
        show(results, Console(highlight=False))
    raise typer.Exit(EXIT[runner.worst([result.state for result in results])])


def run_checks(selection: Selection) -> tuple[list[StackState], list[CheckResult]]:
    """Return the state of the selected stacks and the results of all checks; shows progress on stderr."""
    agreed = agreement(selection.stacks)
    with progress("reading what is deployed") as reading:
        stack_states = prepare(selection.stacks, selection.accounts, only=selection.only, progress=reading)
    # What a whole stack lacks is said once, and not in each row about it.
    lacking = {stack_state.stack.name: row for stack_state in stack_states if (row := _lack(stack_state))}
    whole = [stack_state for stack_state in stack_states if stack_state.stack.name not in lacking]
    with progress("checking") as checking:
        return stack_states, [agreed, *lacking.values(), *runner.run(CHECKS, whole, checking)]


def _lack(stack_state: StackState) -> CheckResult | None:
    """Return the one answer about a stack that cannot be read, or was never deployed; None about others."""
    if stack_state.account.session is None:
        profile = f"--profile {stack_state.profile}"
        finding = unknown(
            stack_state.account.problem,
            f"aws sso login {profile}",
            fix=f"sign in: give the stack a profile of its name, or {profile.partition(' ')[0]} STACK=NAME",
        )
        title = "The account can be read"
    elif stack_state.live and all(properties is None for properties in stack_state.live.values()):
        finding = not_ready("nothing of it exists", redeploy(stack_state))
        title = "The stack is deployed"
    else:
        return None
    return CheckResult(
        check="deployed",
        group=IDENTITY,
        title=title,
        stack=stack_state.stack.name,
        account=stack_state.account.id,
        findings=[finding],
    )


def agreement(stacks: Sequence[Stack]) -> CheckResult:
    """Return the first answer, which needs no account: whether the stack files go together."""
    hub, found = stacks[0], disagreements({stack.name: stack.settings for stack in stacks})
    told = [
        not_ready(f"stack {one.stack}: {one.problem}", fix="mend the stack file, and deploy it")
        for one in found
    ]
    count = "1 stack file" if len(stacks) == 1 else f"{len(stacks)} stack files"
    return CheckResult(
        check="stacks",
        group=IDENTITY,
        title="The stacks agree",
        stack=hub.name,
        account=hub.account_id,
        findings=told or [ready(f"{count}: names, users and accounts go together")],
    )


def show(results: Sequence[CheckResult], console: Console) -> None:
    """Print the results, each with what was seen and what fixes it, and the verdict."""
    console.print("[bold]Ready for an emergency?")
    width = max((len(result.stack) for result in results), default=0)
    for result in results:
        symbol, style = _LOOKS[result.state]
        sign = (f"{symbol} {result.state.value:<15}", style)
        console.print(Text.assemble(sign, f"{result.stack:<{width}} {result.title}"))
        findings = result.decisive[:_SHOWN]
        for finding, following in zip(findings, [*findings[1:], None], strict=True):
            style = "dim" if result.state is State.READY else ""
            console.print(_wrapped(finding.text, console), style=style)
            if following and (following.fix, following.commands) == (finding.fix, finding.commands):
                continue
            if finding.fix:
                console.print(_wrapped(f"fix: {finding.fix}", console))
            for command in finding.commands:  # each whole on a line of its own, to be copied
                console.print(Text(f"    $ {visible(command)}"), soft_wrap=True)
        if len(result.decisive) > _SHOWN:
            console.print(f"    and {len(result.decisive) - _SHOWN} more: see --json")
    counted = Counter(result.state for result in results)
    summary = ", ".join(f"{counted[state]} {state.value}" for state in State if counted[state])
    _, style = _LOOKS[runner.worst(list(counted))]
    console.print(Text(f"\n{len(results)} checks: {summary}", style=style))


def _wrapped(text: str, console: Console) -> Text:
    """Return a text broken between words only: names and ARNs stay whole, to be searched for."""
    lines = textwrap.wrap(visible(text), console.width - 4, break_long_words=False, break_on_hyphens=False)
    return Text("\n".join(f"    {line}" for line in lines))
