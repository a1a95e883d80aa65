"""Every detection against the event corpus: what must ring rings, what must stay quiet does, and readably."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertpath.message import render
from alertpath.pattern import matches
from components.detections import (
    DETECTIONS,
    MAX_LINE_COLUMNS,
    MAX_PATTERN_CHARACTERS,
    Watched,
    message,
)

EVENTS = Path(__file__).parents[1] / "events"
EXPECTED = json.loads((EVENTS / "expected.json").read_text())
WATCHED = Watched(account_id="111111111111", user_names=["BreakglassUser"])
BY_ID = {detection.id: detection for detection in DETECTIONS}
RUNBOOK = "https://wiki.example.com/break-glass"


def event(path):
    return json.loads((EVENTS / path).read_text())


def ringing(event, watched=WATCHED):
    return {detection.id for detection in DETECTIONS if matches(detection.pattern(watched), event)}


def ours(name):
    return EXPECTED[name]["detection"] in BY_ID


ALERT = sorted(path.stem for path in (EVENTS / "alert").iterdir())
QUIET = sorted(path.stem for path in (EVENTS / "quiet").iterdir())


def test_the_corpus_is_whole():
    assert (len(ALERT), len(QUIET)) == (77, 25)
    assert set(ALERT) == set(EXPECTED)
    assert sum(ours(name) for name in ALERT) == 19


@pytest.mark.parametrize("name", [name for name in ALERT if ours(name)])
def test_what_must_be_heard_rings_in_its_detection(name):
    assert ringing(event(f"alert/{name}.json")) == {EXPECTED[name]["detection"]}


@pytest.mark.parametrize("name", QUIET)
def test_what_must_stay_quiet_does(name):
    assert ringing(event(f"quiet/{name}.json")) == set()


@pytest.mark.parametrize("name", [name for name in ALERT if ours(name)])
def test_the_same_holds_for_other_names_and_accounts(name):
    text = (EVENTS / f"alert/{name}.json").read_text()
    changed = json.loads(
        text.replace("BreakglassUser", "emergency.1").replace("111111111111", "444444444444")
    )
    renamed = Watched(account_id="444444444444", user_names=["someone", "emergency.1"])
    assert ringing(changed, renamed) == {EXPECTED[name]["detection"]}
    assert ringing(changed) == set()


@given(name=st.text(min_size=1, max_size=30).filter(lambda text: text != "BreakglassUser"))
def test_no_other_user_name_rings(name):
    other = event("alert/console-login-success-us-east-1.json")
    other["detail"]["userIdentity"]["userName"] = name
    assert ringing(other) == set()


def test_the_names_of_the_original_sample_stay():
    assert {detection.rule_name for detection in DETECTIONS} == {
        "capture-breakglass-user-sign-in",
        "capture-breakglass-user-switch-role",
        "capture-breakglass-user-assume-role",
    }


@pytest.mark.parametrize("detection", DETECTIONS, ids=BY_ID)
def test_patterns_of_thirty_five_long_names_stay_within_the_limit_or_are_known_not_to(detection):
    one = json.dumps(detection.pattern(WATCHED))
    assert len(one) <= MAX_PATTERN_CHARACTERS
    many = Watched(account_id="1" * 12, user_names=["u" * 40] * 35)
    assert len(json.dumps(detection.pattern(many))) <= MAX_PATTERN_CHARACTERS


@pytest.mark.parametrize("detection", DETECTIONS, ids=BY_ID)
@pytest.mark.parametrize("runbook_url", [None, RUNBOOK])
def test_templates_stay_within_eventbridge_s_limits(detection, runbook_url):
    text = message(detection, runbook_url=runbook_url)
    assert len(text.template) <= 8192
    assert len(text.input_paths) <= 100
    for line in text.template.splitlines():
        assert line[0] == line[-1] == '"'
        assert line.count('"') == 2
        assert len(line) - 2 <= MAX_LINE_COLUMNS


@pytest.mark.parametrize("name", [name for name in ALERT if ours(name)])
def test_the_message_says_who_where_when_and_from_which_address(name):
    heard = event(f"alert/{name}.json")
    text = message(BY_ID[EXPECTED[name]["detection"]], runbook_url=RUNBOOK)
    rendered = render(text.input_paths, text.template, heard)
    detail = heard["detail"]
    for value in (
        detail["userIdentity"]["userName"],
        detail["eventTime"],
        heard["account"],
        heard["region"],
        detail["sourceIPAddress"],
        detail["eventID"],
        RUNBOOK,
    ):
        assert value in rendered
    assert "EXAMPLE-SESSION-TOKEN" not in rendered
    assert "ASIA" not in rendered
    assert "<" not in rendered.replace(detail["userAgent"], "")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("console-login-success-us-east-1", '"Outcome     Success '),
        ("console-login-failure-us-east-1", '"Outcome     Failure Failed authentication"'),
        ("assume-role-access-denied", '"Outcome      AccessDenied User: arn:aws:iam::111111111111'),
        ("assume-role-caller-copy-global-endpoint", '"Outcome     arn:aws:sts::222222222222:assumed-role/'),
        ("switch-role-source-copy", '"Role        arn:aws:iam::222222222222:role/BreakGlassRole"'),
    ],
)
def test_the_outcome_is_plain(name, line):
    text = message(BY_ID[EXPECTED[name]["detection"]], runbook_url=None)
    assert line in render(text.input_paths, text.template, event(f"alert/{name}.json"))
