"""`python -m drill password`: sets or rotates a break-glass user's console password; does not store it."""

import logging
import os
import re
import secrets
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from pydantic import SecretStr
from rich.console import Console
from rich.text import Text

from drill.account import CANNOT_TELL, Account, explained, is_missing
from drill.options import ProfileOption, select
from drill.stacks import Stack

LENGTH = 32
"""Characters, unless the account's password policy wants more: about 190 bits."""

GROUP = 4
"""Characters in a group, to read aloud."""

# Without characters that are easy to confuse (l I 1 O 0), that a shell or a dead key changes (quotes,
# backslash, ^, ~), or that need AltGr on many keyboards (@ # [ ] { } |). AWS counts all of these:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
LOWER = "".join(sorted(set(string.ascii_lowercase) - set("l")))
UPPER = "".join(sorted(set(string.ascii_uppercase) - set("IO")))
DIGITS = "".join(sorted(set(string.digits) - set("01")))
SYMBOLS = "!%&()*+-="
CLASSES = (LOWER, UPPER, DIGITS, SYMBOLS)

# CreateLoginProfile and UpdateLoginProfile answer with these before they have changed anything.
_DONE_BEFORE = "EntityAlreadyExists"
_UNDER_WAY = "EntityTemporarilyUnmodifiable"


@dataclass
class _Refused(Exception):
    """The password was not changed (exit code 1), or that is unknown (2)."""

    message: str
    exit_code: int = 1


def generated(policy: Mapping[str, Any]) -> SecretStr:
    """Return a new password that the account's `PasswordPolicy` accepts; it is empty for AWS's default."""
    length = max(LENGTH, int(policy.get("MinimumPasswordLength", 0)))
    alphabet = "".join(CLASSES)
    # Trying again, instead of inserting one of each class, keeps all passwords equally likely. Every class is
    # there although the policy may require fewer: a policy that is tightened later still accepts it.
    while True:
        characters = "".join(secrets.choice(alphabet) for _ in range(length))
        if all(set(characters) & set(kind) for kind in CLASSES):
            return SecretStr(characters)


def password(
    user: Annotated[str, typer.Argument(metavar="USER", help="A user from user.names of the hub's stack.")],
    gpg: Annotated[
        list[str] | None,
        typer.Option(
            "--gpg",
            metavar="RECIPIENT",
            help="Print the password encrypted to this key instead of showing it; repeat for others.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    profile: ProfileOption = None,
) -> None:
    """Set or rotate the console password of a break-glass user.

    Triggers the detection user-change. Exit code 0: changed; 1: not changed; 2: not tried, or unknown.
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
    stack, account = select(None, profile, None).hub
    if user not in stack.settings.user.names:
        raise typer.BadParameter(
            f"USER {user}: must be one of {', '.join(stack.settings.user.names)} "
            f"(user.names in Pulumi.{stack.name}.yaml)"
        )
    try:
        _change(account, stack, user, recipients=recipients, ask=not yes, say=say)
    except _Refused as problem:
        say.print(Text(problem.message))
        raise typer.Exit(problem.exit_code) from None


def _on_terminal() -> bool:
    """Whether this is a terminal with an alternate screen."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _change(
    account: Account, stack: Stack, user: str, *, recipients: Sequence[str], ask: bool, say: Console
) -> None:
    try:
        iam = account.client("iam")
        exists, policy = False, dict[str, Any]()
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.get_login_profile(UserName=user)
            exists = True
        with suppress(iam.exceptions.NoSuchEntityException):
            policy = iam.get_account_password_policy()["PasswordPolicy"]
    except CANNOT_TELL as error:
        raise _Refused(f"Nothing was changed: {explained(error)}") from None
    for line in _announced(account, stack, user, exists=exists, policy=policy):
        say.print(Text(line))
    if ask and not typer.confirm("Go on?", err=True):
        raise _Refused("Nothing was changed.")
    secret = generated(policy)
    # First: if gpg fails, there must not be a new password that nobody knows.
    armour = _encrypted(secret, recipients) if recipients else ""
    _put(account, stack, user, secret, exists=exists)
    if recipients:
        print(armour, end="")
        stored = f"Put the message above into the vault; to read it: gpg --decrypt ({', '.join(recipients)})."
    else:
        _show(secret, user)
        stored = "Is it in the vault? If not, run this again: it cannot be shown twice."
    say.print(
        Text(
            f"The password of {user} is {'changed' if exists else 'set'}.\n"
            "Next:\n"
            f"1. {stored}\n"
            f"2. Sign in with it once as {user}, with each MFA device (python -m drill use).\n"
            f"3. python -m drill check --stack {stack.name}"
        )
    )


def _announced(
    account: Account, stack: Stack, user: str, *, exists: bool, policy: Mapping[str, Any]
) -> Iterator[str]:
    yield f"User {user} of account {account.id} (stack {stack.name})."
    if exists:
        yield "It has a console password. It will be replaced; the old password stops working immediately."
    else:
        yield "It has no console password. It will get one, and can then sign in with it."
    yield "This rings the alarm (detection user-change): announce it to the recipients first."
    if policy.get("ExpirePasswords"):
        effect = "the user is locked out" if policy.get("HardExpiry") else "it must be changed at sign-in"
        yield (
            "Note: under the account's password policy it expires after "
            f"{policy.get('MaxPasswordAge')} days; then {effect}. Rotate it earlier."
        )


def _encrypted(secret: SecretStr, recipients: Sequence[str]) -> str:
    """Return the password encrypted to all recipients, as ASCII armour."""
    gpg = shutil.which("gpg")
    if gpg is None:
        raise _Refused(
            "gpg is not on PATH: install GnuPG, or use a terminal without --gpg. Nothing was changed."
        )
    # A key that gpg fetches by a mail address could be anybody's: only those of the keyring count.
    command = [gpg, "--batch", "--quiet", "--no-tty", "--no-auto-key-locate", "--encrypt", "--armor"]
    for recipient in recipients:
        command += ["--recipient", recipient]
    done = subprocess.run(
        command, input=secret.get_secret_value(), capture_output=True, text=True, check=False
    )
    if done.returncode or not done.stdout.startswith("-----BEGIN PGP MESSAGE-----"):
        raise _Refused(
            f"gpg did not encrypt to {', '.join(recipients)}: each must be a key of this keyring that you "
            "trust (gpg --list-keys; gpg --import FILE; gpg --quick-lsign-key FINGERPRINT). "
            f"Nothing was changed.\n{_masked(done.stderr.strip(), secret)}"
        )
    return done.stdout


def _masked(text: str, secret: SecretStr) -> str:
    """Return a text without the password, in case AWS or gpg quotes it in a message."""
    return text.replace(secret.get_secret_value(), "(the new password)")


def _put(account: Account, stack: Stack, user: str, secret: SecretStr, *, exists: bool) -> None:
    iam = account.client("iam")
    call = iam.update_login_profile if exists else iam.create_login_profile
    before = logging.root.manager.disable
    logging.disable(max(before, logging.DEBUG))  # botocore's debug logs contain the body of each request
    try:
        # Never a reset at the next sign-in: in an emergency it could lock the user out.
        call(UserName=user, Password=secret.get_secret_value(), PasswordResetRequired=False)
    except CANNOT_TELL as error:
        problem = _refused(error, stack, user, exists=exists)
        raise _Refused(_masked(problem.message, secret), problem.exit_code) from None
    finally:
        logging.disable(before)


def _refused(error: Exception, stack: Stack, user: str, *, exists: bool) -> _Refused:
    held = "The old password still works." if exists else "The user still has no password."
    reply = error.response if isinstance(error, ClientError) else {}
    code = reply.get("Error", {}).get("Code", "")
    status = reply.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    if not reply or status >= 500 or code in {_DONE_BEFORE, _UNDER_WAY}:
        # The answer may have been lost after the change, also the answer to an earlier attempt of botocore.
        return _Refused(
            f"It is unknown whether the password was changed: {explained(error)}\n"
            "The new one is not shown. Run this again to set one that you know.",
            exit_code=2,
        )
    if code == "PasswordPolicyViolation":
        why = reply["Error"].get("Message", "")
        return _Refused(
            f"The account's password policy does not allow the new password: {why}\n"
            "It has lower case, upper case, digits and symbols: see what else the policy requires "
            f"(aws iam get-account-password-policy). {held}"
        )
    if is_missing(error):
        gone = "its password has just been removed: run this again" if exists else "the user does not exist"
        return _Refused(
            f"{user}: {gone}; the stack that creates it is {stack.name} (pulumi up -s {stack.name})."
        )
    return _Refused(f"{explained(error)}\n{held}")


def _show(secret: SecretStr, user: str) -> None:
    """Show the password on the alternate screen until Enter, so that it does not stay in the scrollback."""
    console, characters = Console(highlight=False), secret.get_secret_value()
    with console.screen():
        console.print(Text(f"The new password of {user}:\n"))
        console.print(Text(f"    {characters}\n"), soft_wrap=True)
        console.print(Text(f"To read it aloud, in groups of {GROUP}; the gaps are not part of it:\n"))
        groups = re.findall(f".{{1,{GROUP}}}", characters)
        console.print(Text(f"    {'   '.join(groups)}\n"))
        console.print(
            Text("It has no l, I, 1, O or 0. It is not stored anywhere: put it into the vault now.")
        )
        # After Ctrl-C or Ctrl-D the password is new as well, and the caller must say so.
        with suppress(typer.Abort):
            typer.prompt("Enter when it is stored", default="", show_default=False, prompt_suffix=" ")
