"""The second part of the demo: the operator's commands, and how a failed check is mended."""

import json
import secrets
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from rich.text import Text

from breakglass import naming
from sandbox import schedules
from sandbox.demo.stacks import Stacks
from sandbox.demo.steps import StepFailed, console
from sandbox.run import ROOT, Sandbox

EVIDENCE = ROOT / "build" / "demo-evidence"
_LOST = "Nothing was lost"
"""Title of the row about dead letters."""

READY, NOT_READY, COULD_NOT_TELL = 0, 1, 2
"""Exit codes of a check. The hub's check ends with the last at best: the emulated AWS cannot answer all."""


class OperatorSteps:
    """The operator's steps; each prints its result and raises StepFailed if another was expected."""

    def __init__(self, sandbox: Sandbox, stacks: Stacks) -> None:
        """Take a sandbox with all stacks deployed and all subscriptions confirmed."""
        self._sandbox, self._stacks = sandbox, stacks
        self._hub, self._other = stacks.hub, stacks.other

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return each step's title and function."""
        return [
            ("Set up by hand, as docs/runbook.md says: trails, password, two MFA devices", self._set_up),
            (
                "python -m drill fire: a marked event from every Region of the hub's account",
                lambda: self._drill("fire", "--why", "the demo", "--yes"),
            ),
            ("python -m drill check: ready for an emergency?", self._check),
            ("Someone disables a relay; the check reports it, and its fix mends it", self._mend),
            (
                "python -m drill report: the evidence",
                lambda: self._drill("report", exits=(self._at_best(),)),
            ),
        ]

    def _set_up(self) -> None:
        shutil.rmtree(EVIDENCE, ignore_errors=True)
        for stack in self._sandbox.accounts:
            account = self._sandbox.account(stack)
            bucket = f"trail-of-{account.client('sts', 'us-east-1').get_caller_identity()['Account']}"
            account.client("s3", "us-east-1").create_bucket(Bucket=bucket)
            trails = account.client("cloudtrail", "us-east-1")
            trails.create_trail(Name="breakglass", S3BucketName=bucket, IsMultiRegionTrail=True)
            trails.start_logging(Name="breakglass")
            console.print(f"{stack}: a trail that logs in all Regions")
        iam = self._sandbox.account(self._hub).client("iam", "us-east-1")
        for user in self._stacks.settings[self._hub].user.names:
            # Not printed, because nobody signs in here; on a terminal, `python -m drill password` makes one.
            iam.create_login_profile(UserName=user, Password=f"{secrets.token_urlsafe(24)}.aA1")
            for number in (1, 2):
                device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{user}-{number}")
                serial = device["VirtualMFADevice"]["SerialNumber"]
                codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
                iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes)
            console.print(f"{user}: a password, two MFA devices")

    def _drill(self, verb: str, *options: str, exits: Sequence[int] = (0,)) -> None:
        command = ("python", "-m", "drill", verb, *options, "--evidence", str(EVIDENCE))
        console.print(Text(self._sandbox.output(*command, exits=exits).rstrip()))

    def _check(self) -> None:
        accounts = [self._sandbox.account(stack) for stack in self._sandbox.accounts]
        fired = sum(schedules.fire(account, self._sandbox.account_by_id) for account in accounts)
        console.print(f"{fired} schedules fired: the heartbeat of each Region\n")
        output = self._sandbox.output("python", "-m", "drill", "check", exits=(NOT_READY,))
        red = [line for line in output.splitlines() if line.startswith("✕")]
        unexpected = [line for line in red if not any(title in line for title in self._expected())]
        if unexpected or not any(_LOST in line for line in red):
            raise StepFailed(f"expected failed rows: {', '.join(self._expected())}. Found:\n{output}")
        console.print(Text(output.rstrip()), soft_wrap=True)

    def _expected(self) -> list[str]:
        """Return the titles of the rows that fail: the lost message, and what the settings leave."""
        settings = self._stacks.settings.values()
        titles = [_LOST]
        if any(each.user.mfa_enrolment == "open" for each in settings):
            titles.append("Nobody can enrol an MFA device")
        # The accounts have the same Regions here, also those that only another stack lists.
        enabled = len(self._stacks.regions)
        if any(len(self._stacks.covered(stack)) < enabled for stack in self._stacks.settings):
            titles.append("Every enabled Region has a relay")
        return titles

    def _at_best(self) -> int:
        """Return the exit code once no message is lost."""
        return COULD_NOT_TELL if self._expected() == [_LOST] else NOT_READY

    def _mend(self) -> None:
        # What the attacks of the first part cost: the hub's message, and the relay's.
        for stack, queue in ((self._hub, naming.HUB.dead_letter_queue), (self._other, naming.RELAY_QUEUE)):
            sqs = self._sandbox.account(stack).client("sqs", naming.HOME_REGION)
            sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"])
            console.print(f"{stack}: queue {queue} with what an attack cost is purged")
        region = self._stacks.covered(self._other)[0]
        events = self._sandbox.account(self._other).client("events", region)
        events.disable_rule(Name=naming.HUB.relay_rule)
        console.print(f"{self._other}, {region}: rule {naming.HUB.relay_rule} is disabled")
        row = self._relay_row()
        (finding,) = [one for one in row["findings"] if one["state"] == "not ready"]
        console.print(Text(f"✕ {row['state']}: {finding['text']}", style="bold red"))
        (command,) = finding["commands"]
        console.print(Text(f"    $ {command}"), soft_wrap=True)
        self._sandbox.output("bash", "-c", f"{command} --yes --skip-preview --non-interactive")
        mended = self._relay_row()
        if mended["state"] != "ready":
            raise StepFailed(f"the row is not ready after the fix: {mended}")
        console.print(Text(f"✓ {mended['state']}: {mended['findings'][0]['text']}", style="green"))

    def _relay_row(self) -> dict[str, Any]:
        command = ("python", "-m", "drill", "check", "--stack", self._other, "--json")
        # The exit code is that of the worst row.
        rows = json.loads(self._sandbox.output(*command, exits=(READY, NOT_READY, COULD_NOT_TELL)))
        return next(row for row in rows if row["check"] == "relay")
