"""`drill report`: what an auditor reads in it, and the files that it writes."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from drill import evidence, stacks
from drill.check.catalogue import CHECKS
from drill.evidence import Drill
from drill.options import Selection
from drill.report import content, provenance, report
from drill.report.provenance import Accepted, WeakPolicy
from tests.drill import deployed
from tests.drill.conftest import Broken
from tests.drill.report.report_samples import (
    BROKEN,
    CALLER,
    FIX,
    HUB,
    MEMBER,
    PAGES,
    READY,
    REGIONS,
    UNTOLD,
    Page,
    arrival,
    drill,
    rendered,
    results,
    sources,
    stack_states,
)

NONE = "\N{EN DASH}"


# --- What it says ---------------------------------------------------------------------------------


def test_everything_ready():
    page = Page(rendered(sources()))
    assert "✓ Ready: 6 of 6 checks" in page.text
    assert page.tone == "verdict good"
    assert page.section("Open findings") == "None: every check was answered, and every answer is “ready”."
    assert list(page._parts)[1:] == [
        "About this report",
        "Identity set-up",
        "Readiness",
        "Coverage",
        "Drills",
        "Open findings",
        "Accepted risks",
        "What this cannot show",
    ]


def test_the_head_says_who_what_when_and_by_which_version():
    about = Page(rendered(sources())).section("About this report")
    for part in (
        "2026-11-22 03:04:05 UTC",
        f"Account {HUB}, stack mgmt",
        f"Account {MEMBER}, stack member",
        f"by {CALLER}",
        f"breakglass 0.1.0, commit {'0123abcd' * 5}, changed",
        "python 3.11.9, boto3 1.44.5, pulumi 3.272.0, pulumi-aws 7.51.1",
    ):
        assert part in about


def test_a_caller_who_is_not_known_is_no_blank():
    unknown_caller = replace(sources().accounts[0], caller="", problem="the credentials have expired")
    page = Page(rendered(sources(accounts=[unknown_caller])))
    assert "? could not tell by whom: the credentials have expired" in page.section("About this report")


def test_what_is_not_ready_is_said_with_evidence_and_fix():
    page = Page(rendered(sources(*READY, UNTOLD, BROKEN)))
    assert "✕ Not ready: 1 of 8 checks failed, 1 could not be answered" in page.text
    assert page.tone == "verdict bad"
    assert (
        "✕ not ready The alarm is watched stack mgmt, 111111111111, alarms ✓ ready two are "
        f"✕ not ready one is off Fix: {FIX}"
    ) in page.section("Readiness")
    found = page.section("Open findings")
    assert found.startswith("✕ not ready The alarm is watched stack mgmt, alarms one is off Fix: ")
    assert found.endswith("? could not tell The relays are as meant stack member, relay "
                          "access denied to DescribeRule")  # fmt: skip


def test_what_could_not_be_told_is_never_called_fine():
    page = Page(rendered(sources(*READY, UNTOLD)))
    assert "? Could not tell: 1 of 7 checks could not be answered" in page.text
    assert page.tone == "verdict unproven"
    assert "Ready:" not in page.text


def test_no_check_at_all_is_no_good_news():
    page = Page(rendered(sources(checks=[])))
    assert "? Could not tell: nothing was checked" in page.text
    assert page.tone == "verdict unproven"
    assert "? could not tell Nothing was checked." in page.section("Open findings")
    assert "No check of users or role was made" in page.section("Identity set-up")


def test_the_checks_stand_by_subject_matter():
    found = Page(rendered(sources())).section("Readiness")
    places = [found.index(check.group) for check in CHECKS]
    assert places == sorted(places)
    identity = Page(rendered(sources())).section("Identity set-up")
    assert "✓ ready The users have MFA devices stack mgmt, 111111111111, user-mfa" in identity
    assert "BreakglassUser has 2 MFA devices" in identity
    assert "BreakGlassRole, for these users with MFA not older than 3600 s" in identity


def test_coverage_shows_every_region_and_names_what_is_not_covered():
    (hub, member) = stack_states()
    hub = replace(hub, enabled=[*REGIONS, "ap-east-1"], unread=["throttled at GetRole", "denied", "denied"])
    member = replace(member, enabled=None, enabled_problem="access denied to DescribeRegions")
    found = Page(rendered(sources(stack_states=[hub, member]))).section("Coverage")
    assert "166 of 166 scenarios end as they must" in found
    assert "? could not tell 2 resources could not be read and count as missing here: denied" in found
    assert "? could not tell 1 resource could not be read and counts as missing here: throttled" in found
    assert "meant for 3 Regions; 4 are enabled" in found
    assert "✕ not reported ap-east-1" in found
    assert "? could not tell which are enabled: access denied to DescribeRegions" in found
    heads = re.findall(r"Detection (\S+) (\S+) (\S+)", found)
    assert heads
    assert all(set(head) == set(REGIONS) for head in heads)
    assert found.count("✓ delivered") > 40


def test_an_excluded_region_is_named():
    (hub, _) = stack_states()
    relay = hub.stack.settings.relay
    assert relay is not None
    settings = replace(hub.stack.settings, relay=replace(relay, exclude_regions=("eu-north-1",)))
    found = sources(stack_states=[replace(hub, stack=replace(hub.stack, settings=settings))])
    assert "Excluded eu-north-1 on purpose" in Page(rendered(found)).section("Coverage")
    assert found.coverage.accounts[0].excluded == ["eu-north-1"]


def test_a_stack_alone_is_not_the_whole():
    alone = sources(stack_states=stack_states(REGIONS, "member"), judgements=[], checks=results(READY[2]))
    page = Page(rendered(alone))
    assert "Ready: 1 of 1 check; mgmt not checked" in page.text
    assert "? could not tell stack mgmt: not checked" in page.section("About this report")
    assert "? could not tell There is no hub bus in the checked accounts" in page.section("Coverage")


# --- Drills ---------------------------------------------------------------------------------------


def drills(*kept: Drill, **parts: Any) -> Page:
    return Page(rendered(sources(kept_drills=list(kept), **parts)))


def bars(page: Page) -> list[str | None]:
    """The width of each bar in the table of the last full drill."""
    return [attributes["width"] for tag, attributes in page.tags if tag == "rect"]


def test_no_drill_is_no_empty_picture():
    page = drills()
    assert "? could not tell No drill is kept in this folder." in page.section("Drills")
    assert not bars(page)


def test_one_quiet_drill_does_not_show_that_people_are_told():
    page = drills(drill(3, quiet=True))
    found = page.section("Drills")
    assert "1 drill is kept in this folder, 0 of them loud" in found
    assert f"✓ 6 of 6 {NONE} 2.0 s quiet: audit log only quarterly drill" in found
    assert "? could not tell No loud drill is kept in this folder" in found
    assert f"topic never tried {NONE} {NONE} {NONE}" in found
    assert not bars(page)


def test_the_last_drills_are_listed_and_their_numbers_told():
    kept = [drill(number) for number in range(15)]
    kept[0] = drill(0, arrivals=[arrival(topic=seconds / 10) for seconds in range(1, 101)])
    page = drills(*kept)
    found = page.section("Drills")
    assert "15 drills are kept in this folder, 15 of them loud. The last 12 are listed." in found
    assert f"✓ 100 of 100 {NONE} 10.0 s loud: people were notified quarterly drill {CALLER}" in found
    assert f"{11:08x}" in found
    assert f"{12:08x}" not in found
    assert "topic 184 of 184 3.5 s 9.1 s 10.0 s" in found


def test_the_picture_has_a_bar_for_each_region_and_leg():
    page = drills(drill(1))
    slow, middle, fast = "100.0%", "85.7%", "57.1%"
    assert bars(page) == [fast, slow, middle] * len(REGIONS)
    numbers = f"2.0 s 3.5 s 3.0 s {NONE}"
    assert f"eu-west-1 {numbers} us-east-1 {numbers}" in page.section("Drills")


def test_a_bar_is_of_the_slowest_account():
    arrivals = [arrival(HUB, topic=1.0), arrival(MEMBER, topic=8.0)]
    page = drills(drill(1, arrivals=arrivals))
    assert bars(page) == ["25.0%", "100.0%", "37.5%"]
    assert "2.0 s 1.0 to 8.0 s 3.0 s" in page.section("Drills")


def test_a_silent_region_is_shown_as_such():
    silent = [
        arrival(HUB, "eu-west-1"),
        arrival(MEMBER, "eu-west-1", topic=None, watchdog=9.0),
        *(
            arrival(account, "us-east-1", audit_log=None, topic=None, watchdog=None)
            for account in (HUB, MEMBER)
        ),
    ]
    found = drills(drill(1, arrivals=silent)).section("Drills")
    assert "✕ 1 of 4" in found
    assert "topic: 222222222222 eu-west-1 " in found
    assert "audit log, topic, watchdog topic: 111111111111 us-east-1; 222222222222 us-east-1 " in found
    assert "✕ silent From 2 Regions something did not arrive in time" in found
    assert "✕ silent in 1 of 2 accounts: topic" in found
    assert "✕ silent in 2 of 2 accounts" in found
    assert "audit log 2 of 4 2.0 s 2.0 s 2.0 s" in found


def test_what_could_not_be_sent_says_why():
    failed = arrival(audit_log=None, topic=None, watchdog=None, error="access denied to PutEvents")
    found = drills(drill(1, arrivals=[failed])).section("Drills")
    assert "✕ not sent" in found
    assert "audit log, topic, watchdog topic: 111111111111 eu-west-1 (access denied to PutEvents)" in found


def test_a_drill_of_one_region_does_not_pass_for_a_full_one():
    part = drill(1, arrivals=[arrival()])
    found = drills(part, drill(5)).section("Drills")
    assert "The last full loud drill, 2026-11-17" in found
    found = drills(part).section("Drills")
    assert "The last loud drill, 2026-11-21" in found
    assert "? could not tell It was not full: no event was sent from 5 places" in found
    assert "? not in this drill" in found


def test_a_drill_that_sent_nothing_is_no_success():
    assert "? 0 of 0" in drills(drill(1, arrivals=[])).section("Drills")


# --- Accepted risks -------------------------------------------------------------------------------


def test_what_the_pack_accepts_is_listed():
    found = Page(rendered(sources())).section("Accepted risks")
    assert found.count("arn:aws:iam::aws:policy/IAMFullAccess on breakglass:index:BreakGlassRole") == 1
    assert "listed under iam-full-access" in found
    assert "Every configured policy stops a deployment" in found


def test_a_configuration_that_cannot_be_used_is_not_taken_for_none(tmp_path):
    file = tmp_path / "config.json"
    for text in ("{", "[]", None):
        file.write_text(text) if text else file.unlink()
        assert len(provenance.accepted(file).problems) == 1
    file.write_text('{"one": "disabled", "two": {"accepted": [{"policy": "p"}]}, "all": 3}')
    found = provenance.accepted(file)
    assert found.risks == []
    assert found.weak == [WeakPolicy(level="disabled", rule="one")]
    assert [problem.split(":")[1] for problem in found.problems] == [" two", " all"]
    text = Page(rendered(sources(accepted=found))).section("Accepted risks")
    assert "? could not tell config.json: two: not in the form" in text
    assert "No risk is accepted" not in text


def test_no_accepted_risk_is_said():
    text = Page(rendered(sources(accepted=Accepted()))).text
    assert "No risk is accepted." in text
    assert "Every configured policy stops a deployment." in text


# --- The files ------------------------------------------------------------------------------------


NAMES = """
    absent accepted account accounts arrivals arrived at attachedTo auditLog breakglass caller
    changed check checks commands commit components coverage detections drills enabled
    enabledProblem error excluded findings fix format group id identity kept lastFull latencies leg
    level limits loud made maxSessionDuration meant median mfaEnrolment mfaMaxAge missing notEnabled
    notLookedAt openFindings p95 packages policy problem problems python quiet reason region risks
    role roleBoundary rolePolicies rule rules scenarios sent shown slowest stack stacks started state
    text title topic uncovered unread users usersHere usersOf verdict versions watchdog weak who why wrong
"""


def names(value: Any) -> set[str]:
    """All keys in a JSON value, without those that are names of detections, Regions and packages."""
    if isinstance(value, list):
        return set[str]().union(*map(names, value))
    if not isinstance(value, dict):
        return set()
    below = (names(part) for key, part in value.items() if key not in ("detections", "packages"))
    return set[str](value).union(*below)


@pytest.mark.parametrize("name", PAGES)
def test_the_json_comes_back_as_it_was(tmp_path, name):
    told = PAGES[name]()
    page, data = report.write(tmp_path, told)
    assert (page.name, data.name) == ("report-20261122T030405Z.html", "report-20261122T030405Z.json")
    text = data.read_text("ascii")
    kept = json.loads(text)
    assert kept == content.as_json(told)
    assert "\x1b" not in text
    assert kept["format"] == 1
    assert kept["verdict"]["text"] in Page(page.read_text("utf-8")).text
    assert list(kept) == sorted(kept)
    assert names(kept) <= set(NAMES.split())


def test_evidence_is_never_overwritten(tmp_path):
    told = sources()
    page, _ = report.write(tmp_path, told)
    page.write_text("evidence")
    with pytest.raises(evidence.UnusableEvidence, match="File exists"):
        report.write(tmp_path, told)
    assert page.read_text() == "evidence"


APP = typer.Typer()
APP.command()(report.report)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the command asked of AWS: nothing goes there, the answers are `sources()`."""
    calls: list[str] = []

    def select(stack: str, *_: Any) -> str:
        calls.append(stack)
        return stack

    monkeypatch.setattr(report, "select", select)
    monkeypatch.setattr(report, "gather", lambda _selection, kept, _folder: sources(kept_drills=kept))
    return calls


def test_the_command_writes_both_files_and_says_where(tmp_path, asked):
    folder = tmp_path / "new" / "evidence"
    evidence.save(folder, drill(1))
    done = CliRunner().invoke(APP, ["--evidence", str(folder)])
    assert done.exit_code == 0, done.output
    page, data, verdict = done.stdout.splitlines()
    assert verdict == "Ready: 6 of 6 checks"
    assert sorted(file.name for file in folder.iterdir() if "report" in file.name) == [
        Path(page).name, Path(data).name
    ]  # fmt: skip
    assert json.loads(Path(data).read_text())["drills"]["kept"] == 1


@pytest.mark.parametrize(("answers", "code"), [((BROKEN, UNTOLD), 1), ((UNTOLD,), 2), ((), 0)])
def test_the_exit_code_is_that_of_the_check(tmp_path, monkeypatch, asked, answers, code):
    monkeypatch.setattr(report, "gather", lambda *_: sources(*READY, *answers))
    done = CliRunner().invoke(APP, ["--evidence", str(tmp_path)])
    assert done.exit_code == code
    assert len(list(tmp_path.glob("report-*"))) == 2


def test_a_folder_that_cannot_be_written_is_refused_before_aws_is_asked(tmp_path, asked):
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(APP, ["--evidence", str(tmp_path / "file" / "folder")])
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
    assert asked == []


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"arrivals": 1}', '{"arrivals": [], "started": 3}', "\xff"]
)
def test_an_odd_file_is_named_before_aws_is_asked(tmp_path, asked, text):
    (tmp_path / "drill-x.json").write_text(text, "latin-1")
    done = CliRunner().invoke(APP, ["--evidence", str(tmp_path)])
    assert done.exit_code == 2
    assert f"{tmp_path / 'drill-x.json'}: not a drill's evidence" in done.stderr
    assert asked == []
    assert [file.name for file in tmp_path.iterdir()] == ["drill-x.json"]


def test_the_folder_does_not_count_as_a_change_of_the_program():
    inside = provenance.versions(provenance.PROJECT / "evidence")
    assert inside.packages.keys() == {"boto3", "pulumi", "pulumi-aws"}
    assert inside.breakglass == "0.1.0"
    assert provenance._without(provenance.PROJECT / "evidence") == [":(exclude,literal)evidence"]
    assert provenance._without(provenance.PROJECT) == provenance._without(provenance.PROJECT.parent) == []


def test_a_folder_that_is_no_clone_has_no_commit(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "PROJECT", tmp_path)
    found = provenance.versions(tmp_path)
    assert (found.commit, found.changed) == (None, None)
    about = Page(rendered(sources(versions=found))).section("About this report")
    assert "no git commit known" in about


def test_through_the_emulated_aws(aws: str, broken: Broken, tmp_path: Path) -> None:
    everything = stacks.load()
    accounts = [deployed.account(stack.account_id, aws) for stack in everything]
    chosen = Selection(stacks=everything, accounts=accounts, only=[stack.name for stack in everything])
    told = report.gather(chosen, [drill(1)], tmp_path)
    page, _ = report.write(tmp_path, told)
    text = page.read_text("utf-8")
    assert told.coverage.scenarios > 90
    assert {one.account for one in told.accounts} == {HUB, MEMBER}
    assert all(one.caller.startswith("arn:aws:") for one in told.accounts)
    assert {result.check for result in told.checks} == {"stacks", *(check.id for check in CHECKS)}
    assert "example.com" not in text


def test_the_boundary_of_the_role_is_told():
    assert "without a permissions boundary" in Page(rendered(sources())).section("Identity set-up")
    bounded = []
    for one in sources().stack_states:
        settings = one.stack.settings
        role = replace(settings.role, permissions_boundary_arn="arn:aws:iam::aws:policy/B")
        bounded.append(replace(one, stack=replace(one.stack, settings=replace(settings, role=role))))
    text = Page(rendered(sources(stack_states=bounded))).section("Identity set-up")
    assert "within the boundary arn:aws:iam::aws:policy/B" in text
