"""The stacks of the project, read without the engine, and what the program renders for them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from alertpath.model import UNKNOWN
from drill import stacks
from drill.check import rendered
from drill.options import select
from drill.stacks import UnreadableStack, load
from tests import program
from tests.program import STACKS

SECURE = {"secure": "v1:bm9uY2U=:c29tZXRoaW5n"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("mgmt", "member"):
        shutil.copy(STACKS / f"Pulumi.{name}.yaml", tmp_path)
    return tmp_path


def change(project: Path, stack: str, **values: Any) -> None:
    file = project / f"Pulumi.{stack}.yaml"
    content = yaml.safe_load(file.read_text())
    content["config"] |= {f"breakglass:{key}": value for key, value in values.items()}
    file.write_text(yaml.safe_dump(content))


def test_the_hub_comes_first(project: Path) -> None:
    assert [(stack.name, stack.account_id) for stack in load(project)] == [
        ("mgmt", "111111111111"),
        ("member", "222222222222"),
    ]


def test_problems_are_listed_with_their_file(project: Path) -> None:
    change(project, "member", accountId="12", role={"name": "BreakGlassRole", "nme": 1})
    with pytest.raises(UnreadableStack) as error:
        load(project)
    assert str(error.value).startswith("Pulumi.member.yaml: 2 problems:\n  breakglass:accountId: found '12'")


ODD = ["config: 3", "- 1", "config: {breakglass:accountId", "\0", "3", 
       "[" * 5000, "config: {aws:x: !!bool x}", "x: &a {<<: *b}"]  # fmt: skip


@pytest.mark.parametrize(
    "content", [*map(str.encode, ODD), "# é".encode("latin-1"), "config:".encode("utf-16")]
)
def test_an_odd_file_is_named_in_one_line(
    project: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "Pulumi.member.yaml").write_bytes(content)
    with pytest.raises(UnreadableStack, match=r"^Pulumi\.member\.yaml: .+$"):
        load(project)
    assert [stack.name for stack in load(project, needed=["mgmt"])] == ["mgmt"]
    assert capsys.readouterr().err.startswith("skipped Pulumi.member.yaml: ")


def test_a_name_that_no_stack_can_have_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(project / "Pulumi.member.yaml", project / "Pulumi.member copy.yaml")
    assert [stack.name for stack in load(project)] == ["mgmt", "member"]
    said = "skipped 'Pulumi.member copy.yaml': 'member copy' is no name of a stack, must be 1 to 100 letters"
    assert capsys.readouterr().err.startswith(said)


@pytest.mark.parametrize("text", ["", "config:", "encryptionsalt: v1:x", "config: {aws:region: x}"])
def test_a_file_without_settings_is_no_stack_of_ours(
    project: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "Pulumi.old.yaml").write_text(text)
    assert [stack.name for stack in load(project)] == ["mgmt", "member"]
    assert capsys.readouterr().err == "skipped Pulumi.old.yaml: has no key that begins with breakglass:\n"


def test_the_hub_is_always_needed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "Pulumi.mgmt.yaml").write_text("config: [")
    with pytest.raises(UnreadableStack, match="found 0 stacks with `alerts`"):
        load(project, needed=())
    assert "skipped Pulumi.mgmt.yaml: " in capsys.readouterr().err


def test_the_name_of_a_stack_may_hold_a_dot(project: Path) -> None:
    (project / "Pulumi.member.yaml").rename(project / "Pulumi.eu.member.yaml")
    assert [stack.name for stack in load(project)] == ["mgmt", "eu.member"]


@pytest.mark.parametrize(
    "listed", [5, True, "x", {"a": 1}, [{"protocol": ["email"], "endpoint": SECURE}], [{"endpoint": SECURE}]]
)
def test_odd_recipients_are_a_problem_of_their_file(project: Path, listed: Any) -> None:
    change(
        project,
        "mgmt",
        alerts={"subscriptions": listed},
        watchdog={"region": "us-west-2", "subscriptions": listed},
    )
    with pytest.raises(UnreadableStack, match=r"^Pulumi\.mgmt\.yaml: .*problem"):
        load(project)


def test_an_account_has_one_stack(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(project, "member", accountId="111111111111")
    monkeypatch.setattr(stacks, "load", lambda **needed: load(project, **needed))
    with pytest.raises(Exception, match="stacks mgmt and member both have accountId 111111111111"):
        select("all", None, None)
    assert select(None, None, None).only == []


def test_a_folder_without_stacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreadableStack, match=r"no Pulumi\.<stack>\.yaml here"):
        load(tmp_path)


def test_there_must_be_one_hub(project: Path) -> None:
    (project / "Pulumi.mgmt.yaml").unlink()
    with pytest.raises(UnreadableStack, match="found 0 stacks with `alerts`"):
        load(project)


def test_encrypted_endpoints_are_unknown_and_nothing_else_is(project: Path) -> None:
    change(
        project,
        "mgmt",
        alerts={
            "subscriptions": [
                {"protocol": "https", "endpoint": SECURE},
                {"protocol": "email", "endpoint": SECURE},
            ],
            "memberAccountIds": ["222222222222"],
        },
        watchdog={"region": "us-west-2", "subscriptions": [{"protocol": "sms", "endpoint": SECURE}]},
    )
    mgmt, _ = load(project)
    resources = rendered.render(mgmt, enabled_regions=["us-east-1"], key={})
    found = [
        (one["protocol"], one["endpoint"]) for one in resources if one.type.endswith(":TopicSubscription")
    ]
    # At both topics for alarms, and each at its own place.
    people = [(protocol, endpoint) for protocol, endpoint in found if protocol != "sqs"]
    assert sorted(people) == sorted(3 * [("email", UNKNOWN), ("https", UNKNOWN), ("sms", UNKNOWN)])


def test_what_is_rendered_is_what_the_engine_would_get(deploy: Any) -> None:
    for stack in load():
        registered = deploy(stack.name, enabled_regions=program.ENABLED_REGIONS)
        expected = {(one.type, one.name): one.inputs for one in registered if one.type.startswith("aws:")}
        key = {"keyId": program.KEY_ID, "arn": program.KEY_ARN}
        found = rendered.render(stack, enabled_regions=program.ENABLED_REGIONS, key=key)
        assert {(one.type, one.urn) for one in found} == expected.keys()
        for one in found:
            inputs = {
                name: value for name, value in expected[one.type, one.urn].items() if name != "queueUrl"
            }
            assert {name: one[name] for name in inputs} == inputs


def test_what_only_aws_knows_is_unknown() -> None:
    mgmt, _ = load()
    resources = rendered.render(mgmt, enabled_regions=["us-east-1"], key={})
    unknown = {
        (one.type.rsplit(":", 1)[-1], name)
        for one in resources
        for name in one.properties
        if one[name] == UNKNOWN
    }
    assert unknown == {("Alias", "targetKeyId"), ("Topic", "kmsMasterKeyId"), ("EventRule", "eventPattern")}


@pytest.mark.parametrize(
    ("stack", "profile", "said"),
    [
        ("prod", [], "--stack prod: must be one of mgmt, member, all"),
        ("all", ["boss"], "--profile boss: must be STACK=NAME"),
        ("all", ["prod=boss"], "--profile prod=boss: must be STACK=NAME, where STACK is one of mgmt, member"),
        ("all", ["mgmt="], "--profile mgmt=: must be STACK=NAME"),
    ],
)
def test_options_that_mean_nothing_are_refused(stack: str, profile: list[str], said: str) -> None:
    with pytest.raises(Exception, match=said.replace("?", r"\?")):
        select(stack, profile, None)
