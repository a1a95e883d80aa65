"""The generated pages: as fresh as the code, and that on detections true of the events that it shows."""

import re

import pytest

from alertpath.eventbridge.pattern import matches
from breakglass.detections.catalogue import DETECTIONS
from docs import build, build_detections, build_policies

HUB = build_detections.sample_settings("mgmt")
NOTIFYING = [detection for detection in DETECTIONS if detection.action == "notify"]


@pytest.mark.parametrize("name", build.PAGES)
def test_the_committed_page_is_what_the_code_makes(name):
    assert build.page(name).read_text() == build.PAGES[name](), f"{name} is stale: run `make docs`"


@pytest.mark.parametrize("detection", NOTIFYING, ids=lambda detection: detection.id)
def test_the_sample_is_an_event_of_its_detection(detection):
    event = build_detections.sample(detection)
    if detection.id == "key-change":
        key = event["detail"]["resources"][0]["ARN"].rsplit("/", 1)[-1]
        event["detail"]["resources"][0]["ARN"] = event["detail"]["resources"][0]["ARN"].replace(
            key, build_detections.PLACEHOLDER
        )
    assert any(matches(pattern, event) for pattern in build_detections.detection_patterns(detection, HUB))


def test_every_sample_belongs_to_a_detection_that_notifies():
    samples = {detection.id for detection in DETECTIONS if detection.sample}
    own = {*build_detections.OWN_SAMPLES}
    assert samples | own == {detection.id for detection in NOTIFYING}
    assert not samples & own


def test_the_page_shows_no_session_token():
    assert "EXAMPLE-SESSION-TOKEN" not in build_detections.build()


def test_no_placeholder_is_lost_as_an_html_tag():
    prose = re.sub(r"`[^`]*`", "", build_policies.build())
    assert "\\<account>" in prose
    assert re.findall(r"(?<!\\)<(?!!--|https://)", prose) == []
