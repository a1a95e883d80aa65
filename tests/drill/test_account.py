"""How an account is reached, and what an error of AWS means."""

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError

from drill import stacks
from drill.account import Account, NotSignedIn, explained, is_denied_by_organization, is_missing, sign_in
from sandbox.cloud import emulation
from tests.drill import deployed

MGMT, MEMBER = "111111111111", "222222222222"


def error(code: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeRule")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            error("AccessDenied"),
            "access denied to DescribeRule: `python -m drill policy` prints what is needed",
        ),
        (error("AccessDeniedException"), "access denied to DescribeRule"),
        (error("UnauthorizedOperation"), "access denied to DescribeRule"),
        (
            error("AccessDeniedException", "… with an explicit deny in a service control policy: arn:…"),
            "a service control policy denies DescribeRule",
        ),
        (error("ThrottlingException"), "throttled at DescribeRule, 5 times: try again later"),
        (error("TooManyRequestsException"), "throttled at DescribeRule"),
        (error("ExpiredToken"), "the credentials have expired: sign in again"),
        (error("UnrecognizedClientException"), "the credentials are not valid here"),
        (error("InternalFailure", "a\n b"), "DescribeRule answered InternalFailure: a b"),
        (NoCredentialsError(), "Unable to locate credentials"),
        (
            EndpointConnectionError(endpoint_url="https://x"),
            'Could not connect to the endpoint URL: "https://x"',
        ),
        (ConnectTimeoutError(endpoint_url="https://x"), "Connect timeout on endpoint URL"),
        (NotSignedIn("nobody"), "nobody"),
    ],
)
def test_an_error_is_said_in_words(found: Exception, said: str) -> None:
    assert explained(found).startswith(said)
    assert "\n" not in explained(found)


def test_what_does_not_exist_is_told_from_what_cannot_be_read() -> None:
    assert is_missing(error("ResourceNotFoundException"))
    assert is_missing(error("AWS.SimpleQueueService.NonExistentQueue"))
    assert not is_missing(error("AccessDenied"))
    assert not is_missing(NoCredentialsError())


def test_only_a_service_control_policy_is_one() -> None:
    assert not is_denied_by_organization(error("AccessDenied", "with an explicit deny in a boundary"))


@pytest.fixture
def profiles(aws: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An AWS configuration file with one profile, of the management account, called `boss`."""
    lines = [f"{name} = {value}" for name, value in emulation.account_credentials(MGMT, aws).items()]
    file = tmp_path / "config"
    file.write_text("\n".join(["[profile boss]", "region = us-east-1", *lines, ""]))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return file


def identity(account: Account) -> str:
    return account.client("sts").get_caller_identity()["Account"]


def test_a_profile_is_chosen_by_option(profiles: Path) -> None:
    mgmt, member = sign_in(stacks.load(), profiles={"mgmt": "boss"}, member_role=None)
    assert identity(mgmt) == MGMT
    with pytest.raises(NotSignedIn, match="no credentials for stack member"):
        member.client("iam")


def test_a_profile_named_like_the_stack_is_found(profiles: Path) -> None:
    profiles.write_text(profiles.read_text().replace("boss", "mgmt"))
    mgmt, _ = sign_in(stacks.load(), profiles={}, member_role=None)
    assert identity(mgmt) == MGMT


def test_the_member_role_is_assumed_where_the_credentials_are_of_the_hub(
    profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "boss")
    mgmt, member = sign_in(stacks.load(), profiles={}, member_role="OrganizationAccountAccessRole")
    assert (identity(mgmt), identity(member)) == (MGMT, MEMBER)
    assert (
        "assumed-role/OrganizationAccountAccessRole/breakglass-drill"
        in member.client("sts").get_caller_identity()["Arn"]
    )


def test_credentials_of_another_account_are_never_used(
    profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "boss")
    _, member = sign_in(stacks.load(), profiles={}, member_role=None)
    assert member.session is None
    assert member.problem == (
        f"the credentials for stack member are of account {MGMT}: use a profile of {MEMBER} "
        "(--profile member=NAME), or --member-role"
    )


def test_a_profile_that_does_not_exist_is_said(profiles: Path) -> None:
    mgmt, _ = sign_in(stacks.load(), profiles={"mgmt": "nobody"}, member_role=None)
    assert mgmt.problem.startswith("no credentials for stack mgmt: The config profile (nobody) could not be")


@pytest.mark.parametrize(
    "line", ["credential_process = no-such-program", "credential_process = 'x", "ca_bundle = /no/such/file"]
)
def test_an_odd_configuration_is_said(profiles: Path, line: str) -> None:
    profiles.write_text(f"[profile boss]\nregion = us-east-1\n{line}\n")
    mgmt, _ = sign_in(stacks.load(), profiles={"mgmt": "boss"}, member_role=None)
    assert mgmt.session is None
    assert mgmt.problem.startswith("no credentials for stack mgmt: ")


def test_calls_are_tried_again_with_back_off(aws: str) -> None:
    account = deployed.account(MGMT, aws)
    config = account.client("sqs", "us-east-1").meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 5}


def test_a_client_is_made_once(aws: str) -> None:
    account = deployed.account(MGMT, aws)
    assert account.client("sqs", "us-east-1") is account.client("sqs", "us-east-1")
    assert account.client("sqs", "us-east-1") is not account.client("sqs", "eu-west-1")
    assert isinstance(account.session, boto3.Session)
