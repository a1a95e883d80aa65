"""Stacks that the previous release deployed move to this one as docs/upgrade.md says."""

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from breakglass import naming
from sandbox.run import Sandbox
from tests.integration.conftest import Stack, fresh
from tests.program import ROOT

PREVIOUS = "4eadc7a7db5ab3628612a7a0c55602508675094b"
"""The last commit of the release with one way: its watchdog was a second topic of the hub."""

PROGRAM = ("__main__.py", "breakglass", "components")
TOPIC = "arn:aws:sns:us-east-1:111111111111:breakglassuser-console-logins"
OLD_WATCHDOG = "arn:aws:sns:us-east-1:111111111111:breakglass-watchdog"


@pytest.fixture
def previous(tmp_path: Path) -> Path:
    """Program and stack files of the previous release."""
    names = (*PROGRAM, "tests/stacks")
    command = ["/usr/bin/env", "git", "-C", ROOT, "archive", PREVIOUS, *names]
    packed = subprocess.run(command, capture_output=True, check=False)
    if packed.returncode:
        pytest.skip(f"needs the project's history: {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


@pytest.fixture
def deployed(previous: Path) -> Iterator[Sandbox]:
    """Both stacks as the previous release leaves them, with confirmed recipients."""
    with fresh() as sandbox:
        play(sandbox, previous)
        for name in sandbox.accounts:
            Stack(sandbox, name).pulumi("up", "--yes", "--skip-preview")
        sandbox.output("python", "-m", "sandbox.confirm")
        play(sandbox, ROOT)
        yield sandbox


def play(sandbox: Sandbox, release: Path) -> None:
    """Give the sandbox the program and the stack files of a release."""
    for name in PROGRAM:
        (sandbox.directory / name).unlink()
        (sandbox.directory / name).symlink_to(release / name)
    for file in (release / "tests" / "stacks").glob("Pulumi.*.yaml"):
        shutil.copy(file, sandbox.directory)


def steps(heading: str) -> list[str]:
    """Return the pulumi commands of a section of the page, each without its profile."""
    section = (ROOT / "docs" / "upgrade.md").read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^ *(?:AWS_PROFILE=\w+ )?(pulumi (?:up|state) .*)$", section, re.MULTILINE)


def recipients(stack: Stack, topic: str) -> dict[str, str]:
    """Return the ARN of the subscription of each mail address; not an ARN until it is confirmed."""
    sns = stack.client("sns", topic.split(":")[3])
    found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return {each["Endpoint"]: each["SubscriptionArn"] for each in found if each["Protocol"] == "email"}


def kept(stack: Stack) -> dict[str, str]:
    """Return the ids of what an upgrade must not make anew."""
    wanted = {"user:User", "role:Role", "key:Key", "eventBus:EventBus", "logGroup:LogGroup", "topic:Topic"}
    return {
        one["urn"]: one["id"]
        for one in stack.resources()
        if one["type"].split("/")[-1] in wanted and not one["urn"].endswith("::break-glass-alerts-watchdog")
    }


def test_nothing_is_lost_and_people_are_told_all_the_time(deployed):
    mgmt, member = Stack(deployed, "mgmt"), Stack(deployed, "member")
    before, members = kept(mgmt), kept(member)
    confirmed, watched = recipients(mgmt, TOPIC), recipients(mgmt, OLD_WATCHDOG)
    assert TOPIC in before.values()
    assert confirmed["security@example.com"].startswith(f"{TOPIC}:")

    first, unprotect, second, third = steps("From 0.1 to 0.2")
    deployed.output("bash", "-c", f"{first} --yes --skip-preview")
    # The new watchdog is there, and the old one works as it did.
    watchdog = naming.topic_arn("111111111111", naming.WATCHDOG_REGION, naming.WATCHDOG.topic)
    assert recipients(mgmt, OLD_WATCHDOG) == watched
    targets = mgmt.client("events").list_targets_by_rule(
        Rule="capture-breakglass-alerting-change", EventBusName=naming.HUB.bus
    )["Targets"]
    assert {TOPIC, OLD_WATCHDOG} <= {target["Arn"] for target in targets}
    assert set(recipients(mgmt, watchdog)) == {"security-watchdog@example.com"}
    deployed.output("python", "-m", "sandbox.confirm")

    deployed.output("bash", "-c", unprotect)
    for command in (second, third):
        deployed.output("bash", "-c", f"{command} --yes --skip-preview")
    deployed.output("python", "-m", "sandbox.confirm")
    assert recipients(mgmt, TOPIC) == confirmed
    for stack, ids in ((mgmt, before), (member, members)):
        assert ids.items() <= kept(stack).items()
        stack.pulumi("refresh", "--yes")
        stack.pulumi("preview", "--expect-no-changes", pack=True)
        (deployed.directory / f"{stack.name}.json").write_text(
            deployed.output("pulumi", "stack", "export", "-s", stack.name)
        )
    topics = mgmt.client("sns").list_topics()["Topics"]
    assert OLD_WATCHDOG not in {topic["TopicArn"] for topic in topics}
    proof = deployed.output("python", "-m", "alertpath", "mgmt.json", "member.json")
    assert "told" in proof


def test_without_the_steps_nothing_is_deleted(deployed):
    mgmt = Stack(deployed, "mgmt")
    before = kept(mgmt)
    said = mgmt.pulumi("up", "--yes", fails=True)
    assert "break-glass-alerts-watchdog" in said
    assert "cannot be deleted" in said
    assert kept(mgmt) == before
    assert recipients(mgmt, OLD_WATCHDOG)["security-watchdog@example.com"].startswith(OLD_WATCHDOG)
