"""A user follows the README with names, accounts, Regions and secrets of their own; the tests still pass."""

import os
import re
import subprocess
from pathlib import Path

OWN = {
    "--hub mgmt=111111111111": "--hub security=420000000001",
    "--member member=222222222222": (
        "--member web=420000000002 --member eu.data=111111111111 --member lab=222222222222"
    ),
    "--mail security@example.com": (
        "--mail soc@corp.example --user alice --user bob --role Emergency --webhook"
    ),
    "--watchdog security-watchdog@example.com": (
        "--watchdog audit@corp.example --region us-east-1 --region eu-west-1 --region eu-south-1 "
        "--boundary arn:aws:iam::ACCOUNT:policy/Bound"
    ),
}
"""What the README's command says, and what this user writes instead."""

QUICK = ("tests/test_docs.py", "tests/test_workflows.py", "tests/breakglass", "tests/components",
         "tests/drill/test_use.py", "tests/drill/test_stacks.py", "tests/drill/test_listing.py")  # fmt: skip


def shell(folder: Path, script: str, typed: str = "") -> str:
    """Run a script as a user would, and return all that it prints; it must succeed."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))
    }
    done = subprocess.run(
        ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment | {"PULUMI_CONFIG_PASSPHRASE": "hello"},
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_from_a_clone_to_a_validated_preview_of_own_stacks_and_the_tests_still_pass(clone):
    section = (clone / "README.md").read_text().split("## Deploy to AWS")[1]
    (script,) = re.findall(r"```sh\n(make setup\n.*?)```", section, re.DOTALL)
    commands = script.replace("\\\n", " ").splitlines()
    assert 1 + len(commands) <= 8  # with `git clone`
    for said, own in OWN.items():
        assert said in script
        script = script.replace(said, own)
    output = shell(clone, script, "https://events.corp.example/hooks/T0PSECRET\n")
    for stack in ("security", "web", "eu.data", "lab"):
        assert f"pulumi preview {stack}: passed, with the policy pack enforced" in output
    assert "T0PSECRET" not in output
    assert sorted(file.name for file in clone.glob("Pulumi.*.yaml")) == [
        f"Pulumi.{stack}.yaml" for stack in ("eu.data", "lab", "security", "web")
    ]
    text = (clone / "Pulumi.security.yaml").read_text()
    assert "encryptionsalt: v1:" in text
    assert "secure: v1:" in text
    assert "T0PSECRET" not in text
    listed = shell(clone, ".venv/bin/python -m drill stacks && .venv/bin/python -m drill use")
    assert "420000000001.signin.aws.amazon.com" in listed
    assert "as alice" in listed
    shell(clone, f".venv/bin/python -m pytest -q -n 0 -p no:cacheprovider {' '.join(QUICK)}")
