"""Events that are put on a bus through the API: validated, answered at once, delivered in the background."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from sandbox.cloud.background import in_background
from tests.sandbox.conftest import HUB, MEMBER, soon

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
    in_background(sandbox.account_by_id)(home.bus_arn("default"), event)
    (said,) = soon(lambda: [text] if (text := capsys.readouterr().err) else [])
    assert said.startswith(f"sandbox: event an-id on {home.bus_arn('default')}: RuntimeError: ")
    assert "does not deliver to arn:aws:lambda" in said
