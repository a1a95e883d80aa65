"""Runs the program against a recorder in the engine's place, with a stack file of the tests."""

import copy
import json
import runpy
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import pulumi
import yaml
from pulumi.runtime import mocks

ROOT = Path(__file__).parents[1]
STACKS = ROOT / "tests" / "stacks"
"""Stack files of the tests; those of the project are the user's to edit."""
STACK_TYPE = "pulumi:pulumi:Stack"
ENABLED_REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
KEY_ID = "5e1f0a2c-9b7d-4c36-8f10-2d4b6a8c0e12"
KEY_ARN = f"arn:aws:kms:us-east-1:111111111111:key/{KEY_ID}"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """One registration, as the engine would receive it."""

    type: str
    name: str
    parent: str
    protect: bool
    delete_before_replace: bool
    provider: str
    inputs: dict[str, Any]
    depends_on: frozenset[str]

    def document(self, name: str) -> Any:
        return json.loads(self.inputs[name])


class InvokeError(grpc.RpcError):
    """An error of a function, as the engine reports that of the provider."""

    def __init__(self, token: str, answer: str) -> None:
        self._details = f"invocation of {token} returned an error: {answer}"

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        return self._details


class Recording(list[Registered]):
    """Every registration in order; a list, because a dict by name would hide a clash."""

    def of(self, type: str) -> dict[str, Registered]:
        return {resource.name: resource for resource in self if resource.type == type}

    def only(self, type: str) -> Registered:
        (resource,) = (resource for resource in self if resource.type == type)
        return resource


class _Mocks(pulumi.runtime.Mocks):
    def __init__(self, enabled_regions: Sequence[str], absent: Collection[str], *, preview: bool) -> None:
        self._enabled_regions, self._absent = enabled_regions, absent
        self._preview = preview

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        # The one thing whose name AWS makes up, so it is known only after a deployment.
        made_up = {} if self._preview or args.typ != "aws:kms/key:Key" else {"keyId": KEY_ID, "arn": KEY_ARN}
        return f"{args.name}-id", {**args.inputs, **made_up}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        assert "pulumi:providers:aws" in args.provider, "asked with ambient credentials"
        if args.token == "aws:iam/getPolicy:getPolicy":
            if args.args["arn"] in self._absent:
                raise InvokeError(args.token, "no such policy")
            return {"arn": args.args["arn"], "id": args.args["arn"]}
        assert args.token == "aws:index/getRegions:getRegions", f"the program must not ask {args.token}"
        return {"names": list(self._enabled_regions), "id": "us-east-1"}


class _Monitor(mocks.MockMonitor):
    def __init__(self, mocks: _Mocks, recording: list[Registered]) -> None:
        super().__init__(mocks)
        self._recording = recording

    def RegisterResource(self, request: Any) -> Any:
        if request.type != STACK_TYPE:
            self._recording.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    parent=request.parent.rsplit("::", 1)[-1],
                    protect=request.protect,
                    delete_before_replace=request.deleteBeforeReplace,
                    provider=request.provider,
                    inputs=pulumi.runtime.rpc.deserialize_properties(request.object),
                    depends_on=frozenset(urn.rsplit("::", 1)[-1] for urn in request.dependencies),
                )
            )
        return super().RegisterResource(request)


def stack_configuration(stack: str) -> dict[str, Any]:
    config = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key.removeprefix("breakglass:"): value for key, value in config.items()}


Change = Callable[[dict[str, Any]], object]


def run(
    stack: str,
    *,
    preview: bool = False,
    change: Change | None = None,
    recording: list[Registered] | None = None,
    secret: tuple[str, ...] = (),
    enabled_regions: Sequence[str] = ENABLED_REGIONS,
    absent: Collection[str] = (),
) -> Recording:
    """Run __main__.py with that stack's settings; a `recording` of the caller's own survives a failure.

    AWS answers that the policies with the ARNs in `absent` do not exist.
    """
    if change is None and recording is None and not absent:
        # The stacks of the tests register the same in every test: run once, handed out as copies.
        return copy.deepcopy(_run_committed(stack, preview, secret, tuple(enabled_regions)))
    config = stack_configuration(stack)
    if change is not None:
        change(config)
    return _run(stack, config, recording, preview, secret, enabled_regions, absent)


@cache
def _run_committed(
    stack: str, preview: bool, secret: tuple[str, ...], enabled_regions: tuple[str, ...]
) -> Recording:
    return _run(stack, stack_configuration(stack), None, preview, secret, enabled_regions)


def _run(
    stack: str,
    config: dict[str, Any],
    recording: list[Registered] | None,
    preview: bool,
    secret: tuple[str, ...],
    enabled_regions: Sequence[str],
    absent: Collection[str] = (),
) -> Recording:
    recording = Recording() if recording is None else recording
    pulumi.runtime.set_all_config(
        {f"breakglass:{key}": _as_engine_sends(value) for key, value in config.items()},
        [f"breakglass:{key}" for key in secret],
    )
    aws = _Mocks(enabled_regions, absent, preview=preview)
    pulumi.runtime.set_mocks(
        aws, project="breakglass", stack=stack, preview=preview, monitor=_Monitor(aws, recording)
    )

    @pulumi.runtime.test
    def program() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    program()
    return Recording(recording)


def _as_engine_sends(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
