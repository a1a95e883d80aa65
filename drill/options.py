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
        accounts: Their accounts, in the same order; signed in to are the hub's and those of `only`.
        only: Names of the stacks that the command is about.
    """

    stacks: Sequence[Stack]
    accounts: Sequence[Account]
    only: Sequence[str]

    @property
    def hub(self) -> tuple[Stack, Account]:
        """The hub's stack and account, whichever stacks the command is about."""
        return self.stacks[0], self.accounts[0]


def choose(stack: str | None, profile: Sequence[str] | None, member_role: str | None) -> Chosen:
    """Return the stacks and accounts that the options mean.

    Args:
        stack: Name of a stack, or `ALL`; None for the hub's account alone.
        profile: `--profile`, each STACK=NAME.
        member_role: `--member-role`.

    Raises:
        typer.BadParameter: An option names a stack that there is not, or the project's stacks cannot be read.
    """
    try:
        known = stacks.load()
    except stacks.UnreadableStack as error:
        raise typer.BadParameter(str(error)) from error
    names = [one.name for one in known]
    if stack not in (*names, ALL, None):
        raise typer.BadParameter(f"--stack {stack}: must be one of {', '.join(names)}, {ALL}")
    profiles = dict(_profile(option, names) for option in profile or ())
    only = names if stack == ALL else [] if stack is None else [stack]
    asked = [one for one in known if one.name in {known[0].name, *only}]
    signed_in = sign_in(asked, profiles=profiles, member_role=member_role)
    accounts = dict(zip((one.name for one in asked), signed_in, strict=True))
    return Chosen(
        stacks=known,
        accounts=[
            accounts.get(one.name) or Account(one.account_id, None, f"stack {one.name} is not looked at")
            for one in known
        ],
        only=only,
    )


def _profile(option: str, names: Sequence[str]) -> tuple[str, str]:
    stack, _, name = option.partition("=")
    if not name or stack not in names:
        raise typer.BadParameter(
            f"--profile {option}: must be STACK=NAME with a stack out of {', '.join(names)}"
        )
    return stack, name
