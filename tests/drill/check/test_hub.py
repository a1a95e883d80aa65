"""Hub and watchdog are as rendered, their recipients are confirmed, and nothing was lost."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from breakglass import naming
from components.alarms import WARM_UP_MINUTES
from drill.check.probes import failures, hub, path, recipients
from drill.check.runner import answer
from drill.check.stack_state import StackState
from tests.drill.conftest import Broken, Look, mends, states

TOPIC = "arn:aws:sns:us-east-1:111111111111:breakglassuser-console-logins"
MAIL = {"Protocol": "email", "Owner": "111111111111", "TopicArn": TOPIC}


def mgmt(look: Look) -> StackState:
    (stack_state,) = look("mgmt")
    return stack_state


def confirmed(found: dict[str, Any]) -> None:
    for one in found["Subscriptions"]:
        if one["SubscriptionArn"] == "PendingConfirmation":
            one["SubscriptionArn"] = f"{one['TopicArn']}:confirmed"


def kept_as_in_aws(found: dict[str, Any]) -> None:
    """Add what moto does not keep, so that the intact hub can be seen as ready."""
    for group in found.get("logGroups", ()):
        group["deletionProtectionEnabled"] = group["logGroupName"] == naming.AUDIT_LOG_GROUP
    for way in naming.WAYS:
        if found.get("Name") == way.bus:
            found["LogConfig"] = {"Level": "ERROR", "IncludeDetail": "NONE"}
            found["Description"] = (
                f"Break-glass {way.name}: what the relays of every account and Region forward"
            )
    for alarm in found.get("MetricAlarms", ()):
        alarm["StateValue"] = "OK"
        if alarm["AlarmName"].endswith("missing-heartbeats"):
            alarm["EvaluationWindow"] = {"WallClockWindow": {}}
            alarm["WarmUpConfiguration"] = {
                "WarmUpPeriodDurationInMinutes": WARM_UP_MINUTES,
                "OnlyStartEvaluatingAfterWarmUpPeriodEnds": True,
            }


@pytest.fixture
def whole(broken: Broken) -> Broken:
    """The answers of an AWS that keeps everything, with all mails confirmed."""
    broken.answer("ListSubscriptionsByTopic", confirmed)
    for operation in ("DescribeLogGroups", "DescribeEventBus", "DescribeAlarms"):
        broken.answer(operation, kept_as_in_aws)
    broken.answer("TestEventPattern", lambda found: found.update(Result=True))
    return broken


PROBES = {
    "rules": hub.rules,
    "policies": hub.policies,
    "key": hub.key,
    "record": hub.record,
    "members": hub.members,
    "recipients": recipients.at_hub,
    "watchdog's rules": hub.watchdog_rules,
    "watchdog's policies": hub.watchdog_policies,
    "watchdog's topics": hub.watchdog_topics,
    "watchdog's record": hub.watchdog_record,
    "watchdog's recipients": recipients.at_watchdog,
    "alarms": failures.alarms,
    "dead letters": failures.dead_letters,
    "path": path.proven,
}


@pytest.mark.parametrize("probe", PROBES.values(), ids=PROBES)
def test_a_deployed_hub_is_ready(look: Look, whole: Broken, probe: Any) -> None:
    both = look()
    findings = answer(probe, both[0])
    assert set(states(findings)) == {"ready"}, [finding.text for finding in findings]


def nested(name: str, **values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda found: found[name].update(values)


def every(name: str, **values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda found: [one.update(values) for one in found[name]]


BREAKS = [
    (hub.rules, "DescribeRule", lambda found: found.update(State="DISABLED"), "state is DISABLED"),
    (hub.rules, "ListTargetsByRule", every("Targets", InputTransformer=None), "inputTransformer"),
    (hub.rules, "ListTargetsByRule", every("Targets", RoleArn="arn:aws:iam::111111111111:role/x"), "roleArn"),
    (
        hub.rules,
        "ListRules",
        lambda found: found["Rules"].append({"Name": "capture-breakglass-mine"}),
        "rule capture-breakglass-mine on the bus breakglass does not",
    ),
    (
        hub.rules,
        "ListTargetsByRule",
        lambda found: found["Targets"].append({"Id": "x", "Arn": "arn:aws:sqs:us-east-1:1:x"}),
        "further target",
    ),
    (
        hub.policies,
        "DescribeEventBus",
        lambda found: found.pop("Policy", None),
        "event bus policy breakglass does not",
    ),
    (
        hub.policies,
        "GetTopicAttributes",
        lambda found: found["Attributes"].update(Policy='{"Statement": [{"Sid": "RulesPublish"}]}'),
        "policy: statement RulesPublish differs",
    ),
    (
        hub.record,
        "GetQueueAttributes",
        nested("Attributes", Policy="{}"),
        "queue breakglass-hub-dlq: policy",
    ),
    (
        hub.watchdog_record,
        "GetQueueAttributes",
        nested("Attributes", Policy="{}"),
        "queue breakglass-watchdog-dlq: policy",
    ),
    (
        hub.watchdog_rules,
        "DescribeRule",
        lambda found: found.update(EventPattern='{"source": ["nothing"]}'),
        "event rule capture-breakglass-alert: the pattern is not the one that this version renders",
    ),
    (
        hub.watchdog_rules,
        "ListRules",
        lambda found: found["Rules"].append({"Name": "capture-breakglass-mine"}),
        "rule capture-breakglass-mine on the bus breakglass-watchdog does not",
    ),
    (
        hub.watchdog_policies,
        "DescribeEventBus",
        lambda found: found.pop("Policy", None),
        "event bus policy breakglass-watchdog does not",
    ),
    (
        hub.watchdog_topics,
        "GetTopicAttributes",
        nested("Attributes", KmsMasterKeyId="arn:aws:kms:us-west-2:111111111111:key/1"),
        "topic breakglass-watchdog: kmsMasterKeyId",
    ),
    (
        recipients.at_watchdog,
        "ListSubscriptionsByTopic",
        every("Subscriptions", SubscriptionArn="PendingConfirmation"),
        "email subscription of topic breakglass-watchdog-alarms is not confirmed",
    ),
    (
        hub.policies,
        "DescribeResourcePolicies",
        lambda found: found.update(resourcePolicies=[]),
        "log resource policy /breakglass/audit does not exist",
    ),
    (hub.key, "DescribeKey", nested("KeyMetadata", KeyState="Disabled", Enabled=False), "in state Disabled"),
    (
        hub.key,
        "GetKeyPolicy",
        lambda found: found.update(Policy=found["Policy"].replace("EventBridgeEncryptsAlerts", "Other")),
        "statement EventBridgeEncryptsAlerts differs, statement Other is new",
    ),
    (
        hub.key,
        "GetKeyRotationStatus",
        lambda found: found.update(KeyRotationEnabled=False),
        "enableKeyRotation",
    ),
    (hub.key, "GetTopicAttributes", nested("Attributes", KmsMasterKeyId=""), "kmsMasterKeyId is not set"),
    (
        hub.record,
        "DescribeLogGroups",
        every("logGroups", retentionInDays=1),
        "retentionInDays is 1, must be 400",
    ),
    (
        hub.record,
        "DescribeLogGroups",
        every("logGroups", deletionProtectionEnabled=False),
        "deletionProtectionEnabled is False, must be True",
    ),
    (
        hub.record,
        "DescribeArchive",
        lambda found: found.update(RetentionDays=1),
        "event archive breakglass: retentionDays is 1",
    ),
    (failures.alarms, "DescribeAlarms", every("MetricAlarms", Threshold=99.0), "threshold is 99.0"),
    (failures.alarms, "DescribeAlarms", every("MetricAlarms", ActionsEnabled=False), "notifies nobody"),
    (
        failures.alarms,
        "DescribeAlarms",
        every("MetricAlarms", StateValue="ALARM", StateReason="5 waiting"),
        "alarm breakglass-dead-letters is ringing: 5 waiting",
    ),
    (
        failures.dead_letters,
        "GetQueueAttributes",
        nested("Attributes", ApproximateNumberOfMessages="3"),
        "3 dead letters in breakglass-hub-dlq in us-east-1",
    ),
    (
        recipients.at_hub,
        "ListSubscriptionsByTopic",
        every("Subscriptions", SubscriptionArn="PendingConfirmation"),
        "email subscription of topic breakglassuser-console-logins is not confirmed",
    ),
    (
        recipients.at_hub,
        "ListSubscriptionsByTopic",
        lambda found: found.update(
            Subscriptions=[one for one in found["Subscriptions"] if one["Protocol"] == "sqs"]
        ),
        "topic breakglassuser-console-logins lacks a subscription (email)",
    ),
    (
        recipients.at_hub,
        "ListSubscriptionsByTopic",
        lambda found: found["Subscriptions"].append(
            {**MAIL, "Endpoint": "stranger@example.org", "SubscriptionArn": f"{TOPIC}:1"}
        ),
        f"email subscription of topic breakglassuser-console-logins is not in the configuration: {TOPIC}:1",
    ),
    (
        path.proven,
        "GetKeyPolicy",
        lambda found: found.update(
            Policy=found["Policy"].replace("events.amazonaws.com", "ec2.amazonaws.com")
        ),
        "at break-glass-alerts-key",
    ),
]


@pytest.mark.parametrize(("probe", "operation", "change", "said"), BREAKS)
def test_what_is_broken_is_named_and_has_a_fix(
    look: Look, whole: Broken, probe: Any, operation: str, change: Any, said: str
) -> None:
    whole.answer(operation, change)
    findings = answer(probe, mgmt(look))
    wrong = [finding for finding in findings if finding.state.value == "not ready"]
    assert any(said in finding.text for finding in wrong), findings
    assert all(mends(finding) for finding in wrong)


@pytest.mark.parametrize("code", ["AccessDenied", "ThrottlingException", "UnrecognizedClientException"])
@pytest.mark.parametrize("probe", [probe for probe in PROBES.values() if probe is not hub.members])
def test_a_hub_that_cannot_be_read_is_not_taken_for_ready(
    look: Look, whole: Broken, probe: Any, code: str
) -> None:
    whole.refuse("*", code)
    findings = answer(probe, mgmt(look))
    assert "could not tell" in states(findings)
    assert "ready" not in states(findings)


def test_endpoints_are_never_shown(look: Look, whole: Broken) -> None:
    hook = {**MAIL, "Protocol": "https", "Endpoint": "https://hook/pass", "SubscriptionArn": f"{TOPIC}:1"}
    whole.answer("ListSubscriptionsByTopic", lambda found: found["Subscriptions"].append(hook))
    text = repr(answer(recipients.at_hub, mgmt(look)))
    assert "hook/pass" not in text
    assert "example.com" not in text


def test_a_key_that_will_be_deleted_is_kept_first(look: Look, whole: Broken) -> None:
    whole.answer("DescribeKey", nested("KeyMetadata", KeyState="PendingDeletion", Enabled=False))
    wrong = [one for one in answer(hub.key, mgmt(look)) if one.state.value == "not ready"]
    assert [" ".join(command.split()[:3]) for command in wrong[0].commands] == [
        "aws kms cancel-key-deletion",
        "aws kms enable-key",
    ]
    # A deployment before that would make another key.
    assert "pulumi up" not in "".join(map(mends, wrong))


def test_a_stranger_s_rule_goes_with_its_targets(look: Look, whole: Broken) -> None:
    target = {"Id": "x", "Arn": "arn:aws:sqs:us-east-1:111111111111:x"}
    events = mgmt(look).account.client("events", "us-east-1")
    events.put_rule(Name="strangers", EventBusName=naming.HUB.bus, EventPattern='{"source": ["nothing"]}')
    events.put_targets(Rule="strangers", EventBusName=naming.HUB.bus, Targets=[target])
    (found,) = [one for one in answer(hub.rules, mgmt(look)) if "strangers" in one.text]
    events.remove_targets(Rule="strangers", EventBusName=naming.HUB.bus, Ids=["x"])
    events.delete_rule(Name="strangers", EventBusName=naming.HUB.bus)
    where = "--region us-east-1 --event-bus-name breakglass"
    assert found.commands == (
        f"aws events remove-targets {where} --rule strangers --ids x --profile mgmt",
        f"aws events delete-rule {where} --name strangers --profile mgmt",
    )


def test_each_alarm_has_the_row_that_says_why_it_rings() -> None:
    assert {f"{naming.ALARM_PREFIX}{name}" for name in failures.ROWS} == {
        *naming.PLACE_ALARMS,
        *naming.RELAY_ALARMS,
    }


def test_an_alarm_that_was_never_evaluated_is_not_taken_for_quiet(look: Look, whole: Broken) -> None:
    whole.answer("DescribeAlarms", every("MetricAlarms", StateValue="INSUFFICIENT_DATA"))
    assert "could not tell" in states(answer(failures.alarms, mgmt(look)))


def test_members_without_a_stack_are_not_taken_for_ready(look: Look) -> None:
    stack_state = mgmt(look)
    alone = replace(stack_state, stacks={"111111111111": "mgmt"})
    findings = answer(hub.members, alone)
    assert "account 222222222222 is a member, but no Pulumi.<stack>.yaml" in findings[0].text
    assert states(findings)[0] == "could not tell"


def test_a_stack_that_the_hub_does_not_list_is_refused_by_it(look: Look) -> None:
    stack_state = mgmt(look)
    more = replace(stack_state, stacks={**stack_state.stacks, "333333333333": "new"})
    assert "333333333333 of stack new is not a listed member" in answer(hub.members, more)[0].text


def test_aws_has_the_last_word_on_patterns(
    look: Look, whole: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack_state = look()[0]
    asked: list[tuple[str, str]] = []

    class Events:
        def test_event_pattern(self, *, EventPattern: str, Event: str) -> dict[str, bool]:
            asked.append((EventPattern, Event))
            return {"Result": "ConsoleLogin" not in Event}

    monkeypatch.setattr(stack_state.account, "client", lambda *_: Events())
    findings = answer(path.patterns, stack_state)
    assert len(asked) > 40
    assert {finding.state.value for finding in findings} == {"not ready"}
    assert "does not match" in findings[0].text
    monkeypatch.setattr(Events, "test_event_pattern", lambda *_, **__: {"Result": True})
    (finding,) = answer(path.patterns, stack_state)
    assert finding.text == f"AWS matched {len(asked)} pairs of event and live pattern as the proof does"


def test_patterns_that_aws_does_not_judge_are_not_taken_for_ready(look: Look) -> None:
    (finding,) = answer(path.patterns, mgmt(look))
    assert finding.state.value == "could not tell"
    assert "TestEventPattern" in finding.text


@pytest.mark.parametrize(
    ("protocol", "endpoint", "own"),
    [
        *(("sqs", f"arn:aws:sqs:us-east-1:111111111111:{queue}", True) for queue in naming.OWN_QUEUES),
        ("sqs", "arn:aws:sqs:us-east-1:111111111111:my-breakglass-hub-drill", False),
        ("https", "https://example.com/:breakglass-hub-drill", False),
    ],
)
def test_no_queue_of_ours_is_a_recipient(protocol: str, endpoint: str, own: bool) -> None:
    assert recipients.is_own_queue(protocol, endpoint) is own
