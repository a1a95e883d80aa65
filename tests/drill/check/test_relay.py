"""Every enabled Region forwards to the hub, and nobody else listens."""

from dataclasses import replace

import pytest

from drill.check.probes import relay
from drill.check.runner import answer
from drill.check.stack_state import StackState
from tests.drill.conftest import Broken, Look, mends, states

DENIED = "with an explicit deny in a service control policy"
STRANGER = {"Id": "Stranger", "Arn": "arn:aws:sqs:eu-west-1:222222222222:elsewhere"}


def member(look: Look) -> StackState:
    (stack_state,) = look("member")
    return stack_state


def test_a_deployed_account_is_ready(look: Look) -> None:
    stack_state = member(look)
    for probe in (relay.forwards, relay.roles, relay.regions):
        assert states(answer(probe, stack_state)) == ["ready"], probe


@pytest.mark.parametrize(
    ("operation", "change", "said"),
    [
        ("DescribeRule", {"State": "DISABLED"}, "event rule breakglass-relay: state is DISABLED, must be"),
        (
            "DescribeRule",
            {"EventPattern": '{"source": ["nothing"]}'},
            "event rule breakglass-relay: the pattern is not the one that this version renders",
        ),
        ("GetSchedule", {"State": "DISABLED"}, "schedule breakglass-heartbeat: state is DISABLED"),
        ("ListTargetsByRule", {"Targets": []}, "target Hub of rule breakglass-relay-2 does not exist"),
    ],
)
def test_a_change_is_named_with_its_region_and_its_fix(
    look: Look, broken: Broken, operation: str, change: dict, said: str
) -> None:
    broken.answer(operation, lambda parsed: parsed.update(change), region="eu-west-1")
    findings = answer(relay.forwards, member(look))
    assert set(states(findings)) == {"not ready"}
    assert findings[0].text.startswith(said)
    assert findings[0].text.endswith(", in eu-west-1")
    assert "pulumi up -s member --refresh" in mends(findings[0])


def test_what_is_the_same_in_many_regions_is_said_once(look: Look, broken: Broken) -> None:
    broken.answer("DescribeRule", lambda rule: rule.update(State="DISABLED"))
    findings = answer(relay.forwards, member(look))
    assert [finding.text.rsplit(", in ")[1] for finding in findings] == 4 * [
        "eu-west-1, us-east-1, us-west-2"
    ]


def test_a_missing_queue_is_missed(look: Look, broken: Broken) -> None:
    broken.refuse("GetQueueUrl", "AWS.SimpleQueueService.NonExistentQueue", region="us-west-2")
    texts = [finding.text for finding in answer(relay.forwards, member(look))]
    assert texts == [
        "queue breakglass-relays-dlq does not exist, in us-west-2",
    ]


def test_a_further_target_is_somebody_who_listens(look: Look, broken: Broken) -> None:
    broken.answer("ListTargetsByRule", lambda found: found["Targets"].append(STRANGER), region="eu-west-1")
    findings = answer(relay.forwards, member(look))
    assert (
        findings[-1].text == f"rule breakglass-watchdog in eu-west-1 has a further target {STRANGER['Arn']}"
    )
    assert "remove-targets --region eu-west-1 --event-bus-name default --rule breakglass-watchdog " in mends(
        findings[-1]
    )


def test_a_role_that_may_more_is_not_ready(look: Look, broken: Broken) -> None:
    more = {"PolicyName": "Admin", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    broken.answer("ListAttachedRolePolicies", lambda found: found["AttachedPolicies"].append(more))
    texts = [finding.text for finding in answer(relay.roles, member(look))]
    assert f"role BreakGlassRelay has a further policy {more['PolicyArn']}" in texts


def test_a_changed_trust_names_the_statement(look: Look, broken: Broken) -> None:
    def open_up(found: dict) -> None:
        found["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = {"AWS": "*"}

    broken.answer("GetRole", open_up)
    findings = answer(relay.roles, member(look))
    assert (
        findings[0].text
        == "role BreakGlassHeartbeat: assumeRolePolicy: statement OurOwnResourcesOnly differs"
    )


def test_an_account_that_the_hub_does_not_list_is_checked_like_any_other(look: Look) -> None:
    unlisted = replace(member(look), relays={"111111111111": ["us-east-1"]})
    for probe in (relay.forwards, relay.regions):
        assert states(answer(probe, unlisted)) == ["ready"], probe


def test_an_enabled_region_without_relay_is_not_ready(look: Look, broken: Broken) -> None:
    stack_state = member(look)
    more = [*(stack_state.enabled or ()), "ap-east-1"]
    findings = answer(relay.regions, replace(stack_state, enabled=more))
    assert findings[0].text == "ap-east-1 is enabled and has no relay: what happens there is not reported"


def test_a_region_whose_relay_is_not_deployed_is_not_relayed(look: Look, broken: Broken) -> None:
    broken.refuse("DescribeRule", "ResourceNotFoundException", region="eu-west-1")
    findings = answer(relay.regions, member(look))
    assert [finding.text for finding in findings] == [
        "eu-west-1 is enabled and has no relay: what happens there is not reported",
        "2 of 3 enabled Regions relayed",
    ]


def test_a_region_whose_rules_cannot_be_read_is_not_taken_for_relayed(look: Look, broken: Broken) -> None:
    broken.refuse("DescribeRule", "AccessDeniedException", region="eu-west-1")
    findings = answer(relay.regions, member(look))
    assert states(findings) == ["could not tell", "ready"]
    assert findings[0].text.startswith("eu-west-1: whether it has a relay cannot be read: access denied")


def test_a_fix_runs_with_the_profile_that_the_check_ran_with(look: Look, broken: Broken) -> None:
    broken.answer("ListTargetsByRule", lambda found: found["Targets"].append(STRANGER), region="eu-west-1")
    stack_state = member(look)
    stack_state.account.profile = "company-member"
    command = answer(relay.forwards, stack_state)[-1].commands[0]
    assert command.endswith("--profile company-member")


def test_a_region_that_a_policy_denies_must_be_excluded(look: Look, broken: Broken) -> None:
    broken.refuse("DescribeEventBus", "AccessDeniedException", DENIED, region="eu-west-1")
    findings = answer(relay.regions, member(look))
    assert states(findings) == ["not ready", "ready"]
    assert "a service control policy denies calls in eu-west-1" in findings[0].text
    assert "relay.excludeRegions" in mends(findings[0])
    assert "denied by a service control policy: eu-west-1" in findings[1].text


def test_an_excluded_region_must_be_denied(look: Look) -> None:
    stack_state = member(look)
    relays = {**stack_state.relays, "222222222222": ["us-east-1", "us-west-2"]}
    excluding = stack_state.stack.settings.relay
    assert excluding is not None
    object.__setattr__(excluding, "exclude_regions", ("eu-west-1",))
    findings = answer(relay.regions, replace(stack_state, relays=relays))
    assert findings[0].text.startswith("eu-west-1 is excluded, but no service control policy denies calls")


def test_regions_that_cannot_be_listed_are_not_taken_for_none(look: Look, broken: Broken) -> None:
    broken.refuse("DescribeRegions", "UnauthorizedOperation")
    stack_state = member(look)
    for probe in (relay.regions, relay.forwards):
        findings = answer(probe, stack_state)
        assert states(findings) == ["could not tell"], probe
        assert "access denied to DescribeRegions" in findings[0].text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDeniedException", "access denied to DescribeRule"),
        ("ThrottlingException", "throttled at DescribeRule"),
        ("UnrecognizedClientException", "the Region may not be enabled"),
        ("InternalFailure", "DescribeRule answered InternalFailure: no"),
    ],
)
def test_what_cannot_be_read_is_not_taken_for_ready(look: Look, broken: Broken, code: str, said: str) -> None:
    broken.refuse("DescribeRule", code, region="eu-west-1")
    findings = answer(relay.forwards, member(look))
    assert states(findings) == ["could not tell"]
    assert said in findings[0].text
    assert findings[0].text.endswith(", in eu-west-1")
