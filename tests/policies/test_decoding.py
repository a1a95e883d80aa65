"""The SDK decodes each resource once, and passes over assets."""

from typing import Any

import pytest
from breakglass_policies import decoding
from google.protobuf import json_format, struct_pb2
from pulumi.runtime import proto
from pulumi_policy import (
    EnforcementLevel,
    ResourceValidationPolicy,
    StackValidationPolicy,
    deserialize,
    policy,
    proxy,
)

ASSET = {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_ASSET_SIG, "hash": "an empty file has no text"}
ARCHIVE = {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_ARCHIVE_SIG, "assets": {"__init__.py": ASSET}}
SECRET = {deserialize.SPECIAL_SIG_KEY: deserialize.SPECIAL_SECRET_SIG, "value": "open"}
ENCODED = {"name": "f", "code": ARCHIVE, "files": [ASSET], "later": proxy.UNKNOWN_STRING_VALUE, "key": SECRET}


@pytest.fixture
def decoded(monkeypatch) -> list[Any]:
    """What was decoded, message by message; the SDK is as before afterwards."""
    messages: list[Any] = []
    to_dict = json_format.MessageToDict

    def counted(message: Any) -> Any:
        messages.append(message)
        return to_dict(message)

    for name in ("json_format", "deserialize_properties", "unknown_checking_proxy"):
        monkeypatch.setattr(policy, name, getattr(policy, name))
    monkeypatch.setattr(json_format, "MessageToDict", counted)
    decoding.decode_once()
    return messages


def struct(props: dict[str, Any]) -> struct_pb2.Struct:
    properties = struct_pb2.Struct()
    properties.update(props)
    return properties


def analyzer(seen: list[Any]) -> policy._PolicyAnalyzerServicer:
    def of_resource(args: Any, _report: Any) -> None:
        seen.append(args.props)

    def of_stack(args: Any, _report: Any) -> None:
        seen.extend(resource.props for resource in args.resources)

    policies = [
        *(ResourceValidationPolicy(f"resource-{n}", "d", of_resource) for n in range(3)),
        *(StackValidationPolicy(f"stack-{n}", "d", of_stack) for n in range(3)),
    ]
    return policy._PolicyAnalyzerServicer("p", "1", policies, EnforcementLevel.MANDATORY)


def test_a_resource_is_decoded_once_for_all_policies(decoded):
    seen: list[Any] = []
    provider = proto.AnalyzerProviderResource(properties=struct({"region": "us-east-1"}))
    request = proto.AnalyzeRequest(type="t", properties=struct({"name": "f"}), provider=provider)
    response = analyzer(seen).Analyze(request, None)
    assert list(response.diagnostics) == []
    assert [props["name"] for props in seen] == ["f"] * 3
    assert len(decoded) == 2  # the resource and its provider


def test_the_resources_of_a_stack_are_decoded_once_for_all_policies(decoded):
    seen: list[Any] = []
    resources = [proto.AnalyzerResource(type="t", properties=struct({"name": name})) for name in "ab"]
    analyzer(seen).AnalyzeStack(proto.AnalyzeStackRequest(resources=resources), None)
    assert [props["name"] for props in seen] == ["a", "b"] * 3
    assert len(decoded) == 2


def test_values_are_those_of_the_sdk_and_assets_are_none(decoded):
    seen: list[Any] = []
    analyzer(seen).Analyze(proto.AnalyzeRequest(type="t", properties=struct(ENCODED)), None)
    props = seen[0]
    assert (props["name"], props["code"], props["key"]) == ("f", None, "open")
    assert props["files"][0] is None
    with pytest.raises(proxy.UnknownValueError):
        props["later"]


def test_remediations_which_the_pack_does_not_have_are_no_problem(decoded):
    response = analyzer([]).Remediate(proto.AnalyzeRequest(type="t", properties=struct(ENCODED)), None)
    assert list(response.remediations) == []


def test_an_object_that_takes_the_place_of_another_is_not_mistaken_for_it():
    def twice(value: list[int]) -> list[int]:
        return [*value, *value]

    double = decoding.remembering(twice)
    assert [double([number])[0] for number in range(1000)] == list(range(1000))
