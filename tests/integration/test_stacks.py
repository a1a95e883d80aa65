"""Both stacks with the real engine, SDK and policy pack, against the emulated AWS."""

import hashlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IAM_FULL_ACCESS = "arn:aws:iam::aws:policy/IAMFullAccess"
REGIONS = ("us-east-1", "eu-west-1")  # what the sandbox calls enabled in these tests
SAMPLE_RULES = {
    "capture-breakglass-user-sign-in",
    "capture-breakglass-user-switch-role",
    "capture-breakglass-user-assume-role",
}
RELAY_RULES = ["breakglass-relay", "breakglass-relay-2", "breakglass-relay-3"]
RELAY_ROLES = ["BreakGlassHeartbeat", "BreakGlassRelay"]


def what_is_there(stack):
    """Everything of ours in the stack's account of the emulated AWS, by kind; empty kinds left out."""
    iam = stack.client("iam")
    found = {
        "users": [user["UserName"] for user in iam.list_users()["Users"]],
        "roles": sorted(role["RoleName"] for role in iam.list_roles()["Roles"]),
        "policies": sorted(policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]),
    }
    for region in REGIONS:
        events = stack.client("events", region)
        buses = [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
        for bus in buses:
            found[f"rules {region} {bus}"] = sorted(
                rule["Name"]
                for page in events.get_paginator("list_rules").paginate(EventBusName=bus)
                for rule in page["Rules"]
                if "ManagedBy" not in rule
            )
        found |= {
            f"buses {region}": [bus for bus in buses if bus != "default"],
            f"archives {region}": [archive["ArchiveName"] for archive in events.list_archives()["Archives"]],
            f"topics {region}": [
                topic["TopicArn"].split(":")[-1]
                for topic in stack.client("sns", region).list_topics()["Topics"]
            ],
            f"queues {region}": [
                url.split("/")[-1] for url in stack.client("sqs", region).list_queues().get("QueueUrls", [])
            ],
            f"aliases {region}": [
                alias["AliasName"]
                for alias in stack.client("kms", region).list_aliases()["Aliases"]
                if not alias["AliasName"].startswith("alias/aws/")
            ],
            f"logs {region}": [
                group["logGroupName"]
                for group in stack.client("logs", region).describe_log_groups()["logGroups"]
            ],
            f"alarms {region}": sorted(
                alarm["AlarmName"]
                for alarm in stack.client("cloudwatch", region).describe_alarms()["MetricAlarms"]
            ),
            f"schedules {region}": [
                schedule["Name"]
                for schedule in stack.client("scheduler", region).list_schedules()["Schedules"]
            ],
            f"groups {region}": [
                group["Name"]
                for group in stack.client("scheduler", region).list_schedule_groups()["ScheduleGroups"]
                if group["Name"] != "default"
            ],
        }
    return {kind: names for kind, names in found.items() if names}


NOTHING = {}
MEMBER = {
    "roles": [*RELAY_ROLES, "BreakGlassRole"],
    **{f"rules {region} default": RELAY_RULES[:2] for region in REGIONS},
    **{f"queues {region}": ["breakglass-relay-dlq"] for region in REGIONS},
    **{f"schedules {region}": ["breakglass-heartbeat"] for region in REGIONS},
    **{f"groups {region}": ["breakglass"] for region in REGIONS},
}


def test_the_whole_life_of_the_management_stack(mgmt):
    """Up, no change, drift found and healed, update in place, destroy: as it would be lived."""
    preview = mgmt.pulumi("preview", pack=True)
    assert "+ 106 to create" in preview
    assert what_is_there(mgmt) == NOTHING

    mgmt.pulumi("up", "--yes", pack=True)
    assert len(mgmt.resources()) == 100
    there = what_is_there(mgmt)
    assert there["users"] == ["BreakglassUser"]
    assert there["roles"] == MEMBER["roles"]
    assert there["rules us-east-1 default"] == [*RELAY_RULES, "capture-breakglass-key-change"]
    assert there["rules eu-west-1 default"] == RELAY_RULES
    assert set(there["rules us-east-1 breakglass"]) > SAMPLE_RULES
    hub_queues = {"breakglass-alerts-dlq", "breakglass-drill", "breakglass-relay-dlq"}
    assert set(there["queues us-east-1"]) == hub_queues
    assert there["queues eu-west-1"] == ["breakglass-relay-dlq"]
    assert there["aliases us-east-1"] == ["alias/breakglassSNS"]
    assert there["logs us-east-1"] == ["/breakglass/audit"]
    assert len(there["alarms us-east-1"]) == 4
    assert "106 unchanged" in mgmt.pulumi("preview", "--refresh", "--expect-no-changes", pack=True)

    events = mgmt.client("events")
    events.disable_rule(Name="capture-breakglass-user-sign-in", EventBusName="breakglass")
    found = mgmt.pulumi("preview", "--refresh", "--expect-no-changes", "--diff", fails=True)
    assert "DISABLED" in found
    mgmt.pulumi("up", "--yes", "--refresh", pack=True)
    rule = events.describe_rule(Name="capture-breakglass-user-sign-in", EventBusName="breakglass")
    assert rule["State"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"

    mgmt.configure("role.mfaMaxAge", "900")
    updated = mgmt.pulumi("up", "--yes", "--skip-preview", pack=True)
    assert "~ 1 updated" in updated
    assert "105 unchanged" in updated
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


def test_full_access_on_the_user_is_refused_before_anything_is_created(mgmt):
    mgmt.configure("user.managedPolicyArns[0]", IAM_FULL_ACCESS)
    output = mgmt.pulumi("up", "--yes", pack=True, fails=True)
    assert "[mandatory]" in output
    assert "iam-full-access" in output
    assert "gives user/BreakglassUser full control of IAM" in output
    assert what_is_there(mgmt) == NOTHING


def test_accepted_full_access_is_always_shown(member):
    output = member.pulumi("preview", pack=True)
    assert "[advisory]" in output
    assert "is accepted: The emergency role has to repair access" in " ".join(output.split())


def test_alerting_in_another_region_is_refused_before_anything_is_created(mgmt):
    mgmt.configure("alerts.region", "eu-west-1")
    output = mgmt.pulumi("up", "--yes", pack=True, fails=True)
    assert "us-east-1-placement" in output
    assert "us-east-1-alerting-present" in output
    assert "is placed in eu-west-1" in output
    assert what_is_there(mgmt) == NOTHING


def test_a_user_without_alerting_is_refused(mgmt):
    def without_alerts(config):
        config["breakglass:components"] = ["user", "role"]
        del config["breakglass:alerts"], config["breakglass:relay"]

    mgmt.edit(without_alerts)
    output = mgmt.pulumi("up", "--yes", pack=True, fails=True)
    assert "us-east-1-alerting-present" in output
    for rule in SAMPLE_RULES:
        assert f"The EventBridge rule {rule} is missing in us-east-1" in " ".join(output.split())
    assert what_is_there(mgmt) == NOTHING


@pytest.mark.parametrize("stack", ["mgmt", "member"])
def test_credentials_of_another_account_are_refused_before_anything_is_created(sandbox, request, stack):
    target = request.getfixturevalue(stack)
    output = target.pulumi("up", "--yes", "--skip-preview", fails=True, SANDBOX_ACCOUNT="333333333333")
    assert "AWS account ID not allowed: 333333333333" in output
    assert target.resources() == []
    assert what_is_there(target) == NOTHING
    sandbox.accounts["other"] = "333333333333"
    assert what_is_there(type(target)(sandbox, "other")) == NOTHING


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
    drill_queue = "arn:aws:sqs:us-east-1:111111111111:breakglass-drill"
    people = [url, "security-watchdog@example.com", "security@example.com"]
    assert sorted(endpoints) == [drill_queue, drill_queue, *people]
    mgmt.pulumi("preview", "--refresh", "--expect-no-changes", pack=True)


def test_an_interrupted_up_can_be_finished(mgmt):
    """Ctrl-C in the middle: what was created is in the state, and a second up creates only the rest."""
    command = [
        "pulumi", "up", "--stack", "mgmt", "--yes", "--skip-preview", "--non-interactive",
        "--color", "never", "--parallel", "1",
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=mgmt.sandbox.directory, env=mgmt.sandbox.environment,
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
    assert 0 < half < 100, rest

    finished = mgmt.pulumi("up", "--yes", pack=True)
    assert "pending" not in finished
    assert len(mgmt.resources()) == 100
    assert "106 unchanged" in mgmt.pulumi("preview", "--refresh", "--expect-no-changes")


COUNT = 'import json, sys; print(len(json.load(sys.stdin)["deployment"]["resources"]))'


def test_the_command_line_of_the_sandbox_and_the_committed_files_stay_untouched():
    before = fingerprints()
    story = f"pulumi up -y -s mgmt && pulumi stack export -s mgmt | python -c '{COUNT}'"
    outcome = subprocess.run(
        [ROOT / "sandbox" / "run", "bash", "-c", story],
        env=os.environ | {"SANDBOX_REGIONS": ",".join(REGIONS)},
        cwd=ROOT / "tests", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert outcome.stdout.splitlines()[-1] == "106"
    assert "AWS is emulated" in outcome.stderr
    assert fingerprints() == before


def fingerprints():
    """Contents of the files that a command could write into, and which files there are."""
    files = [*ROOT.glob("*"), *ROOT.glob("policies/**/*.json")]
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
