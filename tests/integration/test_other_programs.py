"""Other people's programs under the pack: what has nothing to do with break-glass passes without a word."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.run import Sandbox
from tests.integration.conftest import UNCHECKED, fresh

UNRELATED = """
import pulumi
import pulumi_aws as aws

code = pulumi.AssetArchive({"x.py": pulumi.StringAsset("def h(e, c): pass")})
role = aws.iam.Role("fn", name="fn-role", assume_role_policy='{"Version": "2012-10-17", "Statement": []}')
fn = aws.lambda_.Function("f", name="f", role=role.arn, runtime="python3.12", handler="x.h", code=code)
aws.s3.BucketObject("o", bucket="b", key="k", source=pulumi.FileAsset("Pulumi.yaml"))
rule = aws.cloudwatch.EventRule("nightly", name="nightly", schedule_expression="rate(1 day)")
aws.cloudwatch.EventTarget("t", rule=rule.name, arn=fn.arn)
topic = aws.sns.Topic("orders", name="orders")
aws.sns.TopicSubscription("s", topic=topic.arn, protocol="email", endpoint="o@example.com")
aws.kms.Key("k", description="bucket key")
"""
ELSEWHERE = """
import json
import pulumi
import pulumi_aws as aws

there = pulumi.ResourceOptions(provider=aws.Provider("eu", region="eu-west-1"))
pattern = {"detail": {"userIdentity": {"userName": ["BreakglassUser"]}}}
aws.cloudwatch.EventRule("signin", name="emergency", event_pattern=json.dumps(pattern), opts=there)
"""
FIRST_TRIES = """
import json
import pulumi_aws as aws

user = aws.iam.User("u", name="BreakglassUser")
aws.iam.AccessKey("key", user=user.name)
aws.iam.UserLoginProfile("password", user=user.name)
group = aws.iam.Group("g", name="admins")
aws.iam.GroupPolicyAttachment("a", group=group.name, policy_arn="arn:aws:iam::aws:policy/IAMFullAccess")
aws.iam.VirtualMfaDevice("mfa", virtual_mfa_device_name="m")
"""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with fresh() as made:
        yield made


def pulumi(sandbox: Sandbox, folder: Path, program: str, verb: str = "preview") -> tuple[int, str]:
    """Run a program in a project of its own, with the pack."""
    (folder / "Pulumi.yaml").write_text(f"name: {folder.name}\nruntime: {{name: python}}\n")
    (folder / "Pulumi.dev.yaml").write_text("config: {aws:region: us-east-1}\n")
    (folder / "__main__.py").write_text(program)
    sandbox.run("pulumi", "stack", "init", "dev", "--no-select", "--cwd", str(folder))
    pack = ("--policy-pack", str(sandbox.directory / "policies"))
    command = ("pulumi", verb, "--stack", "dev", "--non-interactive", "--color", "never", *pack)
    outcome = sandbox.run(*command, *(["--yes"] if verb == "up" else []), "--cwd", str(folder))
    return outcome.returncode, outcome.stdout


def test_what_is_unrelated_passes_without_a_word(sandbox, tmp_path):
    code, output = pulumi(sandbox, tmp_path, UNRELATED)
    assert code == 0, output
    assert UNCHECKED not in output
    assert "[mandatory]" not in output
    assert "[advisory]" not in output


def test_what_is_not_emulated_can_be_previewed_only(sandbox, tmp_path):
    code, output = pulumi(sandbox, tmp_path, UNRELATED, "up")
    assert code != 0
    assert "the sandbox does not emulate" in output


def test_alerting_of_other_names_in_another_region_is_named(sandbox, tmp_path):
    code, output = pulumi(sandbox, tmp_path, ELSEWHERE)
    assert code != 0
    said = " ".join(output.split())
    assert "(emergency) waits for sign-ins of break-glass users in eu-west-1." in said


def test_what_people_try_first_is_refused_by_the_pack(sandbox, tmp_path):
    code, output = pulumi(sandbox, tmp_path, FIRST_TRIES)
    assert code != 0
    for policy in ("user-no-access-key", "user-no-login-profile-in-state", "user-requires-mfa"):
        assert f"  {policy}  (" in output, policy
    assert "the sandbox" not in output
