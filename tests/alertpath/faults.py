"""Single faults, each applied to the exports of intact stacks, with the resource that is to blame."""

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Exports = dict[str, Any]
HUB = "111111111111"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
REGION = "eu-west-1"
SEEN_WITH_BOTH = "with both stacks:"
"""Begins the names of faults that a look at the management stack alone cannot see."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        name: What is wrong.
        inject: Makes it so in the exports, and returns the URN (or ARN) of the resource to blame.
    """

    name: str
    inject: Callable[[Exports], str]


def entries(exports: Exports, stack: str) -> list[Any]:
    return exports[stack]["deployment"]["resources"]


def entry(exports: Exports, stack: str, name: str) -> Any:
    """The resource with that logical name."""
    (found,) = (one for one in entries(exports, stack) if one["urn"].endswith(f"::{name}"))
    return found


def change(name: str, stack: str, resource: str, **properties: Any) -> Fault:
    """A fault that sets properties of one resource; a function gets the old value."""

    def inject(exports: Exports) -> str:
        one = entry(exports, stack, resource)
        for key, value in properties.items():
            for place in ("inputs", "outputs"):
                one[place][key] = value(copy.deepcopy(one[place].get(key))) if callable(value) else value
        return one["urn"]

    return Fault(name=name, inject=inject)


def remove(name: str, stack: str, resource: str, blame: str | None = None, arn: str | None = None) -> Fault:
    """A fault that takes one resource away; what is to blame is then another, or a bus by its ARN."""

    def inject(exports: Exports) -> str:
        one = entry(exports, stack, resource)
        entries(exports, stack).remove(one)
        return arn or entry(exports, stack, blame or resource)["urn"]

    return Fault(name=name, inject=inject)


def edited(change_statements: Callable[[list[Any]], Any]) -> Callable[[str], str]:
    """Return the edit of a policy document that changes its statements in place."""

    def edit(text: str) -> str:
        document = json.loads(text)
        change_statements(document["Statement"])
        return json.dumps(document)

    return edit


def conditioned(sid: str, **condition: Any) -> Callable[[str], str]:
    """Return the edit that adds a condition to a statement."""

    def add(statements: list[Any]) -> None:
        (one,) = (statement for statement in statements if statement["Sid"] == sid)
        one.setdefault("Condition", {}).update(condition)

    return edited(add)


def without(sid: str) -> Callable[[str], str]:
    def drop(statements: list[Any]) -> None:
        statements[:] = [statement for statement in statements if statement["Sid"] != sid]

    return edited(drop)


def denying(action: str) -> Callable[[str], str]:
    deny = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return edited(lambda statements: statements.append(deny))


NOTIFYING = (
    "user-sign-in", "user-switch-role", "user-assume-role", "cli-login", "session-token", "user-activity",
    "user-change", "role-assumed", "role-switched", "role-iam-change", "role-change",
    "root-sign-in", "alerting-change", "region-enabled", "trail-change", "organization-change", "drill",
    "key-change",
)  # fmt: skip
READ_ONLY = ("user-assume-role", "cli-login", "role-assumed", "record")
NOTHING = '{"source": ["nothing"]}'
ELSEWHERE = "arn:aws:sns:us-east-1:999999999999:elsewhere"


def _hub_rules() -> Iterator[Fault]:
    for noun in (*NOTIFYING, "record", "heartbeat"):
        rule = f"break-glass-alerts-rule-{noun}"
        yield change(f"{noun}: rule disabled", "mgmt", rule, state="DISABLED")
        yield change(f"{noun}: pattern edited", "mgmt", rule, eventPattern=NOTHING)
    for noun in READ_ONLY:
        rule = f"break-glass-alerts-rule-{noun}"
        yield change(f"{noun}: plain ENABLED", "mgmt", rule, state="ENABLED")
    for noun in NOTIFYING:
        target, rule = f"break-glass-alerts-target-{noun}-SendToSNS", f"break-glass-alerts-rule-{noun}"
        yield remove(f"{noun}: target removed", "mgmt", target, blame=rule)
    for end in ("SendToAlarms", "Watchdog", "Record"):
        target, rule = f"break-glass-alerts-target-key-change-{end}", "break-glass-alerts-rule-key-change"
        yield remove(f"key-change: without {end}", "mgmt", target, blame=rule)
    for noun in ("alert", "alert-2", "alert-3", "drill", "heartbeat"):
        rule, end = f"break-glass-watchdog-rule-{noun}", "Record" if noun == "heartbeat" else "SendToSNS"
        yield change(f"watchdog, {noun}: rule disabled", "mgmt", rule, state="DISABLED")
        yield remove(
            f"watchdog, {noun}: target removed",
            "mgmt",
            f"break-glass-watchdog-target-{noun}-{end}",
            blame=rule,
        )
    for noun in ("alert", "drill", "heartbeat"):
        rule = f"break-glass-watchdog-rule-{noun}"
        yield change(f"watchdog, {noun}: pattern edited", "mgmt", rule, eventPattern=NOTHING)
    drill, sign_in = "break-glass-alerts-rule-drill", "break-glass-alerts-rule-user-sign-in"
    yield change("a quiet drill is told", "mgmt", drill, eventPattern='{"source": ["breakglass.drill"]}')
    beats = '{"source": ["breakglass.drill", "aws.events"]}'
    yield change("heartbeats and quiet drills are told", "mgmt", drill, eventPattern=beats)

    def challenges(pattern: str) -> str:
        return pattern.replace('"ConsoleLogin"', '"ConsoleLogin", "CheckMfa"')

    yield change("MFA challenges are told", "mgmt", sign_in, eventPattern=challenges)
    yield change("hub rule with an unknown state", "mgmt", "break-glass-alerts-rule-drill", state="SLEEPING")


def _hub_targets() -> Iterator[Fault]:
    target = "break-glass-alerts-target-user-sign-in-SendToSNS"
    queue = f"arn:aws:sqs:us-east-1:{HUB}:breakglass-hub-dlq"

    def transformer(**parts: Any) -> Any:
        return lambda old: {**old, **parts}

    yield change("target re-pointed", "mgmt", target, arn=ELSEWHERE)
    yield change(
        "target in another Region",
        "mgmt",
        target,
        arn=f"arn:aws:sns:eu-west-1:{HUB}:breakglassuser-console-logins",
    )
    yield change("target is a bus", "mgmt", target, arn=f"arn:aws:events:us-east-1:{HUB}:event-bus/default")
    yield change("role on a topic target", "mgmt", target, roleArn=f"arn:aws:iam::{HUB}:role/BreakGlassRelay")
    yield change("no transformer", "mgmt", target, inputTransformer=None)
    yield change("variable without path", "mgmt", target, inputTransformer=transformer(inputPaths={}))
    yield change(
        "broken template", "mgmt", target, inputTransformer=transformer(inputTemplate="no quotes <who>")
    )
    yield change("empty message", "mgmt", target, inputTransformer=transformer(inputTemplate='""'))
    yield change("no dead letters", "mgmt", target, deadLetterConfig=None)
    yield change(
        "dead letters in another Region",
        "mgmt",
        target,
        deadLetterConfig={"arn": queue.replace("us-east", "us-west")},
    )
    yield change("dead letters nowhere", "mgmt", target, deadLetterConfig={"arn": queue + "-2"})
    record = "break-glass-alerts-target-record-Record"
    yield change("role on a log target", "mgmt", record, roleArn=f"arn:aws:iam::{HUB}:role/BreakGlassRelay")
    yield change("transformer on a log target", "mgmt", record, inputTransformer={"inputTemplate": '"x"'})
    yield change(
        "log target re-pointed", "mgmt", record, arn=f"arn:aws:logs:us-east-1:{HUB}:log-group:/other"
    )


def _hub_things() -> Iterator[Fault]:
    key, topic = "break-glass-alerts-key", "break-glass-alerts-topic"
    watchdog, alarms = "break-glass-watchdog-topic", "break-glass-alerts-alarms"
    account = {"StringEquals": {"aws:SourceAccount": HUB}}
    arn = {"ArnLike": {"aws:SourceArn": f"arn:aws:events:us-east-1:{HUB}:rule/*"}}
    org = {"StringEquals": {"aws:SourceOrgID": "o-a1b2c3d4e5"}}
    for name, condition in (("SourceAccount", account), ("SourceArn", arn), ("SourceOrgID", org)):
        harder = conditioned("EventBridgeEncryptsAlerts", **condition)
        yield change(f"key policy hardened with {name}", "mgmt", key, policy=harder)
    for action in ("kms:GenerateDataKey*", "kms:Decrypt"):

        def drop(statements: list[Any], action: str = action) -> None:
            statements[1]["Action"].remove(action)

        yield change(f"key policy without {action}", "mgmt", key, policy=edited(drop))
    yield change("key policy without EventBridge", "mgmt", key, policy=without("EventBridgeEncryptsAlerts"))
    yield change("key policy denies", "mgmt", key, policy=denying("kms:Decrypt"))
    yield change("key policy is not JSON", "mgmt", key, policy="{")
    yield change("key disabled", "mgmt", key, isEnabled=False)
    yield change("AWS managed key", "mgmt", topic, kmsMasterKeyId="alias/aws/sns")
    for noun, thing in (("topic", topic), ("watchdog", watchdog), ("alarms topic", alarms)):
        policy = f"{thing}-policy"
        yield remove(f"{noun} policy removed", "mgmt", policy, blame=thing)
        yield change(f"{noun} policy denies", "mgmt", policy, policy=denying("sns:Publish"))
        yield change(f"{noun} policy without rules", "mgmt", policy, policy=without("RulesPublish"))
        for whose, account_id in (("another", "999999999999"), ("this", HUB)):
            condition = conditioned("RulesPublish", StringEquals={"aws:SourceAccount": account_id})
            yield change(f"{noun} policy for {whose} account", "mgmt", policy, policy=condition)
    # In each of these the drill queue stays subscribed and confirmed: it is not a recipient.
    mail = "break-glass-alerts-subscription-email-786906db"
    yield change("subscription pending", "mgmt", mail, pendingConfirmation=True)
    yield remove("subscription removed", "mgmt", mail, blame=topic)
    second = "break-glass-watchdog-subscription-email-a14e1db7"
    yield change("watchdog subscription pending", "mgmt", second, pendingConfirmation=True)
    yield remove("watchdog subscription removed", "mgmt", second, blame=watchdog)
    dlq = "break-glass-alerts-dead-letters"
    yield change("dead-letter queue's policy removed", "mgmt", dlq, policy=None)
    others = {"aws:SourceArn": f"arn:aws:events:us-east-1:{HUB}:rule/x"}
    narrowed = conditioned("RulesKeepWhatTheyCouldNotDeliver", ArnLike=others)
    yield change("dead-letter queue's policy for other rules", "mgmt", dlq, policy=narrowed)
    log = "break-glass-alerts-audit-log"
    yield remove("log policy removed", "mgmt", f"{log}-policy", blame=log)
    yield change("log policy denies", "mgmt", f"{log}-policy", policyDocument=denying("logs:PutLogEvents"))
    yield change(
        "log policy for no streams", "mgmt", f"{log}-policy", policyDocument=without("RulesOpenStreams")
    )


def _relays() -> Iterator[Fault]:
    for stack, suffixes in (("mgmt", ("", "-2", "-3")), ("member", ("", "-2"))):
        account = HUB if stack == "mgmt" else "222222222222"
        bus = f"arn:aws:events:{REGION}:{account}:event-bus/default"
        ways = (
            ("hub", "", "relay", "events:us-east-1:999999999999:event-bus/breakglass"),
            ("watchdog", "watchdog-", "watchdog-relay", "events:us-west-2:999999999999:event-bus/breakglass"),
        )
        for way, prefix, noun, elsewhere in ways:
            for suffix in suffixes:
                rule = f"break-glass-relay-{REGION}-{prefix}rule{suffix}"
                target = f"{rule}-target"
                what = f"{stack} relay to the {way}{suffix}"
                yield change(f"{what}: disabled in one Region", stack, rule, state="DISABLED")
                yield change(f"{what}: pattern edited in one Region", stack, rule, eventPattern=NOTHING)
                yield remove(f"{what}: missing in one Region", stack, rule, arn=bus)
                yield remove(f"{what}: target removed", stack, target, blame=rule)
                yield change(f"{what}: account wrong", stack, target, arn=f"arn:aws:{elsewhere}")
                yield change(f"{what}: no role", stack, target, roleArn=None)
            role = f"break-glass-relay-{noun}-role"
            what = f"{stack} role of the relay to the {way}"
            wrong = {"StringEquals": {"aws:SourceAccount": "999999999999"}}
            narrow = {"ArnLike": {"aws:SourceArn": f"arn:aws:events:us-east-1:{account}:rule/other*"}}
            for name, condition in (("other account", wrong), ("other rules", narrow)):
                trust = conditioned("OurOwnResourcesOnly", **condition)
                yield change(f"{what}: trust for {name}", stack, role, assumeRolePolicy=trust)
            permission = f"break-glass-relay-{noun}-permission"

            def narrowed(text: str) -> str:
                return text.replace(":event-bus/breakglass", ":event-bus/x")

            yield change(f"{what}: permission narrowed", stack, permission, policy=narrowed)
            yield remove(f"{what}: permission removed", stack, permission, blame=role)
            widened = '{"source": [{"prefix": "aws."}]}'
            second = f"break-glass-relay-{REGION}-{prefix}rule-2"
            yield change(
                f"{stack} relay to the {way} forwards everything", stack, second, eventPattern=widened
            )
        queue = f"break-glass-relay-{REGION}-dead-letters"
        yield change(f"{stack} relays' dead-letter policy removed", stack, queue, policy=None)

    def forget(statements: list[Any]) -> None:
        statements[0]["Principal"]["AWS"] = [f"arn:aws:iam::{HUB}:root"]

    def organisation(statements: list[Any]) -> None:
        forget(statements)
        condition = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
        statements.append({**statements[0], "Sid": "Org", "Principal": "*", "Condition": condition})

    for way, component in (("hub", "alerts"), ("watchdog", "watchdog")):
        bus_policy, bus = f"break-glass-{component}-bus-policy", f"break-glass-{component}-bus"
        what = f"{SEEN_WITH_BOTH} policy of the {way}'s bus"
        yield change(f"{what} forgets the member", "mgmt", bus_policy, policy=edited(forget))
        yield change(f"{what} denies", "mgmt", bus_policy, policy=denying("events:PutEvents"))
        yield remove(f"{what} removed", "mgmt", bus_policy, blame=bus)
        yield change(f"{what}: who knows", "mgmt", bus_policy, policy=edited(organisation))


FAULTS = [*_hub_rules(), *_hub_targets(), *_hub_things(), *_relays()]
