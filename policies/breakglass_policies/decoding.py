"""Lets the SDK decode each resource once, and not once for each policy.

`Analyze` and `AnalyzeStack` of pulumi_policy 1.21 turn the same protocol message into properties anew for
every policy, which was most of the pack's time. They offer no hook, so the three functions by which they do
it are replaced by ones that remember. tests/policies/test_decoding.py notices when an SDK decodes in another
way: then this module does nothing, or can go.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from google.protobuf import json_format
from pulumi_policy import deserialize, policy, proxy

Given = TypeVar("Given")
Made = TypeVar("Made")

_ASSETS = frozenset({deserialize.SPECIAL_ASSET_SIG, deserialize.SPECIAL_ARCHIVE_SIG})


class Remembered(Generic[Given, Made]):
    """A function of one argument that remembers its results by the argument's identity.

    Protocol messages and dicts cannot be hashed. Each argument is kept, so that its identity stays its own.
    """

    _LIMIT = 50_000

    def __init__(self, function: Callable[[Given], Made]) -> None:
        """Remember what `function` returns."""
        self._function = function
        self._results: dict[int, tuple[Given, Made]] = {}

    def __call__(self, given: Given) -> Made:
        """Return what the function returns for this very object."""
        found = self._results.get(id(given))
        if found is None:
            if len(self._results) >= self._LIMIT:
                self._results.clear()
            found = self._results[id(given)] = (given, self._function(given))
        return found[1]


def decode_once() -> None:
    """Make the SDK of this process remember what it has decoded, and pass over assets."""
    properties = Remembered(lambda encoded: deserialize.deserialize_properties(without_assets(encoded)))

    def deserialize_properties(encoded: dict[str, Any], proxy_secrets: bool = False) -> dict[str, Any]:
        # Only remediations ask for secrets behind proxies, and no policy of the pack remediates.
        return {} if proxy_secrets else properties(encoded)

    replaced = {
        "json_format": SimpleNamespace(MessageToDict=Remembered(json_format.MessageToDict)),
        "deserialize_properties": deserialize_properties,
        "unknown_checking_proxy": Remembered(proxy.unknown_checking_proxy),
    }
    for name, function in replaced.items():
        setattr(policy, name, function)


def without_assets(encoded: Any) -> Any:
    """Return encoded properties with None for each asset and archive.

    No policy reads one, and the SDK fails on those that the engine sends without content, such as an empty
    file.
    """
    if isinstance(encoded, dict):
        if encoded.get(deserialize.SPECIAL_SIG_KEY) in _ASSETS:
            return None
        return {key: without_assets(value) for key, value in encoded.items()}
    if isinstance(encoded, list):
        return [without_assets(value) for value in encoded]
    return encoded
