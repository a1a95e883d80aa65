"""`python -m drill use`: how to use break-glass access, for someone at 3 a.m. Makes no call to AWS."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

import typer

from breakglass import naming
from breakglass.settings.model import RoleSettings
from drill.options import project_stacks
from drill.stacks import Stack

PROFILE_PREFIX = "breakglass-"
"""Of the names of AWS profiles and of roles in the console, so that they differ from all other names."""

LOGIN_PROFILE_PREFIX = f"{PROFILE_PREFIX}login-"
"""Of the AWS profile that a user signs in with."""

CLI_VERSION = "2.32"
"""The first AWS CLI that has `aws login`."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """An account whose role can be assumed; without a stack here, its name is its id, its role the hub's."""

    name: str
    account_id: str
    role: RoleSettings

    @property
    def profile(self) -> str:
        """Its name as an AWS profile and in the console."""
        return f"{PROFILE_PREFIX}{self.name}"

    @property
    def link(self) -> str:
        """The console's page for switching to the role.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html
        """
        query = {"account": self.account_id, "roleName": self.role.name, "displayName": self.profile}
        return f"https://signin.aws.amazon.com/switchrole?{urlencode(query)}"


def targets(known: Sequence[Stack]) -> list[Target]:
    """Return the accounts whose role the users can assume: of the stacks, and of the hub's members."""
    hub = known[0].settings
    with_stack = {stack.account_id for stack in known}
    members = () if hub.alerts is None else hub.alerts.member_account_ids
    accounts = [
        Target(name=stack.name, account_id=stack.account_id, role=stack.settings.role)
        for stack in known
        if "role" in stack.settings.components
    ]
    accounts += [Target(name=id, account_id=id, role=hub.role) for id in members if id not in with_stack]
    allowed = hub.user.account_ids
    return [target for target in accounts if allowed is None or target.account_id in allowed]


def aws_config(known: Sequence[Stack], user: str) -> str:
    """Return the text of an AWS configuration file: one profile to sign in, one for each account's role.

    `login_session` is what `aws login` itself writes into a profile
    (https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html). If it is there beforehand,
    `aws login` accepts no other user, and does not ask for a Region.
    """
    home, login = naming.HOME_REGION, f"{LOGIN_PROFILE_PREFIX}{user}"
    profiles = [
        f"""\
[profile {login}]
login_session = {naming.user_arn(known[0].account_id, user)}
region = {home}
"""
    ]
    # The name of the session is in the record.
    profiles += [
        f"""\
[profile {target.profile}]
role_arn = {naming.role_arn(target.account_id, target.role.name)}
source_profile = {login}
role_session_name = {user}
duration_seconds = {target.role.max_session_duration}
region = {home}
"""
        for target in targets(known)
    ]
    return "\n".join(profiles)


def use(
    user: Annotated[
        str | None,
        typer.Option("--user", metavar="USER", help="Who signs in; by default the first of user.names."),
    ] = None,
    config: Annotated[
        bool,
        typer.Option("--config", help="Print only the AWS configuration, to write or append to a file."),
    ] = False,
) -> None:
    """Print how to use break-glass access: links, limits, and commands. Makes no call to AWS."""
    found = project_stacks(needed=())
    hubs = [stack for stack in found if stack.settings.is_hub]
    if len(hubs) > 1:
        listed = ", ".join(f"{hub.name} ({hub.account_id})" for hub in hubs)
        print(f"drill: found {len(hubs)} stacks with `alerts`, must be one: {listed}", file=sys.stderr)
    names = [name for hub in hubs for name in hub.settings.user.names]
    if user is not None and user not in names:
        raise typer.BadParameter(f"--user {user}: must be one of {', '.join(dict.fromkeys(names))}")
    # The way in must be there, also while the files disagree: each hub's; the configuration is the first's.
    for hub in hubs[:1] if config else hubs:
        known = [hub, *(stack for stack in found if stack not in hubs)]
        who = user if user in hub.settings.user.names else hub.settings.user.names[0]
        # The empty line is for a file that lacks the newline at its end.
        print(f"\n{aws_config(known, who)}" if config else way_in(known, who), end="")


def way_in(known: Sequence[Stack], user: str) -> str:
    """Return the instructions: first the console, which always works, then the command line."""
    hub, accounts, login = known[0], targets(known), f"{LOGIN_PROFILE_PREFIX}{user}"
    others = "".join(
        f"\n   (or as {name}: python -m drill use --user {name})"
        for name in hub.settings.user.names
        if name != user
    )
    roles = "\n\n".join(map(_switch, accounts))
    if hub.settings.user.account_ids is not None:
        roles += "\n\n   The user may not assume the role in other accounts (user.accountIds)."
    calls = "\n".join(f"   aws sts get-caller-identity --profile {account.profile}" for account in accounts)
    # A file of its own can be written again; the same profile twice in one file would make it unreadable.
    return f"""\
Break-glass access. Every step rings the alarm: announce it first, and why.

1. Sign in, with the password from the vault and an MFA device:
     https://{hub.account_id}.signin.aws.amazon.com/console
   as {user}{others}
   This user is allowed to switch to the role, and nothing else.

2. Switch to the role in the account where you have to work:

{roles}

Or on the command line (AWS CLI {CLI_VERSION} or newer, a browser on the same machine):

   mkdir -p ~/.aws && python -m drill use --config > ~/.aws/breakglass
   export AWS_CONFIG_FILE=~/.aws/breakglass
   aws login --profile {login}
{calls}
   aws logout --profile {login}

   FIDO2 keys work only in the console and with `aws login`.
   If the role is refused here although the sign-in is fresh, use the console:
   AWS does not say that an `aws login` session counts as signed in with MFA.

Afterwards: sign out, see "After use" in docs/runbook.md, rotate the password:
   python -m drill password {user}
"""


def _switch(target: Target) -> str:
    place = f"account {target.account_id}, role {target.role.name}"
    has_stack = target.name != target.account_id
    place = f"{target.name}, {place}" if has_stack else f"{place} (no stack here: limits are the hub's)"
    age, duration = _minutes(target.role.mfa_max_age), _minutes(target.role.max_session_duration)
    limits = f"within {age} of the sign-in with MFA; a session lasts {duration} at most"
    return f"   {place}\n     {target.link}\n     {limits}"


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
