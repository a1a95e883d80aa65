"""Where a report comes from: which version made it, who ran it, and which risks were accepted in writing."""

import json
import os
import platform
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from drill.account import CANNOT_TELL, Account, explained
from drill.stacks import PROJECT, Stack

PACKAGES = ("boto3", "pulumi", "pulumi-aws")
_WEAKER = ("advisory", "disabled")
"""Enforcement levels that do not stop a deployment."""


@dataclass(frozen=True, kw_only=True)
class Versions:
    """What made the report: `changed` says whether the project differs from `commit`; None is unknown."""

    breakglass: str
    changed: bool | None
    commit: str | None
    packages: Mapping[str, str]
    python: str


def versions(folder: Path) -> Versions:
    """Return what makes the report; `folder`, where it goes, does not count as a change of the project."""
    commit = _git("rev-parse", "HEAD") if _git("ls-files", "--error-unmatch", "pyproject.toml") else None
    changed = _git("status", "--porcelain", "--", ".", *_without(folder)) if commit else None
    try:
        own = str(tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        own = _version("breakglass")
    return Versions(
        breakglass=own,
        changed=None if changed is None else bool(changed),
        commit=commit,
        packages={name: _version(name) for name in PACKAGES},
        python=platform.python_version(),
    )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _without(folder: Path) -> list[str]:
    """Return the git pathspec that leaves out a folder inside the project."""
    inside = os.path.relpath(folder.resolve(), PROJECT)
    return [] if inside.startswith(os.pardir) or inside == os.curdir else [f":(exclude,literal){inside}"]


def _git(*command: str) -> str | None:
    """Return what git says about the project, None if it is not a clone or git is missing."""
    git = shutil.which("git")
    if git is None:
        return None
    # Without optional locks, so that someone who works in the clone at the same time is not disturbed.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            [git, "-C", str(PROJECT), *command],
            capture_output=True, text=True, errors="replace", check=True, timeout=60, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The ARN whose credentials read a stack's account; "", and why, if it is unknown."""

    account: str
    caller: str
    components: str
    problem: str
    stack: str


def caller(stack: Stack, account: Account) -> Caller:
    """Return whose credentials read a stack's account."""
    caller = problem = ""
    try:
        caller = account.client("sts").get_caller_identity()["Arn"]
    except CANNOT_TELL as error:
        problem = explained(error)
    return Caller(
        account=stack.account_id,
        caller=caller,
        components=", ".join(stack.settings.components),
        problem=problem,
        stack=stack.name,
    )


@dataclass(frozen=True, kw_only=True)
class AcceptedRisk:
    """A risk accepted in writing, with the policies of the pack (`rules`) that accept it."""

    attached_to: str
    policy: str
    reason: str
    rules: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class WeakPolicy:
    """A policy of the pack (`rule`) that does not stop a deployment."""

    level: str
    rule: str


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """What the policy pack's configuration accepts, and what could not be read of it."""

    problems: Sequence[str] = ()
    risks: Sequence[AcceptedRisk] = ()
    weak: Sequence[WeakPolicy] = ()


def accepted(file: Path = PROJECT / "policies" / "config.json") -> Accepted:
    """Return what the pack's configuration accepts; what two policies accept is one risk."""
    problems: list[str] = []
    risks: dict[tuple[str, str, str], set[str]] = {}
    weak: list[WeakPolicy] = []
    for policy, settings in _policies(file, problems):
        level = settings if isinstance(settings, str) else settings.get("enforcementLevel")
        if level in _WEAKER:
            weak.append(WeakPolicy(level=str(level), rule=policy))
        for entry in settings.get("accepted", ()) if isinstance(settings, Mapping) else ():
            risk = (str(entry["attachedTo"]), str(entry["policy"]), str(entry["reason"]))
            risks.setdefault(risk, set()).add(policy)
    return Accepted(
        problems=problems,
        risks=[
            AcceptedRisk(attached_to=attached_to, policy=policy, reason=reason, rules=sorted(rules))
            for (attached_to, policy, reason), rules in sorted(risks.items())
        ],
        weak=sorted(weak, key=lambda one: one.rule),
    )


def _policies(file: Path, problems: list[str]) -> Iterator[tuple[str, str | Mapping[str, Any]]]:
    """Yield each policy with its settings; what cannot be used becomes a problem."""
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{file.name}: cannot be read: {type(error).__name__}: {error}")
        return
    for policy, settings in content.items() if isinstance(content, dict) else [("all of it", content)]:
        entries = settings.get("accepted", []) if isinstance(settings, dict) else []
        usable = isinstance(settings, (str, dict)) and isinstance(entries, list)
        if usable and all(
            isinstance(entry, dict) and {"attachedTo", "policy", "reason"} <= entry.keys()
            for entry in entries
        ):
            yield policy, settings
        else:
            problems.append(f"{file.name}: {policy}: not in the form that the policy pack requires")
