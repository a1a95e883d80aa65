"""The first part of the demo: the stacks, which events notify, and what the policy pack refuses."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from itertools import takewhile
from typing import Any

from rich.panel import Panel
from rich.text import Text

from alertpath.eventbridge.pattern import matches
from alertpath.scenarios import cloudtrail_event, session_of
from breakglass import naming
from sandbox.cloud.delivery import Delivery, SubscribedQueue, deliver
from sandbox.confirm import confirm
from sandbox.demo.stacks import Stacks
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
                f"Stack {self._other}: someone removes a relay's target, and it has landed",
                self._target_removed,
            ),
            (
                f"Stack {self._other}: someone denies the relay's role everything; landed",
                self._role_denied,
            ),
            (
                "Someone disables the hub's rules about its changes; it has landed",
                self._rules_disabled,
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
        watched = self._stacks.settings[self._hub].watched
        self._queues = [
            SubscribedQueue(self._sandbox.account_by_id(watched.place(way)[0]), watched.topic_arn(way))
            for way in naming.WAYS
        ]

    def _rings(self, name: str, *, region: str = "", brief: bool = False) -> None:
        """Play a sample event; hub and watchdog must send one message each."""
        deliveries = self._play(self._stacks.event(f"alert/{name}", region=region))
        if failed := [delivery for delivery in deliveries if delivery.failed]:
            raise StepFailed(f"not everything was delivered: {failed}")
        mail, watchdog = self._receive()
        if (len(mail), len(watchdog)) != (1, 1):
            raise StepFailed(f"expected one message of the hub and one of the watchdog: {mail}, {watchdog}")
        if brief:
            console.print(Text(f"the hub's mail begins {mail[0].splitlines()[0]}"))
            console.print(Text(f"the watchdog's mail begins {watchdog[0].splitlines()[0]}"))
        else:
            self._show("what the hub's mail says", mail[0])
            self._show("what the watchdog's mail says, to other people", watchdog[0])

    def _only_the_watchdog(self, event: dict[str, Any]) -> None:
        """Play the event about a blow to the hub's way: the watchdog must tell it, the hub cannot."""
        self._play(event)
        mail, watchdog = self._receive()
        if mail or len(watchdog) != 1:
            raise StepFailed(f"expected a message of the watchdog only: {mail}, {watchdog}")
        console.print("the hub says nothing any more; the watchdog's way shares nothing with it, and tells:")
        self._show("what the watchdog's mail says", watchdog[0])

    def _show(self, title: str, text: str) -> None:
        console.print(Panel(Text(text), title=title, title_align="left"))

    def _target_removed(self) -> None:
        account_id, region = self._sandbox.accounts[self._other], self._stacks.covered(self._other)[0]
        events = self._sandbox.account(self._other).client("events", region)
        changed = _by_an_admin(account_id, region, "events", "RemoveTargets")
        # The rule that would have told of it.
        rule = next(
            listed["Name"]
            for listed in events.list_rules(NamePrefix=naming.HUB.relay_rule)["Rules"]
            if matches(listed["EventPattern"], changed(requestParameters={"rule": listed["Name"]}))
        )
        targets = events.list_targets_by_rule(Rule=rule)["Targets"]
        ids = [target["Id"] for target in targets]
        events.remove_targets(Rule=rule, Ids=ids)
        self._only_the_watchdog(changed(requestParameters={"rule": rule, "ids": ids}))
        events.put_targets(Rule=rule, Targets=targets)

    def _role_denied(self) -> None:
        account_id, name = self._sandbox.accounts[self._other], naming.HUB.relay_role
        iam = self._sandbox.account(self._other).client("iam", naming.HOME_REGION)
        deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        iam.put_role_policy(RoleName=name, PolicyName="quiet", PolicyDocument=document)
        parameters = {"roleName": name, "policyName": "quiet", "policyDocument": document}
        changed = _by_an_admin(account_id, naming.HOME_REGION, "iam", "PutRolePolicy")
        self._only_the_watchdog(changed(requestParameters=parameters))
        iam.delete_role_policy(RoleName=name, PolicyName="quiet")

    def _rules_disabled(self) -> None:
        account_id = self._sandbox.accounts[self._hub]
        events = self._sandbox.account(self._hub).client("events", naming.HOME_REGION)
        prefix = f"{naming.RULE_PREFIX}alerting-change"
        found = events.list_rules(NamePrefix=prefix, EventBusName=naming.HUB.bus)["Rules"]
        rules = [{"Name": rule["Name"], "EventBusName": naming.HUB.bus} for rule in found]
        for rule in rules:
            events.disable_rule(**rule)
        changed = _by_an_admin(account_id, naming.HOME_REGION, "events", "DisableRule")
        self._only_the_watchdog(
            changed(requestParameters={"name": rules[0]["Name"], "eventBusName": naming.HUB.bus})
        )
        for rule in found:
            # As deployed: EnableRule alone would leave read-only events out.
            events.put_rule(
                Name=rule["Name"],
                EventBusName=naming.HUB.bus,
                Description=rule["Description"],
                EventPattern=rule["EventPattern"],
                State=naming.ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS,
            )

    def _another_user_stays_quiet(self) -> None:
        deliveries = self._play(self._stacks.event("quiet/console-login-xbreakglassuser"))
        if deliveries or self._receive() != [[], []]:
            raise StepFailed(f"expected no rule to match, found {deliveries}")
        console.print(f"x{self._stacks.user} signed in: no relay forwards the event, and no message is sent")

    def _key_disabled(self) -> None:
        account = self._sandbox.account(self._hub)
        kms = account.client("kms", "us-east-1")
        key_id = kms.describe_key(KeyId=naming.KEY_ALIAS)["KeyMetadata"]["KeyId"]
        kms.disable_key(KeyId=key_id)
        deliveries = self._play(self._stacks.event("alert/kms-disable-key", key=key_id))
        failed = {delivery.destination for delivery in deliveries if delivery.failed}
        mail, watchdog = self._receive()
        if (
            failed != {self._stacks.settings[self._hub].watched.topic_arn(naming.HUB)}
            or mail
            or len(watchdog) != 1
        ):
            raise StepFailed(f"expected a message of the watchdog only: {mail}, {watchdog}, {deliveries}")
        console.print(
            "the hub's topic cannot publish without its key; its topic for alarms and the watchdog can:"
        )
        self._show("what the watchdog's mail says", watchdog[0])
        kms.enable_key(KeyId=key_id)

    def _play(self, event: dict[str, Any]) -> list[Delivery]:
        """Deliver an event and show its route."""
        deliveries = deliver(self._sandbox.account_by_id, event)
        for delivery in deliveries:
            place = ":".join(delivery.bus.split(":")[3:5])
            end = delivery.destination.split(":", 5)[5]
            outcome = f"FAILED: {delivery.failed}" if delivery.failed else "ok"
            console.print(Text(f"{place} rule {delivery.rule} -> {end}: {outcome}"))
        return deliveries

    def _receive(self) -> list[list[str]]:
        """Receive the messages of the hub's topic and of the watchdog's."""
        return [queue.receive() for queue in self._queues]

    def _proof(self) -> None:
        # `drill check` would report the demo's own subscriptions as unexpected recipients.
        for queue in self._queues:
            queue.close()
        # Until the recipients have confirmed their subscriptions, the proof says "lost".
        confirmed = [one for stack in self._sandbox.accounts for one in confirm(self._sandbox.account(stack))]
        console.print(Text(f"confirmed by the links in AWS's mails: {', '.join(dict.fromkeys(confirmed))}"))
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
        here = "return self.hub_account_id, naming.HOME_REGION"
        there = 'return self.hub_account_id, "eu-west-1"'
        return changed_code(self._sandbox, "breakglass/detections/patterns.py", here, there)

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


def _by_an_admin(account_id: str, region: str, source: str, name: str) -> Callable[..., dict[str, Any]]:
    """Return what makes the event of such a call, given further parts of its detail."""
    return partial(
        cloudtrail_event, account_id, region, source, name, session_of(account_id, "PlatformAdmin")
    )
