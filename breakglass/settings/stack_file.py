"""The committed files `Pulumi.<stack>.yaml`, read without the Pulumi engine, as the engine reads them.

The engine is written in Go: its YAML knows fewer booleans than Python's, and turns every value of a key into
text before the program gets it. A test compares this reader with the engine.
"""

import itertools
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TypeGuard, cast

import yaml

from breakglass.settings.walk import ROOT

ENCRYPTED = (
    "is encrypted, must be plain text, because reviewers and the commands for an emergency have no key"
)
"""What is wrong with an encrypted value, unless it is the endpoint of a recipient."""
NO_PROTOCOL = "is encrypted, and no protocol stands beside it, must have one of {protocols}"

_RECIPIENTS = ("alerts", "watchdog")
"""The blocks that list recipients."""
_ENDPOINT = rf"(?:{'|'.join(_RECIPIENTS)})\.subscriptions\[[0-9]+\]\.endpoint"
_PLACEHOLDERS = {
    "email": "encrypted-{number}@mail.breakglass.invalid",
    "https": "https://encrypted-{number}.breakglass.invalid/",
    "sms": "+999{number:011d}",
}
"""Stand for endpoints that only the stack's passphrase or key can decrypt, by protocol."""

# What Pulumi's own crypters write (v1:nonce:text), and its service (text), in base64.
_CIPHERTEXT = r"(v1:[A-Za-z0-9+/]+=*:)?[A-Za-z0-9+/]+=*"


class UnreadableStack(Exception):
    """A stack's configuration cannot be used; the message says which and why."""

    @classmethod
    def of(cls, file: Path, problems: Sequence[str]) -> Self:
        """Return the error about a file with problems, one or more."""
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        return cls("\n  ".join([f"{file.name}: {count}:", *problems]))


class NoSettings(UnreadableStack):
    """A file is not of a stack of ours, such as the one that `pulumi stack init` leaves behind."""


def files(project: Path) -> list[Path]:
    """Return the stacks' files in a project's folder, by name; `others` names what only looks like one."""
    return sorted(file for file in project.glob("Pulumi.*.yaml") if not _why_not(file))


def others(project: Path) -> list[str]:
    """Return in words which files are left out because they cannot be of a stack, whatever they hold."""
    found = {file.name: _why_not(file) for file in sorted(project.glob("Pulumi.*.yaml"))}
    return [f"{name!r}: {reason}" for name, reason in found.items() if reason]


def _why_not(file: Path) -> str:
    if not re.fullmatch(STACK_NAME, stack_name(file)):
        return f"{stack_name(file)!r} is no name of a stack, must be {STACK_NAME_WORDS}"
    # Whatever else has this name could keep a reader waiting.
    return "" if file.is_file() or file.is_symlink() else "is no file"


STACK_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
"""Pulumi's own rule, without a dash in front, which would be an option."""
STACK_NAME_WORDS = "1 to 100 letters, digits, and characters of -_., but no dash in front"


def stack_name(file: Path) -> str:
    """Return the stack that a file is of; the name may hold dots."""
    return file.name.removeprefix("Pulumi.").removesuffix(".yaml")


def configuration(file: Path, namespace: str = ROOT) -> dict[str, Any]:
    """Return the configuration in a stack's file, without the namespace, as the program gets it.

    A placeholder stands for each encrypted endpoint of a recipient.

    Raises:
        NoSettings: It has no key of the namespace.
        UnreadableStack: It cannot be read, it is not a mapping of mappings, or something else is encrypted.
    """
    given = _of_project(file, _content(file).get("config"))
    prefix = f"{namespace}:"
    found = {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)}
    if not found:
        raise NoSettings(f"{file.name}: has no key that begins with {prefix}")
    _replace_endpoints(found)
    if encrypted := list(_encrypted(found, "")):
        raise UnreadableStack.of(file, [f"{prefix}{path}: {problem}" for path, problem in encrypted])
    return found


def has_environment(file: Path) -> bool:
    """Return whether a stack takes values from a Pulumi ESC environment; UnreadableStack as above."""
    return bool(_content(file).get("environment"))


def without_secrets(file: Path) -> str:
    """Return a stack's file as an engine without its key can use it: nothing encrypted, no environment.

    Raises:
        UnreadableStack: As `configuration`.
    """
    ours = configuration(file)
    kept = {
        key: value
        for key, value in _of_project(file, _content(file).get("config")).items()
        if not key.startswith(f"{ROOT}:") and not list(_encrypted(value, ""))
    }
    return json.dumps(
        {"config": {**kept, **{f"{ROOT}:{key}": value for key, value in ours.items()}}}, indent=1
    )


def is_placeholder(endpoint: str) -> bool:
    """Return whether an endpoint stands for an encrypted one."""
    return endpoint.rstrip("/").endswith(".breakglass.invalid") or endpoint.startswith("+99900000")


def decoded(value: str) -> object:
    """Return a value as YAML had it: Pulumi hands over objects and lists as JSON, the rest as plain text."""
    if not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


class _Loader(yaml.SafeLoader):
    """Reads YAML as the engine does."""


class _Refused(yaml.constructor.ConstructorError):
    """An error of ours, whose words quote no value."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0[bB][01_]+|0o?[0-7_]+|0[xX][0-9a-fA-F_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("merge", "<<", "<"),
):
    yaml.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), [*_first], _Loader
    )


def _integer(loader: yaml.SafeLoader, node: yaml.Node) -> int:
    text = str(loader.construct_scalar(cast(yaml.ScalarNode, node))).replace("_", "")
    octal = re.fullmatch("([-+]?)0o?([0-7]+)", text)
    return int(f"{octal[1]}{octal[2]}", 8) if octal else int(text, 0)


def _number(loader: yaml.SafeLoader, node: yaml.Node) -> float | int:
    number = float(str(loader.construct_scalar(cast(yaml.ScalarNode, node))))
    return int(number) if number.is_integer() else number


def _mapping(loader: yaml.SafeLoader, node: yaml.Node) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise _Refused(None, None, "must be a mapping", node.start_mark)
    keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
    for index, (key, _) in enumerate(node.value):
        if isinstance(key, yaml.ScalarNode) and keys.count(key.value) > 1:
            shown = f"the key {key.value!r}" if re.fullmatch(r"[\w:-]{1,60}", key.value) else "a key"
            raise _Refused(None, None, f"{shown} is there more than once", node.value[index][0].start_mark)
    loader.flatten_mapping(node)
    return {_key(key): cast(Any, loader).construct_object(value, deep=True) for key, value in node.value}


def _key(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise _Refused(None, None, "a key must be text", node.start_mark)
    return str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _content(file: Path) -> dict[str, Any]:
    try:
        content: object = next(yaml.load_all(file.read_text("utf-8"), _Loader), None)
    except OSError as error:
        raise UnreadableStack(f"{file.name}: cannot be read: {error.strerror}") from error
    # What PyYAML raises besides its own errors: ValueError, KeyError for `!!bool x`, TypeError …
    except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise UnreadableStack(f"{file.name}: cannot be read as YAML in UTF-8: {_reason(error)}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UnreadableStack(f"{file.name}: must be a mapping with the mapping `config`")
    if odd := next(_odd(cast(dict[str, Any], content)), None):
        raise UnreadableStack(
            f"{file.name}: holds a value of type {odd}, must hold text, numbers, true or false"
        )
    return cast(dict[str, Any], content)


def _reason(error: Exception) -> str:
    """Return what is wrong, and in which line, without a value: it may be a secret."""
    where = ""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        where = f"line {error.problem_mark.line + 1}: "
    if isinstance(error, _Refused):
        return f"{where}{error.problem}"
    if isinstance(error, yaml.constructor.ConstructorError):
        return f"{where}a tag that is not known, or does not fit its value"
    if isinstance(error, yaml.MarkedYAMLError):
        return f"{where}{error.problem}"
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return (
        "a character that YAML does not have"
        if isinstance(error, yaml.YAMLError)
        else "a value does not fit its tag"
    )


def _odd(value: object) -> Iterator[str]:
    """Yield the types of values that JSON does not have."""
    if isinstance(value, dict):
        for inner in cast(dict[str, object], value).values():
            yield from _odd(inner)
    elif isinstance(value, list):
        for inner in cast(list[object], value):
            yield from _odd(inner)
    elif value is not None and not isinstance(value, str | int | float | bool):
        yield type(value).__name__


def _of_project(file: Path, config: object) -> dict[str, Any]:
    """Return a file's configuration with the namespace of every key, which is the project's if left out."""
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise UnreadableStack(f"{file.name}: must be a mapping with the mapping `config`")
    given = cast(dict[str, Any], config)
    full = {key if ":" in key else f"{ROOT}:{key}": value for key, value in given.items()}
    full |= {key: value for key, value in given.items() if ":" in key}  # the full name counts
    return {key: _handed_over(value) for key, value in full.items()}


def _handed_over(value: object) -> Any:
    """Return the value of a key as the program gets it: all but mappings and lists are text there."""
    if isinstance(value, dict | list):
        return cast(object, value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else decoded(str(value))


def _replace_endpoints(config: dict[str, Any]) -> None:
    """Put placeholders for encrypted endpoints: recipients can then be counted but not compared."""
    number = itertools.count(1)
    for item in _recipients(config):
        endpoint, placeholder = item.get("endpoint"), _PLACEHOLDERS.get(str(item.get("protocol")))
        if placeholder and _is_encrypted(endpoint) and re.fullmatch(_CIPHERTEXT, endpoint["secure"]):
            item["endpoint"] = placeholder.format(number=next(number))


def _recipients(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in _RECIPIENTS:
        block = config.get(name)
        listed: object = cast(dict[str, Any], block).get("subscriptions") if isinstance(block, dict) else None
        for item in cast(list[object], listed) if isinstance(listed, list) else ():
            if isinstance(item, dict):
                yield cast(dict[str, Any], item)


def _is_encrypted(value: Any) -> TypeGuard[dict[str, str]]:
    return isinstance(value, dict) and value.keys() == {"secure"} and isinstance(value["secure"], str)


def _encrypted(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each encrypted value, and what is wrong with it."""
    if _is_encrypted(value):
        if not re.fullmatch(_CIPHERTEXT, value["secure"]):
            yield path, "is encrypted, but the text after `secure` is not whole"
        elif re.fullmatch(_ENDPOINT, path):  # of a recipient that has a protocol it is replaced already
            yield path, NO_PROTOCOL.format(protocols=", ".join(_PLACEHOLDERS))
        else:
            yield path, ENCRYPTED
    elif isinstance(value, dict):
        for key, inner in cast(dict[str, Any], value).items():
            yield from _encrypted(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(cast(list[Any], value)):
            yield from _encrypted(inner, f"{path}[{index}]")
