"""What a sandbox is made from."""

import pytest

from sandbox import run
from tests.program import STACKS


def test_a_file_of_no_use_is_named_and_gets_no_stack(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.a.b.yaml").write_text('config: {breakglass:accountId: "111111111111"}')
    (project / "Pulumi.empty.yaml").write_text("")
    (project / "Pulumi.half.yaml").write_text("config: {")
    (project / "Pulumi.old.yaml").write_text("encryptionsalt: v1:x")
    said = []
    assert run.make_mirror(tmp_path / "mirror", project, said.append) == {"a.b": "111111111111"}
    assert [line.split(":")[0] for line in said] == [
        "skipped Pulumi.empty.yaml",
        "skipped Pulumi.half.yaml",
        "skipped Pulumi.old.yaml",
    ]


def test_the_hub_is_the_first_stack(tmp_path):
    project = tmp_path / "project"
    project.mkdir()
    for name in ("a", "z"):
        (project / f"Pulumi.{name}.yaml").write_text('config: {breakglass:accountId: "111111111111"}')
    (project / "Pulumi.hub.yaml").write_text('config: {accountId: "222222222222", components: [alerts]}')
    assert [*run.make_mirror(tmp_path / "mirror", project, print)] == ["hub", "a", "z"]


@pytest.fixture
def mirror(tmp_path):
    folder = tmp_path / "mirror"
    (folder / "docs").mkdir(parents=True)
    (folder / "Pulumi.mgmt.yaml").write_text("config: {}")
    return folder


def test_new_files_of_a_command_are_kept_and_changed_settings_are_said_to_be_lost(mirror, tmp_path):
    before = run.contents(mirror)
    assert run.keep(mirror, before, tmp_path / "kept") == []
    assert not (tmp_path / "kept").exists()
    (mirror / "mgmt.json").write_text("{}")
    (mirror / "evidence").mkdir()
    (mirror / "evidence" / "drill.json").write_text("1")
    (mirror / "key.gpg").write_bytes(b"\xff\x00")
    (mirror / "__pycache__").mkdir()
    (mirror / "Pulumi.mgmt.yaml").write_text("config: {a: 1}")
    kept, lost = run.keep(mirror, before, tmp_path / "kept")
    assert kept.endswith("kept: evidence, key.gpg, mgmt.json")
    assert lost == "thrown away: changes of Pulumi.mgmt.yaml; make them in the project's own files"
    assert (tmp_path / "kept" / "mgmt.json").read_text() == "{}"
    assert (tmp_path / "kept" / "evidence" / "drill.json").read_text() == "1"


def test_a_later_command_replaces_what_an_earlier_one_left(mirror, tmp_path):
    before = run.contents(mirror)
    for text in ("1", "2"):
        (mirror / "evidence").mkdir(exist_ok=True)
        (mirror / "evidence" / "drill.json").write_text(text)
        run.keep(mirror, before, tmp_path / "kept")
    assert (tmp_path / "kept" / "evidence" / "drill.json").read_text() == "2"


def test_a_command_may_remove_or_spoil_a_file_of_the_mirror(mirror, tmp_path):
    for spoil in (lambda file: file.write_bytes(b"\xff"), lambda file: file.unlink()):
        before = run.contents(mirror)
        spoil(mirror / "Pulumi.mgmt.yaml")
        (said,) = run.keep(mirror, before, tmp_path / "kept")
        assert said.startswith("thrown away: changes of Pulumi.mgmt.yaml")
        (mirror / "Pulumi.mgmt.yaml").write_text("config: {}")


def test_the_help_fits_a_terminal(capsys):
    assert run.main(["--help"]) == 0
    assert all(len(line) <= 80 for line in capsys.readouterr().out.splitlines())
    assert run.main([]) == 2
    assert "usage: sandbox/run" in capsys.readouterr().err


def test_what_an_account_has_is_told_where_it_lacks_something_and_a_wrong_value_stops_no_other(tmp_path):
    base = (STACKS / "Pulumi.member.yaml").read_text()
    (tmp_path / "Pulumi.a.yaml").write_text(f"{base}\n  sandbox:policies: [A]\n")
    (tmp_path / "Pulumi.b.yaml").write_text(f"{base}\n  sandbox:policies: 3\n")
    (tmp_path / "Pulumi.c.yaml").write_text(
        base.replace("regions: enabled", "regions: [us-east-1, eu-south-1]")
    )
    said = []
    found = run._given(tmp_path, ["a", "b", "c"], said.append)
    assert [one.policies for one in found.values()] == [("A",), (), ()]
    wrong, lacking = said
    assert wrong.startswith("Pulumi.b.yaml: 1 problem:\n  sandbox:policies: found '3', must be a list")
    assert lacking.startswith("Pulumi.c.yaml: if your account differs, say so: a new account has not enabled")
    assert lacking.endswith("eu-south-1: sandbox:enabledRegions: [eu-south-1]")
