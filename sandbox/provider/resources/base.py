"""What every resource type of the emulated provider has, and how values cross over to AWS's names."""

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

Props = dict[str, Any]


class Resource:
    """One resource type: how to create, read, update and delete it.

    Attributes:
        token: Pulumi type token.
        service: boto3 name of the AWS service.
        inputs: Properties that a program may set, besides `region` and `tags`.
        outputs: Properties that `read` adds to the inputs.
        replace_on: Inputs whose change AWS cannot apply in place.
        kept: Inputs that moto does not keep: they are answered from the program's own values.
        defaults: What pulumi-aws plans for inputs that the program leaves out: known at preview.
        regional: Whether the type takes `region`.
    """

    token: ClassVar[str]
    service: ClassVar[str]
    inputs: ClassVar[frozenset[str]]
    outputs: ClassVar[frozenset[str]] = frozenset()
    replace_on: ClassVar[frozenset[str]] = frozenset()
    kept: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[Mapping[str, Any]] = {}
    regional: ClassVar[bool] = True

    def id_of(self, props: Props) -> str:
        """Return the id of a resource that AWS creates and changes with the same call."""
        return props["name"]

    def create(self, api: Any, props: Props) -> str:
        """Create the resource and return its id; left out by types with one call for both."""
        id = self.id_of(props)
        self.update(api, id, props)
        return id

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        """Return the live properties, or None when the resource is gone."""
        raise NotImplementedError

    def update(self, api: Any, id: str, props: Props) -> None:
        """Bring the resource to `props`; left out by types whose every change replaces."""
        raise NotImplementedError

    def delete(self, api: Any, id: str, props: Props) -> None:
        """Delete the resource."""
        raise NotImplementedError


def given(**parameters: Any) -> Props:
    """Return the parameters that are not None: boto3 refuses None where a value may be left out."""
    return {name: value for name, value in parameters.items() if value is not None}


def aws_names(*regular: str, **irregular: str) -> dict[str, str]:
    """Return AWS's names by pulumi-aws's: those of `regular` begin with a capital at AWS."""
    return {name: name[0].upper() + name[1:] for name in regular} | irregular


def arguments(props: Props, names: Mapping[str, str]) -> Props:
    """Return the properties that `names` lists and the program sets, under AWS's names."""
    return given(**{theirs: props.get(ours) for ours, theirs in names.items()})


def properties(answer: Props, names: Mapping[str, str]) -> Props:
    """Return what AWS answers under pulumi-aws's names; an empty text is None."""
    return {ours: answer.get(theirs) if answer.get(theirs) != "" else None for ours, theirs in names.items()}


def to_aws(value: Props | None, names: Mapping[str, str]) -> Props | None:
    """Return `value` with pulumi-aws's names turned into AWS's.

    Raises:
        RuntimeError: `value` has a name that `names` lacks: it must not be dropped silently.
    """
    if value is None:
        return None
    if unknown := sorted(value.keys() - names.keys()):
        raise RuntimeError(f"the sandbox does not emulate {', '.join(unknown)} here: only {', '.join(names)}")
    return {names[name]: entry for name, entry in value.items()}


def from_aws(value: Props | None, names: Mapping[str, str]) -> Props | None:
    """Return `value` with AWS's names turned into pulumi-aws's; the opposite of `to_aws`."""
    return to_aws(value, {theirs: ours for ours, theirs in names.items()})


_GONE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "ResourceNotFoundException",
    }
)


def is_gone(error: ClientError) -> bool:
    """Whether AWS says that the resource does not exist (any more)."""
    return error.response["Error"]["Code"] in _GONE
