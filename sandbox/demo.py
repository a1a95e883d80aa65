"""`make demo`: the whole story in a terminal, on one machine, without an AWS account.

Every step checks what it shows: one that does not behave ends the demo with exit code 1 and says which.
"""

import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sandbox import engine
from sandbox.delivery import Delivery, Mailbox, deliver
from sandbox.people import confirm
from sandbox.world import ROOT, World, world

EVENTS = ROOT / "tests" / "events"
TOPIC, WATCHDOG_TOPIC = "breakglassuser-console-logins", "breakglass-watchdog"
SAMPLE_KEY = "5e1f0a2c-9b7d-4c36-8f10-2d4b6a8c0e12"
"""Id of the key in the sample events; a real one is known only after it was created."""
REGIONS = ("us-east-1", "eu-north-1", "ap-southeast-2", "eu-west-1")
"""Regions that the emulated accounts have enabled here: those in which the story takes place."""
UNCHECKED = "can't run policy"
"""Pulumi prints this, and stays green, when a rule met a value that is not known yet."""

console = Console(highlight=False)


class StepFailed(Exception):
    """A step did not behave; the message says what was expected, and what came instead."""


def pulumi(sandbox: World, verb: str, stack: str, *arguments: str, refused_by: str | None = None) -> str:
    """Run a pulumi command with the policy pack enforced and return its output.

    Args:
        sandbox: Where to run it.
        verb: `up`, `preview` …
        stack: Stack to run it on.
        arguments: Further arguments.
        refused_by: Rule of the pack that must refuse it; None means that it must succeed.

    Raises:
        StepFailed: It ended otherwise, or a rule could not run.
    """
    command = [verb, "--stack", stack, "--non-interactive", "--color", "never", *arguments]
    pack = ["--policy-pack", "policies", "--policy-pack-config", f"policies/config/{stack}.json"]
    outcome = sandbox.run("pulumi", *command, *pack)
    text = f"`pulumi {' '.join(command)}` ended with exit code {outcome.returncode}:\n{outcome.stdout}"
    if UNCHECKED in outcome.stdout:
        raise StepFailed(f"a policy could not run, so nothing is proven. {text}")
    if refused_by is None and outcome.returncode != 0:
        raise StepFailed(text)
    if refused_by is not None and (outcome.returncode == 0 or refused_by not in outcome.stdout):
        raise StepFailed(f"rule {refused_by} was expected to refuse this. {text}")
    return outcome.stdout


def deployed(sandbox: World, stack: str) -> str:
    """Return the stack's resources, counted by kind."""
    state = json.loads(sandbox.run("pulumi", "stack", "export", "--stack", stack).stdout)
    kinds = Counter(
        resource["type"].rsplit(":", 1)[-1]
        for resource in state["deployment"]["resources"]
        if resource["type"].startswith("aws:")
    )
    listing = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{sum(kinds.values())} AWS resources in account {sandbox.accounts[stack]}: {listing}"


@contextmanager
def changed_configuration(sandbox: World, stack: str, path: str, value: str) -> Iterator[None]:
    """Change one value of the stack's configuration in the mirror, for as long as the context lasts."""
    file = sandbox.directory / f"Pulumi.{stack}.yaml"
    kept = file.with_suffix(".kept")
    shutil.copy(file, kept)
    try:
        outcome = sandbox.run("pulumi", "config", "set", "--stack", stack, "--path", path, value)
        if outcome.returncode:
            raise StepFailed(f"could not set {path}: {outcome.stdout}")
        yield
    finally:
        kept.replace(file)


@contextmanager
def changed_code(sandbox: World, file: str, old: str, new: str) -> Iterator[None]:
    """Change one line of the program in the mirror, for as long as the context lasts.

    The mirror only links to the code, so the folder is copied first: the project stays untouched.
    """
    folder = sandbox.directory / Path(file).parts[0]
    linked = folder.readlink()
    folder.unlink()
    shutil.copytree(linked, folder, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        text = (sandbox.directory / file).read_text()
        if text.count(old) != 1:
            raise StepFailed(f"{file} has no single {old!r} to change")
        (sandbox.directory / file).write_text(text.replace(old, new))
        yield
    finally:
        shutil.rmtree(folder)
        folder.symlink_to(linked)


def violations(output: str, rule: str) -> str:
    """Return the lines in which the engine reports what `rule` of the pack found."""
    lines = output.splitlines()
    start = next(number for number, line in enumerate(lines) if rule in line)
    return "\n".join(line.strip() for line in lines[start : start + 4] if line.strip())


class Demo:
    """The steps, in order; each shows its result and raises StepFailed when it is not what it must be."""

    def __init__(self, sandbox: World) -> None:
        """Take the sandbox that all steps share."""
        self._sandbox = sandbox
        self._mail: Mailbox | None = None
        self._watchdog: Mailbox | None = None

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return title and function of each step."""
        return [
            ("Management stack: pulumi up, policy pack enforced", lambda: self._up("mgmt")),
            ("Member stack: pulumi up, policy pack enforced", lambda: self._up("member")),
            ("A second preview of both shows no change", self._no_change),
            (
                "BreakglassUser signs in to the console; AWS records it in us-east-1",
                lambda: self._rings("console-login-success-us-east-1"),
            ),
            ("Another user signs in", self._another_user_stays_quiet),
            (
                "BreakglassUser signs in again; AWS records it in eu-north-1",
                lambda: self._rings("console-login-success-eu-north-1", brief=True),
            ),
            (
                "The role is assumed in the member account, in eu-west-1",
                lambda: self._rings("assume-role-role-copy-regional-eu-west-1"),
            ),
            (
                "Somebody disables one of the alarm's own rules",
                lambda: self._rings("events-disable-rule", both=True),
            ),
            ("Somebody disables the alarm's key", self._key_disabled),
            ("Would the alarm ring? The proof, from both stacks' exports", self._proof),
            ('A pull request "hardens" the key policy', self._hardened_key_refused),
            ("A pull request attaches IAMFullAccess to the user", self._full_access_refused),
            ("A pull request moves the alerting to eu-west-1", self._wrong_region_refused),
        ]

    def _up(self, stack: str) -> None:
        pulumi(self._sandbox, "up", stack, "--yes", "--skip-preview")
        console.print(deployed(self._sandbox, stack))

    def _no_change(self) -> None:
        for stack in self._sandbox.accounts:
            pulumi(self._sandbox, "preview", stack, "--refresh", "--expect-no-changes")
            console.print(f"{stack}: unchanged, compared with what the emulated AWS holds now")

    def _rings(self, name: str, *, both: bool = False, brief: bool = False) -> None:
        """Play a sample event; exactly one message must reach the mailbox, and the watchdog's if `both`."""
        deliveries = self._play(f"alert/{name}.json")
        if failed := [delivery for delivery in deliveries if delivery.failed]:
            raise StepFailed(f"not everything was delivered: {failed}")
        self._show_route(deliveries)
        mail, watchdog = self._take()
        if (len(mail), len(watchdog)) != (1, int(both)):
            raise StepFailed(f"expected one message, and {int(both)} at the watchdog: {mail}, {watchdog}")
        if brief:
            console.print(Text(f"the subscriber's mail begins {mail[0].splitlines()[0]}"))
        else:
            console.print(Panel(Text(mail[0]), title="what the subscriber's mail says", title_align="left"))
        if both:
            console.print("the same text arrived at the watchdog's mailbox, through a topic without a key")

    def _another_user_stays_quiet(self) -> None:
        deliveries = self._play("quiet/console-login-xbreakglassuser.json")
        if deliveries or self._take() != ([], []):
            raise StepFailed(f"expected no rule to match, found {deliveries}")
        console.print("xBreakglassUser signed in: no relay forwards it, nobody is disturbed")

    def _key_disabled(self) -> None:
        account = self._sandbox.account("mgmt")
        kms = account.client("kms", "us-east-1")
        key_id = kms.describe_key(KeyId="alias/breakglassSNS")["KeyMetadata"]["KeyId"]
        kms.disable_key(KeyId=key_id)
        deliveries = self._play("alert/kms-disable-key.json", {SAMPLE_KEY: key_id})
        self._show_route(deliveries)
        failed = {delivery.destination for delivery in deliveries if delivery.failed}
        mail, watchdog = self._take()
        if failed != {self._topic(TOPIC)} or mail or len(watchdog) != 1:
            raise StepFailed(f"only the watchdog can carry this: {mail}, {watchdog}, {deliveries}")
        console.print("the first topic is mute without its key; the watchdog's mailbox received:")
        console.print(Panel(Text(watchdog[0]), title="what the watchdog's mail says", title_align="left"))
        kms.enable_key(KeyId=key_id)

    def _play(self, name: str, replaced: dict[str, str] | None = None) -> list[Delivery]:
        text = (EVENTS / name).read_text()
        for old, new in (replaced or {}).items():
            text = text.replace(old, new)
        if self._mail is None or self._watchdog is None:
            account = self._sandbox.account("mgmt")
            self._mail = Mailbox(account, self._topic(TOPIC))
            self._watchdog = Mailbox(account, self._topic(WATCHDOG_TOPIC))
        return deliver(self._sandbox.account_by_id, json.loads(text))

    def _take(self) -> tuple[list[str], list[str]]:
        """Return, and take, what arrived in the mailbox and in the watchdog's."""
        return (self._mail.take() if self._mail else [], self._watchdog.take() if self._watchdog else [])

    def _topic(self, name: str) -> str:
        return f"arn:aws:sns:us-east-1:{self._sandbox.accounts['mgmt']}:{name}"

    def _show_route(self, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            place = ":".join(delivery.bus.split(":")[3:5])
            end = delivery.destination.split(":", 5)[5]
            outcome = f"FAILED: {delivery.failed}" if delivery.failed else "ok"
            console.print(Text(f"{place} rule {delivery.rule} -> {end}: {outcome}"))

    def _proof(self) -> None:
        # Until everybody has clicked the link in AWS's mail, the proof says "lost".
        clicked = confirm(self._sandbox.account("mgmt"))
        console.print(Text(f"confirmed by the link in AWS's mail: {', '.join(clicked)}"))
        self._run("pulumi", "refresh", "--yes", "--stack", "mgmt")
        for stack in self._sandbox.accounts:
            self._run("pulumi", "stack", "export", "--stack", stack, "--file", f"{stack}.json")
        files = [f"{stack}.json" for stack in self._sandbox.accounts]
        console.print(Text(self._run("python", "-m", "alertpath", *files).rstrip()))

    def _run(self, *command: str) -> str:
        """Run a command that must succeed and return its output."""
        outcome = self._sandbox.run(*command)
        if outcome.returncode:
            raise StepFailed(f"`{' '.join(command)}` failed:\n{outcome.stdout}")
        return outcome.stdout

    def _hardened_key_refused(self) -> None:
        """AWS's own advice elsewhere, fatal here: EventBridge sends no aws:SourceAccount to KMS."""
        statement = '"Sid": "EventBridgeEncryptsAlerts",'
        harder = f'{statement} "Condition": _from_account(account_id),'
        with changed_code(self._sandbox, "components/documents.py", statement, harder):
            self._show_refusal("key-policy-no-source-conditions", "alarm-path-proven")

    def _full_access_refused(self) -> None:
        arn = "arn:aws:iam::aws:policy/IAMFullAccess"
        with changed_configuration(self._sandbox, "mgmt", "breakglass:user.managedPolicyArns[0]", arn):
            self._show_refusal("iam-full-access")

    def _wrong_region_refused(self) -> None:
        with changed_configuration(self._sandbox, "mgmt", "breakglass:alerts.region", "eu-west-1"):
            self._show_refusal("us-east-1-placement")

    def _show_refusal(self, *rules: str) -> None:
        output = pulumi(self._sandbox, "preview", "mgmt", refused_by=rules[0])
        for rule in rules:
            if rule not in output:
                raise StepFailed(f"rule {rule} was expected to refuse this as well:\n{output}")
            console.print(f"refused by {rule}, exit code not zero. The engine's words:")
            console.print(Panel(Text(violations(output, rule))))


def main() -> int:
    """Run the demo and return its exit code: 0, or 1 when a step did not behave."""
    started = time.monotonic()
    timings: list[tuple[str, float]] = []
    title = "setting up the sandbox"
    try:
        console.rule("[bold]AWS break-glass access: both stacks on this machine", align="left")
        console.print("AWS is emulated here, and only AWS; engine, SDK and policy pack are the real ones.\n")
        with world(console.print, regions=REGIONS) as sandbox:
            console.print(f"engine: {sandbox.engine}")
            console.print(f"Regions enabled in the emulated accounts: {', '.join(REGIONS)}")
            for title, step in Demo(sandbox).steps():
                console.print()
                console.rule(f"[bold]{len(timings) + 1}. {title}", align="left")
                before = time.monotonic()
                step()
                timings.append((title, time.monotonic() - before))
    except (StepFailed, engine.EngineUnavailable, RuntimeError) as error:
        console.print(f"\n[bold red]The demo stopped at: {title}")
        console.print(Text(str(error)))
        return 1
    _summary(timings, time.monotonic() - started)
    return 0


def _summary(timings: list[tuple[str, float]], total: float) -> None:
    console.print()
    table = Table("step", "seconds", title="Every step behaved", title_justify="left")
    table.columns[1].justify = "right"
    for title, seconds in timings:
        table.add_row(title, f"{seconds:.1f}")
    table.add_section()
    table.add_row("all, with setting up and taking down the sandbox", f"{total:.1f}")
    console.print(table)
    console.print(
        "Not shown, because only a real account can tell: mail delivery, and every policy in force.\n"
        f"Next: {Path('README.md')}, section 'Deploy to AWS'."
    )


if __name__ == "__main__":
    sys.exit(main())
