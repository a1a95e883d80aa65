"""The second part of the demo: what the operator does, and how a red check turns green."""

import json
import secrets
import shutil
import time
from collections.abc import Callable
from typing import Any

from rich.text import Text

from sandbox import schedules
from sandbox.demo.steps import StepFailed, console, run
from sandbox.world import ROOT, World

EVIDENCE = ROOT / "build" / "demo-evidence"
USER = "BreakglassUser"
RELAY = "breakglass-relay"
READY, NOT_READY, COULD_NOT_TELL = 0, 1, 2
"""Exit codes of a check. For the hub the last is the best here: the emulated AWS leaves questions open."""


class Operator:
    """The operator's steps; each shows its result and raises StepFailed when it is not what it must be."""

    def __init__(self, sandbox: World) -> None:
        """Take the sandbox with both stacks deployed and all mails confirmed."""
        self._sandbox = sandbox

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return title and function of each step."""
        return [
            ("By hand, as docs/runbook.md says: trails, password, two MFA devices", self._set_up),
            ("python -m drill fire: a marked event from every Region of both accounts", self._fire),
            ("python -m drill check: ready for an emergency?", self._check),
            ("Somebody disables a relay; the check turns red, and green after the fix it names", self._mend),
            ("python -m drill report: the evidence", self._report),
        ]

    def _set_up(self) -> None:
        for stack in self._sandbox.accounts:
            account = self._sandbox.account(stack)
            bucket = f"trail-of-{account.client('sts', 'us-east-1').get_caller_identity()['Account']}"
            account.client("s3", "us-east-1").create_bucket(Bucket=bucket)
            trails = account.client("cloudtrail", "us-east-1")
            trails.create_trail(Name="breakglass", S3BucketName=bucket, IsMultiRegionTrail=True)
            trails.start_logging(Name="breakglass")
            console.print(f"{stack}: a trail that logs in all Regions")
        iam = self._sandbox.account("mgmt").client("iam", "us-east-1")
        # Nobody needs to know it here; on a terminal it is `python -m drill password`.
        iam.create_login_profile(UserName=USER, Password=f"{secrets.token_urlsafe(24)}.aA1")
        for number in (1, 2):
            device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{USER}-{number}")
            serial = device["VirtualMFADevice"]["SerialNumber"]
            codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
            iam.enable_mfa_device(UserName=USER, SerialNumber=serial, **codes)
        console.print(f"{USER}: a password, two MFA devices")

    def _fire(self) -> None:
        shutil.rmtree(EVIDENCE, ignore_errors=True)
        options = ["--why", "the demo", "--yes", "--evidence", str(EVIDENCE)]
        console.print(Text(run(self._sandbox, "python", "-m", "drill", "fire", *options).rstrip()))

    def _check(self) -> None:
        fired = sum(schedules.strike(self._sandbox.account(stack)) for stack in self._sandbox.accounts)
        console.print("it strikes noon: every relay's schedule sends its heartbeat\n")
        self._wait_for_heartbeats(fired)
        output = run(self._sandbox, "python", "-m", "drill", "check", exits=NOT_READY)
        red = [line for line in output.splitlines() if line.startswith("✕")]
        if len(red) != 1 or "Nothing was lost" not in red[0]:
            raise StepFailed(f"only the message that the disabled key cost may be wrong:\n{output}")
        console.print(Text(output.rstrip()), soft_wrap=True)

    def _wait_for_heartbeats(self, number: int) -> None:
        logs = self._sandbox.account("mgmt").client("logs", "us-east-1")
        for _ in range(100):
            found = logs.filter_log_events(logGroupName="/breakglass/audit", filterPattern='"heartbeat"')
            if sum('"breakglass.heartbeat"' in event["message"] for event in found["events"]) >= number:
                return
            time.sleep(0.1)
        raise StepFailed(f"the hub has not recorded {number} heartbeats")

    def _mend(self) -> None:
        sqs = self._sandbox.account("mgmt").client("sqs", "us-east-1")
        url = sqs.get_queue_url(QueueName="breakglass-alerts-dlq")["QueueUrl"]
        sqs.purge_queue(QueueUrl=url)
        console.print("the message that the disabled key cost has been looked at, and the queue is purged")
        events = self._sandbox.account("member").client("events", "eu-west-1")
        events.disable_rule(Name=RELAY)
        console.print(f"member, eu-west-1: rule {RELAY} is disabled")
        row = self._relay_row(exits=NOT_READY)
        (finding,) = [one for one in row["findings"] if one["state"] == "not ready"]
        console.print(Text(f"✕ {row['state']}: {finding['text']}", style="bold red"))
        (command,) = finding["commands"]
        console.print(Text(f"    $ {command}"), soft_wrap=True)
        run(self._sandbox, "bash", "-c", f"{command} --yes --skip-preview --non-interactive")
        mended = self._relay_row(exits=READY)
        if mended["state"] != "ready":
            raise StepFailed(f"the fix did not mend it: {mended}")
        console.print(Text(f"✓ {mended['state']}: {mended['findings'][0]['text']}", style="green"))

    def _relay_row(self, *, exits: int) -> dict[str, Any]:
        command = ("python", "-m", "drill", "check", "--stack", "member", "--json")
        rows = json.loads(run(self._sandbox, *command, exits=exits))
        return next(row for row in rows if row["check"] == "relay")

    def _report(self) -> None:
        options = ["--evidence", str(EVIDENCE)]
        command = ("python", "-m", "drill", "report", *options)
        console.print(Text(run(self._sandbox, *command, exits=COULD_NOT_TELL).rstrip()))
