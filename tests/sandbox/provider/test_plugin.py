"""The emulated provider's own decisions: what it refuses, what it calls a change, whose account it is in."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.cloud import emulation
from sandbox.provider import plugin, sdk
from sandbox.provider.plugin import (
    GET_POLICY,
    GET_REGIONS,
    Refused,
    check,
    difference,
    invoked,
    stack_account,
)
from sandbox.provider.resources import RESOURCES

ROOT = Path(__file__).parents[3]
TOPIC = "aws:sns/topic:Topic"
HUB = "1" * 12
MGMT_URN = "urn:pulumi:mgmt::breakglass::breakglass:index:BreakGlassAlerts$aws:sns/topic:Topic::t"


def test_a_property_that_pulumi_aws_lacks_is_refused():
    assert check(TOPIC, {"name": "t", "nmae": "t"}) == [
        ("nmae", "pulumi-aws has no property 'nmae' on aws:sns/topic:Topic")
    ]


@pytest.mark.parametrize(
    ("inputs", "refusal"),
    [
        ({"name": "t", "fifoTopic": True}, "does not emulate fifoTopic of aws:sns/topic:Topic"),
        ({}, "does not make up names: give aws:sns/topic:Topic a name"),
        ({"name": ""}, "does not make up names"),
    ],
)
def test_what_the_sandbox_would_ignore_can_only_be_previewed(inputs, refusal):
    assert check(TOPIC, inputs) == []
    with pytest.raises(Refused, match=refusal):
        plugin.refuse_what_is_not_emulated(TOPIC, inputs)


def test_tags_region_and_the_engine_s_own_keys_pass():
    inputs = {"name": "t", "tags": {}, "region": "us-east-1", "__defaults": []}
    assert check(TOPIC, inputs) == []
    plugin.refuse_what_is_not_emulated(TOPIC, inputs)


def test_a_module_with_the_name_of_a_keyword_is_found():
    assert check("aws:lambda/function:Function", {"runtime": "python3.12"}) == []


def test_region_is_refused_on_a_global_type():
    assert [name for name, _ in check("aws:iam/user:User", {"name": "u", "region": "us-east-1"})] == [
        "region"
    ]


def test_a_type_that_is_not_emulated_can_only_be_previewed():
    assert check("aws:s3/bucket:Bucket", {"bucket": "x"}) == []
    assert [name for name, _ in check("aws:s3/bucket:Bucket", {"bukket": "x"})] == ["bukket"]
    with pytest.raises(Refused, match=r"does not emulate aws:s3/bucket:Bucket.*aws:sns/topic:Topic"):
        plugin.emulated("aws:s3/bucket:Bucket")


def test_a_type_that_pulumi_aws_lacks_is_refused():
    with pytest.raises(Refused, match="pulumi-aws has no type aws:s3/bukket:Bukket"):
        check("aws:s3/bukket:Bukket", {})


def test_threads_that_ask_at_once_get_the_same_answer():
    asks = """
from concurrent.futures import ThreadPoolExecutor
from sandbox.provider import sdk
tokens = ["aws:iam/user:User", "aws:iam/role:Role", "aws:sns/topic:Topic", "aws:iam/policy:Policy"] * 4
with ThreadPoolExecutor(len(tokens)) as pool:
    assert all(pool.map(sdk.python_names, tokens))
"""
    subprocess.run([sys.executable, "-c", asks], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"name": "t"}, {"name": "t"}, {}),
        ({"name": "t"}, {"name": "u"}, {"name": "UPDATE_REPLACE"}),
        ({"name": "t"}, {"name": "t", "displayName": "d"}, {"displayName": "ADD"}),
        ({"name": "t", "displayName": "d"}, {"name": "t"}, {"displayName": "DELETE"}),
        ({"region": "us-east-1"}, {"region": "eu-west-1"}, {"region": "UPDATE_REPLACE"}),
        ({"displayName": '{"a": 1, "b": 2}'}, {"displayName": '{"b":2,"a":1}'}, {}),
        ({"displayName": '{"a": 1}'}, {"displayName": '{"a": 2}'}, {"displayName": "UPDATE"}),
        ({"displayName": '{"a": 1}'}, {"displayName": "{broken"}, {"displayName": "UPDATE"}),
        ({"displayName": "d"}, {"displayName": plugin.UNKNOWN}, {"displayName": "UPDATE"}),
        ({"__defaults": []}, {"__defaults": ["x"]}, {}),
    ],
)
def test_a_change_is_what_aws_would_call_one(old, new, expected):
    assert difference(RESOURCES[TOPIC], old, new) == expected


def test_a_command_meets_the_credentials_of_its_stack_s_account(monkeypatch):
    monkeypatch.delenv("SANDBOX_ACCOUNT", raising=False)
    monkeypatch.setenv("SANDBOX_STACK_ACCOUNTS", json.dumps({"mgmt": "1" * 12, "member": "2" * 12}))
    assert stack_account(MGMT_URN) == "1" * 12
    assert stack_account(MGMT_URN.replace(":mgmt:", ":member:")) == "2" * 12
    assert stack_account(MGMT_URN.replace(":mgmt:", ":other:")) == "1" * 12  # another project's


def test_an_account_can_be_pinned(monkeypatch):
    monkeypatch.setenv("SANDBOX_ACCOUNT", "3" * 12)
    assert stack_account(MGMT_URN) == "3" * 12


@pytest.mark.parametrize(
    "token", ["", "aws", "aws:sns", "gcp:a:B", "aws:nowhere/x:X", "aws:sns/topic:Nothing"]
)
def test_the_sdk_knows_no_such_type(token):
    with pytest.raises(KeyError):
        sdk.python_names(token)


def nobody() -> emulation.Account:
    raise AssertionError("nobody signs in for this")


def test_an_account_has_further_regions_of_its_own(monkeypatch):
    monkeypatch.delenv(emulation.REGIONS_VARIABLE, raising=False)
    monkeypatch.setenv(emulation.OPTED_IN_VARIABLE, json.dumps({HUB: ["eu-south-1"]}))
    assert "eu-south-1" in invoked(GET_REGIONS, {}, HUB, nobody)["names"]
    assert "eu-south-1" not in invoked(GET_REGIONS, {}, "2" * 12, nobody)["names"]


class _Iam:
    """An account with one policy."""

    def client(self, service: str, region: str) -> Any:
        return self

    def get_policy(self, PolicyArn: str) -> Any:
        if PolicyArn.endswith("/Known"):
            return {"Policy": {"PolicyName": "Known", "Path": "/"}}
        raise ClientError({"Error": {"Code": "NoSuchEntity", "Message": "no"}}, "GetPolicy")


@pytest.mark.parametrize(
    ("owner", "known"), [("aws", "the policies of AWS that moto lists"), (HUB, "sandbox:policies")]
)
def test_a_policy_is_found_or_the_sandbox_says_what_it_knows(owner, known):
    account: Any = _Iam()
    arn = f"arn:aws:iam::{owner}:policy/"
    assert invoked(GET_POLICY, {"arn": f"{arn}Known"}, HUB, lambda: account)["name"] == "Known"
    with pytest.raises(Refused, match=f"there is no policy {arn}Typo: the sandbox knows {known}"):
        invoked(GET_POLICY, {"arn": f"{arn}Typo"}, HUB, lambda: account)


def test_the_regions_of_a_new_account_are_enabled(monkeypatch):
    monkeypatch.delenv(emulation.REGIONS_VARIABLE, raising=False)
    answer = invoked(GET_REGIONS, {"allRegions": None}, HUB, nobody)
    assert len(answer["names"]) == 17
    assert answer["id"] == "aws"
    assert {"us-east-1", "ap-northeast-3", "sa-east-1"} <= set(answer["names"])
    assert "af-south-1" not in answer["names"]


def test_the_enabled_regions_can_be_pinned(monkeypatch):
    monkeypatch.setenv(emulation.REGIONS_VARIABLE, "us-east-1,af-south-1,ap-southeast-4")
    assert invoked(GET_REGIONS, {}, HUB, nobody)["names"] == ["af-south-1", "ap-southeast-4", "us-east-1"]


@pytest.mark.parametrize("regions", ["", "us-east-1, eu-west-1", "us-east-1,", "everywhere"])
def test_a_wrong_list_of_regions_is_refused(monkeypatch, regions):
    monkeypatch.setenv(emulation.REGIONS_VARIABLE, regions)
    with pytest.raises(RuntimeError, match=r"SANDBOX_REGIONS is .* such as us-east-1,eu-west-1"):
        invoked(GET_REGIONS, {}, HUB, nobody)


def test_arguments_and_other_functions_are_refused():
    with pytest.raises(Refused, match=r"does not emulate allRegions, filters of .*getRegions"):
        invoked(GET_REGIONS, {"allRegions": True, "filters": []}, HUB, nobody)
    with pytest.raises(Refused, match="does not emulate the function aws:index/getRegion:getRegion:"):
        invoked("aws:index/getRegion:getRegion", {}, HUB, nobody)
