"""Projects and stacks to measure: their Regions, what a preview of them creates, both of them deployed."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from breakglass import naming
from breakglass.settings.constraints import REGIONS
from sandbox.run import ROOT, Sandbox

STACKS = ROOT / "tests" / "stacks"
"""The stack files that are measured."""


class Planned(NamedTuple):
    """An AWS resource that a preview would create: its type without the package, and its inputs."""

    kind: str
    inputs: dict[str, Any]


def some_regions(count: int) -> list[str]:
    """Return `count` Regions, at least those of hub and watchdog: without them the settings are refused."""
    needed = (naming.HOME_REGION, naming.WATCHDOG_REGION)
    return [*needed, *sorted(REGIONS.difference(needed))][:count]


def cover(sandbox: Sandbox, count: int) -> None:
    """Let the relay of the stack `mgmt` cover `count` Regions, in the mirror's settings."""
    file = sandbox.directory / "Pulumi.mgmt.yaml"
    content = yaml.safe_load(file.read_text())
    content["config"]["breakglass:relay"] = {"regions": some_regions(count)}
    file.write_text(yaml.safe_dump(content))


def preview_states(sandbox: Sandbox, stack: str) -> list[dict[str, Any]]:
    """Return what a preview of the stack would create, as the engine would write it into the state."""
    output = sandbox.output("pulumi", "preview", "--stack", stack, "--non-interactive", "--json")
    return [step["newState"] for step in json.loads(output)["steps"]]


def planned(sandbox: Sandbox, stack: str) -> list[Planned]:
    """Return the AWS resources that a preview of the stack would create."""
    return [
        Planned(state["type"].removeprefix("aws:"), state.get("inputs", {}))
        for state in preview_states(sandbox, stack)
        if state["type"].startswith("aws:")
    ]


def deploy(sandbox: Sandbox) -> None:
    """Deploy both stacks."""
    for stack in sandbox.accounts:
        sandbox.output("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--stack", stack)


def new_project(sandbox: Sandbox, name: str, stack: str) -> Path:
    """Make a project with one stack beside the mirror, with the same runtime; return its folder."""
    folder = sandbox.directory.with_name(name)
    folder.mkdir()
    settings = (sandbox.directory / "Pulumi.yaml").read_text().split("config:")[0]
    (folder / "Pulumi.yaml").write_text(settings.replace("name: breakglass", f"name: {name}"))
    (folder / ".venv").symlink_to(sandbox.directory / ".venv")
    sandbox.output("pulumi", "stack", "init", stack, "--cwd", str(folder))
    return folder
