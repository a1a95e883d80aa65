"""What a policy sees of a program: its resources, with properties as plain JSON.

The SDK hands properties over behind proxies: a list never equals a list, a dict is not a `dict`, and touching
a value that is unknown at preview raises `UnknownValueError`. So values are made plain before they are looked
at, and what is known is judged before an unknown value ends the policy.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from re import fullmatch
from typing import Any, NamedTuple, TypeVar, cast

from pulumi_policy import PolicyResource, ResourceValidationArgs, StackValidationArgs
from pulumi_policy.proxy import UnknownValueError

from alertpath.model import pinned_account
from breakglass import naming

T = TypeVar("T")
P = TypeVar("P")

NAMES: dict[str, Collection[str]] = {
    "BreakGlassUser": naming.DEFAULT_USER_NAMES,
    "BreakGlassRole": naming.DEFAULT_ROLE_NAMES,
}
"""Components whose resources get their names from the settings, and those names in another program."""


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource as a policy sees it.

    Reading what is not known until deployment raises UnknownValueError.

    Attributes:
        of: What the SDK gives.
        config: The policy's configuration for this stack, with defaults.
    """

    of: ResourceValidationArgs | PolicyResource
    config: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """Return a property as JSON, None if it is missing."""
        return as_json(self.of.props.get(name))

    def known(self, name: str) -> str | None:
        """Return a property that is a text, None if it is missing, empty or not known until deployment."""
        return known_text(self.of.props, name)

    def each(self, name: str) -> Iterator[Any]:
        """Yield the items of a list as JSON, or a value that is not a list as the only item."""
        value = items(self.of.props.get(name))
        return each(range(len(value)), lambda index: [as_json(value[index])])

    @property
    def type(self) -> str:
        """The type, such as `aws:sns/topic:Topic`."""
        return self.of.resource_type

    @property
    def title(self) -> str:
        """How messages call the resource: the last part of its type and its name in the program."""
        return f"{self.type.rpartition(':')[2]} '{self.of.name}'"

    @property
    def region(self) -> str | None:
        """The resource's own Region, else its provider's, None if neither says."""
        region = self["region"]
        if region is None and self.of.provider is not None:
            region = as_json(self.of.provider.props.get("region"))
        return region if isinstance(region, str) and region else None

    @property
    def account(self) -> str:
        """The account that the provider is limited to; empty if it is not limited or not known."""
        return "" if self.of.provider is None else pinned_account(known_properties(self.of.provider.props))

    def made_of(self, name: str) -> list["Resource"]:
        """Return the resources from which a property takes its value; for policies that judge a stack."""
        sources = getattr(self.of, "property_dependencies", {}).get(name, ())
        return [Resource(source, self.config) for source in sources]


@dataclass(frozen=True, eq=False)
class Stack:
    """All resources of a stack; `of` and `config` are as in `Resource`."""

    of: StackValidationArgs
    config: Mapping[str, Any]

    def all(self, *types: str) -> list[Resource]:
        """Return the resources of these types; without types all resources."""
        return [
            Resource(one, self.config) for one in self.of.resources if not types or one.resource_type in types
        ]


def is_ours(resource: Resource, component: str) -> bool:
    """Whether a resource is one of ours: by its component in our own program, by its name in any other.

    Our settings may give users and role any name, so in our program only the component tells. The URN holds
    it; it is a key of NAMES.
    """
    # IAM has no two names that differ in case only.
    return in_component(resource, component) or any(same(resource["name"], name) for name in NAMES[component])


def in_component(resource: Resource, *components: str) -> bool:
    """Whether the resource is in one of these components of our program, or, if none is named, in any."""
    tokens = [f"breakglass:index:{component}$" for component in components] or ["breakglass:index:"]
    return any(token in resource.of.urn for token in tokens)


def same(name: Any, other: Any) -> bool:
    """Whether two names are the same to IAM, which compares them without case."""
    return isinstance(name, str) and isinstance(other, str) and name.lower() == other.lower()


def as_json(value: Any) -> Any:
    """Return the value with every proxy in it replaced by a dict or a list, and every asset by its kind.

    Raises:
        UnknownValueError: something in it is not known until deployment.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in cast(Mapping[str, Any], value).items()}
    if isinstance(value, Sequence):
        return [as_json(item) for item in cast(Sequence[Any], value)]
    return type(value).__name__


def known_properties(props: Mapping[str, Any], unknown: Any = None) -> dict[str, Any]:
    """Return properties as JSON, with `unknown` for those that are not wholly known until deployment."""
    known: dict[str, Any] = {}
    for name in props:
        try:
            known[name] = as_json(props[name])
        except UnknownValueError:
            known[name] = unknown
    return known


def known_text(holder: Mapping[str, Any] | Sequence[Any], key: Any) -> str | None:
    """Return the text at `key`, None if it is missing, empty or not known until deployment."""
    try:
        value = holder[key]
    except (KeyError, UnknownValueError):
        return None
    return value if isinstance(value, str) and value else None


def items(value: Any) -> Sequence[Any]:
    """Return a list as it is, a missing value as an empty list, anything else as the only item.

    The items of a proxy stay behind it: reading an unknown one raises UnknownValueError then, not here.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        return cast(Sequence[Any], value)
    return [] if value is None else [value]


def members(value: Any) -> Mapping[str, Any]:
    """Return an object as it is, anything else as an empty one."""
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def each(things: Iterable[T], look: Callable[[T], Iterable[P]]) -> Iterator[P]:
    """Yield what `look` finds in each thing; an unknown value ends the look at that thing only.

    Raises:
        UnknownValueError: the first one that a look raised; raised after the last thing.
    """
    first: UnknownValueError | None = None
    for thing in things:
        try:
            yield from look(thing)
        except UnknownValueError as unknown:
            first = first or unknown
    if first:
        raise first


def any_known(candidates: Iterable[T], test: Callable[[T], bool]) -> bool:
    """Return whether one of the candidates passes the test.

    Raises:
        UnknownValueError: none is known to pass, and for at least one it cannot be known until deployment.
    """
    return any(each(candidates, lambda candidate: [test(candidate)]))


class Arn(NamedTuple):
    """The parts of an ARN that policies look at; any of them may hold wildcards."""

    service: str = ""
    region: str = ""
    account: str = ""
    resource: str = ""


def parse_arn(value: Any) -> Arn:
    """Return the parts of an ARN; all are empty when the value is not one."""
    parts = value.split(":", 5) if isinstance(value, str) else []
    return Arn(*parts[2:]) if len(parts) == 6 and parts[0] == "arn" else Arn()


def is_account_id(value: str) -> bool:
    """Return whether the text is the id of one account."""
    return fullmatch(r"[0-9]{12}", value) is not None


def is_own_bus(resource: Resource) -> bool:
    """Whether a resource is on the bus of hub or watchdog."""
    return bus_name(resource) in naming.BUSES


def bus_name(resource: Resource) -> str:
    """Return the name of the event bus that a resource is on, which may be given as an ARN."""
    bus = resource["eventBusName"]
    return bus.rpartition("/")[2] if isinstance(bus, str) and bus else "default"
