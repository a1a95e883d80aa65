"""Sandboxes for the tests that drive the real engine."""

import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.run import Sandbox, sandboxed
from tests.program import ROOT, STACKS

UNCHECKED = "can't run policy"
NOTHING: dict[str, list[str]] = {}
REGIONS = ("us-east-1", "eu-west-1", "us-west-2")
"""Those of hub and watchdog and another one show what seventeen would, in a fraction of the time."""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the project with the stack files of the tests, and without what is made in it."""
    folder = tmp_path / "project"
    made = (".git", ".venv", "build", ".hypothesis", "__pycache__", ".*_cache", "Pulumi.*.yaml")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*made), symlinks=True)
    shutil.copytree(STACKS, folder / "tests" / "stacks", dirs_exist_ok=True)
    shutil.copytree(STACKS, folder, dirs_exist_ok=True)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


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
            arguments += ["--policy-pack-config", "policies/config.json"]
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


def what_is_there(stack: Stack) -> dict[str, list[str]]:
    """Everything of ours in the stack's account of the emulated AWS, by kind; empty kinds left out."""
    iam = stack.client("iam")
    found = {
        "users": [user["UserName"] for user in iam.list_users()["Users"]],
        "roles": sorted(role["RoleName"] for role in iam.list_roles()["Roles"]),
        "policies": sorted(policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]),
    }
    for region in REGIONS:
        events = stack.client("events", region)
        buses = [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
        for bus in buses:
            found[f"rules {region} {bus}"] = sorted(
                rule["Name"]
                for page in events.get_paginator("list_rules").paginate(EventBusName=bus)
                for rule in page["Rules"]
                if "ManagedBy" not in rule
            )
        found |= {
            f"buses {region}": [bus for bus in buses if bus != "default"],
            f"archives {region}": [archive["ArchiveName"] for archive in events.list_archives()["Archives"]],
            f"topics {region}": [
                topic["TopicArn"].split(":")[-1]
                for topic in stack.client("sns", region).list_topics()["Topics"]
            ],
            f"queues {region}": [
                url.split("/")[-1] for url in stack.client("sqs", region).list_queues().get("QueueUrls", [])
            ],
            f"aliases {region}": [
                alias["AliasName"]
                for alias in stack.client("kms", region).list_aliases()["Aliases"]
                if not alias["AliasName"].startswith("alias/aws/")
            ],
            f"logs {region}": [
                group["logGroupName"]
                for group in stack.client("logs", region).describe_log_groups()["logGroups"]
            ],
            f"alarms {region}": sorted(
                alarm["AlarmName"]
                for alarm in stack.client("cloudwatch", region).describe_alarms()["MetricAlarms"]
            ),
            f"schedules {region}": [
                schedule["Name"]
                for schedule in stack.client("scheduler", region).list_schedules()["Schedules"]
            ],
            f"groups {region}": [
                group["Name"]
                for group in stack.client("scheduler", region).list_schedule_groups()["ScheduleGroups"]
                if group["Name"] != "default"
            ],
        }
    return {kind: names for kind, names in found.items() if names}


@contextlib.contextmanager
def fresh(regions: Sequence[str] = REGIONS, stack_files: Path = STACKS) -> Iterator[Sandbox]:
    """A sandbox with these Regions enabled, and its progress on standard error."""
    with sandboxed(lambda line: print(line, file=sys.stderr), regions, stack_files) as made:
        yield made


def deploy_both(sandbox: Sandbox, *, pack: bool = False) -> None:
    """Deploy both stacks, side by side."""
    with ThreadPoolExecutor() as pool:
        stacks = [Stack(sandbox, name) for name in sandbox.accounts]
        list(pool.map(lambda stack: stack.pulumi("up", "--yes", "--skip-preview", pack=pack), stacks))


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh sandbox for one test."""
    with fresh() as made:
        yield made


@pytest.fixture
def mgmt(sandbox: Sandbox) -> Stack:
    return Stack(sandbox, "mgmt")


@pytest.fixture
def member(sandbox: Sandbox) -> Stack:
    return Stack(sandbox, "member")
