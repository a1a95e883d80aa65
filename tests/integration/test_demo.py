"""`make demo` on stacks of a user's own: other names, accounts, users, role, recipients, Regions."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.demo import stacks
from sandbox.demo.__main__ import main
from tests.program import STACKS

SECURE = {"secure": "v1:4haJwBKqh26eAe2e:Pgsnyw0k4+FaZXC52Zv6QQSJi/MOfR1u2uv3FjqiibqCMC2L8Kq00RiAPcm/"}
USERS = {"names": ["alice.breakglass", "bob@breakglass"]}
ROLE = {
    "name": "Emergency",
    "managedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/IAMFullAccess"],
    "permissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess",
    "maxSessionDuration": 7200,
}
MEMBERS = {"web": "222222222220", "data": "111111111111", "lab": "222222222222"}
HUB = "420000000001"


def written(folder: Path, members: dict[str, str]) -> Path:
    """Write stack files with other values; two accounts are those of the sample events, exchanged."""
    hub: Any = yaml.safe_load((STACKS / "Pulumi.mgmt.yaml").read_text())
    values = {f"breakglass:{key}": value for key, value in {"user": USERS, "role": ROLE}.items()}
    hub["encryptionsalt"] = "v1:rW8FjvjbVOM=:v1:8BgVQ85P16vs2K3/:T6nY28k10RzKx7eTdpv+iEXvvjMxlg=="
    hub["config"] |= values | {
        "breakglass:accountId": HUB,
        "breakglass:alerts": {
            "subscriptions": [
                {"protocol": "email", "endpoint": "soc@corp.example"},
                {"protocol": "https", "endpoint": SECURE},
            ],
            **({"memberAccountIds": [*members.values(), "999999999999"]} if members else {}),
        },
        "breakglass:watchdog": {
            "region": "eu-west-1",
            "subscriptions": [{"protocol": "sms", "endpoint": "+4917012345678"}],
        },
    }
    (folder / "Pulumi.security.yaml").write_text(yaml.safe_dump(hub))
    for name, account in members.items():
        member: Any = yaml.safe_load((STACKS / "Pulumi.member.yaml").read_text())
        member["config"] |= values | {
            "breakglass:accountId": account,
            "breakglass:hubAccountId": HUB,
            "breakglass:watchdog": {"region": "eu-west-1"},
        }
        if name == "data":
            member["config"]["breakglass:relay"] = {"regions": ["us-east-1", "eu-south-1", "eu-west-1"]}
        (folder / f"Pulumi.{name}.yaml").write_text(yaml.safe_dump(member))
    (folder / "Pulumi.old.yaml").write_text("")
    return folder


@pytest.mark.parametrize("members", [MEMBERS, {}], ids=["three members", "the hub alone"])
def test_every_step_succeeds_on_stacks_with_other_values(tmp_path, capsys, monkeypatch, members):
    monkeypatch.setattr(stacks, "REGIONS", ("us-east-1", "eu-west-1"))  # as good as more, and sooner done
    code = main(written(tmp_path, members))
    output = capsys.readouterr().out
    assert code == 0, output
    said = " ".join(output.split())
    assert "Every step succeeded" in said
    assert f"stacks: security ({HUB})" in said
    assert "alice.breakglass signs in to the console" in said
    assert f"The role Emergency of stack {'data' if members else 'security'} is assumed" in said
    assert "skipped Pulumi.old.yaml" in said
    assert "BreakglassUser" not in output
    assert "111111111111" not in output or members


def test_stacks_that_do_not_agree_are_named_before_anything_starts(tmp_path, capsys):
    folder = written(tmp_path, {"web": MEMBERS["web"]})
    file = folder / "Pulumi.web.yaml"
    file.write_text(file.read_text().replace("name: Emergency", "name: Other"))
    assert main(folder) == 1
    output = " ".join(capsys.readouterr().out.split())
    assert (
        "stack web: breakglass:role.name: found 'Other', must be 'Emergency' as in stack security" in output
    )
    assert "Stack security" not in output


def test_a_project_without_a_hub_is_named(tmp_path, capsys):
    assert main(tmp_path) == 1
    assert "no stack has all of user, role, alerts, watchdog and relay" in " ".join(
        capsys.readouterr().out.split()
    )
