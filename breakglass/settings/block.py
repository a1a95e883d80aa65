"""Reads nested configuration and notes every problem together with the path of its key.

A `Block` is one mapping of the configuration. Whoever reads it asks for its keys one by one and calls
`finish()`: what nobody asked for is an unknown key. A problem never stops the reading, so all of them are
found in one run; in the place of a bad value stands an empty one, which the caller must not use.
"""

import difflib
import math
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

_REQUIRED: Any = object()
"""Default of a key that has none."""


@dataclass(frozen=True)
class Rule:
    """What one string must look like.

    Attributes:
        accepted: The rule in words, as they follow "must be" in a problem.
        accepts: Tells whether a string follows the rule; any true value means yes.
    """

    accepted: str
    accepts: Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class ListRule:
    """What a list of strings must look like; no two of them may be the same.

    Attributes:
        accepted: The rule in words, as they follow "must be" in a problem.
        item: What each string must look like.
        at_least: Smallest number of strings.
        at_most: Largest number of strings.
        ignore_case: Whether two strings that differ in case only count as the same.
    """

    accepted: str
    item: Rule
    at_least: int = 0
    at_most: float = math.inf
    ignore_case: bool = False


@dataclass(frozen=True)
class NumberRule:
    """What one whole number must be.

    Attributes:
        accepted: The rule in words, as they follow "must be" in a problem.
        accepts: Tells whether a number follows the rule.
    """

    accepted: str
    accepts: Callable[[int], bool]


def pattern(accepted: str, regex: str) -> Rule:
    """Return the rule that a string matches a regular expression from its first to its last character."""
    return Rule(accepted, re.compile(regex).fullmatch)


def one_of(options: Iterable[str]) -> Rule:
    """Return the rule that a string is one of a few."""
    options = tuple(options)
    return Rule(f"one of {', '.join(options)}", options.__contains__)


def number_from(lowest: int, highest: int, what: str) -> NumberRule:
    """Return the rule that a number lies between two, both included; `what` names it and its unit."""
    return NumberRule(f"{what} from {lowest} to {highest}", range(lowest, highest + 1).__contains__)


class Block:
    """One mapping of the configuration; the module's docstring tells how it is read."""

    def __init__(self, found: object, problems: list[str], path: str, separator: str = ".") -> None:
        """Start to read a mapping.

        Args:
            found: The mapping, or whatever stands in its place.
            problems: Receives one line for each problem.
            path: Where the block stands in the configuration.
            separator: What stands between that path and a key.
        """
        self._problems = problems
        self._path = path
        self._separator = separator
        self._known: list[str] = []
        # A block that is no mapping is one problem; its keys are not missing on top of that.
        self._is_mapping = isinstance(found, Mapping)
        self._left: dict[object, object] = dict(found) if isinstance(found, Mapping) else {}
        if not self._is_mapping:
            self._found(path, found, "a mapping")

    def __contains__(self, key: str) -> bool:
        """Tell whether a key is there and not yet read."""
        return key in self._left

    def text(self, key: str, rule: Rule, default: T = _REQUIRED) -> str | T:
        """Return a string, or `default` where the key is absent; without default the key is required."""
        if not self._has(key, rule.accepted, required=default is _REQUIRED):
            return "" if default is _REQUIRED else default
        return self._text(self._left.pop(key), self._path_of(key), rule)

    def texts(self, key: str, rule: ListRule, default: T = _REQUIRED) -> tuple[str, ...] | T:
        """Return a list of strings, or `default` where the key is absent; "" stands for a bad one."""
        if not self._has(key, rule.accepted, required=default is _REQUIRED):
            return () if default is _REQUIRED else default
        items = self._list(key, rule.accepted, rule.at_least, rule.at_most)
        texts = tuple(self._text(item, path, rule.item) for path, item in items)
        if rule.ignore_case:
            self.note_repetitions(key, [text.lower() for text in texts], " (in upper or lower case)")
        else:
            self.note_repetitions(key, texts)
        return texts

    def number(self, key: str, rule: NumberRule, default: T = _REQUIRED) -> int | T:
        """Return a whole number, or `default` where the key is absent; 0 stands for a bad one."""
        if not self._has(key, rule.accepted, required=default is _REQUIRED):
            return 0 if default is _REQUIRED else default
        found = self._left.pop(key)
        # In Python True is an int; in the configuration it is a mistake.
        if isinstance(found, int) and not isinstance(found, bool) and rule.accepts(found):
            return found
        self._found(self._path_of(key), found, rule.accepted)
        return 0

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false, or `default` where the key is absent."""
        if not self._has(key, "true or false", required=False):
            return default
        found = self._left.pop(key)
        if isinstance(found, bool):
            return found
        self._found(self._path_of(key), found, "true or false")
        return default

    def take_word(self, key: str, word: str) -> bool:
        """Take a key out of the block if its value is a certain word; tell whether it was."""
        if self._left.get(key) != word:
            return False
        self._known.append(key)
        del self._left[key]
        return True

    def block(self, key: str, required_because: str = "") -> "Block | None":
        """Return a nested block, or None where the key is absent: a problem if something requires it."""
        if not self._has(key, f"a mapping, because {required_because}", required=bool(required_because)):
            return None
        return Block(self._left.pop(key), self._problems, self._path_of(key))

    def blocks(self, key: str, accepted: str) -> "Iterator[Block]":
        """Yield the blocks of a required list with at least one of them."""
        if self._has(key, accepted, required=True):
            for path, item in self._list(key, accepted, at_least=1):
                yield Block(item, self._problems, path)

    def refuse(self, key: str, accepted: str) -> None:
        """Note a problem if a known key is there."""
        if self._has(key, accepted, required=False):
            self._found(self._path_of(key), self._left.pop(key), accepted)

    def note(self, place: str, problem: str) -> None:
        """Note a problem that takes more than one key to see; `place` is a path such as `names[0]`."""
        self._problems.append(f"{self._path}{self._separator}{place}: {problem}")

    def note_repetitions(self, key: str, values: Iterable[Hashable], how: str = "") -> None:
        """Note a problem for each value of a list that stands in it before; empty ones are bad already."""
        first: dict[Hashable, int] = {}
        for index, value in enumerate(values):
            if value and first.setdefault(value, index) != index:
                path = self._path_of(key)
                self._problems.append(f"{path}[{index}]: repeats [{first[value]}]{how}, must be there once")

    def finish(self, note: str = "") -> None:
        """Note a problem for each key that is left, that is, unknown here."""
        for key in self._left:
            close = difflib.get_close_matches(str(key), self._known, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            known = ", ".join(self._known)
            self._problems.append(f"{self._path_of(key)}: unknown key{hint}, must be one of {known}{note}")

    def _has(self, key: str, accepted: str, *, required: bool) -> bool:
        self._known.append(key)
        if key in self._left:
            return True
        if required and self._is_mapping:
            self._problems.append(f"{self._path_of(key)}: missing, must be {accepted}")
        return False

    def _list(
        self, key: str, accepted: str, at_least: int, at_most: float = math.inf
    ) -> list[tuple[str, object]]:
        """Take a list out of the block; return its items, each with its path."""
        path, found = self._path_of(key), self._left.pop(key)
        if not isinstance(found, list):
            self._found(path, found, accepted)
            return []
        if not at_least <= len(found) <= at_most:
            self._problems.append(f"{path}: found a list of {len(found)}, must be {accepted}")
        return [(f"{path}[{index}]", item) for index, item in enumerate(found)]

    def _text(self, found: object, path: str, rule: Rule) -> str:
        if not isinstance(found, str):
            self._found(path, found, f"a string: {rule.accepted}")
            return ""
        if not rule.accepts(found):
            self._found(path, found, rule.accepted)
            return ""
        return found

    def _found(self, path: str, found: object, accepted: str) -> None:
        self._problems.append(f"{path}: found {_short(_without_secrets(repr(found)))}, must be {accepted}")

    def _path_of(self, key: object) -> str:
        plain = isinstance(key, str) and re.fullmatch(r"[\w-]{1,60}", key)
        return f"{self._path}{self._separator}{key if plain else _short(repr(key))}"


def _without_secrets(text: str) -> str:
    """Return `text` with URLs cut after the host: a webhook's path, or a password in it, is a secret."""
    without_user = re.sub(r"://[^\s/'\"]*@", "://...@", text)
    return re.sub(r"(://[^\s/?#'\"]+)[/?#][^\s'\"]*", r"\1/...", without_user)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
