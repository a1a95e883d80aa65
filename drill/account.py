"""Access to an account: credentials, clients that retry, and what an error of AWS means, in plain words."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from breakglass import naming
from drill.stacks import Stack

RETRIES = 5
"""Attempts at a call, with exponential back-off between them and jitter (botocore's standard mode)."""

_THROTTLED = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "SlowDown")
_NOT_THERE = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "AuthFailure",
    "OptInRequired",
    "InvalidSignatureException",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_MISSING = {
    "AWS.SimpleQueueService.NonExistentQueue",
    "NoSuchEntity",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "TrailNotFoundException",
}


class NotSignedIn(Exception):
    """There are no credentials for an account; the message says why."""


CANNOT_TELL = (ClientError, BotoCoreError, NotSignedIn)
"""Errors that mean AWS gave no usable answer; `explained` says why."""


@dataclass(eq=False)
class Account:
    """One account, reached with credentials of its own; without any, `problem` is the reason.

    The AWS profile that they come from is "" if they come from elsewhere.
    """

    id: str
    session: boto3.Session | None
    problem: str = ""
    profile: str = field(default="", kw_only=True)
    _clients: dict[tuple[str, str], Any] = field(init=False, repr=False, default_factory=dict)
    # Making a client is not thread-safe, using it is.
    _making: AbstractContextManager[Any] = field(init=False, repr=False, default_factory=threading.Lock)

    def client(self, service: str, region: str = naming.HOME_REGION) -> Any:
        """Return the client of `service` in `region`. It has no type: boto3 makes its classes at run time.

        Raises:
            NotSignedIn: There are no credentials for the account.
        """
        if self.session is None:
            raise NotSignedIn(self.problem)
        with self._making:
            key = (service, region)
            if key not in self._clients:
                self._clients[key] = self.session.client(service, region_name=region, config=_CONFIG)
            return self._clients[key]


_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": RETRIES},
    connect_timeout=4,
    read_timeout=30,
    max_pool_connections=32,
)


def sign_in(
    stacks: Sequence[Stack], *, profiles: Mapping[str, str], member_role: str | None
) -> list[Account]:
    """Return one account for each stack, with credentials if there are any.

    A stack's credentials are those of its profile in `profiles`, else of the AWS profile named like the
    stack, else the ambient ones. If these belong to another account and `member_role` is given, they are used
    to assume that role in the stack's account.
    """
    return [_signed_in(stack, profiles.get(stack.name), member_role) for stack in stacks]


def _signed_in(stack: Stack, profile: str | None, member_role: str | None) -> Account:
    account_id = stack.account_id
    try:
        named = profile or (stack.name if stack.name in boto3.Session().available_profiles else None)
        session = boto3.Session(profile_name=named)
        own_id = _sts(session).get_caller_identity()["Account"]
        if own_id != account_id and member_role is not None:
            issued = _sts(session).assume_role(
                RoleArn=naming.role_arn(account_id, member_role), RoleSessionName="breakglass-drill"
            )["Credentials"]
            session = boto3.Session(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
            own_id = _sts(session).get_caller_identity()["Account"]
    # Files and commands that an AWS configuration names raise errors of their own.
    except (ClientError, BotoCoreError, OSError, ValueError) as error:
        return Account(account_id, None, f"no credentials for stack {stack.name}: {explained(error)}")
    if own_id != account_id:
        return Account(
            account_id,
            None,
            f"the credentials for stack {stack.name} are of account {own_id}: use a profile of {account_id} "
            f"(--profile {stack.name}=NAME), or --member-role",
        )
    return Account(account_id, session, profile=named or "")


def _sts(session: boto3.Session) -> Any:
    return session.client("sts", region_name=naming.HOME_REGION, config=_CONFIG)


def is_missing(error: Exception) -> bool:
    """Whether AWS says that the thing does not exist."""
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _MISSING


def is_denied_by_organization(error: Exception) -> bool:
    """Whether a service control policy denies the call; AWS's message names the kind of policy."""
    return isinstance(error, ClientError) and "service control policy" in str(error)


def explained(error: Exception) -> str:
    """Return what an error of `CANNOT_TELL` means, in one line of plain words."""
    if not isinstance(error, ClientError):
        return " ".join(str(error).split()) or type(error).__name__
    code, operation = error.response["Error"]["Code"], error.operation_name
    if is_denied_by_organization(error):
        return f"a service control policy denies {operation}"
    if "AccessDenied" in code or code in {"UnauthorizedOperation", "AuthorizationError"}:
        return f"access denied to {operation}: `python -m drill policy` prints what is needed"
    if code in _EXPIRED:
        return "the credentials have expired: sign in again"
    if any(part in code for part in _THROTTLED):
        return f"throttled at {operation}, {RETRIES} times: try again later"
    if code in _NOT_THERE:
        return f"the credentials are not valid here ({code} at {operation}): the Region may not be enabled"
    return f"{operation} answered {code}: {' '.join(error.response['Error'].get('Message', '').split())}"
