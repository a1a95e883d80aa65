"""The pack as the engine meets it: entry point, metadata, committed configuration, analyzer protocol."""

import json
import re
import runpy
from pathlib import Path
from typing import Any

import breakglass_policies
import jsonschema
import pytest
import yaml
from google.protobuf import struct_pb2
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel, Policy, ResourceValidationPolicy
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

PACK = Path(breakglass_policies.__file__).parents[1]
POLICIES = {policy.name: policy for policy in breakglass_policies.POLICIES}
RESOURCE_POLICIES = {
    name for name, policy in POLICIES.items() if isinstance(policy, ResourceValidationPolicy)
}
IAM_ARN = "arn:aws:iam::aws:policy/IAMFullAccess"


CONFIG: dict[str, dict[str, Any]] = json.loads((PACK / "config.json").read_text())


def schema(policy: Policy) -> dict[str, Any]:
    """As the engine builds it, and stricter: it cannot refuse unknown keys."""
    properties = policy.config_schema.properties if policy.config_schema else {}
    level = {"enum": [level.value for level in EnforcementLevel]}
    return {
        "type": "object",
        "properties": {**properties, "enforcementLevel": level},
        "additionalProperties": False,
    }


def test_the_entry_point_registers_the_policies(monkeypatch):
    registered = {}

    def pack(name, policies, enforcement_level):
        registered.update(name=name, policies=policies, level=enforcement_level)

    monkeypatch.setattr("pulumi_policy.PolicyPack", pack)
    monkeypatch.setattr("breakglass_policies.decoding.decode_once", lambda: registered.update(once=True))
    monkeypatch.setattr("gc.set_threshold", lambda _threshold: None)
    runpy.run_path(str(PACK), run_name="__main__")  # the directory, as the language host does
    assert registered["name"] == "breakglass"
    assert registered["once"]
    assert registered["level"] is EnforcementLevel.MANDATORY
    assert len({policy.name for policy in registered["policies"]}) == len(registered["policies"]) > 20


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())
def test_metadata_is_complete(policy):
    assert policy.display_name
    assert policy.description.endswith(".")
    assert policy.remediation_steps
    assert policy.remediation_steps.endswith(".")
    assert policy.url
    assert policy.url.startswith("https://docs.aws.amazon.com/")
    assert policy.framework
    assert policy.framework.reference in {"SEC03-BP03", "SEC10-BP05", "1.10", "1.11", "3.6"}
    assert policy.framework.name
    assert policy.framework.specification


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES.keys())
def test_config_schemas_are_valid_and_described(policy):
    jsonschema.Draft7Validator.check_schema(schema(policy))
    properties = policy.config_schema.properties if policy.config_schema else {}
    for name, definition in properties.items():
        assert definition["description"], name
        if "default" in definition:
            jsonschema.validate(definition["default"], definition)


def test_the_committed_configuration_fits():
    """The engine ignores the name of a policy that does not exist, so a typo would go unnoticed."""
    assert set(CONFIG) <= set(POLICIES)
    for name, settings in CONFIG.items():
        jsonschema.validate(settings, schema(POLICIES[name]), jsonschema.Draft7Validator)


ENTRY = {"attachedTo": "role/R", "policy": IAM_ARN, "reason": "ten characters"}


@pytest.mark.parametrize(
    "entry",
    [
        {key: value for key, value in ENTRY.items() if key != "reason"},
        {key: value for key, value in ENTRY.items() if key != "policy"},
        {key: value for key, value in ENTRY.items() if key != "attachedTo"},
        ENTRY | {"reason": "too short"},
        ENTRY | {"reason": " " * 10},
        ENTRY | {"attachedTo": "role/*"},
        ENTRY | {"attachedTo": "role/"},
        ENTRY | {"attachedTo": "BreakGlassRole"},
        ENTRY | {"attachedTo": "breakglass:index:BreakGlassAlerts"},
        ENTRY | {"attachedTo": "account/111111111111"},
        ENTRY | {"policy": "*"},
        ENTRY | {"policy": "arn:aws:iam::aws:policy/IAM????Access"},
        ENTRY | {"policy": ""},
        ENTRY | {"until": "2030-01-01"},
    ],
)
def test_an_acceptance_names_one_grant_and_says_why(entry):
    expected = schema(POLICIES["iam-full-access"])
    jsonschema.validate({"accepted": [ENTRY]}, expected)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"accepted": [entry]}, expected)


def test_the_project_file():
    project = yaml.safe_load((PACK / "PulumiPolicy.yaml").read_text())
    assert project["version"] == "0.1.0"
    assert project["description"]
    options = {"toolchain": "pip", "virtualenv": "../.venv"}
    assert project["runtime"] == {"name": "python", "options": options}


def test_the_pack_uses_nothing_of_the_project_but_names_and_the_proof():
    for module in (PACK / "breakglass_policies").glob("*.py"):
        imported = set(re.findall(r"^(?:from|import) ([a-z_]+)", module.read_text(), re.MULTILINE))
        assert not imported & {"components", "drill", "sandbox", "docs", "bench"}, module


@pytest.fixture
def servicer(monkeypatch):
    """The analyzer of the pack, with the committed configuration."""
    for name in ("PULUMI_PROJECT", "PULUMI_STACK", "PULUMI_DRY_RUN"):
        monkeypatch.delenv(name, raising=False)
    analyzer = _PolicyAnalyzerServicer(
        "breakglass", "0.1.0", breakglass_policies.POLICIES, EnforcementLevel.MANDATORY
    )
    levels = {
        None: proto.MANDATORY,
        EnforcementLevel.MANDATORY: proto.MANDATORY,
        EnforcementLevel.ADVISORY: proto.ADVISORY,
    }
    request = proto.ConfigureAnalyzerRequest()
    for name, settings in CONFIG.items():
        policy = request.policyConfig[name]
        policy.enforcementLevel = levels[POLICIES[name].enforcement_level]
        policy.properties.update(settings)
    analyzer.Configure(request, None)
    return analyzer


def struct(props: dict[str, Any]) -> struct_pb2.Struct:
    properties = struct_pb2.Struct()
    properties.update(props)
    return properties


def analyze(
    analyzer, kind: str, props: dict[str, Any], urn: str = "urn:thing"
) -> tuple[list[tuple[str, int]], set[str]]:
    """Return the diagnostics as (policy, level), and the policies that do not apply."""
    request = proto.AnalyzeRequest(type=kind, urn=urn, name="thing", properties=struct(props))
    response = analyzer.Analyze(request, None)
    found = [(diagnostic.policyName, diagnostic.enforcementLevel) for diagnostic in response.diagnostics]
    return found, {policy.policy_name for policy in response.not_applicable}


def test_the_analyzer_describes_every_policy(servicer):
    info = servicer.GetAnalyzerInfo(None, None)
    assert [policy.name for policy in info.policies] == list(POLICIES)
    (policy,) = (policy for policy in info.policies if policy.name == "iam-full-access")
    accepted = policy.configSchema.properties["accepted"]
    assert accepted["items"]["additionalProperties"] is False
    assert accepted["default"].values == []


ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
OURS = f"urn:pulumi:web::breakglass::breakglass:index:BreakGlassRole${ATTACHMENT}::policy"


def test_the_analyzer_blocks_and_accepts(servicer):
    other = analyze(servicer, ATTACHMENT, {"role": "BreakGlassRole", "policyArn": IAM_ARN})
    ours = analyze(servicer, ATTACHMENT, {"role": "Emergency", "policyArn": IAM_ARN}, OURS)
    later = analyze(servicer, ATTACHMENT, {"role": "Emergency", "policyArn": UNKNOWN_STRING_VALUE}, OURS)
    not_theirs = RESOURCE_POLICIES - {"iam-full-access", "iam-full-access-accepted"}
    assert other == ([("iam-full-access", proto.MANDATORY)], not_theirs)
    assert ours == ([("iam-full-access-accepted", proto.ADVISORY)], not_theirs)
    # "can't run policy" is advisory whatever the policy's level: the workflows look for its text
    assert later == ([("iam-full-access", proto.ADVISORY)], not_theirs)


def test_the_note_on_an_accepted_grant_follows_the_policy_whose_configuration_it_reads(servicer):
    names = list(POLICIES)
    assert names.index("iam-full-access") < names.index("iam-full-access-accepted")
    properties = struct({"role": "Emergency", "policyArn": IAM_ARN})
    request = proto.AnalyzeRequest(type=ATTACHMENT, urn=OURS, name="thing", properties=properties)
    (note,) = servicer.Analyze(request, None).diagnostics
    reason = CONFIG["iam-full-access"]["accepted"][0]["reason"]
    assert note.message.endswith(f"It is accepted: {reason}")


def test_the_analyzer_leaves_other_resources_alone(servicer):
    assert analyze(servicer, "aws:s3/bucket:Bucket", {"bucket": "x"}) == ([], RESOURCE_POLICIES)


def test_the_analyzer_checks_the_stack(servicer):
    properties = {
        "aws:sns/topic:Topic": {"name": "breakglassuser-console-logins", "region": "us-east-1"},
        "aws:iam/user:User": {"name": "BreakglassUser"},
    }
    resources = [
        proto.AnalyzerResource(type=kind, urn=f"urn:{kind}", name="thing", properties=struct(props))
        for kind, props in properties.items()
    ]
    response = servicer.AnalyzeStack(proto.AnalyzeStackRequest(resources=resources), None)
    found = {(d.policyName, d.enforcementLevel) for d in response.diagnostics}
    assert found == {
        ("us-east-1-alerting-present", proto.MANDATORY),
        ("subscriptions-at-least", proto.ADVISORY),
        ("user-requires-mfa", proto.MANDATORY),
    }
