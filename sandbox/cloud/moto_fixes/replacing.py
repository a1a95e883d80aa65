"""Replaces methods of moto by their corrections."""

import functools
import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

Function = Callable[..., Any]


class Correction(NamedTuple):
    """One method of moto, and the function that replaces it.

    Attributes:
        owner: Class of moto.
        name: Name of the method.
        corrected: Takes moto's own function, then what the method takes.
    """

    owner: type
    name: str
    corrected: Function


REGISTERED: list[Correction] = []

LATE = frozenset({"ec2"})
"""Services of moto that take long to import and are seldom asked: corrected before their first request."""


def corrects(owner: type, name: str) -> Callable[[Function], Function]:
    """Register the function that follows as the correction of `owner.name`; `replace` puts it there."""

    def registered(corrected: Function) -> Function:
        REGISTERED.append(Correction(owner, name, corrected))
        return corrected

    return registered


def replace(correction: Correction) -> None:
    """Put the correction into moto.

    Raises:
        RuntimeError: moto has no such method (any more), or it is corrected already.
    """
    owner, name, corrected = correction
    original: Function | None = vars(owner).get(name)
    where = f"{owner.__module__}.{owner.__qualname__}.{name}"
    if original is None:
        raise RuntimeError(
            f"the installed moto has no method {where}, which {corrected.__module__} corrects: "
            "install the version that requirements-dev.txt pins, or adapt the correction"
        )
    if hasattr(original, "corrected_by"):
        raise RuntimeError(f"{where} is corrected already: apply the corrections once per process")

    @functools.wraps(original)
    def method(*arguments: Any, **named: Any) -> Any:
        return corrected(original, *arguments, **named)

    vars(method)["corrected_by"] = corrected
    setattr(owner, name, method)


def replace_late(service: str | None) -> None:
    """Put the corrections of a service in `LATE` into moto, the first time that it is named."""
    if service in LATE:
        known = len(REGISTERED)
        importlib.import_module(f"sandbox.cloud.moto_fixes.{service}")
        for correction in REGISTERED[known:]:
            replace(correction)
