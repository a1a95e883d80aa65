"""What this version of the program would deploy: the program itself, run against a recorder.

So there is only one description of the deployment. The program runs as in a preview; the recorder takes the
place of the engine and answers which Regions are enabled.
"""

import json
import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi

from alertpath.model import UNKNOWN, Resource
from breakglass import naming
from breakglass.settings.stack_file import is_placeholder
from drill.stacks import Stack

PROGRAM = Path(__file__).parents[2] / "__main__.py"
GET_REGIONS = "aws:index/getRegions:getRegions"
GET_POLICY = "aws:iam/getPolicy:getPolicy"


@dataclass
class _Recorder(pulumi.runtime.Mocks):
    """Records every registration, and knows what AWS would assign: the key, if given."""

    account_id: str
    enabled_regions: Sequence[str]
    key: Mapping[str, str]
    resources: list[Resource] = field(default_factory=list)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        properties = dict(args.inputs)
        for name, value in args.inputs.items():
            # Only AWS or the stack's passphrase knows the value.
            if isinstance(value, pulumi.output.Unknown) or (isinstance(value, str) and is_placeholder(value)):
                properties[name] = UNKNOWN
        self.resources.append(
            Resource(
                type=args.typ,
                urn=args.name,
                properties=properties,
                account=self.account_id,
                region=naming.HOME_REGION,
            )
        )
        assigned: Mapping[str, str] = {}
        if args.typ == "aws:kms/key:Key":
            assigned = self.key
        return f"{args.name}-id", {**args.inputs, **assigned}

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        if args.token == GET_POLICY:
            return {"arn": args.args["arn"], "id": args.args["arn"]}  # rendered is what is meant
        if args.token != GET_REGIONS:
            raise RuntimeError(
                f"the program asks for {args.token}, which drill/check/rendered.py cannot answer"
            )
        return {"names": list(self.enabled_regions), "id": naming.HOME_REGION}


def render(stack: Stack, *, enabled_regions: Sequence[str], key: Mapping[str, str]) -> list[Resource]:
    """Return the resources that the program registers for `stack`, inputs as the engine would get them.

    `key` has `keyId` and `arn` of the alarm's key; without them, what depends on them is unknown
    (`alertpath.model.UNKNOWN`).
    """
    relay = stack.settings.relay
    listed = () if relay is None else relay.regions or ()  # of one that is not enabled, a check says so
    recorder = _Recorder(stack.account_id, [*enabled_regions, *listed], key)
    pulumi.runtime.set_all_config(
        {
            f"breakglass:{name}": value if isinstance(value, str) else json.dumps(value)
            for name, value in stack.config.items()
        }
    )
    pulumi.runtime.set_mocks(recorder, project="breakglass", stack=stack.name, preview=True)

    @pulumi.runtime.test
    def program() -> None:
        runpy.run_path(str(PROGRAM), run_name="__main__")

    program()
    return [resource for resource in recorder.resources if resource.type.startswith("aws:")]
