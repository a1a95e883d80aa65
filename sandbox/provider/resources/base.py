"""What every resource type of the emulated provider has, and how values cross over to AWS's names."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from botocore.exceptions import ClientError

Props = dict[str, Any]
Names = Mapping[str, "Name"]


class Name(NamedTuple):
    """What AWS calls a property; `parts` are the names inside it, None if its value crosses as it is."""

    aws: str
    parts: Names | None = None


class Resource:
    """One resource type: how to create, read, update and delete it.

    Attributes:
        service: boto3's name of it.
        noun: boto3's word for it in calls such as `delete_queue`.
        verb: boto3's word for reading it: `describe` or `get`.
        key: boto3's parameter for the id.
        id_from: The input that is the id, of a resource that AWS creates and changes with the same call.
        names: AWS's names of the properties that it takes or answers as they are.
        inputs: Properties that a program may set, besides `region` and `tags`.
        outputs: Properties that `read` adds to the inputs.
        replace_on: Inputs whose change AWS cannot apply in place.
        kept: Inputs that moto does not keep: they are answered from the program's own values.
        defaults: What pulumi-aws plans for inputs that the program leaves out: known at preview.
        regional: Whether the type takes `region`.
    """

    token: ClassVar[str]
    service: ClassVar[str]
    noun: ClassVar[str]
    verb: ClassVar[str] = "describe"
    key: ClassVar[str]
    id_from: ClassVar[str] = "name"
    names: ClassVar[Names]
    inputs: ClassVar[frozenset[str]]
    outputs: ClassVar[frozenset[str]] = frozenset()
    replace_on: ClassVar[frozenset[str]] = frozenset()
    kept: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[Mapping[str, Any]] = {}
    regional: ClassVar[bool] = True

    def id_of(self, props: Props) -> str:
        """Return the id of a resource whose id is not made by AWS."""
        return props[self.id_from]

    def address(self, id: str) -> dict[str, str]:
        """Return the parameters with which boto3 finds the resource."""
        return {self.key: id}

    def create(self, api: Any, props: Props) -> str:
        """Create the resource and return its id; left out by types with one call for both."""
        id = self.id_of(props)
        self.update(api, id, props)
        return id

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        """Return the live properties, or None when the resource is gone."""
        answer = getattr(api, f"{self.verb}_{self.noun}")(**self.address(id))
        return properties(answer, {ours: name for ours, name in self.names.items() if ours not in self.kept})

    def update(self, api: Any, id: str, props: Props) -> None:
        """Bring the resource to `props`; left out by types whose every change replaces."""
        raise NotImplementedError

    def delete(self, api: Any, id: str, props: Props) -> None:
        """Delete the resource."""
        getattr(api, f"delete_{self.noun}")(**self.address(id))


class Named(Resource):
    """A resource with a call of its own to create it, under the name that the program gives."""

    def create(self, api: Any, props: Props) -> str:
        getattr(api, f"create_{self.noun}")(**arguments(props, self.names))
        return self.id_of(props)

    def update(self, api: Any, id: str, props: Props) -> None:
        if changeable := self.inputs - self.replace_on - self.kept:
            changed = arguments(props, {ours: self.names[ours] for ours in changeable})
            getattr(api, f"update_{self.noun}")(**self.address(id), **changed)


def aws_names(*regular: str, **others: str | Name) -> Names:
    """Return AWS's names by pulumi-aws's: those of `regular` begin with a capital at AWS."""
    names = {name: Name(name[0].upper() + name[1:]) for name in regular}
    return names | {ours: Name(other) if isinstance(other, str) else other for ours, other in others.items()}


def arguments(props: Props, names: Names) -> Props:
    """Return the properties that `names` lists and the program sets, under AWS's names.

    Raises:
        RuntimeError: A part of a property is not in `names`: it must not be dropped silently.
    """
    return _renamed({ours: props[ours] for ours in names if props.get(ours) is not None}, names)


def properties(answer: Props, names: Names) -> Props:
    """Return what AWS answers under pulumi-aws's names; None if it is an empty text, or not there.

    Raises:
        RuntimeError: As of `arguments`.
    """
    back = _inverted(names)
    answered = {theirs: answer[theirs] for theirs in back if answer.get(theirs, "") != ""}
    return dict.fromkeys(names) | _renamed(answered, back)


def _renamed(value: Props, names: Names) -> Props:
    if unknown := sorted(value.keys() - names.keys()):
        raise RuntimeError(f"the sandbox does not emulate {', '.join(unknown)} here: only {', '.join(names)}")
    renamed = {}
    for name, entry in value.items():
        other, parts = names[name]
        renamed[other] = entry if parts is None else _renamed(entry, parts)
    return renamed


def _inverted(names: Names) -> Names:
    return {name.aws: Name(ours, name.parts and _inverted(name.parts)) for ours, name in names.items()}


_GONE = {
    "AWS.SimpleQueueService.NonExistentQueue",
    *("NoSuchEntity", "NotFound", "NotFoundException", "ResourceNotFoundException"),
}


def is_gone(error: ClientError) -> bool:
    """Whether AWS says that the resource does not exist (any more)."""
    return error.response["Error"]["Code"] in _GONE
