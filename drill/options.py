"""The options that commands share: which stacks a command is about, and how it signs in to their accounts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from drill import stacks
from drill.account import Account, sign_in
from drill.stacks import Stack

ALL = "all"
"""Value of `--stack` for every stack of the project."""

StackOption = Annotated[
    str,
    typer.Option("--stack", metavar="STACK", help="A stack, such as mgmt or member; or all."),
]
ProfileOption = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="STACK=NAME",
        help="AWS profile for a stack; repeat for others. "
        "By default: the profile named like the stack, else the ambient credentials.",
    ),
]
MemberRoleOption = Annotated[
    str | None,
    typer.Option(
        "--member-role",
        metavar="NAME",
        help="Role to assume in accounts for which you have no credentials.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """All stacks of the project, the hub's first, and their accounts in the same order.

    The command is about the stacks named in `only`; signed in to are their accounts and the hub's.
    """

    stacks: Sequence[Stack]
    accounts: Sequence[Account]
    only: Sequence[str]

    @property
    def hub(self) -> tuple[Stack, Account]:
        """The hub's stack and account, whichever stacks the command is about."""
        return self.stacks[0], self.accounts[0]


def project_stacks(needed: Collection[str] | None) -> list[Stack]:
    """Return the stacks of the project, see `stacks.load`; if they cannot be read, say why and end with 2."""
    try:
        return stacks.load(needed=needed)
    except stacks.UnreadableStack as error:
        typer.echo(f"drill: {error}", err=True)
        raise typer.Exit(2) from error


def select(stack: str | None, profile: Sequence[str] | None, member_role: str | None) -> Selection:
    """Return the stacks and accounts that the options mean; without any `stack` the hub's account alone.

    Raises:
        typer.BadParameter: An option names a stack that does not exist.
        typer.Exit: The stacks cannot be read.
    """
    needed = None if stack == ALL else () if stack is None else (stack,)
    by_name = {known.name: known for known in project_stacks(needed)}
    if stack not in (*by_name, ALL, None):
        raise typer.BadParameter(f"--stack {stack}: must be one of {', '.join(by_name)}, {ALL}")
    profiles: dict[str, str] = {}
    for option in profile or ():
        name, _, profiles[name] = option.partition("=")
        if name not in by_name or not profiles[name]:
            raise typer.BadParameter(
                f"--profile {option}: must be STACK=NAME, where STACK is one of {', '.join(by_name)}"
            )
    by_account: dict[str, str] = {}
    for name, known in by_name.items():
        other = by_account.setdefault(known.account_id, name)
        # Without `stack` the hub's file is enough.
        if stack is not None and other != name:
            raise typer.BadParameter(
                f"stacks {other} and {name} both have accountId {known.account_id}, must be one stack each"
            )
    only = list(by_name) if stack == ALL else [] if stack is None else [stack]
    selected = [known for known in by_name.values() if known.name in {next(iter(by_name)), *only}]
    signed_in = sign_in(selected, profiles=profiles, member_role=member_role)
    accounts = {known.name: account for known, account in zip(selected, signed_in, strict=True)}
    for name, known in by_name.items():
        accounts.setdefault(name, Account(known.account_id, None, f"stack {name} was not selected"))
    return Selection(stacks=list(by_name.values()), accounts=[accounts[name] for name in by_name], only=only)
