"""`python -m drill password`: sets or rotates a break-glass user's console password and keeps it nowhere."""

import logging
import os
import re
import secrets
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.text import Text

from drill.account import CANNOT_TELL, Account, explained, is_missing
from drill.options import ProfileOption, choose
from drill.stacks import Stack

LENGTH = 32
"""Characters, unless the account's password policy wants more: about 190 bits."""

GROUP = 4
"""Characters that are read aloud together."""

# Without what is taken for something else (l I 1 O 0), what a shell or a dead key makes something else of
# (quotes, backslash, ^, ~), and what needs AltGr on many keyboards (@ # [ ] { } |). AWS counts all of these:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
LOWER = "".join(sorted(set(string.ascii_lowercase) - set("l")))
UPPER = "".join(sorted(set(string.ascii_uppercase) - set("IO")))
DIGITS = "".join(sorted(set(string.digits) - set("01")))
SYMBOLS = "!%&()*+-="
CLASSES = (LOWER, UPPER, DIGITS, SYMBOLS)

# CreateLoginProfile and UpdateLoginProfile answer with these before they have changed anything.
_DONE_BEFORE = "EntityAlreadyExists"
_UNDER_WAY = "EntityTemporarilyUnmodifiable"


class Secret:
    """A password. Only `reveal` shows it: what prints, formats or logs the object does not."""

    __slots__ = ("_characters",)

    def __init__(self, characters: str) -> None:
        """Take the password."""
        self._characters = characters

    def reveal(self) -> str:
        """Return the password."""
        return self._characters

    def grouped(self) -> str:
        """Return the password with gaps, to be read aloud."""
        return re.sub(f"(.{{{GROUP}}})(?!$)", r"\1   ", self._characters)

    def masked(self, text: str) -> str:
        """Return `text` without the password, should AWS or gpg quote it in a message."""
        return text.replace(self._characters, "(the new password)")

    def __repr__(self) -> str:
        """Say what it is and not what it says."""
        return "<a password>"


class _Refused(Exception):
    """The password was not changed, or it cannot be told; the message says why.

    Attributes:
        exit_code: 1 when the old state holds, 2 when that cannot be told.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def generated(policy: Mapping[str, Any]) -> Secret:
    """Return a new password that an account's password policy takes.

    Args:
        policy: The `PasswordPolicy` of GetAccountPasswordPolicy; empty for AWS's default.
    """
    length = max(LENGTH, int(policy.get("MinimumPasswordLength", 0)))
    alphabet = "".join(CLASSES)
    # To try again, and not to put one of each class in, keeps all passwords equally likely. Every class is
    # there although the policy may want less: a policy that is tightened later still takes it.
    while True:
        characters = "".join(secrets.choice(alphabet) for _ in range(length))
        if all(any(one in kind for one in characters) for kind in CLASSES):
            return Secret(characters)


def password(
    user: Annotated[
        str, typer.Argument(metavar="USER", help="The user, as in user.names of the hub's stack.")
    ],
    gpg: Annotated[
        list[str] | None,
        typer.Option(
            "--gpg",
            metavar="RECIPIENT",
            help="Print the password encrypted to this key instead of showing it; repeat for others.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    profile: ProfileOption = None,
) -> None:
    """Set or rotate the console password of a break-glass user.

    Rings as user-change. Exit code 0: changed; 1: not changed; 2: not even tried, or it cannot be told.
    """
    recipients = list(gpg or ())
    say = Console(stderr=True, highlight=False, soft_wrap=False)
    if not recipients and not _on_terminal():
        say.print(
            "Not on a terminal, so the password could end up in a file or a log: use a terminal, or "
            "--gpg RECIPIENT. Nothing was changed.",
            markup=False,
        )
        raise typer.Exit(2)
    stack, account = choose(None, profile, None).hub
    if user not in stack.settings.user.names:
        raise typer.BadParameter(
            f"USER {user}: must be one of {', '.join(stack.settings.user.names)} "
            f"(user.names in Pulumi.{stack.name}.yaml)"
        )
    try:
        _change(account, stack, user, recipients=recipients, ask=not yes, say=say)
    except _Refused as problem:
        say.print(Text(str(problem)))
        raise typer.Exit(problem.exit_code) from None


def _on_terminal() -> bool:
    """Whether somebody sits here, at a terminal that has an alternate screen."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _change(
    account: Account, stack: Stack, user: str, *, recipients: Sequence[str], ask: bool, say: Console
) -> None:
    """Announce, ask, change the password and hand it over.

    Raises:
        _Refused: It was not changed, or that cannot be told.
    """
    exists, policy = _state(account, user)
    for line in _announced(account, stack, user, exists=exists, policy=policy):
        say.print(Text(line))
    if ask and not typer.confirm("Go on?", err=True):
        raise _Refused("Nothing was changed.")
    secret = generated(policy)
    # First of all: a gpg that fails must not leave a password behind that nobody knows.
    armour = _encrypted(secret, recipients) if recipients else ""
    _put(account, stack, user, secret, exists=exists)
    if recipients:
        print(armour, end="")
    else:
        _show(secret, user)
    say.print(Text(f"The password of {user} is {'changed' if exists else 'set'}."))
    for line in _next(stack, user, recipients):
        say.print(Text(line))


def _state(account: Account, user: str) -> tuple[bool, dict[str, Any]]:
    """Return whether the user has a password, and the account's password policy.

    Raises:
        _Refused: AWS's answer is not to be had.
    """
    try:
        iam = account.client("iam")
        return (
            _unless_missing(iam.get_login_profile, UserName=user) is not None,
            (_unless_missing(iam.get_account_password_policy) or {}).get("PasswordPolicy", {}),
        )
    except CANNOT_TELL as error:
        raise _Refused(f"Nothing was changed: {explained(error)}") from None


def _unless_missing(call: Any, **parameters: str) -> dict[str, Any] | None:
    try:
        return call(**parameters)
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def _announced(
    account: Account, stack: Stack, user: str, *, exists: bool, policy: Mapping[str, Any]
) -> Iterator[str]:
    yield f"User {user} of account {account.id} (stack {stack.name})."
    if exists:
        yield "It has a console password. It gets a new one: the old one stops to work at once."
    else:
        yield "It has no console password. It gets one, and from then on somebody can sign in with it."
    yield "This rings (detection user-change): announce it first to those who get the alarm."
    if policy.get("ExpirePasswords"):
        how = "locks the user out" if policy.get("HardExpiry") else "has to be changed at the sign-in"
        yield (
            f"Mind: the account's password policy lets it expire after {policy.get('MaxPasswordAge')} days; "
            f"then it {how}. Rotate it before."
        )


def _encrypted(secret: Secret, recipients: Sequence[str]) -> str:
    """Return the password encrypted to all recipients, as ASCII armour.

    Raises:
        _Refused: gpg is missing or refuses, for example a recipient.
    """
    gpg = shutil.which("gpg")
    if gpg is None:
        raise _Refused(
            "gpg is not on PATH: install GnuPG, or use a terminal without --gpg. Nothing was changed."
        )
    # Keys that gpg would fetch by a mail address are whoever's: only those of the keyring count.
    command = [gpg, "--batch", "--no-tty", "--no-auto-key-locate", "--encrypt", "--armor"]
    for recipient in recipients:
        command += ["--recipient", recipient]
    done = subprocess.run(command, input=secret.reveal(), capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout.startswith("-----BEGIN PGP MESSAGE-----"):
        raise _Refused(
            f"{secret.masked(done.stderr.strip())}\n"
            f"gpg did not encrypt to {', '.join(recipients)}: each must be a key of this keyring that you "
            "trust (gpg --list-keys; gpg --import FILE; gpg --quick-lsign-key FINGERPRINT). "
            "Nothing was changed."
        )
    return done.stdout


def _put(account: Account, stack: Stack, user: str, secret: Secret, *, exists: bool) -> None:
    """Make it the user's password.

    Raises:
        _Refused: It is not, or that cannot be told.
    """
    iam = account.client("iam")
    call = iam.update_login_profile if exists else iam.create_login_profile
    try:
        with _nothing_logged():
            # Never a reset at the next sign-in: in an emergency it could lock the person out.
            call(UserName=user, Password=secret.reveal(), PasswordResetRequired=False)
    except CANNOT_TELL as error:
        problem = _refused(error, stack, user, exists=exists)
        raise _Refused(secret.masked(str(problem)), problem.exit_code) from None


@contextmanager
def _nothing_logged() -> Iterator[None]:
    """Switch debugging logs off while the context lasts: botocore's hold the body of each request."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.DEBUG))
    try:
        yield
    finally:
        logging.disable(before)


def _refused(error: Exception, stack: Stack, user: str, *, exists: bool) -> _Refused:
    """Return what a failed change means."""
    held = "The old password still works." if exists else "The user still has no password."
    reply = error.response if isinstance(error, ClientError) else {}
    code = reply.get("Error", {}).get("Code", "")
    status = reply.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    if not reply or status >= 500 or code in {_DONE_BEFORE, _UNDER_WAY}:
        # The answer may have been lost after the change was made, also one to an earlier try of botocore's.
        return _Refused(
            f"It cannot be told whether the password was changed: {explained(error)}\n"
            "The new one is not shown. Run this again, to set one that you know.",
            2,
        )
    if code == "PasswordPolicyViolation":
        why = reply["Error"].get("Message", "")
        return _Refused(
            f"AWS refuses the password, because the account's password policy does: {why}\n"
            "Passwords made here have lower case, upper case, digits and symbols: see what else it wants "
            f"(aws iam get-account-password-policy). {held}"
        )
    if is_missing(error):
        gone = "its password was removed meanwhile: run this again" if exists else "the user does not exist"
        return _Refused(
            f"{user}: {gone}; the stack that creates it is {stack.name} (pulumi up -s {stack.name})."
        )
    return _Refused(f"{explained(error)}\n{held}")


def _show(secret: Secret, user: str) -> None:
    """Show the password on the alternate screen until Enter: it does not stay in the scrollback."""
    console = Console(highlight=False)
    with console.screen():
        console.print(Text(f"The new password of {user}:\n"))
        console.print(Text(f"    {secret.reveal()}\n"), soft_wrap=True)
        console.print(Text(f"To read it aloud, in groups of {GROUP}; the gaps are no part of it:\n"))
        console.print(Text(f"    {secret.grouped()}\n"))
        console.print(Text("There is no l, no I, no 1, no O and no 0 in it. Nothing keeps it: store it now."))
        # Whoever leaves with Ctrl-C or Ctrl-D has a new password all the same, and must be told so.
        with suppress(typer.Abort):
            typer.prompt("Enter when it is stored", default="", show_default=False, prompt_suffix=" ")


def _next(stack: Stack, user: str, recipients: Sequence[str]) -> Iterator[str]:
    yield "Next:"
    if recipients:
        yield f"1. Put the message above into the vault; to read it: gpg --decrypt ({', '.join(recipients)})."
    else:
        yield "1. It must be in the vault by now. If it is not, run this again: it cannot be shown twice."
    yield f"2. Sign in once with it as {user}, with each MFA device (python -m drill use)."
    yield f"3. python -m drill check --stack {stack.name}"
