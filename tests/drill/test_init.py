"""`python -m drill init`: the stack files of a user's own accounts."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from breakglass.settings import stack_file
from breakglass.settings.agreement import disagreements
from breakglass.settings.reading import parse
from drill import init, stacks
from drill.__main__ import app
from tests.program import STACKS

OPTIONS = (
    *("--hub", "security=420000000001", "--member", "web=420000000002", "--member", "eu.data=420000000003"),
    *("--user", "alice", "--user", "bob", "--role", "Emergency"),
    *("--mail", "soc@corp.example", "--watchdog", "audit@corp.example"),
    *("--policy", "arn:aws:iam::aws:policy/ReadOnlyAccess", "--policy", "arn:aws:iam::ACCOUNT:policy/x/Mine"),
    *(
        "--boundary",
        "arn:aws:iam::ACCOUNT:policy/Bound",
        "--region",
        "us-east-1",
        "--region",
        "eu-west-1",
        "--region",
        "eu-south-1",
    ),
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the examples; previews are what `tests/integration/test_own_values.py` is about."""
    for file in STACKS.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(stacks, "PROJECT", tmp_path)
    monkeypatch.setattr(init, "_preview", lambda names: print(f"previewed {names}"))
    return tmp_path


def run(*options: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["init", *options], input=typed)


def content(project: Path, stack: str) -> dict[str, Any]:
    return yaml.safe_load((project / f"Pulumi.{stack}.yaml").read_text())["config"]


def test_a_stack_file_that_stays_must_go_with_the_new_ones(project: Path) -> None:
    assert run(*OPTIONS).exit_code == 0
    again = ("security=420000000001", "security=420000000009"), ("web=420000000002", "shop=420000000002")
    options = [dict(again).get(option, option) for option in OPTIONS]
    before = {file: file.read_text() for file in stack_file.files(project)}
    result = run(*options, "--force")
    assert result.exit_code == 2
    assert "stack web: breakglass:accountId: found '420000000002' of stack shop" in result.output
    assert "Remove Pulumi.web.yaml first, if it is no longer used." in result.output
    assert {file: file.read_text() for file in stack_file.files(project)} == before
    (project / "Pulumi.web.yaml").unlink()
    assert run(*options, "--force").exit_code == 0


def test_the_files_are_valid_agree_and_replace_the_examples(project: Path) -> None:
    result = run(*OPTIONS)
    assert result.exit_code == 0, result.output
    files = stack_file.files(project)
    assert [file.name for file in files] == [
        "Pulumi.eu.data.yaml",
        "Pulumi.security.yaml",
        "Pulumi.web.yaml",
    ]
    known = {stack_file.stack_name(file): parse(stack_file.configuration(file)) for file in files}
    assert disagreements(known) == []
    hub, member = known["security"], known["eu.data"]
    assert hub.alerts is not None
    assert hub.alerts.member_account_ids == ("420000000002", "420000000003")
    assert hub.user.names == member.user.names == ("alice", "bob")
    assert member.hub_account_id == "420000000001"
    assert member.role.managed_policy_arns[1] == "arn:aws:iam::420000000003:policy/x/Mine"
    assert content(project, "web")["sandbox:policies"] == ["Bound", "x/Mine"]
    assert content(project, "web")["sandbox:enabledRegions"] == ["eu-south-1"]
    assert "previewed ['security', 'web', 'eu.data']" in result.output
    for stack in ("security", "web", "eu.data"):
        assert f"  pulumi stack init {stack}\n  AWS_PROFILE={stack} pulumi up -s {stack} " in result.output


def test_a_hub_alone_is_enough_and_the_rest_has_defaults(project: Path) -> None:
    assert (
        run("--hub", "mgmt=420000000001", "--mail", "a@x.example", "--watchdog", "b@x.example").exit_code == 0
    )
    (file,) = stack_file.files(project)
    settings = parse(stack_file.configuration(file))
    assert settings.user.names == ("BreakglassUser",)
    assert settings.relay is not None
    assert settings.relay.regions is None
    assert not any(key.startswith("sandbox:") for key in content(project, "mgmt"))


def test_a_second_time_nothing_changes(project: Path) -> None:
    run(*OPTIONS)
    before = {file: file.read_text() for file in project.iterdir()}
    assert run(*OPTIONS).exit_code == 0
    assert {file: file.read_text() for file in project.iterdir()} == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--hub", "security"), "--hub security: must be NAME=ACCOUNT"),
        (("--hub", "a b=420000000001"), "a b=420000000001: must be NAME=ACCOUNT"),
        (("--hub", "-x=420000000001"), "-x=420000000001: must be NAME=ACCOUNT"),
        (("--hub", "all=420000000001"), "all=420000000001: must be NAME=ACCOUNT"),
        (("--hub", f"{'x' * 101}=420000000001"), "=420000000001: must be NAME=ACCOUNT"),
        (("--boundary", ""), "breakglass:role.permissionsBoundaryArn: found '', must be arn:aws:iam::"),
        (("--policy", "arn:aws:iam::aws:policy/aws-service-role/X"), "but not one of AWS's services"),
        (("--hub", "security=42"), "breakglass:accountId: found '42', must be 12 digits"),
        (("--member", "lab=1"), "breakglass:alerts.memberAccountIds[2]: found '1', must be 12 digits"),
        (("--member", "web=420000000009"), "--member: each stack must have a name of its own"),
        (("--member", "Web=420000000009"), "--member: each stack must have a name of its own"),
        (("--boundary", "arn:aws:iam::420000000001:policy/B"), "ACCOUNT stands for the id of each stack's"),
        (("--member", "other=420000000001"), "must be another account"),
        (("--region", "mars"), "breakglass:relay.regions[3]: found 'mars'"),
        (("--watchdog", "soc@corp.example"), "must not share a mailbox"),
        (("--role", "BreakGlassRelay"), "but not BreakGlassRelay"),
    ],
)
def test_what_would_not_be_valid_is_named_and_nothing_is_written(
    project: Path, options: tuple[str, ...], said: str
) -> None:
    before = {file: file.read_text() for file in project.iterdir()}
    result = run(*OPTIONS, *options)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert {file: file.read_text() for file in project.iterdir()} == before


def test_at_a_terminal_all_is_asked_for_and_a_bad_answer_is_asked_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    answers = ["hubby", "root=420000000001", "web=1", "web=420000000002", "", "a@x.example", "b@x.example"]
    asked = iter(answers)

    def prompt(_question: str, *, value_proc: Callable[[str], str] = str, **_how: Any) -> str:
        while True:
            with contextlib.suppress(typer.BadParameter):
                return value_proc(next(asked))

    monkeypatch.setattr(typer, "prompt", prompt)
    init.init()
    assert [file.name for file in stack_file.files(project)] == ["Pulumi.root.yaml", "Pulumi.web.yaml"]
    assert next(asked, None) is None


class Terminal:
    def isatty(self) -> bool:
        return True


REFUSED = """Previewing update (web):
    + many lines
Policies:
    [mandatory]  iam-full-access  (role: x)
      why it is refused.
      What to do.
    - [advisory]  other
"""


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (REFUSED, "[mandatory]  iam-full-access  (role: x)\nwhy it is refused.\nWhat to do."),
        ("x\n  error: 1 problem in stack web:\n    breakglass:a: b\nResources:\n", "error: 1 problem in "),
        ("only this\n", "only this"),
    ],
)
def test_of_a_refused_preview_what_was_wrong_is_shown_once_for_all_stacks(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    output: str,
    said: str,
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(stacks, "PROJECT", project)
    ended = subprocess.CompletedProcess([], 1, output, "sandbox: …\npulumi preview: FAILED, exit code 1\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    with pytest.raises(typer.Exit):
        init._preview(["web", "shop"])
    out = capsys.readouterr().out
    assert out.count(said) == 1
    assert "Refused in web, shop (the whole output is in build/init-web.txt):" in out
    assert "many lines" not in out
    assert (project / "build" / "init-shop.txt").read_text() == output


def test_without_a_terminal_a_missing_option_is_named(project: Path) -> None:
    assert "--hub is missing, and there is no terminal to ask on" in run().stderr
    assert "--mail is missing" in run("--hub", "a=420000000001").stderr


def test_a_file_that_somebody_changed_is_replaced_by_force_only(project: Path) -> None:
    run(*OPTIONS)
    file = project / "Pulumi.web.yaml"
    file.write_text(file.read_text().replace("us-east-1, ", "us-east-1, us-west-2, "))
    changed = file.read_text()
    result = run(*OPTIONS)
    assert (result.exit_code, file.read_text()) == (2, changed)
    assert "Pulumi.web.yaml is there already and differs: --force replaces it" in result.stderr
    assert run(*OPTIONS, "--force").exit_code == 0
    assert file.read_text() != changed


def test_an_example_that_somebody_changed_is_kept(project: Path) -> None:
    file = project / "Pulumi.mgmt.yaml"
    file.write_text(file.read_text() + "# mine\n")
    text = file.read_text()
    result = run(*OPTIONS)
    assert result.exit_code == 2, result.output
    assert "Pulumi.mgmt.yaml" in result.stderr or "stack mgmt: " in result.stderr
    assert file.read_text() == text


@pytest.mark.parametrize("make", [Path.mkdir, lambda file: file.symlink_to("nowhere")])
def test_what_is_no_file_is_not_written_over(project: Path, make: Callable[[Path], None]) -> None:
    make(project / "Pulumi.web.yaml")
    result = run(*OPTIONS)
    assert result.exit_code == 2, result.output
    assert "Pulumi.web.yaml is there already and differs" in result.stderr
    assert not (project / "Pulumi.security.yaml").exists()


def test_account_stands_for_the_id_between_colons_only(project: Path) -> None:
    assert run(*OPTIONS, "--policy", "arn:aws:iam::ACCOUNT:policy/ACCOUNTING").exit_code == 0
    listed = content(project, "web")["breakglass:role"]["managedPolicyArns"]
    assert "arn:aws:iam::420000000002:policy/ACCOUNTING" in listed


URL = "https://events.example/hooks/T0PSECRET"


class Engine:
    """Stands for the engine: writes down how it was called, and encrypts by turning the text around."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], dict[str, str]]] = []

    def __call__(self, command: list[str], **how: Any) -> Any:
        self.calls.append((command, how.get("env") or {}))
        if "init" in command:
            folder = Path(command[-1])
            (folder / "Pulumi.security.yaml").write_text("encryptionsalt: v1:salt\n")
        elif "--secret" in command:
            file = Path(command[-1]) / "Pulumi.security.yaml"
            found = yaml.safe_load(file.read_text())
            secure = {"protocol": "https", "endpoint": {"secure": "v1:bm9uY2U=:c29tZXRoaW5n"}}
            assert how["input"] == URL
            found["config"]["breakglass:alerts"]["subscriptions"].append(secure)
            file.write_text(yaml.safe_dump(found))
        return subprocess.CompletedProcess(command, 0, "", "")


def test_a_webhook_is_written_encrypted_and_seen_nowhere(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    monkeypatch.setattr(subprocess, "run", engine)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "hello")
    result = run(*OPTIONS, "--webhook", typed=f"{URL}\n")
    assert result.exit_code == 0, result.output
    assert "T0PSECRET" not in result.output
    for command, environment in engine.calls:
        assert "T0PSECRET" not in " ".join(command)
        assert "T0PSECRET" not in str(environment)
    assert "T0PSECRET" not in (project / "Pulumi.security.yaml").read_text()
    alerts = stack_file.configuration(project / "Pulumi.security.yaml")["alerts"]
    assert [one["endpoint"] for one in alerts["subscriptions"]] == [
        "soc@corp.example",
        "https://encrypted-1.breakglass.invalid/",
    ]


def test_a_webhook_that_cannot_work_is_refused_without_quoting_it(project: Path) -> None:
    result = run(*OPTIONS, "--webhook", typed="https://hooks.slack.com/services/T0PSECRET\n")
    assert result.exit_code == 2
    assert "not the webhook of a chat" in result.stderr
    assert "T0PSECRET" not in result.output
