"""A stack in the sandbox: with how many Regions, and which resources a preview of it would create."""

import json
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import yaml

from breakglass import naming
from breakglass.settings.reading import REGIONS
from sandbox.run import Sandbox


class Planned(NamedTuple):
    """An AWS resource that a preview would create: its type without the package, and its inputs."""

    kind: str
    inputs: dict[str, Any]


def some_regions(count: int) -> list[str]:
    """Return `count` Regions, the home Region first: without it the settings are refused."""
    return [naming.HOME_REGION, *sorted(REGIONS - {naming.HOME_REGION})][:count]


def cover(sandbox: Sandbox, stack: str, regions: Sequence[str]) -> None:
    """Let the stack's relay cover exactly these Regions, in the mirror's settings."""
    file = sandbox.directory / f"Pulumi.{stack}.yaml"
    content = yaml.safe_load(file.read_text())
    content["config"]["breakglass:relay"] = {"regions": list(regions)}
    file.write_text(yaml.safe_dump(content))


def planned(sandbox: Sandbox, stack: str) -> list[Planned]:
    """Return the AWS resources that a preview of the stack would create; a failing one ends the run."""
    outcome = sandbox.run("pulumi", "preview", "--stack", stack, "--non-interactive", "--json")
    if outcome.returncode:
        sys.exit(f"the preview of {stack} failed:\n{outcome.stdout}")
    states = [step["newState"] for step in json.loads(outcome.stdout)["steps"]]
    return [
        Planned(state["type"].removeprefix("aws:"), state.get("inputs", {}))
        for state in states
        if state["type"].startswith("aws:")
    ]
