"""Shared by the steps of the demo: the console, running commands, changing the mirror, the failure."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from sandbox.run import Sandbox

UNCHECKED = "can't run policy"
"""Pulumi prints this, with exit code 0, when a policy used a value that is not known yet."""

console = Console(highlight=False)


class StepFailed(Exception):
    """A step failed; the message says what was expected and what happened."""


def pulumi(sandbox: Sandbox, verb: str, stack: str, *arguments: str, refused_by: str | None = None) -> str:
    """Run a pulumi command with the policy pack enforced and return its output.

    `refused_by` names the policy of the pack that must refuse it; None if the command must succeed.

    Raises:
        StepFailed: It ended otherwise, or a policy could not run.
    """
    command = [verb, "--stack", stack, "--non-interactive", "--color", "never", *arguments]
    pack = ["--policy-pack", "policies", "--policy-pack-config", "policies/config.json"]
    outcome = sandbox.run("pulumi", *command, *pack)
    text = f"`pulumi {' '.join(command)}` ended with exit code {outcome.returncode}:\n{outcome.stdout}"
    if UNCHECKED in outcome.stdout:
        raise StepFailed(f"a policy could not run, so the result proves nothing. {text}")
    if refused_by is None and outcome.returncode != 0:
        raise StepFailed(text)
    if refused_by is not None and (outcome.returncode == 0 or refused_by not in outcome.stdout):
        raise StepFailed(f"policy {refused_by} should have refused this. {text}")
    return outcome.stdout


def deployed(sandbox: Sandbox, stack: str) -> str:
    """Return the stack's resources, counted by kind."""
    state = json.loads(sandbox.output("pulumi", "stack", "export", "--stack", stack))
    types = [resource["type"] for resource in state["deployment"]["resources"]]
    kinds = Counter(type.rsplit(":", 1)[-1] for type in types if type.startswith("aws:"))
    listing = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{sum(kinds.values())} AWS resources in account {sandbox.accounts[stack]}: {listing}"


@contextmanager
def changed_configuration(sandbox: Sandbox, stack: str, path: str, value: str) -> Iterator[None]:
    """Change one value of the stack's configuration in the mirror, for as long as the context lasts."""
    file = sandbox.directory / f"Pulumi.{stack}.yaml"
    kept = file.read_text()
    try:
        sandbox.output("pulumi", "config", "set", "--stack", stack, "--path", path, value)
        yield
    finally:
        file.write_text(kept)


@contextmanager
def changed_code(sandbox: Sandbox, file: str, old: str, new: str) -> Iterator[None]:
    """Change one line of the program in the mirror, for as long as the context lasts.

    The mirror only links to the code, so the folder is copied first: the project stays untouched.
    """
    folder = sandbox.directory / Path(file).parts[0]
    linked = folder.readlink()
    folder.unlink()
    shutil.copytree(linked, folder, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        text = (sandbox.directory / file).read_text()
        if text.count(old) != 1:
            raise StepFailed(f"{file} must contain {old!r} exactly once")
        (sandbox.directory / file).write_text(text.replace(old, new))
        yield
    finally:
        shutil.rmtree(folder)
        folder.symlink_to(linked)
