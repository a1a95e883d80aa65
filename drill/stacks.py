"""The stacks of this project and their committed configuration, read without the Pulumi engine."""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakglass.settings import reading
from breakglass.settings.model import Settings
from breakglass.settings.reading import SettingsError
from breakglass.settings.stack_file import (
    NoSettings,
    UnreadableStack,
    configuration,
    files,
    others,
    stack_name,
)

PROJECT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One stack; in `config`, without the namespace, placeholders stand for encrypted endpoints."""

    name: str
    config: Mapping[str, Any]
    settings: Settings

    @property
    def account_id(self) -> str:
        """The stack's account."""
        return self.settings.account_id


def load(project: Path | None = None, *, needed: Collection[str] | None = None) -> list[Stack]:
    """Return the stacks of a project, the hub's first; other files are named on standard error.

    The files of the stacks in `needed` must be usable; without it, all that have settings.

    Raises:
        UnreadableStack: A file that is needed cannot be used, or there is none, or not exactly one hub; if no
            file is needed there may be several hubs, all in front.
    """
    project = project or PROJECT
    found = files(project)
    if not found:
        raise UnreadableStack(f"{project}: no Pulumi.<stack>.yaml here: run this in a clone of the project")
    for said in others(project):
        print(f"skipped {said}", file=sys.stderr)
    stacks: list[Stack] = []
    for file in found:
        try:
            stacks.append(_load(file))
        except UnreadableStack as error:
            if not isinstance(error, NoSettings) and (needed is None or stack_name(file) in needed):
                raise
            print(f"skipped {error}", file=sys.stderr)
    stacks.sort(key=lambda stack: not stack.settings.is_hub)
    hubs = [stack.name for stack in stacks if stack.settings.is_hub]
    if not hubs or (len(hubs) > 1 and needed != ()):
        raise UnreadableStack(
            f"{project}: found {len(hubs)} stacks with `alerts` ({', '.join(hubs)}), must be one hub"
        )
    return stacks


def _load(file: Path) -> Stack:
    config = configuration(file)
    try:
        return Stack(name=stack_name(file), config=config, settings=reading.parse(config))
    except SettingsError as error:
        raise UnreadableStack.of(file, error.problems) from error
