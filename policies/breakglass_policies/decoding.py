"""Lets the SDK decode each resource once, and not once for each policy.

`Analyze` and `AnalyzeStack` of pulumi_policy 1.21 turn the same protocol message into properties anew for
every policy, which was most of the pack's time. They offer no hook, so the three functions by which they do
it are replaced by ones that remember. tests/policies/test_decoding.py notices when an SDK decodes in another
way: then this module does nothing, or can go.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from google.protobuf import json_format
from pulumi_policy import deserialize, policy, proxy

Given = TypeVar("Given")
Made = TypeVar("Made")

_ASSETS = frozenset({deserialize.SPECIAL_ASSET_SIG, deserialize.SPECIAL_ARCHIVE_SIG})
_LIMIT = 50_000


def remembering(function: Callable[[Given], Made]) -> Callable[[Given], Made]:
    """Return the function with a memory of its results, by the identity of the argument.

    Protocol messages and dicts cannot be hashed. Each argument is kept, so that its identity stays its own.
    """
    results: dict[int, tuple[Given, Made]] = {}

    def remembered(given: Given) -> Made:
        found = results.get(id(given))
        if found is None:
            if len(results) >= _LIMIT:
                results.clear()
            found = results[id(given)] = (given, function(given))
        return found[1]

    return remembered


def decode_once() -> None:
    """Make the SDK of this process remember what it has decoded, and pass over assets."""

    @remembering
    def properties(encoded: dict[str, Any]) -> dict[str, Any]:
        return deserialize.deserialize_properties(without_assets(encoded))

    def deserialize_properties(encoded: dict[str, Any], proxy_secrets: bool = False) -> dict[str, Any]:
        # Only remediations ask for secrets behind proxies, and no policy of the pack remediates.
        return {} if proxy_secrets else properties(encoded)

    replaced = {
        "json_format": SimpleNamespace(MessageToDict=remembering(json_format.MessageToDict)),
        "deserialize_properties": deserialize_properties,
        "unknown_checking_proxy": remembering(proxy.unknown_checking_proxy),
    }
    for name, function in replaced.items():
        setattr(policy, name, function)


def without_assets(encoded: Any) -> Any:
    """Return encoded properties with None for each asset and archive.

    No policy reads one, and the SDK fails on those that the engine sends without content, such as an empty
    file.
    """
    if isinstance(encoded, dict):
        given = cast(dict[str, Any], encoded)
        if given.get(deserialize.SPECIAL_SIG_KEY) in _ASSETS:
            return None
        return {key: without_assets(value) for key, value in given.items()}
    if isinstance(encoded, list):
        return [without_assets(value) for value in cast(list[Any], encoded)]
    return encoded
