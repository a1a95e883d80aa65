"""Registers the resources of a recording directly: no settings, no components.

`bench/raw.py` copies this file into a project of its own as `__main__.py`, beside `recording.json`. It asks
for the enabled Regions as the real program does.
"""

import importlib
import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws


def main() -> None:
    """Register everything, in the recorded order."""
    recording = json.loads(Path(__file__).with_name("recording.json").read_text())
    provider = aws.Provider("aws", **recording["provider"])
    aws.get_regions(opts=pulumi.InvokeOptions(provider=provider))
    made: dict[str, pulumi.CustomResource] = {}
    for entry in recording["resources"]:
        inputs = entry["inputs"]
        for name, urns in entry["inputs_from"].items():
            inputs[name] = _from([made[urn] for urn in urns], inputs.get(name))
        options = pulumi.ResourceOptions(
            provider=provider, protect=entry["protect"], depends_on=[made[urn] for urn in entry["after"]]
        )
        kind = getattr(importlib.import_module(entry["module"]), entry["class"])
        made[entry["urn"]] = kind(entry["name"], opts=options, **inputs)


def _from(sources: list[pulumi.CustomResource], value: Any) -> pulumi.Output[Any]:
    """Return an output that depends on `sources`: with this value, or unknown at preview if it is None."""
    if value is None:
        return sources[0].id
    return pulumi.Output.all(*[source.urn for source in sources]).apply(lambda _: value)


main()
