"""`python -m drill stacks`: the stacks of the project, for people and for workflows."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drill import stacks
from drill.__main__ import app
from tests.program import STACKS


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in STACKS.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(stacks, "PROJECT", tmp_path)
    return tmp_path


def test_the_hub_comes_first_and_unusable_files_are_named(project: Path) -> None:
    (project / "Pulumi.a.yaml").write_text("config: {")
    (project / "Pulumi.old.yaml").write_text("")
    result = CliRunner().invoke(app, ["stacks", "--json"])
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout) == [
        {
            "stack": "mgmt",
            "account": "111111111111",
            "components": ["user", "role", "alerts", "watchdog", "relay"],
            "hub": True,
        },
        {"stack": "member", "account": "222222222222", "components": ["role", "relay"], "hub": False},
    ]
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == [
        "skipped Pulumi.a.yaml",
        "skipped Pulumi.old.yaml",
    ]


def test_for_people_it_is_a_table(project: Path) -> None:
    result = CliRunner().invoke(app, ["stacks"])
    assert result.exit_code == 0
    assert [line.split("│")[1].strip() for line in result.stdout.splitlines() if "│" in line] == [
        "mgmt",
        "member",
    ]


def test_what_does_not_go_together_is_said(project: Path) -> None:
    file = project / "Pulumi.member.yaml"
    file.write_text(file.read_text().replace("name: BreakGlassRole", "name: Emergency"))
    result = CliRunner().invoke(app, ["stacks"])
    assert result.exit_code == 1
    assert "stack member: breakglass:role.name: found 'Emergency'" in result.stderr
