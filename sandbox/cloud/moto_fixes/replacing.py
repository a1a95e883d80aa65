"""Replaces methods of moto by their corrections."""

import functools
from collections.abc import Callable
from typing import Any

Function = Callable[..., Any]


def corrects(owner: type, name: str) -> Callable[[Function], Function]:
    """Put the function that follows in the place of moto's `owner.name`.

    It takes moto's own function, then what the method takes.

    Raises:
        RuntimeError: moto has no such method (any more), or it is corrected already.
    """

    def replaced(corrected: Function) -> Function:
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
        return corrected

    return replaced
