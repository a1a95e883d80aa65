"""The committed files `Pulumi.<stack>.yaml`, read without the Pulumi engine."""

from pathlib import Path
from typing import Any, cast

import yaml

from breakglass.settings.walk import ROOT


class UnreadableStack(Exception):
    """A stack's configuration cannot be used; the message says which and why."""


class NoSettings(UnreadableStack):
    """A file is not of a stack of ours, such as the one that `pulumi stack init` leaves behind."""


def stack_name(file: Path) -> str:
    """Return the stack that a file is of; the name may hold dots."""
    return file.name.removeprefix("Pulumi.").removesuffix(".yaml")


def configuration(file: Path) -> dict[str, Any]:
    """Return the configuration in a stack's file, without the namespace.

    Raises:
        NoSettings: It has no key of the namespace.
        UnreadableStack: It cannot be read, or it is not a mapping of mappings.
    """
    try:
        content: object = yaml.safe_load(file.read_text("utf-8"))
    # What PyYAML raises besides its own errors: ValueError for the date 2024-02-31, KeyError for `!!bool x` …
    except (OSError, yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError) as error:
        reason = " ".join(str(error).split())
        if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
            # Without the line itself, which may hold a secret.
            reason = f"line {error.problem_mark.line + 1}: {error.problem}"
        raise UnreadableStack(f"{file.name}: cannot be read as YAML in UTF-8: {reason}") from error
    config: object = (
        cast(dict[Any, Any], content).get("config") or {} if isinstance(content, dict) else content or {}
    )
    if not isinstance(config, dict):
        raise UnreadableStack(f"{file.name}: must be a mapping with the mapping `config`")
    given = cast(dict[Any, Any], config)
    prefix = f"{ROOT}:"
    ours = {key.removeprefix(prefix): value for key, value in given.items() if str(key).startswith(prefix)}
    if not ours:
        raise NoSettings(f"{file.name}: has no key that begins with {prefix}")
    return ours
