"""Both stacks with the real engine, SDK and policy pack, against the emulated AWS."""

import hashlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from breakglass import naming
from tests.integration.conftest import NOTHING, REGIONS, what_is_there

ROOT = Path(__file__).parents[2]
SAMPLE_RULES = {
    "capture-breakglass-user-sign-in",
    "capture-breakglass-user-switch-role",
    "capture-breakglass-user-assume-role",
}


def relay_rules(count: int) -> list[str]:
    """The names of the rules of both relays."""
    ends = ["", *(f"-{number}" for number in range(2, count + 1))]
    return [f"breakglass-{noun}{end}" for noun in ("relay", "watchdog") for end in ends]


PLACE_ALARMS = sorted(naming.PLACE_ALARMS)
RELAY_ALARMS = sorted(naming.RELAY_ALARMS)
MEMBER = {
    "roles": ["BreakGlassHeartbeat", "BreakGlassRelay", "BreakGlassRole", "BreakGlassWatchdogRelay"],
    "alarms us-east-1": RELAY_ALARMS,
    **{f"rules {region} default": relay_rules(2) for region in REGIONS},
    **{f"queues {region}": ["breakglass-relays-dlq"] for region in REGIONS},
    **{f"schedules {region}": ["breakglass-heartbeat"] for region in REGIONS},
    **{f"groups {region}": ["breakglass"] for region in REGIONS},
}


def test_the_whole_life_of_the_management_stack(mgmt):
    """Up, no change, drift found and healed, update in place, destroy: as it would be lived."""
    preview = mgmt.pulumi("preview", pack=True)
    assert "+ 174 to create" in preview
    assert what_is_there(mgmt) == NOTHING

    mgmt.pulumi("up", "--yes", "--skip-preview", pack=True)
    assert len(mgmt.resources()) == 167
    there = what_is_there(mgmt)
    assert there["users"] == ["BreakglassUser"]
    assert there["roles"] == sorted([*MEMBER["roles"], "BreakGlassKeyRelay"])
    assert there["rules us-east-1 default"] == [*relay_rules(3), "capture-breakglass-key-change"]
    for region in ("eu-west-1", "us-west-2"):
        assert there[f"rules {region} default"] == relay_rules(3)
    assert set(there["rules us-east-1 breakglass"]) > SAMPLE_RULES
    assert there["rules us-west-2 breakglass-watchdog"] == [
        f"capture-breakglass-{noun}"
        for noun in ("alert", "alert-2", "alert-3", "alert-4", "drill", "heartbeat")
    ]
    queues = {"us-east-1": "hub", "us-west-2": "watchdog"}
    for region, place in queues.items():
        own = {f"breakglass-{place}-dlq", f"breakglass-{place}-drill"}
        assert set(there[f"queues {region}"]) == own | {"breakglass-relays-dlq"}
    assert there["queues eu-west-1"] == ["breakglass-relays-dlq"]
    assert set(there["topics us-east-1"]) == {"breakglassuser-console-logins", "breakglass-alarms"}
    assert set(there["topics us-west-2"]) == {"breakglass-watchdog", "breakglass-watchdog-alarms"}
    assert there["aliases us-east-1"] == ["alias/breakglassSNS"]
    assert there["logs us-east-1"] == ["/breakglass/audit", "/breakglass/heartbeats"]
    assert there["logs us-west-2"] == ["/breakglass/heartbeats"]
    assert there["alarms us-east-1"] == sorted([*PLACE_ALARMS, *RELAY_ALARMS])
    assert there["alarms us-west-2"] == PLACE_ALARMS
    assert "174 unchanged" in mgmt.pulumi("preview", "--refresh", "--expect-no-changes", pack=True)

    events = mgmt.client("events")
    events.disable_rule(Name="capture-breakglass-user-sign-in", EventBusName="breakglass")
    found = mgmt.pulumi("preview", "--refresh", "--expect-no-changes", "--diff", fails=True)
    assert "DISABLED" in found
    mgmt.pulumi("up", "--yes", "--refresh", "--skip-preview", pack=True)
    rule = events.describe_rule(Name="capture-breakglass-user-sign-in", EventBusName="breakglass")
    assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

    mgmt.configure("role.mfaMaxAge", "900")
    updated = mgmt.pulumi("up", "--yes", "--skip-preview", pack=True)
    assert "~ 1 updated" in updated
    assert "173 unchanged" in updated
    trust = mgmt.client("iam").get_role(RoleName="BreakGlassRole")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Condition"]["NumericLessThanEquals"] == {"aws:MultiFactorAuthAge": "900"}

    refused = mgmt.pulumi("destroy", "--yes", fails=True)
    assert "protected" in refused
    assert what_is_there(mgmt) == there

    mgmt.configure("alerts.auditLogProtected", "false")
    mgmt.pulumi("up", "--yes", "--skip-preview")
    outcome = mgmt.sandbox.run("pulumi", "state", "unprotect", "--all", "--yes", "--stack", "mgmt")
    assert outcome.returncode == 0, outcome.stdout
    mgmt.pulumi("destroy", "--yes")
    assert mgmt.resources() == []
    assert what_is_there(mgmt) == NOTHING
    kms = mgmt.client("kms")
    states = [
        kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] for key in kms.list_keys()["Keys"]
    ]
    assert states == ["PendingDeletion"]


def test_the_member_stack_holds_role_and_relays_and_nothing_else(mgmt, member):
    member.pulumi("up", "--yes", pack=True)
    assert what_is_there(member) == MEMBER
    assert what_is_there(mgmt) == NOTHING
    member.pulumi("preview", "--refresh", "--expect-no-changes", pack=True)


def test_a_secret_endpoint_is_readable_neither_in_the_file_nor_in_the_state(mgmt):
    url = "https://hooks.example.com/services/T0/hush"
    mgmt.configure("alerts.subscriptions[1].protocol", "https")
    outcome = mgmt.sandbox.run(
        "pulumi", "config", "set", "--stack", "mgmt", "--secret",
        "--path", "breakglass:alerts.subscriptions[1].endpoint", url,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stdout
    output = mgmt.pulumi("up", "--yes", "--diff", pack=True)
    state = mgmt.sandbox.run("pulumi", "stack", "export", "--stack", "mgmt").stdout
    file = (mgmt.sandbox.directory / "Pulumi.mgmt.yaml").read_text()
    for text in (output, state, file):
        assert "hush" not in text
    endpoints = [entry["Endpoint"] for entry in mgmt.client("sns").list_subscriptions()["Subscriptions"]]
    # The hub's topic, and its topic for alarms, which the watchdog's recipients have as well.
    drill_queue = "arn:aws:sqs:us-east-1:111111111111:breakglass-hub-drill"
    people = [url, url, "security-watchdog@example.com", "security@example.com", "security@example.com"]
    assert sorted(endpoints) == [drill_queue, *people]
    mgmt.pulumi("preview", "--refresh", "--expect-no-changes", pack=True)


def test_an_interrupted_up_can_be_finished(mgmt):
    """Ctrl-C in the middle: what was created is in the state, and a second up creates only the rest.

    The state is written for every resource, as outside of the sandbox.
    """
    command = [
        "pulumi", "up", "--stack", "mgmt", "--yes", "--skip-preview", "--non-interactive",
        "--color", "never", "--parallel", "1",
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=mgmt.sandbox.directory,
        env=mgmt.sandbox.environment | {"PULUMI_SKIP_CHECKPOINTS": "false"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as interrupted:  # fmt: skip
        assert interrupted.stdout is not None
        for line in interrupted.stdout:
            if "aws:iam:Policy" in line and " created" in line:
                interrupted.send_signal(signal.SIGINT)
                break
        rest = interrupted.stdout.read()
    assert interrupted.returncode != 0, rest
    half = len(mgmt.resources())
    assert 0 < half < 167, rest

    finished = mgmt.pulumi("up", "--yes", "--skip-preview", pack=True)
    assert "pending" not in finished
    assert len(mgmt.resources()) == 167
    assert "174 unchanged" in mgmt.pulumi("preview", "--refresh", "--expect-no-changes")


COUNT = 'import json, sys; print(len(json.load(sys.stdin)["deployment"]["resources"]))'


def test_the_command_line_of_the_sandbox_and_the_committed_files_stay_untouched(clone):
    before = fingerprints(clone)
    story = f"pulumi up -y -f -s member && pulumi stack export -s member | python -c '{COUNT}'"
    outcome = subprocess.run(
        [clone / "sandbox" / "run", "bash", "-c", story],
        env=os.environ | {"SANDBOX_REGIONS": ",".join(REGIONS)},
        cwd=clone / "tests", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert outcome.stdout.splitlines()[-1] == "48"
    assert "AWS is emulated" in outcome.stderr
    assert fingerprints(clone) == before


def fingerprints(project):
    """Contents of the files that a command could write into, and which files there are."""
    files = [*project.glob("*"), *project.glob("policies/**/*.json")]
    return {file: hashlib.sha256(file.read_bytes()).digest() if file.is_file() else b"" for file in files}


@pytest.mark.parametrize(
    ("command", "exit_code", "text"),
    [
        ([], 2, "usage: sandbox/run COMMAND"),
        (["no-such-command"], 127, "no such command: no-such-command"),
        (["sh", "-c", "exit 7"], 7, "AWS is emulated"),
    ],
)
def test_the_sandbox_says_what_went_wrong_and_passes_exit_codes_on(command, exit_code, text):
    outcome = subprocess.run(
        [ROOT / "sandbox" / "run", *command], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == exit_code
    assert text in outcome.stderr
