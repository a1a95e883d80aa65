"""The generated page on detections: as fresh as the code, and true of the events that it shows."""

import pytest

from alertpath.pattern import matches
from components.detections import DETECTIONS
from docs import build

HUB = build.committed_settings("mgmt")
NOTIFYING = [detection for detection in DETECTIONS if detection.action == "notify"]


def test_the_committed_page_is_what_the_code_makes():
    assert build.PAGE.read_text() == build.build(), "docs/detections.md is stale: run `make docs`"


@pytest.mark.parametrize("detection", NOTIFYING, ids=lambda detection: detection.id)
def test_the_sample_is_an_event_of_its_detection(detection):
    event = build.sample(detection)
    if detection.id == "key-change":
        key = event["detail"]["resources"][0]["ARN"].rsplit("/", 1)[-1]
        event["detail"]["resources"][0]["ARN"] = event["detail"]["resources"][0]["ARN"].replace(
            key, build.PLACEHOLDER
        )
    assert any(matches(pattern, event) for pattern in build.detection_patterns(detection, HUB))


def test_every_sample_belongs_to_a_detection_that_notifies():
    assert {*build.SAMPLES, *build.OWN_SAMPLES} == {detection.id for detection in NOTIFYING}
    assert not {*build.SAMPLES} & {*build.OWN_SAMPLES}


def test_the_page_shows_no_session_token():
    assert "EXAMPLE-SESSION-TOKEN" not in build.build()
