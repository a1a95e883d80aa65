"""Which Region is silent: the heartbeats of the last hours, by account and Region, at hub and watchdog."""

from datetime import timedelta
from typing import Any

import pytest

from drill.check.probes import heartbeats
from drill.check.runner import answer
from sandbox import schedules
from sandbox.cloud import emulation
from tests.drill import deployed
from tests.drill.check.test_drills import PLACES, line
from tests.drill.conftest import Broken, Look, states

HUB, MEMBER = "111111111111", "222222222222"
both_places = pytest.mark.parametrize(
    "probe", [heartbeats.at_hub, heartbeats.at_watchdog], ids=["hub", "watchdog"]
)


def _beat(place: tuple[str, str]) -> dict[str, Any]:
    return line("", place, days=0.1, source="aws.events")


def _days_old(broken: Broken) -> None:
    def older(answer: dict[str, Any]) -> None:
        answer["CreationDate"] -= timedelta(days=2)

    broken.answer("GetSchedule", older)


def _heard(broken: Broken, *places: tuple[str, str]) -> None:
    broken.answer("FilterLogEvents", lambda found: found.update(events=[_beat(place) for place in places]))


@both_places
def test_all_are_heard(look: Look, broken: Broken, probe: Any) -> None:
    _heard(broken, *PLACES)
    (hub,) = look("mgmt")
    (finding,) = answer(probe, hub)
    assert (finding.state.value, finding.text) == ("ready", "heartbeats of all 6 relays in the last 4 hours")


@both_places
def test_the_silent_ones_are_named_with_their_fix(look: Look, broken: Broken, probe: Any) -> None:
    _days_old(broken)
    _heard(broken, *PLACES[:4])
    hub, _ = look("mgmt", "member")
    (finding,) = answer(probe, hub)
    assert (finding.state.value, finding.text) == (
        "not ready",
        f"no heartbeat in the last 4 hours from {MEMBER}: us-east-1, us-west-2",
    )
    assert finding.commands == ("python -m drill check --stack member",)
    assert finding.fix == "see what the rows of its relays and its trail say"


@both_places
def test_a_schedule_too_young_to_have_fired_is_no_failure(look: Look, broken: Broken, probe: Any) -> None:
    _heard(broken, *PLACES[:4])
    hub, _ = look("mgmt", "member")
    (finding,) = answer(probe, hub)
    assert (finding.state.value, finding.text) == (
        "could not tell",
        f"no heartbeat yet from {MEMBER}: us-east-1, us-west-2: the first comes within the hour",
    )


@both_places
def test_where_nobody_looks_a_relay_is_as_young_as_the_hub(look: Look, broken: Broken, probe: Any) -> None:
    _heard(broken, PLACES[0])
    (hub,) = look("mgmt")
    findings = answer(probe, hub)
    assert states(findings) == ["could not tell", "could not tell"]
    assert [HUB in findings[0].text, MEMBER in findings[1].text] == [True, True]


@both_places
def test_where_nobody_looks_and_the_hub_is_old_silence_is_silence(
    look: Look, broken: Broken, probe: Any
) -> None:
    _days_old(broken)
    _heard(broken, *PLACES[:3])
    (hub,) = look("mgmt")
    (finding,) = answer(probe, hub)
    assert finding.state.value == "not ready"
    assert MEMBER in finding.text


@both_places
def test_a_log_that_cannot_be_read_is_no_answer(look: Look, broken: Broken, probe: Any) -> None:
    broken.refuse("FilterLogEvents", "AccessDeniedException")
    (hub,) = look("mgmt")
    assert states(answer(probe, hub)) == ["could not tell"]


@both_places
def test_real_heartbeats_are_heard(look: Look, aws: str, probe: Any) -> None:
    for account_id in (HUB, MEMBER):
        account = emulation.signed_in(account_id, aws)
        assert schedules.fire(account, lambda one: emulation.signed_in(one, aws)) == len(deployed.REGIONS)
    (hub,) = look("mgmt")
    for _ in range(100):
        if states(answer(probe, hub)) == ["ready"]:
            return
    raise AssertionError(answer(probe, hub))
