"""The console password: made, handed over once, and nowhere else."""

import logging
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from drill import password, stacks
from drill.options import Selection
from sandbox.cloud import emulation
from tests.drill import deployed
from tests.drill.conftest import Broken

USER, HUB = "BreakglassUser", "111111111111"
SYMBOLS_OF_AWS = "!@#$%^&*()_+-=[]{}|'"

app = typer.Typer(pretty_exceptions_show_locals=False)
app.command()(password.password)


class Sent:
    """What was asked of AWS: the names of the operations, and every password that went there."""

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.passwords: list[str] = []
        self.resets: list[str] = []

    def take(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        self.operations.append(model.name)
        if "Password" in params["body"]:
            self.passwords.append(params["body"]["Password"])
            self.resets.append(params["body"]["PasswordResetRequired"])

    @property
    def changes(self) -> list[str]:
        return [name for name in self.operations if not name.startswith("Get")]


Run = Callable[..., Result]


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def iam(aws: str) -> Iterator[Any]:
    client = emulation.signed_in(HUB, aws).client("iam", "us-east-1")
    yield client
    for undo in (
        lambda: client.delete_login_profile(UserName=USER),
        lambda: client.delete_account_password_policy(),
    ):
        try:
            undo()
        except client.exceptions.NoSuchEntityException:
            continue


@pytest.fixture
def run(aws: str, iam: Any, broken: Broken, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return `run(*arguments)`, which runs the command with credentials of the hub, and no terminal."""
    everything = stacks.load()
    accounts = [deployed.account(stack.account_id, aws) for stack in everything]
    session = accounts[0].session
    assert session is not None
    session.events.register("before-call", sent.take)
    chosen = Selection(stacks=everything, accounts=accounts, only=["mgmt"])
    monkeypatch.setattr(password, "select", lambda *_: chosen)

    def ran(*arguments: str, input: str = "") -> Result:
        broken.apply(accounts[0])
        return CliRunner().invoke(app, arguments, input=input)

    return ran


@pytest.fixture
def gnupg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A keyring with one key, vault@example.com, that goes with the test."""
    gpg = shutil.which("gpg")
    if gpg is None:
        pytest.skip("gpg is not on PATH")
    # Not below pytest's own folder: the agent's socket has a short path or none.
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    monkeypatch.setenv("GNUPGHOME", str(home))
    quiet = [gpg, "--batch", "--quiet", "--passphrase", ""]
    try:
        subprocess.run(
            [*quiet, "--quick-generate-key", "vault@example.com", "default", "default", "never"], check=True
        )
        yield home
    finally:
        agent = shutil.which("gpgconf")
        if agent is not None:
            subprocess.run([agent, "--kill", "gpg-agent"], check=False)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def pretend_gpg(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A gpg that takes everybody, so that a test of AWS needs no keyring; collects what came in."""
    taken: list[str] = []

    def encrypted(secret: SecretStr, recipients: list[str]) -> str:
        taken.append(secret.get_secret_value())
        return "-----BEGIN PGP MESSAGE-----\n"

    monkeypatch.setattr(password, "_encrypted", encrypted)
    return taken


GPG = ("--gpg", "vault@example.com")


def test_a_user_without_a_password_gets_one(run: Run, iam: Any, sent: Sent, pretend_gpg: list[str]) -> None:
    result = run(USER, *GPG, "--yes")
    assert result.exit_code == 0, result.output
    assert sent.changes == ["CreateLoginProfile"]
    assert sent.passwords == pretend_gpg
    assert iam.get_login_profile(UserName=USER)["LoginProfile"]["PasswordResetRequired"] is False
    assert "User BreakglassUser of account 111111111111 (stack mgmt)" in result.stderr
    assert "It has no console password" in result.stderr
    assert "user-change" in result.stderr
    assert "python -m drill check --stack mgmt" in result.stderr
    assert result.stdout == "-----BEGIN PGP MESSAGE-----\n"


def test_a_password_is_rotated_and_never_asks_for_another(
    run: Run, iam: Any, sent: Sent, pretend_gpg: list[str]
) -> None:
    iam.create_login_profile(UserName=USER, Password="Old-Passw0rd!", PasswordResetRequired=True)
    result = run(USER, *GPG, input="y\n")
    assert result.exit_code == 0, result.output
    assert sent.changes == ["UpdateLoginProfile"]
    assert sent.resets == ["false"]
    assert "the old password stops working immediately" in " ".join(result.stderr.split())
    assert iam.get_login_profile(UserName=USER)["LoginProfile"]["PasswordResetRequired"] is False


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_declined_changes_nothing(run: Run, sent: Sent, pretend_gpg: list[str], answer: str) -> None:
    result = run(USER, *GPG, input=answer)
    assert result.exit_code == 1
    assert sent.changes == []
    assert "BEGIN" not in result.stdout  # the runner repeats the answer there


def test_without_a_terminal_nothing_is_even_asked(run: Run, sent: Sent) -> None:
    result = run(USER, "--yes")
    assert result.exit_code == 2
    assert sent.operations == []
    assert "use a terminal, or --gpg RECIPIENT" in " ".join(result.stderr.split())


def test_only_configured_users_are_touched(run: Run, sent: Sent) -> None:
    result = run("Administrator", *GPG, "--yes")
    assert result.exit_code == 2
    assert sent.operations == []
    assert "BreakglassUser" in result.stderr


@pytest.mark.parametrize(
    ("exists", "code", "exit_code", "said"),
    [
        (True, "PasswordPolicyViolation", 1, ["no dictionary words", "The old password still works."]),
        (True, "AccessDenied", 1, ["access denied to UpdateLoginProfile", "The old password still works."]),
        (True, "NoSuchEntity", 1, ["its password has just been removed"]),
        (False, "NoSuchEntity", 1, ["the user does not exist", "pulumi up -s mgmt"]),
        (False, "AccessDenied", 1, ["The user still has no password."]),
        (False, "EntityAlreadyExists", 2, ["is unknown", "Run this again"]),
    ],
)
def test_a_refused_change_says_what_holds_and_never_the_password(
    run: Run, iam: Any, broken: Broken, sent: Sent, pretend_gpg: list[str],
    exists: bool, code: str, exit_code: int, said: list[str],
) -> None:  # fmt: skip
    if exists:
        iam.create_login_profile(UserName=USER, Password="Old-Passw0rd!")
    operation = "UpdateLoginProfile" if exists else "CreateLoginProfile"
    broken.refuse(operation, code, "no dictionary words")
    result = run(USER, *GPG, "--yes")
    assert result.exit_code == exit_code, result.output
    text = " ".join(result.stderr.split())
    for part in said:
        assert part in text
    assert result.stdout == ""
    assert pretend_gpg[0] not in result.output


def test_an_answer_that_is_lost_is_not_taken_for_either(
    run: Run, sent: Sent, pretend_gpg: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(model: Any, **_: Any) -> None:
        if model.name == "CreateLoginProfile":
            raise ReadTimeoutError(endpoint_url="https://iam.amazonaws.com/")

    account = password.select("mgmt", None, None).hub[1]
    assert account.session is not None
    account.session.events.register("before-call", lost)
    result = run(USER, *GPG, "--yes")
    assert result.exit_code == 2
    assert "is unknown" in result.stderr
    assert result.stdout == ""


def test_a_message_that_quotes_the_password_is_masked(run: Run, sent: Sent, pretend_gpg: list[str]) -> None:
    def quoting(model: Any, params: dict[str, Any], **_: Any) -> Any:
        if model.name != "CreateLoginProfile":
            return None
        message = f"Value '{params['body']['Password']}' at 'password' failed"
        error = {"Error": {"Code": "ValidationError", "Message": message}, "ResponseMetadata": {}}
        return AWSResponse("", 400, {}, None), error

    account = password.select("mgmt", None, None).hub[1]
    assert account.session is not None
    account.session.events.register("before-call", quoting)
    result = run(USER, *GPG, "--yes")
    assert result.exit_code == 1
    assert "Value '(the new password)' at 'password'" in " ".join(result.stderr.split())
    assert pretend_gpg[0] not in result.output


def test_what_cannot_be_read_changes_nothing(run: Run, broken: Broken, sent: Sent) -> None:
    broken.refuse("GetLoginProfile", "AccessDenied")
    result = run(USER, *GPG, "--yes")
    assert result.exit_code == 1
    assert sent.changes == []
    assert "access denied to GetLoginProfile" in " ".join(result.stderr.split())


def test_a_policy_that_lets_passwords_expire_is_said(
    run: Run, iam: Any, sent: Sent, pretend_gpg: list[str]
) -> None:
    iam.update_account_password_policy(MinimumPasswordLength=40, MaxPasswordAge=90, HardExpiry=True)
    result = run(USER, *GPG, "--yes")
    assert "expires after 90 days; then the user is locked out" in " ".join(result.stderr.split())
    assert len(sent.passwords[0]) == 40


def test_the_password_leaves_no_trace(
    run: Run, sent: Sent, pretend_gpg: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for logger in ("botocore", "botocore.endpoint", "boto3", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=logger)
    result = run(USER, *GPG, "--yes")
    assert result.exit_code == 0
    (made,) = sent.passwords
    assert made not in result.output
    assert any("GetLoginProfile" in record.getMessage() for record in caplog.records), "logs are on"
    assert made not in caplog.text
    assert logging.root.manager.disable == logging.NOTSET


def test_an_unforeseen_error_shows_no_password(
    run: Run, pretend_gpg: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(password, "_put", fails)
    result = run(USER, *GPG, "--yes")
    assert result.exit_code == 1
    frames = []
    at = result.exc_info[2] if result.exc_info else None
    while at is not None:
        frames.append(repr(at.tb_frame.f_locals))
        at = at.tb_next
    assert frames
    assert pretend_gpg[0] not in result.output + repr(result.exception) + "".join(frames)


@given(
    st.fixed_dictionaries(
        {"MinimumPasswordLength": st.integers(6, 128)},
        optional={
            name: st.booleans()
            for name in (
                "RequireSymbols",
                "RequireNumbers",
                "RequireUppercaseCharacters",
                "RequireLowercaseCharacters",
            )
        },
    )
    | st.just({})
)
@settings(max_examples=200)
def test_every_password_meets_every_policy_and_can_be_typed(policy: Mapping[str, Any]) -> None:
    secret = password.generated(policy)
    made = secret.get_secret_value()
    assert len(made) == max(32, policy.get("MinimumPasswordLength", 0)) <= 128
    for wanted in ("[a-z]", "[A-Z]", "[0-9]", f"[{re.escape(SYMBOLS_OF_AWS)}]"):
        assert re.search(wanted, made)
    assert not re.search(r"""[lI1O0'"`\\\s]""", made)
    assert made.isascii()
    assert made not in f"{secret!r} {secret} {[secret]}"


def test_passwords_differ() -> None:
    assert len({password.generated({}).get_secret_value() for _ in range(200)}) == 200


def test_gpg_gets_the_password_by_its_standard_input(run: Run, sent: Sent, gnupg: Path) -> None:
    result = run(USER, *GPG, "--yes")
    assert result.exit_code == 0, result.output
    gpg = shutil.which("gpg") or ""
    opened = subprocess.run(
        [gpg, "--batch", "--quiet", "--decrypt"],
        input=result.stdout, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [opened.stdout] == sent.passwords
    assert sent.passwords[0] not in result.output


def test_a_recipient_that_gpg_does_not_know_changes_nothing(run: Run, sent: Sent, gnupg: Path) -> None:
    result = run(USER, *GPG, "--gpg", "nobody@example.com", "--yes")
    assert result.exit_code == 1
    assert sent.changes == []
    assert result.stdout == ""
    assert "nobody@example.com" in result.stderr
    assert "Nothing was changed." in result.stderr


def test_without_gpg_nothing_is_changed(run: Run, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    result = run(USER, *GPG, "--yes")
    assert result.exit_code == 1
    assert sent.changes == []
    assert "gpg is not on PATH" in result.stderr


def test_whoever_leaves_the_screen_is_told_that_it_is_changed(
    run: Run, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password, "_on_terminal", lambda: True)
    result = run(USER, "--yes")  # there is no input, so the prompt ends at once
    assert result.exit_code == 0
    assert sent.changes == ["CreateLoginProfile"]
    assert "The password of BreakglassUser is set." in result.stderr
    groups = "   ".join(re.findall("....", sent.passwords[0]))
    assert groups in result.stdout


SCRIPT = "import typer; from drill import password; typer.run(password.password)"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc")
def test_on_a_terminal_it_is_seen_once_and_not_in_the_scrollback(aws: str, iam: Any, clone: Path) -> None:
    for answer in ("y\n", "\n"):  # the first run asks; the second finds a password and rotates it
        before, shown, after, traces = _on_a_terminal(aws, clone, answer)
        (made,) = {found for found in re.findall(r"\S{32,}", shown) if "\x1b" not in found}
        assert "Enter when it is stored" in shown
        assert made not in before + after + traces
        assert shown.count(made) == 1
        assert "python -m drill check --stack mgmt" in after
    assert iam.get_login_profile(UserName=USER)


def _on_a_terminal(aws: str, clone: Path, answer: str) -> tuple[str, str, str, str]:
    """Run the command on a terminal: what comes before, on and after the alternate screen, and traces."""
    terminal, end = pty.openpty()
    issued = emulation.account_credentials(HUB, aws)
    names = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {
        **names, "TERM": "xterm", "COLUMNS": "80", "AWS_ENDPOINT_URL": aws, "PYTHONPATH": str(clone),
        "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **{name.upper(): value for name, value in issued.items() if name.startswith("aws_")},
    }  # fmt: skip
    flags = [] if answer.strip() else ["--yes"]
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, USER, *flags],
        stdin=end, stdout=end, stderr=end, env=environment, cwd=clone, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(end)
        seen = ""
        if answer.strip():
            seen = _until(terminal, "Go on?")
            os.write(terminal, answer.encode())
        seen += _until(terminal, "Enter when it is stored")
        own = Path(f"/proc/{process.pid}")
        traces = (own / "cmdline").read_text() + (own / "environ").read_text(errors="replace")
        os.write(terminal, b"\n")
        seen += _until(terminal, None)
        assert process.wait(20) == 0, seen
    os.close(terminal)
    before, rest = seen.split("\x1b[?1049h")
    shown, after = rest.split("\x1b[?1049l")
    return before, shown, after, traces


def _until(terminal: int, wanted: str | None) -> str:
    """Return what comes out of the terminal, until the text that is wanted, or until the end."""
    text, end = "", time.monotonic() + 60
    while time.monotonic() < end and (wanted is None or wanted not in text):
        if select.select([terminal], [], [], 1)[0]:
            try:
                text += os.read(terminal, 4096).decode()
            except OSError:  # the program has ended
                return text
    return text
