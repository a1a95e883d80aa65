"""`python -m drill` itself: help, version, and what is said where a package is missing."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from breakglass import VERSION
from drill.__main__ import app

ROOT = Path(__file__).parents[2]
COMMANDS = sorted(str(command.name) for command in app.registered_commands)


def test_the_version_is_that_of_the_project() -> None:
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"{VERSION}\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_by_its_short_name(command: str) -> None:
    result = CliRunner().invoke(app, [command, "-h"])
    assert result.exit_code == 0
    assert "Usage: " in result.stdout


@pytest.mark.parametrize("command", ["use", "check"])
def test_a_missing_package_is_named_in_one_line(command: str) -> None:
    started = [sys.executable, "-S", "-m", "drill", command]  # -S: without installed packages
    ended = subprocess.run(started, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "drill: typer is not installed: `make setup`, then `. .venv/bin/activate`\n"
