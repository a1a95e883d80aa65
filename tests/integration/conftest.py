"""Sandboxes for the tests that drive the real engine."""

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from sandbox.run import Sandbox, sandboxed

UNCHECKED = "can't run policy"
REGIONS = ("us-east-1", "eu-west-1")
"""Two Regions show everything that seventeen would, in a fraction of the time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integration" in item.path.parts:
            item.add_marker(pytest.mark.engine)


class Stack:
    """One stack of a sandbox, with the policy pack enforced."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.sandbox = sandbox
        self.name = name

    def pulumi(self, *command: str, fails: bool = False, pack: bool = False, **variables: str) -> str:
        """Run a pulumi command; it must succeed, or fail, as said. Returns its output."""
        verb, *arguments = command
        if pack:
            arguments += ["--policy-pack", "policies"]
            arguments += ["--policy-pack-config", f"policies/config/{self.name}.json"]
        if verb in {"up", "preview", "destroy", "refresh"}:
            arguments += ["--non-interactive", "--color", "never"]
        outcome = self.sandbox.run("pulumi", verb, "--stack", self.name, *arguments, **variables)
        assert (outcome.returncode != 0) == fails, f"exit code {outcome.returncode}:\n{outcome.stdout}"
        assert UNCHECKED not in outcome.stdout, outcome.stdout
        return outcome.stdout

    def configure(self, path: str, value: str) -> None:
        outcome = self.sandbox.run(
            "pulumi", "config", "set", "--stack", self.name, "--path", f"breakglass:{path}", value
        )
        assert outcome.returncode == 0, outcome.stdout

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the stack's configuration file in the sandbox."""
        file = self.sandbox.directory / f"Pulumi.{self.name}.yaml"
        content = yaml.safe_load(file.read_text())
        change(content["config"])
        file.write_text(yaml.safe_dump(content))

    def resources(self) -> list[dict]:
        """Return the AWS resources in the stack's state."""
        outcome = self.sandbox.run("pulumi", "stack", "export", "--stack", self.name)
        resources = json.loads(outcome.stdout)["deployment"].get("resources", [])
        return [resource for resource in resources if resource["type"].startswith("aws:")]

    def client(self, service: str, region: str = "us-east-1"):
        return self.sandbox.account(self.name).client(service, region)


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A fresh sandbox for one test, with other Regions where the test is parametrized with some."""
    regions = getattr(request, "param", REGIONS)
    with sandboxed(lambda line: print(line, file=sys.stderr), regions=regions) as fresh:
        yield fresh


@pytest.fixture
def mgmt(sandbox: Sandbox) -> Stack:
    return Stack(sandbox, "mgmt")


@pytest.fixture
def member(sandbox: Sandbox) -> Stack:
    return Stack(sandbox, "member")
