"""Events that are put on a bus through the API: validated, answered at once, delivered in the background."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from sandbox import schedules
from sandbox.cloud.background import BackgroundDelivery
from tests.sandbox.conftest import HUB, MEMBER

PATIENCE = 10
"""Seconds within which a delivery in the background must have arrived."""

ENTRY = {
    "Source": "breakglass.drill",
    "DetailType": "Break-glass drill",
    "Detail": '{"who": "BreakglassUser"}',
    "Resources": ["arn:aws:iam::111111111111:user/BreakglassUser"],
}


def put(place, bus="default", **changes):
    """Put one event and return AWS's answer to it."""
    answer = place.client("events").put_events(Entries=[ENTRY | {"EventBusName": bus} | changes])
    assert answer["FailedEntryCount"] == ("ErrorCode" in answer["Entries"][0])
    return answer["Entries"][0]


def soon(look, count=1):
    """What `look` finds, as soon as it is as much as expected; fails when that takes too long."""
    found, until = [], time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found += look()
        if len(found) >= count:
            break
        time.sleep(0.05)
    assert len(found) == count, found
    return found


@pytest.fixture
def queue(home):
    """A queue of the hub: its ARN, and a function that takes what is in it."""
    sqs = home.client("sqs")
    url = sqs.create_queue(QueueName="background")["QueueUrl"]

    def take():
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    yield f"arn:aws:sqs:eu-west-3:{HUB}:background", take
    sqs.delete_queue(QueueUrl=url)


def test_an_event_has_the_shape_that_aws_gives_it(home, queue):
    arn, take = queue
    home.rule("ours", arn)
    before = datetime.now(UTC) - timedelta(seconds=1)
    entry = put(home)
    (event,) = (json.loads(text) for text in soon(take))
    assert before <= datetime.strptime(event.pop("time"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert event == {
        "version": "0",
        "id": entry["EventId"],
        "detail-type": "Break-glass drill",
        "source": "breakglass.drill",
        "account": HUB,
        "region": "eu-west-3",
        "resources": ENTRY["Resources"],
        "detail": {"who": "BreakglassUser"},
    }


def test_an_event_keeps_the_time_that_it_was_given(home, queue):
    arn, take = queue
    home.rule("ours", arn)
    put(home, Time=datetime(2026, 1, 2, 3, 4, 5, 600_000, tzinfo=UTC))
    assert json.loads(soon(take)[0])["time"] == "2026-01-02T03:04:05Z"


def test_an_event_crosses_accounts_and_rings_is_queued_and_is_recorded(home, away, alarm, queue):
    topic, inbox = alarm
    arn, take = queue
    logs = home.client("logs")
    logs.create_log_group(logGroupName="/background")
    away.rule("relay", home.bus("hub"))
    home.rule("detection", topic, bus="hub", says=True)
    home.rule("queued", arn, bus="hub")
    home.rule("record", f"arn:aws:logs:eu-west-3:{HUB}:log-group:/background:*", bus="hub")
    put(away)
    assert soon(inbox.receive) == ['"detection: BreakglassUser"']
    event = json.loads(soon(take)[0])
    assert (event["account"], event["region"]) == (MEMBER, "eu-north-1")
    recorded = soon(lambda: logs.filter_log_events(logGroupName="/background")["events"])
    assert json.loads(recorded[0]["message"]) == event


@pytest.mark.parametrize("name", ["own", f"arn:aws:events:eu-west-3:{HUB}:event-bus/own"])
def test_an_event_goes_to_the_bus_that_is_named(home, queue, name):
    arn, take = queue
    home.bus("own")
    home.rule("ours", arn, bus="own")
    home.rule("not-ours", arn)
    put(home, bus=name)
    assert len(soon(take)) == 1


def test_what_cannot_be_delivered_goes_to_the_dead_letters(home, queue):
    arn, take = queue
    home.rule("ours", f"arn:aws:sns:eu-west-3:{HUB}:gone", dead_letters=arn)
    entry = put(home)
    assert json.loads(soon(take)[0])["id"] == entry["EventId"]


def test_many_events_arrive_each_once(home, queue):
    arn, take = queue
    home.rule("ours", arn)
    answers = [home.client("events").put_events(Entries=[ENTRY] * 10) for _ in range(4)]
    ids = [entry["EventId"] for answer in answers for entry in answer["Entries"]]
    assert sorted(json.loads(text)["id"] for text in soon(take, 40)) == sorted(ids)


def test_an_event_meets_the_rules_of_its_moment(home, queue):
    arn, take = queue
    for number in range(5):
        home.rule("ours", arn, who=f"user-{number}")
        put(home, Detail=json.dumps({"who": f"user-{number}"}))
        soon(take)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"Source": "aws.signin"}, "NotAuthorizedForSourceException"),
        ({"Source": ""}, "InvalidArgument"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Detail": "[]"}, "MalformedDetail"),
    ],
)
def test_a_wrong_entry_is_refused_and_the_others_are_taken(home, queue, change, error):
    arn, take = queue
    home.rule("ours", arn)
    answer = home.client("events").put_events(Entries=[ENTRY | change, ENTRY])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == error
    assert json.loads(soon(take)[0])["id"] == answer["Entries"][1]["EventId"]


def test_a_bus_that_is_not_there_or_not_the_caller_s_is_refused(home, away):
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        put(home, bus="none")
    with pytest.raises(ClientError, match=f"caller's account and Region only: .*{MEMBER}"):
        put(home, bus=away.bus_arn("default"))


def test_an_error_in_the_background_goes_to_standard_error(sandbox, home, capsys):
    home.rule("ours", f"arn:aws:lambda:eu-west-3:{HUB}:function:f")
    event = {"id": "an-id", "account": HUB, "region": "eu-west-3", "detail": {"who": "BreakglassUser"}}
    BackgroundDelivery(sandbox.account_by_id).put(home.bus_arn("default"), event)
    (said,) = soon(lambda: [text] if (text := capsys.readouterr().err) else [])
    assert said.startswith(f"sandbox: event an-id on {home.bus_arn('default')}: RuntimeError: ")
    assert "does not deliver to arn:aws:lambda" in said


@pytest.fixture
def scheduled(home):
    """Schedules in the hub's Region: on the default bus, disabled, and on a queue."""
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
    assert schedules.fire(sandbox.account("mgmt")) == 1
    (event,) = (json.loads(text) for text in soon(take))
    assert (event["source"], event["detail-type"]) == ("breakglass.heartbeat", "Heartbeat")
    assert event["detail"] == {"who": "BreakglassUser"}
    assert event["resources"] == [f"arn:aws:scheduler:eu-west-3:{HUB}:schedule/default/on"]

    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.endpoint)
    monkeypatch.setenv("SANDBOX_STACK_ACCOUNTS", json.dumps(sandbox.accounts))
    assert schedules.main() == 0
    assert capsys.readouterr().out == "Fired 1 schedules of mgmt, 0 schedules of member.\n"
    soon(take)


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
        schedules.fire(sandbox.account("mgmt"))
    scheduler.delete_schedule(Name="filled-in")


def test_outside_of_a_sandbox_the_schedules_say_so(monkeypatch, capsys):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert schedules.main() == 1
    assert "run this inside a sandbox" in capsys.readouterr().err
