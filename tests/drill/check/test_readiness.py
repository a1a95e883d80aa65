"""`python -m drill check`: what it prints, how it ends, and that nothing holds it up."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from drill import stacks
from drill.__main__ import app
from drill.account import Account
from drill.check import readiness
from drill.check.finding import CheckFinding, State
from drill.check.runner import CheckResult
from drill.options import Selection
from tests.drill import deployed

LONG = "arn:aws:sns:us-east-1:111111111111:breakglassuser-console-logins-and-more-of-it"
COMMAND = (
    f"aws sns subscribe --region us-east-1 --topic-arn {LONG} --protocol email --notification-endpoint X"
)


def row(*findings: CheckFinding, title: str = "Somebody is told", stack: str = "mgmt") -> CheckResult:
    return CheckResult(
        check=title.lower(),
        group="a group",
        title=title,
        stack=stack,
        account="111111111111",
        findings=findings,
    )


def finding(state: State, text: str, fix: str = "", *commands: str) -> CheckFinding:
    return CheckFinding(state=state, text=text, fix=fix, commands=commands)


def shown(rows: list[CheckResult], width: int = 80) -> list[str]:
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        readiness.show(rows, console)
    return capture.get().splitlines()


READY = row(finding(State.READY, "2 email confirmed"))
RED = row(finding(State.READY, "so far"), finding(State.NOT_READY, f"topic {LONG} is mute", "", COMMAND))
OPEN = row(finding(State.UNKNOWN, "access denied to GetUser"))


@pytest.mark.parametrize("width", [80, 120])
def test_a_row_says_state_stack_and_title_and_then_what_was_seen(width: int) -> None:
    lines = shown([READY, RED, OPEN], width)
    assert lines[:3] == [
        "Ready for an emergency?",
        "✓ ready          mgmt Somebody is told",
        "    2 email confirmed",
    ]
    assert "✕ not ready      mgmt Somebody is told" in lines
    assert "? could not tell mgmt Somebody is told" in lines
    assert lines[-1] == "3 checks: 1 ready, 1 not ready, 1 could not tell"
    assert "so far" not in " ".join(lines), "what is right about a red row is not what to look at"


def test_nothing_is_cut_off_and_a_command_stays_in_one_line() -> None:
    lines = shown([RED])
    assert f"    $ {COMMAND}" in lines
    assert LONG in "".join(line.strip() for line in lines)
    assert "…" not in "".join(lines)


def test_the_same_fix_is_said_once_after_all_that_it_mends() -> None:
    same = [finding(State.NOT_READY, text, "pulumi up") for text in "abc"]
    lines = shown([row(*same, finding(State.NOT_READY, "d", "another"))])
    assert [line.strip() for line in lines[2:8]] == ["a", "b", "c", "fix: pulumi up", "d", "fix: another"]


def test_names_in_aws_do_not_steer_the_terminal() -> None:
    lines = shown([row(finding(State.NOT_READY, "alarm \x1b[2Jis ringing", "", "aws \u202ex"))])
    assert lines[2:4] == ["    alarm \\x1b[2Jis ringing", "    $ aws \\u202ex"]


def test_many_findings_are_counted() -> None:
    lines = shown([row(*[finding(State.UNKNOWN, str(number)) for number in range(7)])])
    assert "    and 3 more: see --json" in lines


@pytest.mark.parametrize(
    ("rows", "code"), [([READY], 0), ([READY, OPEN], 2), ([READY, OPEN, RED], 1), ([READY, RED], 1)]
)
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_exit_code_is_of_the_worst_answer(
    monkeypatch: pytest.MonkeyPatch, rows: list[CheckResult], code: int, options: list[str]
) -> None:
    monkeypatch.setattr(readiness, "select", lambda *_: None)
    monkeypatch.setattr(readiness, "run_checks", lambda _: ([], rows))
    outcome = CliRunner().invoke(app, ["check", *options])
    assert outcome.exit_code == code


def test_json_has_every_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "select", lambda *_: None)
    monkeypatch.setattr(readiness, "run_checks", lambda _: ([], [RED]))
    (found,) = json.loads(CliRunner().invoke(app, ["check", "--json"]).stdout)
    assert found == {
        "check": "somebody is told",
        "title": "Somebody is told",
        "stack": "mgmt",
        "account": "111111111111",
        "state": "not ready",
        "findings": [
            {"state": "ready", "text": "so far", "fix": "", "commands": []},
            {"state": "not ready", "text": f"topic {LONG} is mute", "fix": "", "commands": [COMMAND]},
        ],
    }


def test_a_stack_that_there_is_not_is_refused() -> None:
    outcome = CliRunner().invoke(app, ["check", "--stack", "prod"])
    assert outcome.exit_code == 2
    assert "mgmt, member, all" in " ".join(outcome.output.replace("│", " ").split())


def test_it_changes_nothing(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = stacks.load()
    accounts = [deployed.account(stack.account_id, aws) for stack in everything]
    called: set[str] = set()
    for account in accounts:
        assert account.session is not None
        account.session.events.register("before-call", lambda model, **_: called.add(model.name))
    chosen = Selection(stacks=everything, accounts=accounts, only=["mgmt", "member"])
    monkeypatch.setattr(readiness, "select", lambda *_: chosen)
    CliRunner().invoke(app, ["check"])
    reading = ("Describe", "Get", "List", "Filter", "Test")
    assert len(called) > 30
    # AWS collects a report of credentials; that is a read in its own books, too.
    assert {name for name in called if not name.startswith(reading)} == {"GenerateCredentialReport"}


STS = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Arn>arn:aws:iam::111111111111:user/x</Arn><Account>111111111111</Account>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
EC2 = (
    '<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><regionInfo><item>'
    "<regionName>us-east-1</regionName></item></regionInfo></DescribeRegionsResponse>"
)


KEY = {
    "KeyId": "1",
    "Arn": "arn:aws:kms:us-east-1:111111111111:key/1",
    "Enabled": True,
    "KeyState": "Enabled",
}


@pytest.fixture
def hanging() -> Iterator[tuple[str, threading.Event]]:
    """An AWS that says who one is and which Regions there are, and then no more; and whether it did."""
    reached, over = threading.Event(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
            answer = STS if "GetCallerIdentity" in asked else EC2 if "DescribeRegions" in asked else ""
            if "DescribeKey" in self.headers.get("X-Amz-Target", ""):
                answer = json.dumps({"KeyMetadata": KEY})
            if not answer:
                reached.set()
                over.wait(120)
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", reached
    over.set()
    server.shutdown()


# Whoever runs these tests in the background may have them ignore Ctrl-C.
INTERRUPTIBLE = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("drill", run_name="__main__", alter_sys=True)
"""


@contextmanager
def started(clone: Path, endpoint: str, *command: str) -> Iterator[subprocess.Popen[str]]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *command],
        cwd=clone,
        env=inherited
        | {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "y",
            "AWS_CONFIG_FILE": os.devnull,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_ctrl_c_does_not_wait_for_aws(hanging: tuple[str, threading.Event], clone: Path) -> None:
    endpoint, reached = hanging
    with started(clone, endpoint, "check", "--stack", "mgmt") as process:
        assert reached.wait(60)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert (process.returncode, output) == (130, "")


def test_a_defect_of_ours_is_no_answer_and_does_not_hang(
    hanging: tuple[str, threading.Event], clone: Path
) -> None:
    endpoint, _ = hanging
    KEY.pop("Enabled")  # AWS never leaves it out, so no check reckons with it
    with started(clone, endpoint, "check", "--stack", "mgmt") as process:
        output, _ = process.communicate(timeout=60)
    KEY["Enabled"] = True
    assert process.returncode == 2
    assert "KeyError: 'Enabled'" in output


def test_the_first_answer_is_whether_the_stacks_agree() -> None:
    hub, member = stacks.load()
    agreed = readiness.agreement([hub, member])
    assert (agreed.title, agreed.stack, agreed.state) == ("The stacks agree", "mgmt", State.READY)
    assert agreed.findings[0].text == "2 stack files: names, users and accounts go together"
    renamed = replace(member.settings, role=replace(member.settings.role, name="Emergency"))
    (finding,) = readiness.agreement([hub, replace(member, settings=renamed)]).findings
    assert finding.state is State.NOT_READY
    assert finding.text.startswith("stack member: breakglass:role.name: found 'Emergency', must be ")


def test_nobody_is_said_to_assume_the_role_of_a_stack_that_does_not_agree(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, member = stacks.load()
    other = replace(member, settings=replace(member.settings, hub_account_id="111111111112"))
    accounts = [deployed.shared_account(stack.account_id, aws) for stack in (hub, member)]
    _, results = readiness.run_checks(Selection(stacks=[hub, other], accounts=accounts, only=["member"]))
    rows = {result.check: result for result in results}
    assert results[0].check == "stacks"
    assert rows["stacks"].state is rows["role-trust"].state is State.NOT_READY
    assert "breakglass:hubAccountId: found '111111111112'" in rows["role-trust"].findings[0].text


def test_what_a_whole_stack_lacks_is_one_row(aws: str) -> None:
    hub, member = stacks.load()
    nobody = Account(hub.account_id, None, "no credentials for stack mgmt: expired")
    new = replace(member, settings=replace(member.settings, account_id="333333333333"))
    accounts = [nobody, deployed.shared_account("333333333333", aws)]
    _, results = readiness.run_checks(
        Selection(stacks=[hub, new], accounts=accounts, only=["mgmt", "member"])
    )
    assert [(result.check, result.stack, result.state) for result in results] == [
        ("stacks", "mgmt", State.NOT_READY),
        ("deployed", "mgmt", State.UNKNOWN),
        ("deployed", "member", State.NOT_READY),
    ]
    said = [result.findings[0] for result in results[1:]]
    assert (said[0].text, said[0].commands) == (nobody.problem, ("aws sso login --profile mgmt",))
    assert said[1].text == "nothing of it exists"
    assert said[1].commands[0].startswith("AWS_PROFILE=member pulumi up -s member ")


def test_the_columns_are_as_wide_as_the_longest_name_of_a_stack() -> None:
    lines = shown([row(*READY.findings, stack=stack) for stack in ("a", "x" * 20)])
    assert lines[1] == f"✓ ready          {'a':<20} Somebody is told"
    assert lines[3] == f"✓ ready          {'x' * 20} Somebody is told"
