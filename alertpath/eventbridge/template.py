"""The mail that EventBridge sends for an event, through an input transformer and an SNS topic.

The rules are at https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html and
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_InputTransformer.html:

- A text template is one JSON string per line. The mail shows each line with its quotes
  (https://github.com/hashicorp/terraform-provider-aws/issues/43253).
- A JSON template is one object or list. Outside its strings, EventBridge puts quotes around text itself.
- A path that is not in the event gives empty text, and the mail still goes out.
- Values are not escaped: a quote or a newline in a value arrives as it is, and a reader cannot tell it from
  the template. So a value that a caller may choose, such as the user agent, can forge lines of the mail.

Not settled by AWS's pages, and kept as given here: backslash escapes in a template, the white space of a JSON
template (AWS says that it is minified), and the quotes of an object within text.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

MAX_PATHS = 100
MAX_TEMPLATE_LENGTH = 8192
MAX_NAME_LENGTH = 256
MAX_PATH_LENGTH = 256

RESERVED_VARIABLES = frozenset(
    f"aws.events.{name}" for name in ("rule-arn", "rule-name", "event.ingestion-time", "event.json", "event")
)
"""Variables that EventBridge fills by itself; a template uses them without a path. Here they are empty."""

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PATH = re.compile(r"\$(?:\.[A-Za-z0-9_/-]+(?:\[[0-9]+\])*)*")
_STEP = re.compile(r"\.([^.\[]+)|\[([0-9]+)\]")
_TOKEN = re.compile(r'\\.|"|<(?P<name>[^<>]*)>', re.DOTALL)


class TemplateError(ValueError):
    """AWS refuses this input transformer; the message says what is wrong, where, and what would be right."""


def render(input_paths: Mapping[str, str], template: str, event: Mapping[str, Any]) -> str:
    """Renders the text that SNS mails for this event.

    Every placeholder is filled once: a value that reads `<other>` stays as it is.

    Args:
        input_paths: Variable name to path in the event: `$`, `$.a.b` or `$.a[0].b`.
        template: The input template with `<name>` placeholders.
        event: The event, envelope included, as parsed JSON.

    Returns:
        The message body, without the footer that SNS adds.

    Raises:
        TemplateError: AWS refuses the paths or the template, or a value cannot be written as JSON.
    """
    _check(template, tuple(input_paths.items()))

    def filled_in(name: str, quoted: bool) -> str:
        value = _lookup(event, input_paths[name]) if name in input_paths else ""
        if isinstance(value, str):
            return value if quoted else f'"{value}"'
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        except (RecursionError, TypeError, ValueError) as error:
            raise TemplateError(f"the value of <{name}> cannot be written as JSON: {error}") from error

    return _filled(template, filled_in)


@lru_cache(maxsize=256)
def _check(template: str, input_paths: tuple[tuple[str, str], ...]) -> None:
    if len(input_paths) > MAX_PATHS:
        raise TemplateError(f"there are {len(input_paths)} input paths; AWS takes at most {MAX_PATHS}")
    for name, path in input_paths:
        if name.startswith("AWS.") or name in RESERVED_VARIABLES:
            raise TemplateError(f"the variable name {name!r} is reserved by AWS; choose another")
        if not _NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
            raise TemplateError(
                f"the variable name {name!r} is not valid; use 1 to {MAX_NAME_LENGTH} of A-Za-z0-9_-"
            )
        if not _PATH.fullmatch(path) or len(path) > MAX_PATH_LENGTH:
            raise TemplateError(
                f"the path {path!r} of {name!r} is not valid; write $, $.a.b or $.a[0].b, "
                f"at most {MAX_PATH_LENGTH} characters"
            )
    if not 1 <= len(template) <= MAX_TEMPLATE_LENGTH:
        raise TemplateError(
            f"the template has {len(template)} characters; AWS takes 1 to {MAX_TEMPLATE_LENGTH:,} characters"
        )
    names = dict(input_paths).keys() | RESERVED_VARIABLES | {None}
    for token in _TOKEN.finditer(template):
        if (name := token["name"]) not in names:
            raise TemplateError(
                f"the template has <{name}> at character {token.start() + 1}, which no input path defines; "
                "add a path, or drop it (< and > cannot be escaped)"
            )
    if template.lstrip().startswith(("{", "[")):
        _check_json(_filled(template, lambda name, quoted: f"<{name}>" if quoted else "null"))
    else:
        _check_lines(_filled(template, lambda _name, quoted: "" if quoted else '""'))


def _check_json(text: str) -> None:
    def check_keys(pairs: list[tuple[str, object]]) -> None:
        for key, _ in pairs:
            if re.search("<[^<>]*>", key):
                raise TemplateError(
                    f"the template has a placeholder in the key {key!r}; AWS takes them in values only"
                )

    try:
        json.loads(text, object_pairs_hook=check_keys)
    except TemplateError:
        raise
    except (ValueError, RecursionError) as error:
        raise TemplateError(f"the template begins like JSON and is not JSON: {error}") from error


def _check_lines(text: str) -> None:
    if not text.strip():
        raise TemplateError("the template is blank; write at least one line of text in double quotes")
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            is_text = not line.strip() or isinstance(json.loads(line.strip()), str)
        except (ValueError, RecursionError):
            is_text = False
        if not is_text:
            raise TemplateError(
                f"line {number} of the template is not a JSON string; put each line of text in double quotes"
            )


def _filled(template: str, value_of: Callable[[str, bool], str]) -> str:
    """The template with `value_of(name, quoted)` for each placeholder; quoted means inside a JSON string."""
    parts = [value_of(text, quoted) if is_name else text for text, is_name, quoted in _pieces(template)]
    return "".join(parts)


@lru_cache(maxsize=256)
def _pieces(template: str) -> list[tuple[str, bool, bool]]:
    """The pieces of a template: text or the name of a placeholder, and whether quotes are open before it."""
    pieces: list[tuple[str, bool, bool]] = []
    end, quoted = 0, False
    for token in _TOKEN.finditer(template):
        name = token["name"]
        pieces.append((template[end : token.start()], False, quoted))
        pieces.append((token[0] if name is None else name, name is not None, quoted))
        end = token.end()
        quoted ^= token[0] == '"'
    return [*pieces, (template[end:], False, quoted)]


def _lookup(event: Mapping[str, Any], path: str) -> object:
    """The value of a path; empty text if the event does not have it."""
    value: Any = event
    for name, index in _STEP.findall(path):
        if name and isinstance(value, dict) and name in value:
            value = value[name]
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            return ""
    return value
