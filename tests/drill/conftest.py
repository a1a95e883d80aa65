"""An emulated AWS with both stacks deployed, started once; what a test breaks, it breaks in the answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from alertpath.model import Resource
from drill import stacks
from drill.account import Account
from drill.check import rendered
from drill.check.stack_state import StackState, prepare
from sandbox.run import make_mirror
from tests.drill import deployed
from tests.program import STACKS


@pytest.fixture(scope="session", autouse=True)
def _stacks_of_the_tests() -> Iterator[None]:
    """The commands find the stack files of the tests: those of the project are the user's to edit."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacks, "PROJECT", STACKS)
        yield


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the stack files of the tests, for commands in processes of their own."""
    folder = tmp_path_factory.mktemp("clone") / "project"
    make_mirror(folder, STACKS, print)
    return folder


@pytest.fixture(scope="session")
def both_stacks() -> Iterator[str]:
    """URL of the emulated AWS."""
    with pytest.MonkeyPatch.context() as patch, deployed.running() as endpoint:
        patch.setattr(rendered, "render", _rendered_once(rendered.render))
        yield endpoint


@pytest.fixture(scope="module")
def aws(both_stacks: str) -> Iterator[str]:
    """URL of the emulated AWS; boto3 finds it in the environment, for as long as a module's tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", both_stacks)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield both_stacks


def _rendered_once(render: Callable[..., list[Resource]]) -> Callable[..., list[Resource]]:
    """Return `render` with a memory: what a stack renders is the same in every test."""
    kept: dict[str, list[Resource]] = {}

    def remembering(stack: stacks.Stack, *, enabled_regions: Sequence[str], key: Mapping[str, str]) -> Any:
        asked = f"{stack.config} {enabled_regions} {key}"
        if asked not in kept:
            kept[asked] = render(stack, enabled_regions=enabled_regions, key=key)
        return kept[asked]

    return remembering


class Broken:
    """What AWS answers otherwise than it does, in the accounts of one test."""

    def __init__(self) -> None:
        self._answers: list[tuple[str, Callable[..., Any]]] = []

    def answer(self, operation: str, change: Callable[[dict[str, Any]], object], region: str = "") -> None:
        """Change the answer to an operation, such as `DescribeRule`, in place; in one Region if given."""

        def changed(model: Any, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
            asked = model.name == operation and region in ("", context["client_region"])
            if asked and "Error" not in parsed:
                change(parsed)

        self._answers.append(("after-call", changed))

    def refuse(self, operation: str, code: str, message: str = "no", region: str = "") -> None:
        """Have an operation, or every one (`*`), answered with an error; in one Region if given."""

        def refused(model: Any, context: dict[str, Any], **_: Any) -> Any:
            if operation in ("*", model.name) and region in ("", context["client_region"]):
                error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}
                return AWSResponse("", 400, {}, None), error
            return None

        self._answers.append(("before-call", refused))

    def apply(self, account: Account) -> None:
        """Break the answers to an account of the test's own."""
        assert account.session is not None
        for event, handler in self._answers:
            account.session.events.register(event, handler)

    def emit(self, event: str, **details: Any) -> Any:
        """Return what a call is answered with instead, None if nothing was broken about it."""
        for kind, handler in self._answers:
            answer = handler(**details) if kind == event else None
            if answer is not None:
                return answer
        return None


@pytest.fixture
def broken() -> Broken:
    return Broken()


Look = Callable[..., list[StackState]]


@pytest.fixture
def look(aws: str, broken: Broken) -> Iterator[Look]:
    """Return `look(*stacks)`: the stacks as they are meant and as they are, with what the test broke."""

    def looked(*only: str) -> list[StackState]:
        everything = stacks.load()
        accounts = [deployed.shared_account(stack.account_id, aws) for stack in everything]
        return prepare(everything, accounts, only=only or ("mgmt", "member"), progress=unseen)

    with deployed.interrupted(broken.emit):
        yield looked


def unseen(done: int, of: int) -> None:
    """Nobody watches the progress of a test."""


def states(findings: Sequence[Any]) -> list[str]:
    return [finding.state.value for finding in findings]


def mends(finding: Any) -> str:
    """All that a finding says to do: words, then commands."""
    return "\n".join([finding.fix, *finding.commands]).strip()
