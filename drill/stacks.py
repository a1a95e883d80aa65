"""The stacks of this project and their committed configuration, read without the Pulumi engine."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from breakglass.settings import reading
from breakglass.settings.model import Settings
from breakglass.settings.reading import SettingsError

PROJECT = Path(__file__).parents[1]

_PLACEHOLDERS = {
    "email": "encrypted-{number}@mail.breakglass.invalid",
    "https": "https://encrypted-{number}.breakglass.invalid/",
    "sms": "+999{number:011d}",
}
"""Stand for endpoints that only the stack's passphrase or key can decrypt."""


class UnreadableStack(Exception):
    """A stack's configuration cannot be used; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack.

    Attributes:
        config: Its configuration without the namespace; placeholders stand for encrypted endpoints.
        settings: The same, checked.
    """

    name: str
    config: Mapping[str, Any]
    settings: Settings

    @property
    def account_id(self) -> str:
        """The stack's account."""
        return self.settings.account_id


def load(project: Path = PROJECT) -> list[Stack]:
    """Return the stacks of the project, the hub's first.

    Raises:
        UnreadableStack: A Pulumi.<stack>.yaml cannot be used, or there is none, or not exactly one hub.
    """
    stacks = [_load(file) for file in sorted(project.glob("Pulumi.*.yaml"))]
    if not stacks:
        raise UnreadableStack(f"{project}: no Pulumi.<stack>.yaml here: run this in a clone of the project")
    stacks.sort(key=lambda stack: stack.settings.alerts is None)
    hubs = [stack.name for stack in stacks if stack.settings.alerts is not None]
    if len(hubs) != 1:
        raise UnreadableStack(
            f"{project}: found {len(hubs)} stacks with `alerts` ({', '.join(hubs)}), must be one hub"
        )
    return stacks


def _load(file: Path) -> Stack:
    name = file.name.split(".")[1]
    try:
        content = yaml.safe_load(file.read_text())
        config = {
            key.removeprefix("breakglass:"): value
            for key, value in content["config"].items()
            if key.startswith("breakglass:")
        }
    except (OSError, yaml.YAMLError, TypeError, KeyError, AttributeError) as error:
        raise UnreadableStack(f"{file.name}: cannot be read: {type(error).__name__}: {error}") from error
    _replace_encrypted(config)
    try:
        return Stack(name=name, config=config, settings=reading.parse(config))
    except SettingsError as error:
        listed = "\n  ".join(error.problems)
        raise UnreadableStack(f"{file.name}: {len(error.problems)} problem(s):\n  {listed}") from error


def _replace_encrypted(config: dict[str, Any]) -> None:
    """Replace encrypted endpoints by placeholders: then recipients can be counted but not compared."""
    alerts = config.get("alerts")
    number = itertools.count(1)
    for key in ("subscriptions", "watchdogSubscriptions"):
        for item in alerts.get(key) or [] if isinstance(alerts, dict) else []:
            if isinstance(item, dict) and isinstance(item.get("endpoint"), dict):
                placeholder = _PLACEHOLDERS.get(item.get("protocol", ""))
                if placeholder and set(item["endpoint"]) == {"secure"}:
                    item["endpoint"] = placeholder.format(number=next(number))


def is_placeholder(endpoint: str) -> bool:
    """Whether an endpoint stands for an encrypted one."""
    return endpoint.rstrip("/").endswith(".breakglass.invalid") or endpoint.startswith("+99900000")
