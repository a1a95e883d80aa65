"""`python -m sandbox.schedules` fires each enabled schedule that puts an event on a bus, or calls an API."""

import json

import pytest

from breakglass.naming import ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS
from sandbox import schedules
from tests.sandbox.conftest import HUB, soon


@pytest.fixture
def scheduled(home):
    """Schedules: on the default bus, disabled, and on a queue."""
    scheduler = home.client("scheduler")
    heartbeat = {"Source": "breakglass.heartbeat", "DetailType": "Heartbeat"}
    role = f"arn:aws:iam::{HUB}:role/r"
    bus = {"Arn": home.bus_arn("default"), "RoleArn": role, "EventBridgeParameters": heartbeat}
    bus["Input"] = '{"who": "BreakglassUser"}'
    queue = {"Arn": f"arn:aws:sqs:eu-west-3:{HUB}:background", "RoleArn": role}
    for name, state, target in (
        ("on", "ENABLED", bus), ("off", "DISABLED", bus), ("queue", "ENABLED", queue),
    ):  # fmt: skip
        scheduler.create_schedule(
            Name=name, State=state, Target=target,
            ScheduleExpression="cron(0 12 * * ? *)", FlexibleTimeWindow={"Mode": "OFF"},
        )  # fmt: skip
    yield
    for name in ("on", "off", "queue"):
        scheduler.delete_schedule(Name=name)


@pytest.mark.usefixtures("scheduled")
def test_each_enabled_schedule_fires_once(sandbox, home, queue, monkeypatch, capsys):
    arn, take = queue
    home.rule("ours", arn)
    assert schedules.fire(sandbox.account("mgmt"), sandbox.account_by_id) == 1
    (event,) = (json.loads(text) for text in soon(take))
    assert (event["source"], event["detail-type"]) == ("breakglass.heartbeat", "Heartbeat")
    assert event["detail"] == {"who": "BreakglassUser"}
    assert event["resources"] == [f"arn:aws:scheduler:eu-west-3:{HUB}:schedule/default/on"]

    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.endpoint)
    monkeypatch.setenv("SANDBOX_STACK_ACCOUNTS", json.dumps(sandbox.accounts))
    assert schedules.main() == 0
    assert capsys.readouterr().out == "Fired 1 schedule of mgmt, 0 schedules of member.\n"
    soon(take)


def tagging(home, rule):
    """A schedule that tags a rule, as a heartbeat does."""
    tag = [{"Key": "breakglass-heartbeat", "Value": "hourly"}]
    arn = f"arn:aws:events:{home.region}:{HUB}:rule/{rule}"
    home.client("scheduler").create_schedule(
        Name="beat", ScheduleExpression="cron(5 * * * ? *)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:eventbridge:tagResource",
            "RoleArn": f"arn:aws:iam::{HUB}:role/BreakGlassHeartbeat",
            "Input": json.dumps({"ResourceARN": arn, "Tags": tag}),
        },
    )  # fmt: skip
    return arn, tag


@pytest.mark.parametrize("there", [True, False])
def test_a_call_is_made_and_its_records_come_over_the_default_bus(sandbox, home, queue, there):
    arn, take = queue
    events = home.client("events")
    issuer = {"sessionContext": {"sessionIssuer": {"arn": [{"suffix": ":role/BreakGlassHeartbeat"}]}}}
    made = {"source": ["aws.events"], "detail": {"userIdentity": issuer}}
    assumed = {"source": ["aws.sts"], "detail": {"readOnly": [True]}}
    events.put_rule(
        Name="records", EventPattern=json.dumps({"$or": [made, assumed]}),
        State=ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS,
    )  # fmt: skip
    events.put_targets(Rule="records", Targets=[{"Id": "queue", "Arn": arn}])
    rule_arn, tag = tagging(home, "records" if there else "absent")
    assert schedules.fire(sandbox.account("mgmt"), sandbox.account_by_id) == 1
    assume, call = (json.loads(text)["detail"] for text in soon(take, 2))
    assert (assume["eventName"], assume["userIdentity"]["type"]) == ("AssumeRole", "AWSService")
    assert assume["requestParameters"]["roleArn"] == f"arn:aws:iam::{HUB}:role/BreakGlassHeartbeat"
    assert (call["eventName"], call["requestParameters"]["resourceARN"]) == ("TagResource", rule_arn)
    assert call.get("errorCode") == (None if there else "ResourceNotFoundException")
    if there:
        assert events.list_tags_for_resource(ResourceARN=rule_arn)["Tags"] == tag
    home.client("scheduler").delete_schedule(Name="beat")
    events.remove_targets(Rule="records", Ids=["queue"])
    events.delete_rule(Name="records")


def test_an_input_that_the_scheduler_would_fill_in_is_refused(sandbox, home):
    scheduler = home.client("scheduler")
    target = {
        "Arn": home.bus_arn("default"),
        "RoleArn": f"arn:aws:iam::{HUB}:role/r",
        "EventBridgeParameters": {"Source": "breakglass.heartbeat", "DetailType": "Heartbeat"},
        "Input": '{"at": "<aws.scheduler.scheduled-time>"}',
    }
    timing = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    scheduler.create_schedule(Name="filled-in", Target=target, **timing)
    with pytest.raises(
        RuntimeError, match=r"does not fill in context attributes, but .*/filled-in has input"
    ):
        schedules.fire(sandbox.account("mgmt"), sandbox.account_by_id)
    scheduler.delete_schedule(Name="filled-in")


def test_outside_of_a_sandbox_the_schedules_say_so(monkeypatch, capsys):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert schedules.main() == 1
    assert "run this inside a sandbox" in capsys.readouterr().err
