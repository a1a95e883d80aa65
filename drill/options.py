"""Which stacks a command is about and how their accounts are reached: the options that commands share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from drill import stacks
from drill.account import Account, sign_in
from drill.stacks import Stack

ALL = "all"

StackOption = Annotated[
    str,
    typer.Option("--stack", metavar="STACK", help="The stack to look at, such as mgmt or member; or all."),
]
ProfileOption = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="STACK=NAME",
        help="AWS profile for a stack; repeat for others. "
        "Without it: the profile named like the stack, else the ambient credentials.",
    ),
]
MemberRoleOption = Annotated[
    str | None,
    typer.Option(
        "--member-role",
        metavar="NAME",
        help="Role to assume in an account whose credentials are not at hand.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What a command works on.

    Attributes:
        stacks: All stacks of the project, the hub's first.
        accounts: Their accounts, in the same order.
        only: Names of the stacks that the command is about.
    """

    stacks: Sequence[Stack]
    accounts: Sequence[Account]
    only: Sequence[str]

    @property
    def hub(self) -> tuple[Stack, Account]:
        """The hub's stack and account, whichever stacks the command is about."""
        return self.stacks[0], self.accounts[0]


def choose(stack: str, profile: Sequence[str] | None, member_role: str | None) -> Chosen:
    """Return the stacks and accounts that the options mean.

    Raises:
        typer.BadParameter: An option names a stack that there is not, or the project's stacks cannot be read.
    """
    try:
        known = stacks.load()
    except stacks.UnreadableStack as error:
        raise typer.BadParameter(str(error)) from error
    names = [one.name for one in known]
    if stack not in (*names, ALL):
        raise typer.BadParameter(f"--stack {stack}: must be one of {', '.join(names)}, {ALL}")
    profiles = dict(_profile(option, names) for option in profile or ())
    return Chosen(
        stacks=known,
        accounts=sign_in(known, profiles=profiles, member_role=member_role),
        only=names if stack == ALL else [stack],
    )


def _profile(option: str, names: Sequence[str]) -> tuple[str, str]:
    stack, _, name = option.partition("=")
    if not name or stack not in names:
        raise typer.BadParameter(
            f"--profile {option}: must be STACK=NAME with a stack out of {', '.join(names)}"
        )
    return stack, name
