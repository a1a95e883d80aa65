"""Reads a configuration along the declarations of its keys, and notes every problem with the path of its key.

A problem never stops the reading, so one run finds all of them. Where one was noted, None or an empty list
stands instead of the value: use such settings only to look for further problems.
"""

import difflib
import re
from collections.abc import Hashable, Mapping
from dataclasses import MISSING
from typing import Any, cast

from breakglass.settings.constraints import Constraint, ListOf, Nested, Text
from breakglass.settings.model import REMOVED, Key, camel_case, keys_of

ROOT = "breakglass"
_PUBLIC = re.compile(r"[\w.+-]{0,64}(@[\w.-]{0,255})?|arn:[\w:*/.-]{1,200}")
"""A word, a mail address, a phone number or an ARN: what may be quoted of a recipient."""


class Walk:
    """One reading of a configuration.

    Attributes:
        problems: One line each: key path, what was found, what would be right.
    """

    def __init__(self, instead: Mapping[str, Key]) -> None:
        """Start a reading; `instead` has a stack's own declarations of keys, by their paths."""
        self.problems: list[str] = []
        self._instead = instead

    def mapping(self, found: object, path: str, constraint: Nested, around: Mapping[str, Any]) -> Any:
        """Return the model that a mapping describes, None for another value.

        Args:
            found: What the configuration has.
            path: Where it has it.
            constraint: The mapping's declaration.
            around: The values that surround the mapping, by their fields.
        """
        if not isinstance(found, Mapping):
            self._note(path, found, "a mapping")
            return None
        given = cast(Mapping[object, object], found)
        start = path + (":" if path == ROOT else ".")
        declared = keys_of(constraint.model)
        keys = {field: declared[field] for field in constraint.only} if constraint.only else declared
        values = {field: None if key.default is MISSING else key.default for field, key in declared.items()}
        for field, of_model in keys.items():
            name = camel_case(field)
            place, known = start + name, {**around, **values}
            key = self._instead.get(place, of_model)
            wanted = key.constraint.given(known)
            if name in given:
                values[field] = self.value(given[name], place, wanted, known)
            elif key.required:
                self.problems.append(f"{place}: missing, must be {wanted.accepted}")
        names = [camel_case(field) for field in keys]
        for name in given:
            if name not in names:
                close = difflib.get_close_matches(str(name), names, n=1)
                hint = f" (did you mean {close[0]}?)" if close else ""
                why = f" while components does not list {path.split(':')[-1]}" if constraint.only else ""
                plain = isinstance(name, str) and re.fullmatch(r"[\w-]{1,60}", name)
                # What is no name may be an endpoint that lost its key.
                place = f"{start}{name if plain else f'<{len(str(name))} characters>'}"
                if place in REMOVED:
                    self.problems.append(f"{place}: was removed, must be absent: {REMOVED[place]}")
                    continue
                self.problems.append(f"{place}: unknown key{hint}, must be one of {', '.join(names)}{why}")
        return constraint.model(**values)

    def value(self, found: object, path: str, constraint: Constraint, around: Mapping[str, Any]) -> Any:
        """Return a value of the configuration as the settings have it; the arguments are as in `mapping`."""
        if isinstance(constraint, Nested):
            return self.mapping(found, path, constraint, around)
        if isinstance(constraint, ListOf):
            return self._list(found, path, constraint, around)
        if constraint.fits(found):
            return found
        kind = "a string: " if isinstance(constraint, Text) and not isinstance(found, str) else ""
        self._note(path, found, kind + constraint.accepted)
        return None

    def _list(
        self, found: object, path: str, constraint: ListOf, around: Mapping[str, Any]
    ) -> tuple[Any, ...] | None:
        """Return the items, None in place of a bad one; None for the word that may stand instead."""
        if constraint.word and found == constraint.word:
            return None
        if not isinstance(found, list):
            self._note(path, found, constraint.accepted)
            return ()
        listed = cast(list[object], found)
        before = len(self.problems)
        at_most = len(listed) if constraint.at_most is None else constraint.at_most
        if not constraint.at_least <= len(listed) <= at_most:
            self.problems.append(f"{path}: found a list of {len(listed)}, must be {constraint.accepted}")
        item_constraint = constraint.item.given(around)
        items: list[Any] = []
        for index, item in enumerate(listed):
            good_until = len(self.problems)
            value = self.value(item, f"{path}[{index}]", item_constraint, around)
            items.append(value if len(self.problems) == good_until else None)
        first: dict[Hashable, int] = {}
        how = " (in upper or lower case)" if constraint.ignore_case else ""
        for index, item in enumerate(items):
            earlier = first.setdefault(item.lower() if item and constraint.ignore_case else item, index)
            if item is not None and earlier != index:
                self.problems.append(f"{path}[{index}]: repeats [{earlier}]{how}, must be there once")
        # A bad item may be the needed one misspelt: one problem is enough.
        if constraint.needed and len(self.problems) == before and constraint.needed[0] not in items:
            needed, reason = constraint.needed
            self.problems.append(f"{path}: found no {needed}, must hold it, {reason}")
        return tuple(items)

    def _note(self, path: str, found: object, accepted: str) -> None:
        # The URL of a webhook is a secret, whatever is wrong with it, and may stand where it does not belong.
        shown = repr(found)
        if re.search(r"subscriptions", path, re.IGNORECASE) and not _PUBLIC.fullmatch(str(found)):
            shown = f"{type(found).__name__} of {len(str(found))} characters"
        elif "://" in shown:
            shown = re.sub(r"://[^\s/'\"]*@", "://...@", shown)
            shown = re.sub(r"(://[^\s/?#'\"]+)[/?#].*", r"\1/...'", shown)
        self.problems.append(f"{path}: found {_short(shown)}, must be {accepted}")


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
