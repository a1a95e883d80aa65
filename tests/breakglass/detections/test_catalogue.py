"""The catalogue against the event corpus: relays, hub, watchdog, and what is said.

An event is followed as AWS would carry it: through the relays of its own account to the rules of hub and
watchdog. Both relays have the same patterns.
"""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertpath.eventbridge.pattern import matches
from alertpath.eventbridge.template import render
from breakglass.detections.catalogue import DETECTIONS
from breakglass.detections.hub_patterns import NO_HEARTBEAT, key_change
from breakglass.detections.message import MAX_COLUMNS, message
from breakglass.detections.patterns import PatternTooLong, Watched, either, packed, text
from breakglass.detections.relay_patterns import relay_patterns
from breakglass.detections.watchdog_rules import WATCHDOG_RULES

EVENTS = Path(__file__).parents[2] / "events"
EXPECTED = json.loads((EVENTS / "expected.json").read_text())
HUB, MEMBER = "111111111111", "222222222222"


def watched_by(hub=HUB, names=("BreakglassUser",), role="BreakGlassRole"):
    """What is watched by a hub whose watchdog is in the same account."""
    return Watched(
        hub_account_id=hub,
        user_names=list(names),
        role_name=role,
        watchdog_account_id=hub,
        watchdog_region="us-west-2",
    )


WATCHED = watched_by()
KEY_ID = "5e1f0a2c-9b7d-4c36-8f10-2d4b6a8c0e12"
KEY_ARN = f"arn:aws:kms:us-east-1:{HUB}:key/{KEY_ID}"
BY_ID = {detection.id: detection for detection in DETECTIONS}
MAX_PATTERN_CHARACTERS = 2048
RUNBOOK = "https://wiki.example.com/break-glass"

ALERT = sorted(path.stem for path in (EVENTS / "alert").iterdir())
QUIET = sorted(path.stem for path in (EVENTS / "quiet").iterdir())


def event(path):
    return json.loads((EVENTS / path).read_text())


class System:
    """Relays in the hub's and one member's account, hub and watchdog, for one set of names."""

    def __init__(self, watched, member):
        self.relays = {
            account: relay_patterns(watched, account) for account in (watched.hub_account_id, member)
        }
        self.hub = {
            detection.id: [json.dumps(pattern) for pattern in detection.rule_patterns(watched)]
            for detection in DETECTIONS
        }
        self.watchdog = [
            json.dumps(pattern) for rule in WATCHDOG_RULES for pattern in rule.rule_patterns(watched)
        ]
        self.hub_account_id = watched.hub_account_id

    def forwarded_by(self, event):
        """Numbers of the relay rules that forward the event; an account without relay forwards nothing."""
        relay = self.relays.get(event["account"], [])
        return [number for number, pattern in enumerate(relay, start=1) if matches(pattern, event)]

    def heard_as(self, event):
        """Detections that the event is heard as, once per rule that matches."""
        heard = []
        if self.forwarded_by(event):
            for id, patterns in self.hub.items():
                heard += [id for pattern in patterns if matches(pattern, event)]
        if event["account"] == self.hub_account_id and event["region"] == "us-east-1":
            heard += ["key-change"] if matches(key_change(KEY_ARN, KEY_ID), event) else []
        return heard

    def told_by_watchdog(self, event):
        """How often the watchdog tells of the event; the rule key-change forwards what the relays do not."""
        if not self.forwarded_by(event) and "key-change" not in self.heard_as(event):
            return 0
        return sum(matches(pattern, event) for pattern in self.watchdog)


SYSTEM = System(WATCHED, MEMBER)


def test_the_corpus_is_whole():
    assert (len(ALERT), len(QUIET)) == (78, 25)
    assert set(ALERT) == set(EXPECTED)


@pytest.mark.parametrize("name", ALERT)
def test_what_must_be_heard_is_heard_as_its_detection(name):
    heard = SYSTEM.heard_as(event(f"alert/{name}.json"))
    assert EXPECTED[name]["detection"] in heard
    assert BY_ID[EXPECTED[name]["detection"]].action == EXPECTED[name]["action"]
    assert len(heard) == len(set(heard)), "a detection rang twice for one event"


@pytest.mark.parametrize("name", ALERT)
def test_one_event_rings_once_unless_it_is_two_things(name):
    """Two detections for one event are allowed only where one of them merely records."""
    heard = event(f"alert/{name}.json")
    notifying = [id for id in SYSTEM.heard_as(heard) if BY_ID[id].action == "notify"]
    assert len(notifying) <= 1
    assert SYSTEM.told_by_watchdog(heard) == len(notifying), "hub and watchdog tell of the same events"


@pytest.mark.parametrize("name", QUIET)
def test_what_must_stay_quiet_is_not_even_forwarded(name):
    quiet = event(f"quiet/{name}.json")
    assert SYSTEM.forwarded_by(quiet) == []
    assert SYSTEM.heard_as(quiet) == []


@pytest.mark.parametrize("name", ALERT)
def test_each_relay_forwards_an_event_once(name):
    """The rule key-change does what no relay can: AWS makes up the key's id."""
    forwarded = SYSTEM.forwarded_by(event(f"alert/{name}.json"))
    assert len(forwarded) == (0 if EXPECTED[name]["detection"] == "key-change" else 1)


def in_any_order(clauses):
    return sorted(json.dumps(clause, sort_keys=True) for clause in clauses)


def test_the_watchdog_tells_of_all_that_the_hub_tells_and_of_nothing_else():
    """The patterns are the same ones, packed into few rules; the key's is wider, for want of its id."""
    (alert, *own) = WATCHDOG_RULES
    told = [detection for detection in DETECTIONS if detection.action == "notify"]
    clauses = [clause for detection in told for clause in detection.patterns(WATCHED) if detection not in own]
    packed_clauses = [
        clause for pattern in alert.rule_patterns(WATCHED) for clause in pattern.get("$or", [pattern])
    ]
    (key,) = (
        clause for clause in packed_clauses if clause.get("source") == ["aws.kms"] and "account" in clause
    )
    packed_clauses.remove(key)
    assert in_any_order(packed_clauses) == in_any_order(
        one for clause in clauses for one in clause.get("$or", [clause])
    )
    assert {detection.id for detection in own} == {"drill"}


RENAMED = {
    "BreakglassUser": "emergency.1",
    "BreakGlassRole": "Fire-Exit",
    HUB: "444444444444",
    MEMBER: "555555555555",
}


def renamed(content):
    for old, new in RENAMED.items():
        content = content.replace(old, new)
    return json.loads(content)


@pytest.mark.parametrize("name", ALERT)
def test_the_same_holds_with_other_names_and_accounts(name):
    other = System(
        watched_by("444444444444", ["someone", "emergency.1"], "Fire-Exit"),
        "555555555555",
    )
    changed = renamed((EVENTS / f"alert/{name}.json").read_text())
    expected = EXPECTED[name]["detection"]
    if expected == "key-change":  # carries the account in the key's ARN
        assert matches(key_change(KEY_ARN.replace(HUB, "444444444444"), KEY_ID), changed)
    else:
        assert expected in other.heard_as(changed)
    if event(f"alert/{name}.json") != changed and changed["account"] not in (HUB, MEMBER):
        assert SYSTEM.heard_as(changed) == []


REGIONS = st.sampled_from(["us-east-1", "eu-north-1", "me-central-1", "il-central-1", "mars-north-1"])


@given(name=st.sampled_from([n for n in ALERT if EXPECTED[n]["detection"] != "key-change"]), region=REGIONS)
def test_no_region_is_special(name, region):
    """The relay's pattern never names a Region: where it is deployed, it hears."""
    moved = event(f"alert/{name}.json")
    before = SYSTEM.forwarded_by(moved)
    moved["region"] = moved["detail"]["awsRegion"] = region
    assert SYSTEM.forwarded_by(moved) == before


OF_THE_USER = ["console-login-success-us-east-1", "console-login-failure-us-east-1", "get-session-token"]


@given(
    name=st.sampled_from(OF_THE_USER),
    user=st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            ["breakglassuser", "BREAKGLASSUSER", "BreakglassUser ", "BreakglassUserX", "Breakglass"]
        ),
    ).filter(lambda text: text != "BreakglassUser"),
)
def test_no_other_user_name_rings(name, user):
    other = event(f"alert/{name}.json")
    other["detail"]["userIdentity"] |= {"userName": user, "arn": f"arn:aws:iam::{HUB}:user/{user}"}
    assert SYSTEM.heard_as(other) == []


@given(account=st.text("0123456789", min_size=12, max_size=12).filter(lambda text: text not in (HUB, MEMBER)))
def test_no_other_account_is_heard(account):
    for name in OF_THE_USER:
        other = event(f"alert/{name}.json")
        other["account"] = account
        assert SYSTEM.heard_as(other) == []


@given(
    role=st.sampled_from(["breakglassrole", "BreakGlassRoleX", "XBreakGlassRole", "BreakGlass"]),
    name=st.sampled_from(["assume-role-role-copy-foreign-caller", "role-session-iam-create-user"]),
)
def test_no_other_role_name_is_heard(role, name):
    other = json.loads((EVENTS / f"alert/{name}.json").read_text().replace("BreakGlassRole", role))
    assert SYSTEM.heard_as(other) == []


OWN = {
    "version": "0",
    "account": HUB,
    "region": "eu-west-1",
    "resources": [],
    "time": "2026-11-22T12:00:00Z",
}


@pytest.mark.parametrize(
    ("own", "heard"),
    [
        ({"source": "breakglass.heartbeat", "detail-type": "Break-glass heartbeat", "detail": {}}, []),
        (
            {"source": "breakglass.drill", "detail-type": "Break-glass drill", "detail": {"nonce": "n"}},
            ["drill"],
        ),
        (
            {"source": "breakglass.drill", "detail-type": "Break-glass drill, quiet", "detail": {}},
            ["drill-quiet"],
        ),
        ({"source": "breakglass.drill", "detail-type": "Something else", "detail": {}}, []),
        (
            {
                "source": "aws.account",
                "detail-type": "Region Opt-In Status Change",
                "detail": {"regionName": "eu-south-2", "status": "ENABLED"},
            },
            ["region-enabled"],
        ),
        ({"source": "aws.account", "detail-type": "Something else", "detail": {}}, []),
        ({"source": "breakglassy", "detail-type": "Break-glass drill", "detail": {}}, []),
    ],
)
def test_our_own_events_and_new_regions_are_heard(own, heard):
    assert SYSTEM.heard_as(OWN | own) == heard


@pytest.mark.parametrize("detail_type", ["Break-glass drill", "Break-glass drill, quiet", "Something else"])
def test_every_drill_is_forwarded_once_from_everywhere(detail_type):
    """Told or not, it is in the record."""
    drill = OWN | {"source": "breakglass.drill", "detail-type": detail_type, "detail": {}}
    for account in (HUB, MEMBER):
        assert len(SYSTEM.forwarded_by(drill | {"account": account})) == 1


def test_a_loud_drill_rings_from_the_hub_s_account_only():
    drill = OWN | {"source": "breakglass.drill", "detail-type": "Break-glass drill", "detail": {}}
    assert (SYSTEM.heard_as(drill), SYSTEM.told_by_watchdog(drill)) == (["drill"], 1)
    elsewhere = drill | {"account": MEMBER}
    assert SYSTEM.told_by_watchdog(elsewhere) == 0
    assert not [id for id in SYSTEM.heard_as(elsewhere) if BY_ID[id].action == "notify"]


def test_a_quiet_drill_is_recorded_and_tells_nobody():
    assert BY_ID["drill-quiet"].action == "record"
    quiet = OWN | {"source": "breakglass.drill", "detail-type": "Break-glass drill, quiet", "detail": {}}
    assert SYSTEM.told_by_watchdog(quiet) == 0


def heartbeat(account, **changes):
    role = f"arn:aws:iam::{account}:role/BreakGlassHeartbeat"
    rule = f"arn:aws:events:eu-west-1:{account}:rule/breakglass-relay"
    beat = event("alert/events-disable-rule.json")
    beat |= {"account": account, "region": "eu-west-1"}
    session = {"sessionContext": {"sessionIssuer": {"arn": role, "type": "Role"}}, "type": "AssumedRole"}
    beat["detail"] |= {"eventName": "TagResource", "requestParameters": {"resourceARN": rule}}
    beat["detail"] |= {"userIdentity": session} | changes
    return beat


@pytest.mark.parametrize("account", [HUB, MEMBER])
@pytest.mark.parametrize("changes", [{}, {"errorCode": "AccessDenied"}], ids=["done", "refused"])
def test_a_heartbeat_is_forwarded_counted_and_neither_told_nor_in_the_record(account, changes):
    beat = heartbeat(account, **changes)
    assert len(SYSTEM.forwarded_by(beat)) == 1
    assert SYSTEM.heard_as(beat) == ["heartbeat"]
    assert SYSTEM.told_by_watchdog(beat) == 0
    assert not matches(NO_HEARTBEAT, beat)
    assert matches(NO_HEARTBEAT, event("alert/events-disable-rule.json"))
    assert matches(NO_HEARTBEAT, OWN | {"source": "breakglass.drill", "detail-type": "x", "detail": {}})


def test_a_heartbeat_of_another_role_is_none():
    forged = heartbeat(MEMBER)
    forged["detail"]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] += "2"
    assert "heartbeat" not in SYSTEM.heard_as(forged)
    assert matches(NO_HEARTBEAT, forged)


def test_reads_of_the_alarm_s_parts_do_not_ring():
    """Looking at a rule is not changing it; the rules hear read-only events because of AssumeRole."""
    looked_at = event("alert/events-disable-rule.json")
    looked_at["detail"] |= {"eventName": "DescribeRule", "readOnly": True}
    assert SYSTEM.heard_as(looked_at) == []


def test_everything_that_the_user_does_is_at_least_recorded():
    read = event("alert/user-ec2-run-instances-denied-eu-west-1.json")
    del read["detail"]["errorCode"]
    read["detail"] |= {"eventName": "DescribeInstances", "readOnly": True}
    assert SYSTEM.heard_as(read) == []
    assert len(SYSTEM.forwarded_by(read)) == 1


def test_a_user_may_do_anything_unusual_and_it_rings():
    unusual = event("alert/get-session-token.json")
    unusual["detail"] |= {"eventName": "AssumeRoot", "readOnly": False}
    assert SYSTEM.heard_as(unusual) == ["user-activity"]


def test_the_user_s_own_policies_are_watched():
    edited = event("alert/iam-attach-user-policy.json")
    edited["detail"] |= {
        "eventName": "CreatePolicyVersion",
        "requestParameters": {"policyArn": f"arn:aws:iam::{HUB}:policy/BreakGlassRequireMfa"},
    }
    assert SYSTEM.heard_as(edited) == ["user-change"]


SQS = f"amazonaws.com/{HUB}/breakglass"
LOGS = f"arn:aws:logs:us-east-1:{HUB}:log-group:/breakglass/audit"
SNS = f"arn:aws:sns:us-west-2:{HUB}:breakglass-watchdog"
PARTS = [
    ("aws.events", "UpdateArchive", {"archiveName": "breakglass"}),
    ("aws.events", "PutPermission", {"eventBusName": f"arn:aws:events:us-east-1:{HUB}:event-bus/breakglass"}),
    ("aws.events", "RemoveTargets", {"rule": "capture-breakglass-record", "eventBusName": "breakglass"}),
    ("aws.events", "DisableRule", {"name": "breakglass-relay-2"}),
    ("aws.sns", "SetTopicAttributes", {"topicArn": SNS}),
    ("aws.sns", "Unsubscribe", {"subscriptionArn": f"{SNS}:0d81"}),
    ("aws.sns", "SetTopicAttributes", {"topicArn": f"arn:aws:sns:us-east-1:{HUB}:breakglass-alarms"}),
    ("aws.sns", "Unsubscribe", {"subscriptionArn": f"{SNS}-alarms:0d81"}),
    ("aws.sqs", "SetQueueAttributes", {"queueUrl": f"https://sqs.eu-west-1.{SQS}-relays-dlq"}),
    ("aws.sqs", "PurgeQueue", {"queueUrl": f"https://sqs.us-east-1.{SQS}-hub-dlq"}),
    ("aws.sqs", "DeleteQueue", {"queueUrl": f"https://sqs.us-east-1.{SQS}-hub-drill"}),
    ("aws.sqs", "StartMessageMoveTask", {"sourceArn": f"arn:aws:sqs:us-east-1:{HUB}:breakglass-hub-dlq"}),
    ("aws.events", "DisableRule", {"name": "breakglass-watchdog"}),
    ("aws.events", "PutRule", {"omitted": True, "originalSize": 300000}),
    ("aws.events", "UpdateEventBus", {"name": "default"}),
    ("aws.monitoring", "PutAlarmMuteRule", {"muteTargets": {"alarmNames": ["breakglass-flood"]}}),
    ("aws.logs", "DeleteLogGroup", {"logGroupName": "/breakglass/heartbeats"}),
    ("aws.iam", "PutRolePolicy", {"roleName": "bReAkGlAsSwAtChDoGrElAy", "policyName": "x"}),
    ("aws.iam", "DeleteRole", {"roleName": "BreakGlassKeyRelay"}),
    ("aws.iam", "PutRolePolicy", {"omitted": True}),
    ("aws.kms", "UpdateAlias", {"aliasName": "alias/breakglassSNS", "targetKeyId": "other"}),
    ("aws.logs", "DeleteLogGroup", {"logGroupName": "/breakglass/audit"}),
    ("aws.logs", "PutRetentionPolicy", {"logGroupName": "/breakglass/audit", "retentionInDays": 1}),
    ("aws.logs", "DeleteResourcePolicy", {"resourceArn": LOGS}),
    ("aws.monitoring", "DeleteAlarms", {"alarmNames": ["other", "breakglass-missing-heartbeats"]}),
    ("aws.monitoring", "PutMetricAlarm", {"alarmName": "breakglass-dead-letters"}),
    ("aws.scheduler", "DeleteScheduleGroup", {"name": "breakglass"}),
    ("aws.scheduler", "UpdateSchedule", {"name": "breakglass-heartbeat", "groupName": "breakglass"}),
    ("aws.iam", "UpdateAssumeRolePolicy", {"roleName": "BreakGlassRelay"}),
    ("aws.iam", "DeleteRolePolicy", {"roleName": "BreakGlassHeartbeat", "policyName": "heartbeat"}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "call", "parameters"), PARTS, ids=[call for _, call, _ in PARTS])
def test_a_write_to_any_part_of_the_alarm_rings_at_hub_and_watchdog(source, call, parameters):
    changed = event("alert/events-disable-rule.json")
    changed["source"] = source
    changed["detail"] |= {"eventName": call, "requestParameters": parameters}
    assert SYSTEM.heard_as(changed) == ["alerting-change"]
    assert SYSTEM.told_by_watchdog(changed) == 1


# --- limits


def users(number, length=14):
    return [f"{index:0{length}}" for index in range(number)]


@pytest.mark.parametrize("names", [["BreakglassUser"], users(5), users(9), users(3, 64)], ids=len)
@pytest.mark.parametrize("account", [HUB, MEMBER])
def test_patterns_are_split_until_they_fit(names, account):
    watched = watched_by(names=names)
    for pattern in relay_patterns(watched, account):
        assert len(text(pattern)) <= MAX_PATTERN_CHARACTERS
    for detection in (*DETECTIONS, *WATCHDOG_RULES):
        for pattern in detection.rule_patterns(watched):
            assert len(text(pattern)) <= MAX_PATTERN_CHARACTERS
    assert len(text(key_change(KEY_ARN, KEY_ID))) <= MAX_PATTERN_CHARACTERS


def test_names_that_cannot_fit_are_refused():
    watched = watched_by(names=users(35))
    with pytest.raises(PatternTooLong, match=r"of \d+ characters, at most 2048"):
        relay_patterns(watched, HUB)


@given(sizes=st.lists(st.integers(1, 1900), min_size=1, max_size=12))
def test_packing_keeps_every_clause_once_within_the_limit_and_wastes_no_rule(sizes):
    clauses = [{"source": [f"{number}" + "x" * size]} for number, size in enumerate(sizes)]
    patterns = packed(clauses, either)
    held = [clause for pattern in patterns for clause in pattern.get("$or", [pattern])]
    assert in_any_order(held) == in_any_order(clauses)
    lengths = sorted(len(text(pattern)) for pattern in patterns)
    assert lengths[-1] <= MAX_PATTERN_CHARACTERS
    around = len(text(either([{}, {}])))
    assert len(lengths) < 2 or sum(lengths[:2]) + around > MAX_PATTERN_CHARACTERS, "two would fit into one"


def test_the_names_of_the_original_sample_stay():
    assert {BY_ID[id].rule_name for id in ("user-sign-in", "user-switch-role", "user-assume-role")} == {
        "capture-breakglass-user-sign-in",
        "capture-breakglass-user-switch-role",
        "capture-breakglass-user-assume-role",
    }


def test_patterns_use_no_wildcard():
    everything = json.dumps([SYSTEM.relays, SYSTEM.hub, SYSTEM.watchdog])
    for operator in ("wildcard", "numeric", "cidr"):
        assert operator not in everything


# --- messages

NOTIFYING = [detection for detection in DETECTIONS if detection.action == "notify"]
HEARD = [name for name in ALERT if EXPECTED[name]["action"] == "notify"]


def shown(name, changes=None):
    """The message of a sample event, as mail shows it."""
    heard = event(f"alert/{name}.json")
    heard["detail"] |= changes or {}
    composed = message(BY_ID[EXPECTED[name]["detection"]], runbook_url=RUNBOOK)
    return render(composed.input_paths, composed.template, heard)


@pytest.mark.parametrize("detection", NOTIFYING, ids=lambda detection: detection.id)
@pytest.mark.parametrize("runbook_url", [None, RUNBOOK])
def test_templates_stay_within_the_limits_of_eventbridge_and_of_a_mail_client(detection, runbook_url):
    composed = message(detection, runbook_url=runbook_url)
    assert len(composed.template) <= 8192
    assert len(composed.input_paths) <= 100
    lines = composed.template.splitlines()
    for line in lines:
        assert line[0] == line[-1] == '"'
        assert line.count('"') == 2
    for line in lines[:2] + [line for line in lines if "<" not in line]:
        assert len(line) - 2 <= MAX_COLUMNS
    assert detection.advice
    assert len(detection.title) <= 60


@pytest.mark.parametrize("name", HEARD)
def test_a_message_says_who_where_when_from_which_address_and_what_to_do(name):
    heard = event(f"alert/{name}.json")
    detail, rendered = heard["detail"], shown(name)
    identity = detail["userIdentity"]
    if EXPECTED[name]["detection"] not in ("root-sign-in", "role-switched"):
        assert (identity.get("userName") or identity.get("arn") or identity["principalId"]) in rendered
    for value in (detail["eventTime"], heard["account"], heard["region"], detail["sourceIPAddress"], RUNBOOK):
        assert value in rendered
    assert detail["eventID"] in rendered


@pytest.mark.parametrize("name", HEARD)
def test_a_message_holds_no_credentials_and_no_raw_event(name):
    rendered = shown(name)
    for secret in ("EXAMPLE-SESSION-TOKEN", "ASIA", "AKIA", "sessionContext", "eventVersion"):
        assert secret not in rendered


@pytest.mark.parametrize("name", HEARD)
def test_a_message_has_the_same_lines_whatever_the_event_lacks(name):
    full = shown(name).splitlines()
    empty = message(BY_ID[EXPECTED[name]["detection"]], runbook_url=RUNBOOK)
    bare = render(empty.input_paths, empty.template, {"account": HUB, "region": "us-east-1", "detail": {}})
    assert len(bare.splitlines()) == len(full)
    for line in bare.splitlines():
        assert line[0] == line[-1] == '"'
        assert "<" not in line
        assert "null" not in line
        assert "None" not in line


HOSTILE = ['say "hi"', "back\\slash", "<aws.events.event.json>", "<who>", "Grüße 深夜 \N{FIRE}", "x" * 3000]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("name", ["console-login-success-us-east-1", "assume-role-access-denied"])
def test_hostile_values_stay_in_their_line(name, value):
    usual, hostile = shown(name).splitlines(), shown(name, {"userAgent": value}).splitlines()
    assert len(hostile) == len(usual)
    (line,) = (line for line in hostile if line.startswith('"Client'))
    assert line.endswith(f'  {value}"')
    assert [a for a, b in zip(usual, hostile, strict=True) if a != b] == [
        next(line for line in usual if line.startswith('"Client'))
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("console-login-success-us-east-1", '"Outcome   Success '),
        ("console-login-failure-us-east-1", '"Outcome   Failure Failed authentication"'),
        ("assume-role-access-denied", '"Outcome       AccessDenied User: arn:aws:iam::111111111111'),
        ("assume-role-caller-copy-global-endpoint", '"Outcome       arn:aws:sts::222222222222:assumed-role/'),
        ("switch-role-source-copy", '"Role      arn:aws:iam::222222222222:role/BreakGlassRole"'),
        ("kms-disable-key", f'"Target         {KEY_ID}"'),
        ("events-disable-rule", '"Target         capture-breakglass-user-sign-in breakglass"'),
        ("iam-attach-user-policy", '"Target         BreakglassUser arn:aws:iam::aws:policy/PowerUserAccess"'),
    ],
)
def test_the_deciding_line_is_plain(name, line):
    assert line in shown(name)
