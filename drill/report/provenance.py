"""Where a report comes from: which version made it, who looked, and which risks were accepted in writing."""

import json
import os
import platform
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from drill.account import Account, explained
from drill.check.subject import in_parallel
from drill.stacks import PROJECT, Stack

PACKAGES = ("boto3", "pulumi", "pulumi-aws")
_WEAKER = ("advisory", "disabled")
"""Enforcement levels under which a deployment goes on."""


def versions(folder: Path) -> dict[str, Any]:
    """Return what made the report; `folder`, where it goes, does not count as a change of the program.

    `commit` is None where the project is no clone, `changed` tells whether it differs from that commit.
    """
    commit = _git("rev-parse", "HEAD") if _git("ls-files", "--error-unmatch", "pyproject.toml") else None
    changed = _git("status", "--porcelain", "--", ".", *_without(folder)) if commit else None
    return {
        "breakglass": _own_version(),
        "changed": None if changed is None else bool(changed),
        "commit": commit,
        "packages": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
    }


def _own_version() -> str:
    try:
        return str(tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        return _version("breakglass")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _without(folder: Path) -> list[str]:
    """Return what keeps git from looking at a folder inside the project."""
    inside = os.path.relpath(folder.resolve(), PROJECT)
    return [] if inside.startswith(os.pardir) or inside == os.curdir else [f":(exclude,literal){inside}"]


def _git(*command: str) -> str | None:
    """Return what git says about the project, None where it is no clone or there is no git."""
    git = shutil.which("git")
    if git is None:
        return None
    # Without optional locks: looking must not get into the way of somebody who works in the clone.
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            [git, "-C", str(PROJECT), *command],
            capture_output=True, text=True, errors="replace", check=True, timeout=60, env=environment,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def callers(stacks: Sequence[Stack], accounts: Sequence[Account]) -> list[dict[str, str]]:
    """Return for each stack whose credentials looked at its account, or why that is not known."""
    asked = {stack.name: partial(_caller, account) for stack, account in zip(stacks, accounts, strict=True)}
    found = in_parallel(asked, lambda _done, _of: None)
    listed = []
    for stack in stacks:
        answer = found[stack.name]
        failed = isinstance(answer, Exception)
        listed.append(
            {
                "account": stack.account_id,
                "caller": "" if failed else answer,
                "components": ", ".join(stack.settings.components),
                "problem": explained(answer) if failed else "",
                "stack": stack.name,
            }
        )
    return listed


def _caller(account: Account) -> str:
    return str(account.client("sts").get_caller_identity()["Arn"])


def accepted(stacks: Sequence[str], folder: Path = PROJECT / "policies" / "config") -> dict[str, Any]:
    """Return what the policy pack's configuration lets pass: `risks`, `weak` rules, `problems` in reading it.

    What two rules, or two stacks, accept alike is one risk.

    Args:
        stacks: Names of the stacks to tell of.
        folder: Where their <stack>.json files are.
    """
    problems: list[str] = []
    risks: dict[tuple[str, ...], dict[str, set[str]]] = {}
    weak: dict[tuple[str, str], set[str]] = {}
    for stack in stacks:
        for rule, settings in _rules(folder / f"{stack}.json", problems):
            level = settings if isinstance(settings, str) else settings.get("enforcementLevel")
            if level in _WEAKER:
                weak.setdefault((rule, str(level)), set()).add(stack)
            for entry in settings.get("accepted", ()) if isinstance(settings, Mapping) else ():
                risk = tuple(str(entry[name]) for name in ("attachedTo", "policy", "reason"))
                found = risks.setdefault(risk, {"rules": set(), "stacks": set()})
                found["rules"].add(rule)
                found["stacks"].add(stack)
    return {
        "problems": problems,
        "risks": [
            {
                "attachedTo": risk[0],
                "policy": risk[1],
                "reason": risk[2],
                "rules": sorted(risks[risk]["rules"]),
                "stacks": sorted(risks[risk]["stacks"]),
            }
            for risk in sorted(risks)
        ],
        "weak": [
            {"level": level, "rule": rule, "stacks": sorted(weak[rule, level])}
            for rule, level in sorted(weak)
        ],
    }


def _rules(file: Path, problems: list[str]) -> Iterator[tuple[str, str | Mapping[str, Any]]]:
    """Yield each rule with its settings; what cannot be used is noted as a problem."""
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{file.name}: cannot be read: {type(error).__name__}: {error}")
        return
    for rule, settings in content.items() if isinstance(content, dict) else [("all of it", content)]:
        if not isinstance(settings, (str, dict)) or not _usable(settings):
            problems.append(f"{file.name}: {rule}: not as the policy pack wants it")
        else:
            yield rule, settings


def _usable(settings: str | Mapping[str, Any]) -> bool:
    entries = settings.get("accepted", []) if isinstance(settings, Mapping) else []
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and {"attachedTo", "policy", "reason"} <= entry.keys() for entry in entries
    )
