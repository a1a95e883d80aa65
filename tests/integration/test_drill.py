"""The operator's whole round, on deployed stacks: what turns ready, and that no secret is left anywhere."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import confirm, schedules
from sandbox.cloud.delivery import deliver
from sandbox.run import Sandbox
from tests.integration.conftest import Stack, deploy_both, fresh

EVENTS = Path(__file__).parents[1] / "events"
CODES = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
LEAVE_SCREEN = "\x1b[?1049l"


def drill(sandbox: Sandbox, *command: str, exits: int) -> str:
    outcome = sandbox.run("python", "-m", "drill", *command)
    assert outcome.returncode == exits, outcome.stdout
    return outcome.stdout


def rows(sandbox: Sandbox, *options: str, exits: int) -> dict[tuple[str, str], dict]:
    found = json.loads(drill(sandbox, "check", "--json", *options, exits=exits))
    return {(row["check"], row["stack"]): row for row in found}


def on_a_terminal(sandbox: Sandbox, *command: str) -> str:
    """Run a drill command on a terminal, press Enter when it waits, and return all that it wrote."""
    terminal, end = pty.openpty()
    environment = sandbox.environment | {"TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(
        [sys.executable, "-m", "drill", *command],
        stdin=end, stdout=end, stderr=end, cwd=sandbox.directory, env=environment, start_new_session=True,
    ) as process:  # fmt: skip
        os.close(end)
        seen, until = "", time.monotonic() + 60
        while time.monotonic() < until:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    seen += os.read(terminal, 4096).decode()
                except OSError:  # the program has ended
                    break
            if "Enter when it is stored" in seen and LEAVE_SCREEN not in seen:
                os.write(terminal, b"\n")
        assert process.wait(20) == 0, seen
    os.close(terminal)
    return seen


def set_up_by_hand(mgmt: Stack, member: Stack) -> None:
    for stack in (mgmt, member):
        bucket = f"trail-of-{stack.name}"
        stack.client("s3").create_bucket(Bucket=bucket)
        trails = stack.client("cloudtrail")
        trails.create_trail(Name="all", S3BucketName=bucket, IsMultiRegionTrail=True)
        trails.start_logging(Name="all")
        confirm.confirm(stack.sandbox.account(stack.name))
    iam = mgmt.client("iam")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="one")["VirtualMFADevice"]
    iam.enable_mfa_device(UserName="BreakglassUser", SerialNumber=device["SerialNumber"], **CODES)


def test_the_round_of_the_operator_leaves_no_secret(
    sandbox: Sandbox, mgmt: Stack, member: Stack, tmp_path: Path
) -> None:
    deploy_both(sandbox)
    before = rows(sandbox, exits=1)
    red = {check for (check, _), row in before.items() if row["state"] == "not ready"}
    recipients = {"recipients", "watchdog-recipients"}
    assert red == {"user-sign-in", "user-mfa", "trail", *recipients, "alarm-path", "drill"}
    assert before["heartbeats", "mgmt"]["state"] == "could not tell"

    set_up_by_hand(mgmt, member)
    seen = on_a_terminal(sandbox, "password", "BreakglassUser", "--yes")
    shown = seen.split("\x1b[?1049h")[1].split(LEAVE_SCREEN)[0]
    candidates = re.findall(r"[!-~]{32}", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown))
    assert len(candidates) == 1, shown
    (password,) = candidates

    evidence = tmp_path / "evidence"
    outputs = [seen.replace(shown, "")]
    outputs.append(drill(sandbox, "fire", "--why", "test", "--yes", "--evidence", str(evidence), exits=0))
    for stack in (mgmt, member):
        schedules.fire(sandbox.account(stack.name), sandbox.account_by_id)
    recorded = json.loads((EVENTS / "alert" / "assume-role-caller-copy-regional-eu-west-1.json").read_text())
    deliver(sandbox.account_by_id, recorded)

    after = rows(sandbox, exits=2)
    assert not [row for row in after.values() if row["state"] == "not ready"]
    unanswered = {check for (check, _), row in after.items() if row["state"] == "could not tell"}
    records = {"hub-record", "watchdog-record"}
    assert unanswered == {"user-keys", *records, "alarms", "patterns"}, "what moto cannot answer"
    outputs.append(json.dumps([*after.values()]))
    outputs.append(drill(sandbox, "report", "--evidence", str(evidence), exits=2))
    outputs += [drill(sandbox, "use", exits=0), drill(sandbox, "policy", exits=0)]

    kept = [*evidence.iterdir()]
    assert {file.suffix for file in kept} == {".json", ".html"}
    home = sandbox.directory.parent
    kept += [file for file in (home / "backend").rglob("*") if file.is_file()]
    kept += list((home / "pulumi").rglob("*.log"))
    secrets = [password, *_tokens(Path(sandbox.environment["AWS_CONFIG_FILE"]).read_text())]
    secrets.append(recorded["detail"]["responseElements"]["credentials"]["sessionToken"])
    for text in [*outputs, *(file.read_text(errors="replace") for file in kept)]:
        for secret in secrets:
            assert secret not in text
    audit = mgmt.client("logs").filter_log_events(logGroupName="/breakglass/audit")["events"]
    assert any(secrets[-1] in event["message"] for event in audit), "the stated exception holds full records"


def _tokens(profiles: str) -> list[str]:
    found = re.findall(r"aws_(?:secret_access_key|session_token) = (\S+)", profiles)
    assert found
    return found


@pytest.fixture(scope="module")
def deployed() -> Iterator[Sandbox]:
    """Both stacks; each test leaves them as they were."""
    with fresh() as sandbox:
        deploy_both(sandbox)
        yield sandbox


@pytest.mark.parametrize("stack_name", ["member", "mgmt"])
def test_the_fix_that_a_red_check_names_turns_it_green(deployed: Sandbox, stack_name: str) -> None:
    Stack(deployed, stack_name).client("events", "eu-west-1").remove_targets(
        Rule="breakglass-relay", Ids=["Hub"]
    )
    row = rows(deployed, "--stack", stack_name, exits=1)["relay", stack_name]
    assert row["state"] == "not ready"
    (finding,) = row["findings"]
    assert finding["text"] == "target Hub of rule breakglass-relay does not exist, in eu-west-1"
    (command,) = finding["commands"]
    fixed = deployed.run("bash", "-c", f"{command} --yes --skip-preview --non-interactive")
    assert fixed.returncode == 0, fixed.stdout
    assert rows(deployed, "--stack", stack_name, exits=1)["relay", stack_name]["state"] == "ready"


def test_a_region_that_was_enabled_later_is_named(sandbox: Sandbox, member: Stack) -> None:
    member.pulumi("up", "--yes", "--skip-preview", SANDBOX_REGIONS="us-east-1,us-west-2")
    row = rows(sandbox, "--stack", "member", exits=1)["relay", "member"]
    assert {finding["state"] for finding in row["findings"]} == {"not ready"}
    assert all(finding["text"].endswith(", in eu-west-1") for finding in row["findings"])
