"""The GitHub workflows and the script they run, without GitHub and without an engine.

Pins, permissions and kept credentials are zizmor's, in `make lint`.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from components.relay import HEARTBEAT_TIME, HEARTBEAT_WINDOW_MINUTES
from drill.__main__ import app
from sandbox.run import make_mirror
from tests.program import STACKS as STACK_FILES

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / ".github" / "pulumi.sh"
UNCHECKED = (
    "can't run policy 'us-east-1-placement' from policy pack 'breakglass@v0.1.0' during preview: unknown"
)


def load(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text())


def triggers(workflow: dict[Any, Any]) -> dict[str, Any]:
    return workflow[True]  # YAML 1.1 reads the key `on` as a boolean


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


PR = load(ROOT / ".github" / "workflows" / "pr.yml")
UP = load(ROOT / ".github" / "workflows" / "up.yml")
DRILL = load(ROOT / ".github" / "workflows" / "drill.yml")

verbs = pytest.mark.parametrize("verb", ["preview", "up"])


def test_the_workflow_of_pull_requests_reads_no_secret_no_variable_and_no_token():
    text = (ROOT / ".github" / "workflows" / "pr.yml").read_text()
    assert set(re.findall(r"\$\{\{\s*(.*?)\s*\}\}", text)) == {
        "github.ref",
        "matrix.stack",
        "steps.list.outputs.all",
        "fromJSON(needs.stacks.outputs.all)",
    }


@pytest.mark.parametrize("workflow", [PR, UP], ids=["pull request", "up"])
def test_the_stacks_are_those_of_the_stack_files(workflow):
    listed = next(run for run in commands(workflow["jobs"]["stacks"]) if "drill" in run)
    assert ".venv/bin/python -m drill stacks --json" in listed


def listed_outputs(folder: Path, workflow: dict[Any, Any], files: Path) -> dict[str, str]:
    """Run the step that lists the stacks of a folder, and return its outputs."""
    step = next(one for one in workflow["jobs"]["stacks"]["steps"] if one.get("id") == "list")
    project = folder / "project"
    make_mirror(project, files, print)
    outputs = folder / "outputs"
    outputs.write_text("")
    subprocess.run(
        ["/usr/bin/env", "bash", "-euo", "pipefail", "-c", step["run"]],
        cwd=project,
        env=os.environ | {"GITHUB_OUTPUT": str(outputs)},
        check=True,
    )
    return dict(line.split("=", 1) for line in outputs.read_text().splitlines())


@pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's runners have jq")
def test_the_hub_goes_first_then_all_others(tmp_path):
    assert listed_outputs(tmp_path, UP, STACK_FILES) == {"hub": "mgmt", "others": '["member"]'}


@pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's runners have jq")
def test_a_member_that_does_not_agree_does_not_stop_the_hub(tmp_path):
    files = tmp_path / "files"
    shutil.copytree(STACK_FILES, files)
    member = files / "Pulumi.member.yaml"
    member.write_text(member.read_text().replace("name: BreakGlassRole", "name: Other"))
    assert listed_outputs(tmp_path, UP, files) == {"hub": "mgmt", "others": '["member"]'}


@pytest.mark.skipif(shutil.which("jq") is None, reason="GitHub's runners have jq")
def test_a_hub_alone_has_no_others(tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    shutil.copy(STACK_FILES / "Pulumi.mgmt.yaml", files)
    assert listed_outputs(tmp_path, UP, files) == {"hub": "mgmt", "others": "[]"}


def test_a_pull_request_previews_every_stack_in_the_sandbox_with_the_checked_command(tmp_path):
    listed = json.loads(listed_outputs(tmp_path, PR, STACK_FILES)["all"])
    assert [(one["stack"], one["hub"]) for one in listed] == [("mgmt", True), ("member", False)]
    job = PR["jobs"]["preview"]
    assert job["strategy"] == {
        "fail-fast": False,
        "matrix": {"include": "${{ fromJSON(needs.stacks.outputs.all) }}"},
    }
    assert job["steps"][-1] == {
        "run": 'sandbox/run .github/pulumi.sh preview "$STACK"',
        "env": {"STACK": "${{ matrix.stack }}"},
    }


def test_every_stack_is_deployed_from_main_after_the_hub():
    assert set(triggers(UP)) == {"push", "workflow_dispatch"}
    assert triggers(UP)["push"] == {"branches": ["main"]}
    assert list(UP["jobs"]) == ["stacks", "hub", "others"]
    assert UP["jobs"]["stacks"]["if"] == "github.ref == 'refs/heads/main'"
    # A job without a condition on the result of another is skipped with the job that it needs.
    assert [UP["jobs"][name]["needs"] for name in ("hub", "others")] == ["stacks", ["stacks", "hub"]]
    assert UP["jobs"]["others"]["if"] == "needs.stacks.outputs.others != '[]'"
    assert UP["jobs"]["others"]["strategy"]["fail-fast"] is False


DEPLOYMENTS = {"hub": "${{ needs.stacks.outputs.hub }}", "others": "${{ matrix.stack }}"}
deployments = pytest.mark.parametrize(("job", "stack"), DEPLOYMENTS.items())


@deployments
def test_a_deployment_is_bound_to_the_environment_of_its_stack(job, stack):
    assert UP["jobs"][job]["environment"] == stack
    assert UP["jobs"][job]["env"] == {"STACK": stack}


@deployments
def test_a_running_deployment_is_never_cancelled(job, stack):
    assert "concurrency" not in UP
    assert UP["jobs"][job]["concurrency"] == {"group": f"up-{stack}", "cancel-in-progress": False}


@deployments
def test_a_deployment_previews_with_the_checked_command_before_it_goes_up(job, stack):
    pulumi = [run for run in commands(UP["jobs"][job]) if "pulumi" in run]
    assert pulumi[0].startswith("pulumi login ")
    assert pulumi[1:] == ['.github/pulumi.sh preview "$STACK"', '.github/pulumi.sh up "$STACK"']


@deployments
def test_a_deployment_has_no_stored_secret_and_gets_its_credentials_after_the_packages(job, stack):
    used = [step.get("uses", step.get("run", "")) for step in UP["jobs"][job]["steps"]]
    credentials = next(n for n, use in enumerate(used) if "configure-aws-credentials@" in use)
    packages = next(n for n, use in enumerate(used) if "pip install --require-hashes" in use)
    assert packages < credentials
    assert UP["jobs"][job]["steps"][credentials]["with"]["role-to-assume"] == "${{ vars.AWS_ROLE_ARN }}"
    assert "secrets." not in str(UP["jobs"][job])


def test_the_deployed_engine_has_the_version_of_the_pinned_sdk():
    pinned = re.search(r"^pulumi==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    installed = {step["with"]["pulumi-version"] for step in steps(UP) if "pulumi/actions@" in str(step)}
    assert pinned is not None
    assert installed == {pinned[1]}


class Run:
    """The script, run with a `pulumi` that writes down its arguments, prints what it is told, and exits."""

    def __init__(
        self, folder: Path, *arguments: str, output: str | bytes = "", code: int = 0, summary: bool = True
    ) -> None:
        printed = output if isinstance(output, bytes) else output.encode()
        (folder / "output").write_bytes(printed)
        fake = folder / "pulumi"
        fake.write_text(f'#!/bin/sh\necho "$@" >"{folder}/called"\ncat "{folder}/output"\nexit {code}\n')
        fake.chmod(0o755)
        environment = {name: value for name, value in os.environ.items() if name != "GITHUB_STEP_SUMMARY"}
        environment |= {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(folder)}
        if summary:
            environment["GITHUB_STEP_SUMMARY"] = str(folder / "summary.md")
        process = subprocess.run(
            [str(SCRIPT), *arguments], cwd=ROOT, env=environment, capture_output=True, check=False
        )
        self.code = process.returncode
        self.output = process.stdout
        self.messages = process.stderr.decode()
        self.called = (folder / "called").read_text() if (folder / "called").exists() else None
        self.summary = (folder / "summary.md").read_text(errors="replace") if self.called and summary else ""
        self.left_behind = {path.name for path in folder.iterdir()} - {
            "output",
            "pulumi",
            "called",
            "summary.md",
        }


@verbs
@pytest.mark.parametrize("stack", ["security", "eu.member"])
def test_the_script_enforces_the_pack_with_its_configuration(tmp_path, stack, verb):
    configuration = "policies/config.json"
    run = Run(tmp_path, verb, stack)
    assert (ROOT / configuration).is_file()
    assert run.called is not None
    assert run.called.startswith(f"{verb} --stack {stack} ")
    assert f" --policy-pack policies --policy-pack-config {configuration} " in run.called
    assert " --non-interactive " in run.called
    assert (" --yes" in run.called) == (verb == "up")


@verbs
def test_the_script_succeeds_with_pulumi_and_shows_its_output(tmp_path, verb):
    run = Run(tmp_path, verb, "mgmt", output="Resources:\n    + 27 to create\n")
    assert (run.code, run.output) == (0, b"Resources:\n    + 27 to create\n")
    assert run.summary.startswith(f"### pulumi {verb} mgmt: passed, with the policy pack enforced\n")
    assert "\n        + 27 to create\n" in run.summary
    assert run.left_behind == set()


@verbs
def test_the_script_fails_with_pulumi(tmp_path, verb):
    run = Run(tmp_path, verb, "mgmt", output="error: preview failed\n", code=255)
    assert run.code == 255
    assert f"pulumi {verb} mgmt: FAILED, exit code 255" in run.messages
    assert run.summary.startswith(f"### pulumi {verb} mgmt: FAILED, exit code 255\n")


@verbs
@pytest.mark.parametrize(
    "before", [b"", b"caf\xe9 \x00\n"], ids=["text", "a log with bytes that are not text"]
)
def test_the_script_fails_when_a_policy_could_not_run_and_names_it(tmp_path, verb, before):
    run = Run(tmp_path, verb, "mgmt", output=before + f"  breakglass [advisory] {UNCHECKED}\n".encode())
    assert run.code == 1
    assert f"\n{UNCHECKED}\n" in run.messages
    assert "breakglass/naming.py" in run.messages
    assert run.summary.startswith(f"### pulumi {verb} mgmt: FAILED, a policy could not run\n")


def test_the_script_names_the_unchecked_policy_when_pulumi_failed_as_well(tmp_path):
    run = Run(tmp_path, "preview", "mgmt", output=UNCHECKED, code=255)
    assert run.code == 255
    assert UNCHECKED in run.messages


def test_the_summary_starts_with_what_the_policies_reported(tmp_path):
    reported = "    breakglass@v0.1.0 [mandatory]  iam-full-access  (aws:iam:UserPolicyAttachment: x)"
    log = f"Previewing\n{reported}\nIAMFullAccess gives full control\n    + aws:sns/topic:Topic: (create)\n"
    top = Run(tmp_path, "preview", "mgmt", output=log, code=1).summary.partition("The whole output:")[0]
    assert f"\n    {reported}\n    IAMFullAccess gives full control\n" in top
    assert "Previewing" not in top


@pytest.mark.parametrize(
    "text",
    [
        "```\n# heading\n",
        "~~~\n\n\n# heading\n",
        "a\r# heading\r```\r\n# heading\n",
        "</details>\n\n<h1>heading\n",
    ],
)
def test_nothing_in_the_log_ends_the_code_block_of_the_summary(tmp_path, text):
    log = f"[advisory] {text}{text}"
    summary = Run(tmp_path, "preview", "mgmt", output=log).summary
    ours = re.compile(r"|### pulumi preview mgmt: .*|What the policies reported:|The whole output:")
    assert [line for line in summary.splitlines() if not ours.fullmatch(line)]
    assert all(line.startswith("    ") for line in summary.splitlines() if not ours.fullmatch(line))


def test_the_script_needs_no_summary_on_a_laptop(tmp_path):
    run = Run(tmp_path, "preview", "mgmt", output="Resources:\n", summary=False)
    assert (run.code, run.left_behind) == (0, set())


@pytest.mark.parametrize(
    "arguments", [(), ("preview",), ("destroy", "mgmt"), ("preview", "mgmt", "--target")]
)
def test_the_script_refuses_any_other_use(tmp_path, arguments):
    run = Run(tmp_path, *arguments)
    assert (run.code, run.called) == (2, None)
    assert "usage: .github/pulumi.sh preview|up STACK" in run.messages


def test_the_scheduled_drill_tells_nobody_and_changes_nothing():
    assert set(triggers(DRILL)) == {"schedule", "workflow_dispatch"}
    (job,) = DRILL["jobs"].values()
    assert job["if"] == "github.ref == 'refs/heads/main'"
    assert job["environment"] == "drill"
    *_, fire, check = commands(job)
    for command in (fire, check):
        outcome = CliRunner().invoke(app, [*shlex.split(command)[3:4], "--help"])
        assert outcome.exit_code == 0
        options = {word for word in shlex.split(command) if word.startswith("--")}
        assert options <= set(re.findall(r"--[a-z-]+", outcome.output))
    assert "--quiet" in fire
    assert "--yes" not in fire, "were --quiet lost, it would have to ask, and so refuse"
    assert job["steps"][-1]["if"] == "success() || failure()"


def test_the_scheduled_drill_comes_after_the_heartbeats():
    (schedule,) = triggers(DRILL)["schedule"]
    minute, *_ = schedule["cron"].split()
    assert HEARTBEAT_TIME == "cron(5 * * * ? *)"
    assert int(minute) > 5 + HEARTBEAT_WINDOW_MINUTES
