"""Starts the emulated AWS, a process that serves on loopback (`server`); gives clients into its accounts."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType
from typing import IO, Any, cast

ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL"
REGIONS_VARIABLE = "SANDBOX_REGIONS"
ACCOUNTS_VARIABLE = "SANDBOX_STACK_ACCOUNTS"
OPTED_IN_VARIABLE = "SANDBOX_OPTED_IN"
"""Further Regions of each account, as JSON."""
DEFAULT_REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2",
    "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1",
    "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
"""What a new AWS account has enabled."""


@contextlib.contextmanager
def running(
    regions: Sequence[str] = (), opted_in: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Iterator[str]:
    """Run the emulated AWS for as long as the context lasts; yields its endpoint URL.

    The server ends with its standard input, so it does not outlive a killed parent. Errors of deliveries in
    the background go to standard error. Every account has `regions` enabled; without any, those of a new
    account and its own of `opted_in`.

    Raises:
        RuntimeError: A Region's name is malformed, or the server did not start: its output says why.
    """
    nowhere = "http://127.0.0.1:9"
    environment = {
        **os.environ,
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        # Nothing of the sandbox may leave this machine; the server itself delivers through its own API.
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nowhere),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1"),
    }
    environment[OPTED_IN_VARIABLE] = json.dumps({account: [*more] for account, more in opted_in.items()})
    if regions:
        environment[REGIONS_VARIABLE] = ",".join(regions)
    enabled_regions("", environment)  # fails here, not at the first request for Regions
    # With it every request would use one account, regardless of its credentials.
    environment.pop("MOTO_ACCOUNT_ID", None)
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox.cloud.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
        start_new_session=True,
    ) as server:
        stdin, stdout = cast(IO[str], server.stdin), cast(IO[str], server.stdout)
        try:
            endpoint = stdout.readline().strip()
            if not endpoint:
                raise RuntimeError("the emulated AWS (moto) did not start: see above")
            yield endpoint
        finally:
            stdin.close()


def account_credentials(account_id: str, endpoint: str) -> dict[str, str]:
    """Return temporary credentials into `account_id`, as keyword arguments of `boto3.Session`."""
    # moto's STS gives any caller credentials for any account.
    anybody = _session({"aws_access_key_id": "sandbox", "aws_secret_access_key": "sandbox"})
    sts = anybody.client("sts", region_name="us-east-1", endpoint_url=endpoint)
    issued = sts.assume_role(
        RoleArn=f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole", RoleSessionName="sandbox"
    )["Credentials"]
    return {
        "aws_access_key_id": issued["AccessKeyId"],
        "aws_secret_access_key": issued["SecretAccessKey"],
        "aws_session_token": issued["SessionToken"],
    }


def enabled_regions(account_id: str, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the Regions that an account has enabled: `SANDBOX_REGIONS`, or a new account's and further ones.

    Raises:
        RuntimeError: `SANDBOX_REGIONS` is not a list of Regions.
    """
    given = environment.get(REGIONS_VARIABLE)
    more = json.loads(environment.get(OPTED_IN_VARIABLE, "{}")).get(account_id, ())
    regions = [*DEFAULT_REGIONS, *more] if given is None else given.split(",")
    if not all(re.fullmatch("[a-z]+(-[a-z]+)+-[0-9]", region) for region in regions):
        raise RuntimeError(
            f"{REGIONS_VARIABLE} is {given!r}: write Regions with commas between them, no spaces, "
            "such as us-east-1,eu-west-1"
        )
    return sorted(set(regions))


class Account:
    """boto3 clients into one account of the emulated AWS, made once per service and Region."""

    def __init__(self, account_id: str, endpoint: str) -> None:
        """Sign in to `account_id` at `endpoint`."""
        session = _session(account_credentials(account_id, endpoint))
        self._client = cache(partial(session.client, endpoint_url=endpoint))
        # Making a client is not thread-safe, using it is; the engine calls a provider in parallel.
        self._making = threading.Lock()

    def regions(self) -> list[str]:
        """Return the Regions that the account has enabled, as it says itself."""
        answer = self.client("ec2", "us-east-1").describe_regions()
        return sorted(region["RegionName"] for region in answer["Regions"])

    def client(self, service: str, region: str) -> Any:
        """Return the client of `service` in `region`; boto3 makes its classes at run time, so no type."""
        with self._making:
            return self._client(service, region)


@cache
def signed_in(account_id: str, endpoint: str) -> Account:
    """Return the account at `endpoint`; it signs in once, because signing in and making clients is slow."""
    return Account(account_id, endpoint)


def own_accounts() -> dict[str, Account]:
    """Return the account of each stack, for a command that runs inside a sandbox.

    Raises:
        RuntimeError: The command does not run inside a sandbox.
    """
    endpoint, accounts = os.environ.get(ENDPOINT_VARIABLE), os.environ.get(ACCOUNTS_VARIABLE)
    if not endpoint or not accounts:
        raise RuntimeError(
            f"{ENDPOINT_VARIABLE} or {ACCOUNTS_VARIABLE} is not set: run this inside a sandbox, "
            "as in sandbox/run bash -c '…'"
        )
    return {stack: signed_in(account_id, endpoint) for stack, account_id in json.loads(accounts).items()}


def accounts_by_id() -> Callable[[str], Account]:
    """Return what gives the account with an id, for a command that runs inside a sandbox.

    Raises:
        RuntimeError: The command does not run inside a sandbox.
    """
    endpoint = os.environ.get(ENDPOINT_VARIABLE)
    if not endpoint:
        raise RuntimeError(f"{ENDPOINT_VARIABLE} is not set: run this inside a sandbox")
    return lambda account_id: signed_in(account_id, endpoint)


def _session(credentials: dict[str, str]) -> Any:
    # Imported here: that takes a fifth of a second, and the provider needs it only to change resources.
    import boto3

    return boto3.Session(**credentials)
