"""Reads a mapping of the configuration key by key, and notes every problem with the path of its key.

Read the keys, then call `finish()`, which reports the keys that nobody read. A problem never stops the
reading, so one run finds all of them. `values` holds good values only: a key that is missing there was
absent, or its problem is noted.
"""

import difflib
import re
from collections.abc import Hashable, Mapping
from typing import Any, Generic, TypeVar, cast

from breakglass.settings.constraints import ListOf, Nested, Text, TextBy, Value
from breakglass.settings.model import camel_case, keys_of

M = TypeVar("M")
N = TypeVar("N")


class Block(Generic[M]):
    """One mapping of the configuration, with the keys that a model declares.

    Attributes:
        values: The good values, by the names of the model's fields.
        items: The good items of each list that is there, by their place in it.
    """

    def __init__(
        self, model: type[M], found: object, problems: list[str], path: str, separator: str = "."
    ) -> None:
        """Start to read a mapping.

        Args:
            model: Declares the keys.
            found: The mapping, or the value that is there instead.
            problems: Receives one line for each problem.
            path: Where the block is in the configuration.
            separator: What is between that path and a key.
        """
        self.values: dict[str, Any] = {}
        self.items: dict[str, dict[int, Any]] = {}
        self._model = model
        self._keys = keys_of(model)
        self._problems = problems
        self._path = path
        self._separator = separator
        self._known: list[str] = []
        self._is_mapping = isinstance(found, Mapping)
        self._found = dict(cast(Mapping[object, object], found)) if self._is_mapping else {}
        self._left = dict(self._found)
        # Report a non-mapping once, not also its missing keys.
        if not self._is_mapping:
            self._note_found(path, found, "a mapping")

    def __contains__(self, field: str) -> bool:
        """Whether the key of a field is there."""
        return camel_case(field) in self._found

    def read(self, field: str, constraint: Value | None = None, *, required: bool | None = None) -> None:
        """Read the key of one field; `constraint` and `required` replace what the model declares."""
        declared = self._keys[field]
        constraint = constraint or cast(Value, declared.constraint)  # nested mappings: see `block`
        if isinstance(constraint, TextBy):
            constraint = constraint.given(self.values)
        required = declared.required if required is None else required
        taken = self._take(field, constraint.accepted, required=required)
        if taken is None:
            return
        path, found = taken
        if isinstance(constraint, ListOf):
            self._read_list(field, path, found, constraint)
        elif (refusal := constraint.refusal(found)) is None:
            self.values[field] = found
        else:
            self._note_found(path, found, refusal)

    def read_others(self, *, but: str = "", **constraints: Value) -> None:
        """Read the keys not read yet, in the model's order; `constraints` replace what it declares."""
        for field in list(self._keys):
            if field != but:
                self.read(field, constraints.get(field))

    def block(self, field: str, model: type[N], required_because: str = "") -> "Block[N] | None":
        """Return a nested block, or None if the key is absent: a problem if something requires it."""
        accepted = f"a mapping, because {required_because}"
        taken = self._take(field, accepted, required=bool(required_because))
        return None if taken is None else Block(model, taken[1], self._problems, taken[0])

    def refuse(self, field: str, accepted: str) -> None:
        """Note a problem if the key of a field is there."""
        if taken := self._take(field, accepted, required=False):
            self._note_found(*taken, accepted)

    def note(self, place: str, problem: str) -> None:
        """Note a problem that takes more than one key to see; `place` is a path such as `names[0]`."""
        self._problems.append(f"{self._path}{self._separator}{place}: {problem}")

    def finish(self, note: str = "") -> None:
        """Note a problem for each key that is left, that is, unknown here."""
        for key in self._left:
            close = difflib.get_close_matches(str(key), self._known, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            known = ", ".join(self._known)
            self._problems.append(f"{self._path_of(key)}: unknown key{hint}, must be one of {known}{note}")

    def made(self, **values: Any) -> M:
        """Return the model made of the good values; `values` are for the fields that have none."""
        return self._model(**values | self.values)

    def _take(self, field: str, accepted: str, *, required: bool) -> tuple[str, object] | None:
        """Take the key of a field out of the mapping; return its path and value, None if it is absent."""
        del self._keys[field]
        key = camel_case(field)
        self._known.append(key)
        if key in self._left:
            return self._path_of(key), self._left.pop(key)
        if required and self._is_mapping:
            self.note(key, f"missing, must be {accepted}")
        return None

    def _read_list(self, field: str, path: str, found: object, constraint: ListOf) -> None:
        if constraint.word is not None and found == constraint.word:
            self.values[field] = None
            return
        if not isinstance(found, list):
            self._note_found(path, found, constraint.accepted)
            return
        listed = cast(list[object], found)
        before = len(self._problems)
        at_most = len(listed) if constraint.at_most is None else constraint.at_most
        if not constraint.at_least <= len(listed) <= at_most:
            self._problems.append(f"{path}: found a list of {len(listed)}, must be {constraint.accepted}")
        items = [self._item(f"{path}[{index}]", item, constraint.item) for index, item in enumerate(listed)]
        good = {index: item for index, item in enumerate(items) if item is not None}
        self._note_repetitions(path, good, ignore_case=constraint.ignore_case)
        self.items[field] = good
        if len(self._problems) > before:  # a bad item may be the needed one misspelt: one problem is enough
            return
        self.values[field] = tuple(items)
        if constraint.needed is not None and constraint.needed[0] not in items:
            needed, reason = constraint.needed
            self._problems.append(f"{path}: found no {needed}, must hold it, {reason}")

    def _item(self, path: str, found: object, constraint: Text | Nested) -> Any:
        """Return an item of a list; None if it is bad."""
        before = len(self._problems)
        if isinstance(constraint, Nested):
            block = Block(constraint.model, found, self._problems, path)
            block.read_others()
            block.finish()
            return block.made() if len(self._problems) == before else None
        refusal = constraint.refusal(found)
        if refusal is not None:
            self._note_found(path, found, refusal)
        return found if refusal is None else None

    def _note_repetitions(self, path: str, items: Mapping[int, Any], *, ignore_case: bool) -> None:
        first: dict[Hashable, int] = {}
        how = " (in upper or lower case)" if ignore_case else ""
        for index, item in items.items():
            earlier = first.setdefault(item.lower() if ignore_case else item, index)
            if earlier != index:
                self._problems.append(f"{path}[{index}]: repeats [{earlier}]{how}, must be there once")

    def _note_found(self, path: str, found: object, accepted: str) -> None:
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
