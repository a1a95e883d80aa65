"""Stack files as users write them: read as the engine reads them, encrypted, and compared with each other."""

import json
from collections.abc import Iterator

import pytest
import yaml

from breakglass.settings.stack_file import configuration, decoded
from sandbox.run import Sandbox
from tests.breakglass.settings.test_stack_file import VALUES
from tests.integration.conftest import Stack, fresh
from tests.program import STACKS

PRINTS_ITS_CONFIGURATION = """
import os, pathlib
pathlib.Path("given.json").write_text(os.environ["PULUMI_CONFIG"])
"""
SALT = "v1:rW8FjvjbVOM=:v1:8BgVQ85P16vs2K3/:T6nY28k10RzKx7eTdpv+iEXvvjMxlg=="
SECURE = {"secure": "v1:4haJwBKqh26eAe2e:Pgsnyw0k4+FaZXC52Zv6QQSJi/MOfR1u2uv3FjqiibqCMC2L8Kq00RiAPcm/"}


def example(stack: str) -> dict:
    return yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The hub has an encrypted endpoint, `kms` a key in AWS, and `renamed` does not agree with them."""
    folder = tmp_path_factory.mktemp("stacks")
    hub = example("mgmt")
    alerts = hub["config"]["breakglass:alerts"]
    alerts["subscriptions"].append({"protocol": "https", "endpoint": SECURE})
    alerts["memberAccountIds"] = ["222222222222", "333333333333"]
    kms, renamed = example("member"), example("member")
    kms["config"]["breakglass:accountId"] = 222222222222  # not quoted: the engine makes text of it
    renamed["config"]["breakglass:accountId"] = "333333333333"
    renamed["config"]["breakglass:role"]["name"] = "Emergency"
    kms["config"]["breakglass:relay"] = {"regions": ["us-east-1", "eu-south-1"]}
    kms["config"]["breakglass:role"]["permissionsBoundaryArn"] = "arn:aws:iam::222222222222:policy/Bound"
    kms["config"] |= {"sandbox:enabledRegions": ["eu-south-1"], "sandbox:policies": ["Bound"]}
    key = {"secretsprovider": "awskms://alias/x?region=eu-west-1", "encryptedkey": "AQICAHhBSECRET"}
    content = {
        "security": hub | {"encryptionsalt": SALT, "environment": ["shared"]},
        "kms": kms | key,
        "renamed": renamed,
    }
    for stack, text in content.items():
        (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump(text))
    (folder / "Pulumi.old.yaml").write_text(f"encryptionsalt: {SALT}\n")
    (folder / "Pulumi.role.yaml").write_text(yaml.safe_dump({"config": {"role": {"name": SECURE}}}))
    with fresh(regions=(), stack_files=folder) as made:
        yield made


def test_stacks_with_secrets_of_any_provider_are_previewed(shared, capfd):
    assert list(shared.accounts) == ["security", "kms", "renamed"]
    assert shared.environment["AWS_PROFILE"] == "security"
    output = Stack(shared, "security").pulumi("preview")
    assert (
        "https://encrypted-1.breakglass.invalid/" in (shared.directory / "Pulumi.security.yaml").read_text()
    )
    assert SALT not in (shared.directory / "Pulumi.security.yaml").read_text()
    said = "stack renamed: breakglass:role.name: found 'Emergency', must be 'BreakGlassRole'"
    assert said in " ".join(output.split())  # to the hub a warning
    Stack(shared, "kms").pulumi("preview")


def test_a_member_that_does_not_go_with_the_hub_is_refused_before_anything_is_planned(shared):
    output = " ".join(Stack(shared, "renamed").pulumi("preview", fails=True).split())
    assert "1 problem in the configuration of stack renamed:" in output
    assert "breakglass:role.name: found 'Emergency', must be 'BreakGlassRole' as in stack security" in output
    assert "aws:" not in output
    assert "Traceback" not in output


def test_the_reader_gets_what_the_engine_hands_over(shared):
    project = shared.directory.with_name("reader")
    project.mkdir()
    (project / "Pulumi.yaml").write_text("{name: breakglass, runtime: {name: python}}")
    (project / "__main__.py").write_text(PRINTS_ITS_CONFIGURATION)
    shared.output("pulumi", "stack", "init", "values", "--cwd", str(project))
    keys = [f"  breakglass:key{n}: {text}\n  list{n}: [{text}]\n" for n, (text, *_) in enumerate(VALUES)]
    keys += ["  both: a\n  breakglass:both: b\n", "  x: &x {a: 1}\n  y: {<<: *x, b: 2, 3: c, true: d}\n"]
    file = project / "Pulumi.values.yaml"
    file.write_text("config:\n" + "".join(keys))
    preview = ("pulumi", "preview", "--stack", "values", "--non-interactive", "--cwd", str(project))
    shared.output(*preview)
    given = json.loads((project / "given.json").read_text())
    from_engine = {key.removeprefix("breakglass:"): decoded(value) for key, value in given.items()}
    assert json.dumps(configuration(file), sort_keys=True) == json.dumps(from_engine, sort_keys=True)


@pytest.mark.parametrize(
    "text", ["config: {a: 1, a: 2}", "config: [a]", "config: {a: {b: 1, b: 2}}", "config: 3"]
)
def test_the_engine_refuses_what_the_reader_refuses(shared, text):
    project = shared.directory.with_name("refused")
    project.mkdir(exist_ok=True)
    (project / "Pulumi.yaml").write_text("{name: refused, runtime: {name: python}}")
    (project / "Pulumi.values.yaml").write_text(text)
    outcome = shared.run("pulumi", "config", "--stack", "values", "--cwd", str(project))
    assert outcome.returncode != 0
