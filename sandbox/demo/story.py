"""The first part of the demo: both stacks, what rings, what does not, what the policy pack refuses."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from rich.panel import Panel
from rich.text import Text

from sandbox.cloud.delivery import Delivery, Mailbox, deliver
from sandbox.confirm import confirm
from sandbox.demo.steps import (
    StepFailed,
    changed_code,
    changed_configuration,
    console,
    deployed,
    pulumi,
    run,
    violations,
)
from sandbox.world import ROOT, World

EVENTS = ROOT / "tests" / "events"
TOPIC, WATCHDOG_TOPIC = "breakglassuser-console-logins", "breakglass-watchdog"
SAMPLE_KEY = "5e1f0a2c-9b7d-4c36-8f10-2d4b6a8c0e12"
"""Id of the key in the sample events; a real one is known only after it was created."""


class Story:
    """What happens to a deployment; each step shows its result and raises StepFailed when it is another."""

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
        def unchanged(stack: str) -> str:
            pulumi(self._sandbox, "preview", stack, "--refresh", "--expect-no-changes")
            return f"{stack}: unchanged, compared with what the emulated AWS holds now"

        with ThreadPoolExecutor() as pool:
            for said in pool.map(unchanged, self._sandbox.accounts):
                console.print(said)

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
        run(self._sandbox, "pulumi", "refresh", "--yes", "--stack", "mgmt")
        for stack in self._sandbox.accounts:
            run(self._sandbox, "pulumi", "stack", "export", "--stack", stack, "--file", f"{stack}.json")
        files = [f"{stack}.json" for stack in self._sandbox.accounts]
        console.print(Text(run(self._sandbox, "python", "-m", "alertpath", *files).rstrip()))

    def _hardened_key_refused(self) -> None:
        """AWS's own advice elsewhere, fatal here: EventBridge sends no aws:SourceAccount to KMS."""
        statement = '"Sid": "EventBridgeEncryptsAlerts",'
        harder = f'{statement} "Condition": _from_account(account_id),'
        with changed_code(self._sandbox, "breakglass/documents.py", statement, harder):
            self._show_refusal("key-lets-publishers-in", "alarm-path-proven")

    def _full_access_refused(self) -> None:
        arn = "arn:aws:iam::aws:policy/IAMFullAccess"
        with changed_configuration(self._sandbox, "mgmt", "breakglass:user.managedPolicyArns[0]", arn):
            self._show_refusal("iam-full-access")

    def _wrong_region_refused(self) -> None:
        with changed_configuration(self._sandbox, "mgmt", "breakglass:alerts.region", "eu-west-1"):
            self._show_refusal("us-east-1-placement")
        self._end()

    def _end(self) -> None:
        """Take the mailboxes away: whoever checks the topics would take them for strangers."""
        for mailbox in (self._mail, self._watchdog):
            if mailbox is not None:
                mailbox.close()

    def _show_refusal(self, *rules: str) -> None:
        output = pulumi(self._sandbox, "preview", "mgmt", refused_by=rules[0])
        for rule in rules:
            if rule not in output:
                raise StepFailed(f"rule {rule} was expected to refuse this as well:\n{output}")
            console.print(f"refused by {rule}, exit code not zero. The engine's words:")
            console.print(Panel(Text(violations(output, rule))))
