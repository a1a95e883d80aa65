"""What a sandbox is made from."""

from sandbox import run


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
    (project / "Pulumi.hub.yaml").write_text('config: {accountId: "222222222222", alerts: {}}')
    assert [*run.make_mirror(tmp_path / "mirror", project, print)] == ["hub", "a", "z"]
