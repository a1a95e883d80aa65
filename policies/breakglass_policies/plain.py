"""Reading the properties that the engine hands to a rule.

They come wrapped in proxies: a list never equals a list, a dict is no `dict`, and touching a value that is
unknown at preview raises `UnknownValueError`. So values are made plain before they are looked at, and what is
known is judged before an unknown value ends the rule.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pulumi_policy.proxy import UnknownValueError

T = TypeVar("T")


def plain(value: Any) -> Any:
    """Return the value with every proxy in it replaced by a dict or a list.

    Raises:
        UnknownValueError: something in it is not known until deployment.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {key: plain(value[key]) for key in value}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return value


def items(value: Any) -> Sequence[Any]:
    """Return a list as it is, a missing value as no item, anything else as the only item.

    The items of a proxy stay behind it: reading an unknown one raises UnknownValueError then, not here.
    """
    if value is None:
        return []
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    return [value]


def known_name(holder: Mapping[str, Any] | Sequence[Any], key: Any) -> str | None:
    """Return the name at `key`, or None when there is none or it is not known until deployment."""
    try:
        value = holder[key]
    except (KeyError, UnknownValueError):
        return None
    return value if isinstance(value, str) and value else None


def unknown_last(*parts: Iterable[T]) -> Iterator[T]:
    """Yield what each part yields; an unknown value ends only its own part, and is raised after the last one.

    Raises:
        UnknownValueError: the first one that a part raised.
    """
    first: UnknownValueError | None = None
    for part in parts:
        try:
            yield from part
        except UnknownValueError as unknown:
            first = first or unknown
    if first:
        raise first


def any_known(candidates: Iterable[T], test: Callable[[T], bool]) -> bool:
    """Return whether one of the candidates passes the test.

    Raises:
        UnknownValueError: none is known to pass, and for at least one it cannot be known until deployment.
    """

    def tested(candidate: T) -> Iterator[bool]:
        yield test(candidate)

    return any(unknown_last(*(tested(candidate) for candidate in candidates)))


def title(resource_type: str, name: str) -> str:
    """Return how messages call a resource: the last part of its type and its name in the program."""
    return f"{resource_type.rpartition(':')[2]} '{name}'"
