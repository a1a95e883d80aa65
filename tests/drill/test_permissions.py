"""The policies of the commands: each call is allowed on what it is made on, and nothing else is."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from alertpath.iam.evaluate import Principal, Request, Verdict, evaluate
from breakglass import documents, naming
from breakglass.settings import reading
from drill import permissions, stacks
from drill.account import Account
from drill.check.catalogue import CHECKS
from drill.check.runner import run
from drill.check.stack_state import prepare
from drill.stacks import Stack
from tests.drill import deployed
from tests.drill.conftest import unseen

HUB, MEMBER, HOME = "111111111111", "222222222222", "us-east-1"
LIMIT = 6144
"""Characters of a managed policy, blanks not counted
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)."""

IAM_PREFIX = {"monitoring": "cloudwatch"}
"""Where the name of a service in IAM is not the beginning of its endpoint's."""
IAM_ACTION = {"sqs:DeleteMessageBatch": "sqs:DeleteMessage"}
NEEDS_NOTHING = {"sts:GetCallerIdentity"}

WRITES = {
    "check": set[str](),
    "fire": {"events:PutEvents", "sqs:DeleteMessage"},
    "password": {"iam:CreateLoginProfile", "iam:UpdateLoginProfile"},
}
READS = ("Describe", "Filter", "Get", "List", "Receive", "Test", "GenerateCredentialReport")

GRANTS = json.loads((Path(__file__).parent / "grants.json").read_text())
"""What the commands need in the accounts of the stacks: action, resource, and condition if there is one."""

ON_ACCOUNT = {
    "cloudtrail:DescribeTrails",
    "ec2:DescribeRegions",
    "events:ListRules",
    "events:TestEventPattern",
    "iam:GenerateCredentialReport",
    "iam:GetAccountPasswordPolicy",
    "iam:GetCredentialReport",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
}
"""Actions that AWS narrows to no resource."""

app = typer.Typer()
app.command()(permissions.policy)


def stack(name: str) -> Stack:
    return next(one for one in stacks.load() if one.name == name)


def verdict(document: Any, action: str, resource: str, account: str, **context: Any) -> Verdict:
    asked = Request(
        principal=Principal(arn=f"arn:aws:iam::{account}:role/Operator"),
        action=action,
        resource=resource,
        context={name.replace("_", ":", 1): value for name, value in context.items()},
    )
    # A key has a policy in any case; the alarm's hands the decision to the account's IAM policies.
    key = documents.hub_key(account_id=account) if action.startswith("kms:") else None
    return evaluate(asked, identity=[document], resource=key, resource_account=account).verdict


# --- What is called -----------------------------------------------------------------------------


def key_id(region: str, account: str) -> str:
    return f"arn:aws:kms:{region}:{account}:key/11111111-2222-4333-8444-555555555555"


def resource_of(action: str, params: Mapping[str, Any], region: str, account: str) -> str:
    """Return the ARN that AWS asks permission for, by the parameters of a call."""
    service, name = action.split(":")
    if action in ON_ACCOUNT:
        return "*"
    match service:
        case "events" if name == "DescribeEventBus":
            return naming.bus_arn(account, region, params["Name"])
        case "events" if name == "DescribeArchive":
            return f"arn:aws:events:{region}:{account}:archive/{params['ArchiveName']}"
        case "events":
            bus = params.get("EventBusName", "default")
            rule = params.get("Name") or params["Rule"]
            return naming.rule_arn(account, region, rule if bus == "default" else f"{bus}/{rule}")
        case "iam" if "UserName" in params:
            return naming.user_arn(account, params["UserName"])
        case "iam" if "RoleName" in params:
            return naming.role_arn(account, params["RoleName"])
        case "iam":
            return params["PolicyArn"]
        case "kms":
            return key_id(region, account)
        case "logs":
            return f"{naming.log_group_arn(account, region, params['logGroupName'])}:log-stream:"
        case "sns":
            return params["TopicArn"]
        case "sqs":
            return naming.queue_arn(
                account, region, (params.get("QueueName") or params["QueueUrl"]).rsplit("/", 1)[-1]
            )
        case "scheduler" if name == "GetScheduleGroup":
            return f"arn:aws:scheduler:{region}:{account}:schedule-group/{params['Name']}"
        case "scheduler":
            return f"arn:aws:scheduler:{region}:{account}:schedule/{params['GroupName']}/{params['Name']}"
        case "cloudwatch":
            return f"arn:aws:cloudwatch:{region}:{account}:alarm:{params['AlarmNames'][0]}"
        case "cloudtrail":
            return params.get("TrailName") or params["Name"]
    raise AssertionError(f"say here what {action} works on")


class Calls:
    """The calls that are made with an account, as IAM judges them."""

    def __init__(self, account: Account) -> None:
        self.made: set[tuple[str, str]] = set()
        self._account = account
        assert account.session is not None
        account.session.events.register("provide-client-params", self._take)

    def _take(self, params: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: Any) -> None:
        prefix = model.service_model.endpoint_prefix
        action = f"{IAM_PREFIX.get(prefix, prefix)}:{model.name}"
        action = IAM_ACTION.get(action, action)
        if action not in NEEDS_NOTHING:
            region = context["client_region"]
            self.made.add((action, resource_of(action, params, region, self._account.id)))


def test_each_call_of_the_check_is_allowed_on_what_it_is_made_on(aws: str) -> None:
    everything = stacks.load()
    accounts = [deployed.account(one.account_id, aws) for one in everything]
    calls = [Calls(account) for account in accounts]
    stack_states = prepare(everything, accounts, only=["mgmt", "member"], progress=unseen)
    run(CHECKS, stack_states, unseen)
    for one, seen in zip(everything, calls, strict=True):
        document = permissions.document("check", one)
        refused = [
            (action, resource)
            for action, resource in sorted(seen.made)
            if verdict(document, action, resource, one.account_id, kms_ResourceAliases=[naming.KEY_ALIAS])
            is not Verdict.ALLOWED
        ]
        assert refused == []
        assert len(seen.made) > 20


# --- What is allowed ----------------------------------------------------------------------------


def granted(document: Mapping[str, Any]) -> list[list[Any]]:
    """Return each action with a resource, and the condition if there is one, in order."""
    grants = []
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else resources:
            condition = [statement["Condition"]] if "Condition" in statement else []
            grants += [[action, resource, *condition] for action in statement["Action"]]
    return sorted(grants, key=lambda grant: grant[:2])


@pytest.mark.parametrize("name", ["mgmt", "member"])
@pytest.mark.parametrize("command", ["check", "fire", "password"])
def test_exactly_the_needed_grants_are_there(command: str, name: str) -> None:
    grants = granted(permissions.document(command, stack(name)))
    assert grants == GRANTS[f"{command} {name}"]
    for action, resource, *_ in grants:
        assert "*" not in action
        assert action.split(":")[1].startswith(READS) or action in WRITES[command]
        assert (resource == "*") == (action in ON_ACCOUNT)


@pytest.mark.parametrize("name", ["mgmt", "member"])
def test_every_arn_is_of_the_stacks_own_account(name: str) -> None:
    one = stack(name)
    for command in ("check", "fire", "password"):
        for _, resource, *_ in granted(permissions.document(command, one)):
            assert resource in ("*", naming.trail_arn("*", "*", "*")) or f":{one.account_id}:" in resource


@pytest.mark.parametrize("name", ["mgmt", "member"])
@pytest.mark.parametrize("command", ["check", "fire", "password"])
def test_the_document_fits_into_a_managed_policy(command: str, name: str) -> None:
    statements = permissions.document(command, stack(name))["Statement"]
    assert len("".join(json.dumps(statements).split())) < LIMIT - 100


def test_what_the_stack_lacks_is_not_in_its_policy() -> None:
    text = json.dumps(permissions.document("check", stack("member")))
    for absent in (
        "sns:",
        "kms:",
        "logs:",
        "breakglass-hub-dlq",
        "breakglass-watchdog-dlq",
        "user/",
        "iam:GetUser",
        "TestEventPattern",
    ):
        assert absent not in text
    assert permissions.document("password", stack("member"))["Statement"] == []


def test_users_are_those_of_the_settings() -> None:
    hub = stack("mgmt")
    config = {**hub.config, "user": {"names": ["Second", "First"]}}
    hub = replace(hub, config=config, settings=reading.parse(config))
    resources = {resource for _, resource, *_ in granted(permissions.document("password", hub))}
    assert resources == {"*", naming.user_arn(HUB, "First"), naming.user_arn(HUB, "Second")}


BUS = naming.bus_arn(HUB, "eu-west-1", "default")


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["breakglass.drill"], Verdict.ALLOWED),
        (["breakglass.heartbeat"], Verdict.DENIED),
        (["breakglass.drill", "breakglass.heartbeat"], Verdict.DENIED),
    ],
)
def test_a_drill_can_put_nothing_but_drills(sources: list[str], expected: Verdict) -> None:
    document = permissions.document("fire", stack("mgmt"))
    assert verdict(document, "events:PutEvents", BUS, HUB, events_source=sources) is expected


def test_an_event_without_a_source_or_on_the_hub_bus_is_refused() -> None:
    document = permissions.document("fire", stack("mgmt"))
    hub_bus = naming.bus_arn(HUB, HOME, naming.HUB.bus)
    assert verdict(document, "events:PutEvents", BUS, HUB) is Verdict.DENIED
    drill = [naming.DRILL_SOURCE]
    assert verdict(document, "events:PutEvents", hub_bus, HUB, events_source=drill) is Verdict.DENIED


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        *(
            (f"sqs:{action}", naming.queue_arn(HUB, HOME, queue))
            for action in ("ReceiveMessage", "DeleteMessage")
            for queue in (naming.HUB.dead_letter_queue, naming.RELAY_QUEUE)
        ),
        ("logs:FilterLogEvents", f"arn:aws:logs:{HOME}:{HUB}:log-group:/breakglass/audit-2:log-stream:"),
        ("sns:ListSubscriptionsByTopic", naming.topic_arn(HUB, HOME, "payroll")),
        ("sqs:GetQueueUrl", naming.queue_arn(MEMBER, HOME, naming.HUB.drill_queue)),
    ],
)
def test_a_drill_reads_and_removes_nothing_else(action: str, resource: str) -> None:
    assert verdict(permissions.document("fire", stack("mgmt")), action, resource, HUB) is Verdict.DENIED


@pytest.mark.parametrize(
    ("aliases", "expected"),
    [([naming.KEY_ALIAS], Verdict.ALLOWED), (["alias/payroll"], Verdict.DENIED), ([], Verdict.DENIED)],
)
def test_no_key_but_the_alarms_is_looked_at(aliases: list[str], expected: Verdict) -> None:
    context = {"kms_ResourceAliases": aliases} if aliases else {}
    document = permissions.document("check", stack("mgmt"))
    assert verdict(document, "kms:GetKeyPolicy", key_id(HOME, HUB), HUB, **context) is expected


def test_another_users_password_cannot_be_set() -> None:
    document = permissions.document("password", stack("mgmt"))
    own, other = naming.user_arn(HUB, "BreakglassUser"), naming.user_arn(HUB, "Admin")
    for action in ("iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:GetLoginProfile"):
        assert verdict(document, action, own, HUB) is Verdict.ALLOWED
        assert verdict(document, action, other, HUB) is Verdict.DENIED


# --- The command --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "name", "command"),
    [
        ([], "mgmt", "check"),
        (["report"], "mgmt", "check"),
        (["check", "--stack", "member"], "member", "check"),
        (["fire", "--stack", "member"], "member", "fire"),
        (["password"], "mgmt", "password"),
    ],
)
def test_the_command_prints_json(arguments: list[str], name: str, command: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == permissions.document(command, stack(name))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stack", ""], "--stack : must be one of mgmt, member"),
        (["--stack", "other"], "--stack other: must be one of mgmt, member"),
        (["password", "--stack", "member"], "password does nothing in the account of stack member"),
        (["everything"], "'everything'"),
    ],
)
def test_what_there_is_no_policy_for_is_said(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.output.replace("│", " ").split())
