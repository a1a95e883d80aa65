"""The first part of the demo: the stacks, which events notify, and what the policy pack refuses."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from itertools import takewhile

from rich.panel import Panel
from rich.text import Text

from breakglass import naming
from sandbox.cloud.delivery import Delivery, SubscribedQueue, deliver
from sandbox.confirm import confirm
from sandbox.demo.stacks import SAMPLE_KEY, Stacks
from sandbox.demo.steps import StepFailed, changed_code, changed_configuration, console, deployed, pulumi
from sandbox.run import Sandbox


class AlarmSteps:
    """Steps with a deployment; each prints its result and raises StepFailed if another was expected."""

    def __init__(self, sandbox: Sandbox, stacks: Stacks) -> None:
        """Take the sandbox and the stacks of all steps."""
        self._sandbox, self._stacks = sandbox, stacks
        self._hub, self._other = stacks.hub, stacks.other
        self._queues: list[SubscribedQueue] = []

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return each step's title and function."""
        user, role = self._stacks.user, self._stacks.role
        far = self._stacks.covered(self._hub)[0]
        elsewhere = self._stacks.covered(self._other)[0]
        listed = self._stacks.settings[self._hub].user.managed_policy_arns
        return [
            *(
                (f"Stack {stack}: pulumi up, policy pack enforced", partial(self._up, stack))
                for stack in self._stacks.settings
            ),
            ("A second preview shows no change", self._no_change),
            (
                f"{user} signs in to the console; AWS records it in us-east-1",
                lambda: self._rings("console-login-success-us-east-1"),
            ),
            ("Another user signs in", self._another_user_stays_quiet),
            (
                f"{user} signs in again; AWS records it in {far}",
                lambda: self._rings("console-login-success-eu-north-1", region=far, brief=True),
            ),
            (
                f"The role {role} of stack {self._other} is assumed, in {elsewhere}",
                lambda: self._rings("assume-role-role-copy-regional-eu-west-1", region=elsewhere),
            ),
            (
                "Someone disables one of the alarm's own rules",
                lambda: self._rings("events-disable-rule", both=True),
            ),
            ("Someone disables the alarm's key", self._key_disabled),
            ("Would the alarm ring? The proof, from the stacks' exports", self._proof),
            (
                'A pull request "hardens" the key policy',
                lambda: self._refused(self._hardened_key(), "key-lets-publishers-in", "alarm-path-proven"),
            ),
            (
                "A pull request attaches IAMFullAccess to the user",
                lambda: self._refused(
                    self._set(
                        f"user.managedPolicyArns[{len(listed)}]",
                        naming.iam_arn("aws", "policy/IAMFullAccess"),
                    ),
                    "iam-full-access",
                ),
            ),
            (
                "A pull request moves the alerting to eu-west-1",
                lambda: self._refused(self._moved_hub(), "us-east-1-placement"),
            ),
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
        account = self._sandbox.account(self._hub)
        topics = (naming.TOPIC, naming.WATCHDOG_TOPIC)
        self._queues = [SubscribedQueue(account, self._topic(name)) for name in topics]

    def _rings(self, name: str, *, region: str = "", both: bool = False, brief: bool = False) -> None:
        """Play a sample event; one message must be published, and one to the watchdog's topic if `both`."""
        deliveries = self._play(f"alert/{name}", region=region)
        if failed := [delivery for delivery in deliveries if delivery.failed]:
            raise StepFailed(f"not everything was delivered: {failed}")
        mail, watchdog = self._receive()
        if (len(mail), len(watchdog)) != (1, int(both)):
            expected = f"one message, and {int(both)} on the watchdog's topic"
            raise StepFailed(f"expected {expected}: {mail}, {watchdog}")
        if brief:
            console.print(Text(f"the subscriber's mail begins {mail[0].splitlines()[0]}"))
        else:
            console.print(Panel(Text(mail[0]), title="what the subscriber's mail says", title_align="left"))
        if both:
            console.print("the watchdog's recipients got the same text, through a topic without a key")

    def _another_user_stays_quiet(self) -> None:
        deliveries = self._play("quiet/console-login-xbreakglassuser")
        if deliveries or self._receive() != [[], []]:
            raise StepFailed(f"expected no rule to match, found {deliveries}")
        console.print(f"x{self._stacks.user} signed in: no relay forwards the event, and no message is sent")

    def _key_disabled(self) -> None:
        account = self._sandbox.account(self._hub)
        kms = account.client("kms", "us-east-1")
        key_id = kms.describe_key(KeyId=naming.KEY_ALIAS)["KeyMetadata"]["KeyId"]
        kms.disable_key(KeyId=key_id)
        deliveries = self._play("alert/kms-disable-key", key=key_id)
        failed = {delivery.destination for delivery in deliveries if delivery.failed}
        mail, watchdog = self._receive()
        if failed != {self._topic(naming.TOPIC)} or mail or len(watchdog) != 1:
            raise StepFailed(
                f"expected a message on the watchdog's topic only: {mail}, {watchdog}, {deliveries}"
            )
        console.print(
            "the first topic cannot publish without its key; the watchdog's topic has none and did:"
        )
        console.print(Panel(Text(watchdog[0]), title="what the watchdog's mail says", title_align="left"))
        kms.enable_key(KeyId=key_id)

    def _play(self, name: str, *, region: str = "", key: str = SAMPLE_KEY) -> list[Delivery]:
        """Deliver a sample event and show its route."""
        event = self._stacks.event(name, region=region, key=key)
        deliveries = deliver(self._sandbox.account_by_id, event)
        for delivery in deliveries:
            place = ":".join(delivery.bus.split(":")[3:5])
            end = delivery.destination.split(":", 5)[5]
            outcome = f"FAILED: {delivery.failed}" if delivery.failed else "ok"
            console.print(Text(f"{place} rule {delivery.rule} -> {end}: {outcome}"))
        return deliveries

    def _receive(self) -> list[list[str]]:
        """Receive the messages of the topic and of the watchdog's topic."""
        return [queue.receive() for queue in self._queues]

    def _topic(self, name: str) -> str:
        return naming.topic_arn(self._sandbox.accounts[self._hub], naming.HOME_REGION, name)

    def _proof(self) -> None:
        # `drill check` would report the demo's own subscriptions as unexpected recipients.
        for queue in self._queues:
            queue.close()
        # Until the recipients have confirmed their subscriptions, the proof says "lost".
        confirmed = confirm(self._sandbox.account(self._hub))
        console.print(Text(f"confirmed by the link in AWS's mail: {', '.join(confirmed)}"))
        self._sandbox.output("pulumi", "refresh", "--yes", "--stack", self._hub)
        for stack in self._sandbox.accounts:
            self._sandbox.output("pulumi", "stack", "export", "--stack", stack, "--file", f"{stack}.json")
        files = [f"{stack}.json" for stack in self._sandbox.accounts]
        console.print(Text(self._sandbox.output("python", "-m", "alertpath", *files).rstrip()))

    def _hardened_key(self) -> AbstractContextManager[None]:
        """AWS's own advice elsewhere, fatal here: EventBridge sends no aws:SourceAccount to KMS."""
        statement = '"EventBridgeEncryptsAlerts",'
        harder = f"{statement} condition=_from_account(account_id),"
        return changed_code(self._sandbox, "breakglass/documents.py", statement, harder)

    def _moved_hub(self) -> AbstractContextManager[None]:
        there = 'self._region = "eu-west-1"'
        return changed_code(
            self._sandbox, "components/alerts.py", "self._region = args.watched.hub_region", there
        )

    def _set(self, path: str, value: str) -> AbstractContextManager[None]:
        return changed_configuration(self._sandbox, self._hub, f"breakglass:{path}", value)

    def _refused(self, change: AbstractContextManager[None], *policies: str) -> None:
        """Preview with the change; the policies must refuse it, and what the engine says of them is shown."""
        with change:
            output = pulumi(self._sandbox, "preview", self._hub, refused_by=policies[0])
        lines = output.splitlines()
        for policy in policies:
            if policy not in output:
                raise StepFailed(f"policy {policy} should have refused this as well:\n{output}")
            start = next(number for number, line in enumerate(lines) if policy in line)
            rest = [line.strip() for line in lines[start + 1 : start + 4] if line.strip()]
            whole = takewhile(lambda line: not line.startswith("- ["), rest)
            found = "\n".join([lines[start].strip(), *whole])
            console.print(f"refused by {policy}. The engine's output:")
            console.print(Panel(Text(found)))
