"""What is refused before anything is created; one sandbox for all, because nothing may change in it."""

from collections.abc import Iterator

import pytest

from sandbox.demo.steps import changed_code
from sandbox.run import Sandbox
from tests.integration.conftest import NOTHING, Stack, fresh, what_is_there
from tests.integration.test_stacks import SAMPLE_RULES

IAM_FULL_ACCESS = "arn:aws:iam::aws:policy/IAMFullAccess"


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with fresh() as made:
        yield made


@pytest.fixture
def sandbox(shared: Sandbox) -> Iterator[Sandbox]:
    """The sandbox of the module; the stack files are put back, and nothing may have been created."""
    files = {file: file.read_text() for file in shared.directory.glob("Pulumi.*.yaml")}
    yield shared
    for file, text in files.items():
        file.write_text(text)
    for stack in shared.accounts:
        assert what_is_there(Stack(shared, stack)) == NOTHING


def test_full_access_on_the_user_is_refused_before_anything_is_created(mgmt):
    mgmt.configure("user.managedPolicyArns[0]", IAM_FULL_ACCESS)
    output = mgmt.pulumi("up", "--yes", pack=True, fails=True)
    assert "[mandatory]" in output
    assert "iam-full-access" in output
    assert "gives user/BreakglassUser full control of IAM" in output


def test_accepted_full_access_is_always_shown(member):
    output = member.pulumi("preview", pack=True)
    assert "[advisory]" in output
    assert "is accepted: The emergency role has to repair access" in " ".join(output.split())


def test_alerting_in_another_region_is_refused_before_anything_is_created(mgmt):
    here, there = (
        f"return self.hub_account_id, {region}" for region in ("naming.HOME_REGION", '"eu-west-1"')
    )
    with changed_code(mgmt.sandbox, "breakglass/detections/patterns.py", here, there):
        output = mgmt.pulumi("up", "--yes", pack=True, fails=True)
    assert "us-east-1-placement" in output
    assert "us-east-1-alerting-present" in output
    assert "is placed in eu-west-1" in output


def test_a_user_without_alerting_is_refused(mgmt):
    def without_alerts(config):
        config["breakglass:components"] = ["user", "role"]
        for block in ("alerts", "relay", "watchdog"):
            del config[f"breakglass:{block}"]

    mgmt.edit(without_alerts)
    output = mgmt.pulumi("up", "--yes", pack=True, fails=True)
    assert "us-east-1-alerting-present" in output
    for rule in SAMPLE_RULES:
        assert f"The EventBridge rule {rule} is missing in us-east-1" in " ".join(output.split())


@pytest.mark.parametrize("stack", ["mgmt", "member"])
def test_credentials_of_another_account_are_refused_before_anything_is_created(sandbox, monkeypatch, stack):
    target = Stack(sandbox, stack)
    output = target.pulumi("up", "--yes", "--skip-preview", fails=True, SANDBOX_ACCOUNT="333333333333")
    assert "AWS account ID not allowed: 333333333333" in output
    assert target.resources() == []
    with monkeypatch.context() as patch:
        patch.setitem(sandbox.accounts, "other", "333333333333")
        assert what_is_there(Stack(sandbox, "other")) == NOTHING


def test_what_aws_does_not_have_is_refused_before_anything_is_created(mgmt):
    mgmt.configure("role.managedPolicyArns[0]", "arn:aws:iam::aws:policy/ReadOnlyAcces")
    mgmt.configure("role.permissionsBoundaryArn", "arn:aws:iam::111111111111:policy/Absent")
    listed = ["us-east-1", "eu-south-1", "us-west-2"]
    mgmt.edit(lambda config: config["breakglass:relay"].update(regions=listed))
    output = " ".join(mgmt.pulumi("up", "--yes", fails=True).split())
    assert "3 problems in the configuration of stack mgmt" in output
    assert "found eu-south-1, must be a Region that account 111111111111 has enabled" in output
    assert "found arn:aws:iam::aws:policy/ReadOnlyAcces, must be a policy that exists." in output
    assert "found arn:aws:iam::111111111111:policy/Absent, must be a policy that exists." in output
    assert "the sandbox knows the policies of AWS that moto lists" in output
    assert "Traceback" not in output


def test_a_bad_configuration_lists_every_problem_and_plans_nothing(mgmt):
    mgmt.configure("accountId", "11111111111")
    mgmt.configure("role.nmae", "Typo")
    mgmt.configure("alerts.subscriptions[0].endpoint", "nobody")
    output = mgmt.pulumi("preview", fails=True)
    assert "3 problems in the configuration of stack mgmt" in output
    for path in ("accountId", "role.nmae", "alerts.subscriptions[0].endpoint"):
        assert f"breakglass:{path}: " in output
    assert "aws:" not in output.replace("breakglass:", "")
    assert "Traceback" not in output
