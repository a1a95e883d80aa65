"""`python -m drill use`: the way in, for whoever reads it at 3 a.m. Asks AWS nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

import typer

from breakglass import naming
from breakglass.settings.model import RoleSettings
from drill import stacks
from drill.stacks import Stack

PROFILE_PREFIX = "breakglass-"
"""Of the names of AWS profiles and of roles in the console: nobody's own profile is called so."""

CLI_VERSION = "2.32"
"""The first AWS CLI that has `aws login`."""

_SWITCH_ROLE = "https://signin.aws.amazon.com/switchrole"


@dataclass(frozen=True, kw_only=True)
class Target:
    """An account whose role can be assumed.

    Attributes:
        name: Its stack's name; the account id where it has no stack here.
        account_id: Its id.
        role: The role and its limits; the hub's where the account has no stack here.
    """

    name: str
    account_id: str
    role: RoleSettings

    @property
    def profile(self) -> str:
        """Its name as an AWS profile and in the console."""
        return f"{PROFILE_PREFIX}{self.name}"

    @property
    def link(self) -> str:
        """Where the console offers to switch to the role.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html
        """
        asked = {"account": self.account_id, "roleName": self.role.name, "displayName": self.profile}
        return f"{_SWITCH_ROLE}?{urlencode(asked)}"


def targets(known: Sequence[Stack]) -> list[Target]:
    """Return the accounts whose role the users can assume: those of the stacks, and the hub's listed members.

    Args:
        known: All stacks of the project, the hub's first.
    """
    hub = known[0].settings
    own = {stack.account_id for stack in known}
    members = () if hub.alerts is None else hub.alerts.member_account_ids
    found = [
        Target(name=stack.name, account_id=stack.account_id, role=stack.settings.role)
        for stack in known
        if "role" in stack.settings.components
    ]
    found += [Target(name=one, account_id=one, role=hub.role) for one in members if one not in own]
    allowed = hub.user.account_ids
    return [one for one in found if allowed is None or one.account_id in allowed]


def login_profile(user: str) -> str:
    """Return the name of the AWS profile that a user signs in with."""
    return f"{PROFILE_PREFIX}login-{user}"


def aws_config(known: Sequence[Stack], user: str) -> str:
    """Return the text of an AWS configuration file: one profile to sign in, one for each account's role.

    `login_session` is what `aws login` itself writes into a profile
    (https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html). Written beforehand, it
    makes sure that nobody signs in as somebody else, and a Region is not asked for.
    """
    home = known[0].settings.watched.hub_region
    blocks = [
        [
            f"[profile {login_profile(user)}]",
            f"login_session = {naming.user_arn(known[0].account_id, user)}",
            f"region = {home}",
        ]
    ]
    blocks += [
        [
            f"[profile {target.profile}]",
            f"role_arn = {naming.role_arn(target.account_id, target.role.name)}",
            f"source_profile = {login_profile(user)}",
            # The record names the person's session by it.
            f"role_session_name = {user}",
            f"duration_seconds = {target.role.max_session_duration}",
            f"region = {home}",
        ]
        for target in targets(known)
    ]
    return "\n".join("\n".join([*lines, ""]) for lines in blocks)


def use(
    user: Annotated[
        str | None,
        typer.Option(
            "--user", metavar="USER", help="Whose way in it is; without it the first of user.names."
        ),
    ] = None,
    config: Annotated[
        bool,
        typer.Option(
            "--config", help="Print only the AWS configuration, for a file of its own or to append it."
        ),
    ] = False,
) -> None:
    """Print the way in: links, limits, and commands. Asks AWS nothing."""
    try:
        known = stacks.load()
    except stacks.UnreadableStack as error:
        raise typer.BadParameter(str(error)) from error
    names = known[0].settings.user.names
    if user is not None and user not in names:
        raise typer.BadParameter(f"--user {user}: must be one of {', '.join(names)}")
    chosen = user or names[0]
    if config:
        # The empty line is for a file that lacks the newline at its end.
        print(f"\n{aws_config(known, chosen)}", end="")
        return
    for line in way_in(known, chosen):
        print(line)


def way_in(known: Sequence[Stack], user: str) -> Iterator[str]:
    """Yield the page: first the console, which always works, then the command line."""
    hub = known[0]
    yield "Break-glass access. Every step rings: announce it before, with your reason."
    yield ""
    yield "1. Sign in, with the password from the vault and an MFA device:"
    yield f"     https://{hub.account_id}.signin.aws.amazon.com/console"
    yield f"   as {user}"
    for name in hub.settings.user.names:
        if name != user:
            yield f"   (or as {name}: python -m drill use --user {name})"
    yield "   The user itself may do nothing but switch to the role."
    yield ""
    yield "2. Switch to the role, in the account that needs you:"
    for target in targets(known):
        yield ""
        yield f"   {_place(target)}"
        yield f"     {target.link}"
        yield f"     {_limits(target.role)}"
    if hub.settings.user.account_ids is not None:
        yield ""
        yield "   In other accounts the user may not assume the role (user.accountIds)."
    yield ""
    yield from _command_line(user, targets(known))
    yield ""
    yield "Afterwards: sign out, see docs/runbook.md: After use, and rotate the password:"
    yield f"   python -m drill password {user}"


def _place(target: Target) -> str:
    if target.name == target.account_id:
        return f"account {target.account_id}, role {target.role.name} (no stack here: limits are the hub's)"
    return f"{target.name}, account {target.account_id}, role {target.role.name}"


def _limits(role: RoleSettings) -> str:
    return (
        f"within {_minutes(role.mfa_max_age)} of the sign-in with MFA; "
        f"a session lasts {_minutes(role.max_session_duration)} at most"
    )


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _command_line(user: str, accounts: Sequence[Target]) -> Iterator[str]:
    yield f"Or on the command line (AWS CLI {CLI_VERSION} or newer, a browser on the same machine):"
    yield ""
    # A file of its own can be written again and again; a profile that is in a file twice makes it unreadable.
    yield "   mkdir -p ~/.aws && python -m drill use --config > ~/.aws/breakglass"
    yield "   export AWS_CONFIG_FILE=~/.aws/breakglass"
    yield f"   aws login --profile {login_profile(user)}"
    for target in accounts:
        yield f"   aws sts get-caller-identity --profile {target.profile}"
    yield f"   aws logout --profile {login_profile(user)}"
    yield ""
    yield "   FIDO2 keys work in the console and with `aws login`, in no other way."
    yield "   If the role is refused here although the sign-in is fresh, use the console:"
    yield "   AWS does not say that an `aws login` session counts as signed in with MFA."
