"""The floor for the preview of `mgmt`: a program that registers the same resources, and does nothing else."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pulumi.runtime.rpc import UNKNOWN

from bench.stacks import new_project, preview_states
from sandbox.provider import sdk
from sandbox.run import Sandbox


def raw_project(sandbox: Sandbox) -> Path:
    """Make the project and its stack `mgmt`, which gets the account of that name; return its folder."""
    folder = new_project(sandbox, "raw", "mgmt")
    shutil.copy(Path(__file__).with_name("raw_program.py"), folder / "__main__.py")
    (folder / "recording.json").write_text(json.dumps(recording(preview_states(sandbox, "mgmt"))))
    return folder


def recording(states: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the provider's arguments, and each AWS resource as `raw_program` registers it.

    Names, inputs, Regions, protection and dependencies are those of `states`. Components are left out, and so
    are inputs that are unknown at preview: the program takes them from the resource that they come from.
    """
    states = list(states)
    (provider,) = (state["inputs"] for state in states if state["type"] == "pulumi:providers:aws")
    return {
        "provider": {
            "region": provider["region"],
            "allowed_account_ids": json.loads(provider["allowedAccountIds"]),
            "default_tags": json.loads(provider["defaultTags"]),
        },
        "resources": [_recorded(state) for state in states if state["type"].startswith("aws:")],
    }


def _recorded(state: dict[str, Any]) -> dict[str, Any]:
    _, module, kind = state["type"].split(":")
    names = sdk.python_names(state["type"])
    given = {names[name]: value for name, value in state["inputs"].items() if name in names}
    sources = {names[name]: urns for name, urns in state["propertyDependencies"].items() if urns}
    implied = {urn for urns in sources.values() for urn in urns}
    return {
        "urn": state["urn"],
        "name": state["urn"].split("::")[-1],
        "module": f"pulumi_aws.{module.split('/')[0]}",
        "class": kind,
        "inputs": {name: value for name, value in given.items() if UNKNOWN not in json.dumps(value)},
        "inputs_from": sources,
        "after": [urn for urn in state.get("dependencies", []) if "$aws:" in urn and urn not in implied],
        "protect": state.get("protect", False),
    }
