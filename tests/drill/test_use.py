"""The way in: what it prints is what AWS takes, and it asks nobody."""

import configparser
import re
import shutil
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest
import typer
from typer.testing import CliRunner

from breakglass.settings import reading
from drill import stacks, use
from drill.stacks import Stack
from tests.program import STACKS

HUB, MEMBER = "111111111111", "222222222222"

app = typer.Typer()
app.command()(use.use)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection, and no stack but those that are committed."""

    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", refused)


def changed(block: str, **values: object) -> list[Stack]:
    """Return the stacks with other values in a block of the hub's configuration."""
    hub, *others = stacks.load()
    config = {**hub.config, block: {**hub.config[block], **values}}
    return [replace(hub, config=config, settings=reading.parse(config)), *others]


def page(known: list[Stack], user: str = "BreakglassUser") -> str:
    return use.way_in(known, user)


def test_the_page_has_all_that_is_needed_to_get_in() -> None:
    result = CliRunner().invoke(app)
    assert result.exit_code == 0
    assert f"https://{HUB}.signin.aws.amazon.com/console" in result.output
    assert "as BreakglassUser" in result.output
    assert "within 60 min of the sign-in with MFA; a session lasts 60 min at most" in result.output
    assert "aws login --profile breakglass-login-BreakglassUser" in result.output
    assert "aws sts get-caller-identity --profile breakglass-member" in result.output
    text = [line for line in result.output.splitlines() if "https://" not in line]
    assert max(map(len, text)) <= 80


def test_every_link_asks_for_the_role_of_its_account() -> None:
    links = [urlsplit(link) for link in re.findall(r"https://\S+switchrole\S+", page(stacks.load()))]
    assert [link.netloc for link in links] == ["signin.aws.amazon.com"] * 2
    assert [parse_qs(link.query) for link in links] == [
        {"account": [HUB], "roleName": ["BreakGlassRole"], "displayName": ["breakglass-mgmt"]},
        {"account": [MEMBER], "roleName": ["BreakGlassRole"], "displayName": ["breakglass-member"]},
    ]


def test_what_a_name_may_hold_is_escaped_in_links() -> None:
    known = changed("role", name="Break+Glass=Role")
    assert use.targets(known)[0].link.startswith(
        "https://signin.aws.amazon.com/switchrole?account=111111111111&roleName=Break%2BGlass%3DRole&"
    )


def test_members_without_a_stack_here_are_listed_with_the_limits_of_the_hub() -> None:
    known = changed("alerts", memberAccountIds=[MEMBER, "333333333333"])
    assert [target.name for target in use.targets(known)] == ["mgmt", "member", "333333333333"]
    assert "account 333333333333, role BreakGlassRole (no stack here" in page(known)
    assert "role_arn = arn:aws:iam::333333333333:role/BreakGlassRole" in use.aws_config(
        known, "BreakglassUser"
    )


def test_accounts_that_the_users_may_not_enter_are_left_out() -> None:
    known = changed("user", accountIds=[MEMBER])
    assert [target.name for target in use.targets(known)] == ["member"]
    assert "user.accountIds" in page(known)


def test_limits_are_those_of_each_account() -> None:
    known = changed("role", mfaMaxAge=90, maxSessionDuration=7200)
    assert "within 90 s of the sign-in with MFA; a session lasts 120 min at most" in page(known)
    assert "within 60 min of the sign-in with MFA; a session lasts 60 min at most" in page(known)


def test_the_configuration_is_what_botocore_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config"
    file.write_text(CliRunner().invoke(app, ["--config"]).stdout)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    login = "breakglass-login-BreakglassUser"
    assert botocore.session.Session().full_config["profiles"] == {
        login: {"login_session": f"arn:aws:iam::{HUB}:user/BreakglassUser", "region": "us-east-1"},
        **{
            f"breakglass-{name}": {
                "role_arn": f"arn:aws:iam::{account}:role/BreakGlassRole",
                "source_profile": login,
                "role_session_name": "BreakglassUser",
                "duration_seconds": "3600",
                "region": "us-east-1",
            }
            for name, account in (("mgmt", HUB), ("member", MEMBER))
        },
    }


def test_the_configuration_can_be_appended_to_a_file() -> None:
    text = CliRunner().invoke(app, ["--config"]).stdout
    parser = configparser.RawConfigParser()
    parser.read_string("[default]\nregion = eu-west-1" + text)  # as `>>` leaves it, without a last newline
    assert parser["default"]["region"] == "eu-west-1"
    assert len(parser.sections()) == 4


def test_each_user_has_a_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    known = changed("user", names=["BreakglassUser", "Second"])
    monkeypatch.setattr(stacks, "load", lambda **_: known)
    result = CliRunner().invoke(app, ["--user", "Second"])
    assert "   as Second" in result.output
    assert "(or as BreakglassUser: python -m drill use --user BreakglassUser)" in result.output
    assert "aws login --profile breakglass-login-Second" in result.output
    result = CliRunner().invoke(app, ["--user", "Third"])
    assert result.exit_code == 2
    assert "must be one of BreakglassUser, Second" in " ".join(result.output.replace("│", " ").split())


def test_a_project_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    load = stacks.load
    monkeypatch.setattr(stacks, "load", lambda **needed: load(tmp_path, **needed))
    result = CliRunner().invoke(app)
    assert result.exit_code == 2
    assert "Pulumi.<stack>.yaml" in result.output


def test_two_hubs_are_said_and_the_way_in_by_each_is_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = (STACKS / "Pulumi.mgmt.yaml").read_text()
    (tmp_path / "Pulumi.mgmt.yaml").write_text(text)
    (tmp_path / "Pulumi.new.yaml").write_text(text.replace("111111111111", "333333333333"))
    load = stacks.load
    monkeypatch.setattr(stacks, "load", lambda **needed: load(tmp_path, **needed))
    result = CliRunner().invoke(app)
    assert result.exit_code == 0
    assert result.stderr == (
        "drill: found 2 stacks with `alerts`, must be one: mgmt (111111111111), new (333333333333)\n"
    )
    for account in ("111111111111", "333333333333"):
        assert f"https://{account}.signin.aws.amazon.com" in result.stdout


def test_the_way_in_needs_the_hubs_file_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copy(STACKS / "Pulumi.mgmt.yaml", tmp_path)
    (tmp_path / "Pulumi.member.yaml").write_bytes("config: {é".encode("latin-1"))
    load = stacks.load
    monkeypatch.setattr(stacks, "load", lambda **needed: load(tmp_path, **needed))
    result = CliRunner().invoke(app)
    assert result.exit_code == 0
    assert result.stderr.startswith("skipped Pulumi.member.yaml: cannot be read as YAML in UTF-8: ")
    assert f"account {MEMBER}, role BreakGlassRole (no stack here" in result.stdout
