"""What the program itself creates passes the policies about events, topics and roles, at every stage."""

import json
from pathlib import Path
from typing import Any

import breakglass_policies
import pytest
from breakglass_policies import POLICIES, alarms, bus, relay, rules, sizes, targets, topics
from pulumi.runtime.rpc import UNKNOWN
from pulumi_policy import Policy, ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from tests.program import Registered

CONFIG = json.loads((Path(breakglass_policies.__file__).parents[1] / "config.json").read_text())
ALERT_PATH = [
    policy
    for module in (rules, targets, topics, sizes, relay, bus, alarms)
    for policy in vars(module).values()
    if isinstance(policy, Policy) and policy is not topics.subscriptions_at_least
]
STAGES = pytest.mark.parametrize("preview", [True, False], ids=["first preview", "deployed"])
# Policies that say nothing of any resource of a stack.
SILENT = {
    "mgmt": set(),
    "member": {
        "hub-forwards-nowhere",
        "topic-encrypted",
        "topic-lets-publishers-in",
        "topic-policy-scoped",
        "bus-policy-scoped",
        "bus-lets-relays-in",
    },
}


def plain(value: Any) -> Any:
    """Return the value as the engine sends it to a policy: what is unknown is a text."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    is_unknown = value is UNKNOWN or type(value).__name__ == "Unknown"
    return UNKNOWN_STRING_VALUE if is_unknown else value


@STAGES
@pytest.mark.parametrize("stack", [*SILENT])
def test_nothing_is_reported_and_nothing_is_left_unchecked(deploy, check, check_stack, stack, preview):
    registered = [
        (resource.type, plain(resource.inputs))
        for resource in deploy(stack, preview=preview)
        if resource.inputs
    ]
    silent = set()
    for policy in ALERT_PATH:
        settings = {k: v for k, v in CONFIG.get(policy.name, {}).items() if k != "enforcementLevel"}
        if isinstance(policy, StackValidationPolicy):
            outcomes = [check_stack(policy, registered, config=settings)]
        else:
            assert isinstance(policy, ResourceValidationPolicy)
            outcomes = [check(policy, kind, props, config=settings) for kind, props in registered]
        assert [o for o in outcomes if o.violations or o.unknown] == [], policy.name
        if not any(o.passed for o in outcomes):
            silent.add(policy.name)
    assert silent == SILENT[stack]


@STAGES
def test_the_stack_has_one_recipient_beside_the_drill_queue_and_is_advised_of_a_second(
    deploy, check_stack, preview
):
    registered = [
        (resource.type, plain(resource.inputs))
        for resource in deploy("mgmt", preview=preview)
        if resource.inputs
    ]
    (violation,) = check_stack(topics.subscriptions_at_least, registered).violations
    assert violation.startswith("1 of at least 2 advised subscriptions")


def test_the_pattern_that_is_unknown_at_first_is_judged_after_the_deployment(deploy, check):
    outcomes = {}
    for preview in (True, False):
        (rule,) = (
            plain(resource.inputs)
            for resource in deploy("mgmt", preview=preview)
            if resource.inputs.get("name") == "capture-breakglass-key-change"
        )
        outcomes[preview] = check(rules.pattern_within_limits, rules.EVENT_RULE, rule)
    assert outcomes[True].not_applicable
    assert outcomes[False].passed


def component_of(resource: Registered, recording: list[Registered]) -> str | None:
    """Return the component that the resource is in, such as BreakGlassRole."""
    parents = [other for other in recording if other.name == resource.parent]
    for parent in parents:
        if parent.type.startswith("breakglass:index:"):
            return parent.type.rpartition(":")[2]
    return component_of(parents[0], recording) if parents else None


def rename(configuration: dict[str, Any]) -> None:
    configuration["role"] = {**configuration.get("role", {}), "name": "EmergencyRole"}
    if "user" in configuration:
        configuration["user"] = {**configuration["user"], "names": ["emergency"]}


@pytest.mark.parametrize("stack", [*SILENT])
def test_other_names_of_user_and_role_switch_no_policy_off(deploy, check, stack):
    """The settings may give them any name, and the pack's configuration knows none."""

    def applied(recording: list[Registered]) -> set[tuple[str, str]]:
        return {
            (policy.name, resource.name.replace("emergency", "BreakglassUser"))
            for resource in recording
            if resource.inputs
            for policy in POLICIES
            if isinstance(policy, ResourceValidationPolicy)
            and not check(
                policy,
                resource.type,
                plain(resource.inputs),
                component=component_of(resource, recording),
                opts={"protect": resource.protect},
            ).not_applicable
        }

    committed = applied(deploy(stack, preview=False))
    assert {"role-trust-requires-mfa", "break-glass-protected"} <= {policy for policy, _ in committed}
    assert applied(deploy(stack, preview=False, change=rename)) == committed


@STAGES
@pytest.mark.parametrize("stack", [*SILENT])
@pytest.mark.parametrize("change", [dict, rename], ids=["as committed", "renamed"])
def test_the_policies_on_user_role_and_key_pass(deploy, check, check_stack, stack, preview, change):
    everything = deploy(stack, preview=preview, change=change)
    recording = [one for one in everything if one.inputs]
    components = {number: component_of(one, everything) for number, one in enumerate(recording)}
    subjects = ("user-", "role-", "key-")
    wanted: list[Policy] = [policy for policy in POLICIES if policy.name.startswith(subjects)]
    assert len(wanted) >= 11
    for policy in wanted:
        if isinstance(policy, StackValidationPolicy):
            registered = [(one.type, plain(one.inputs)) for one in recording]
            outcomes = [check_stack(policy, registered, components=components)]
        else:
            assert isinstance(policy, ResourceValidationPolicy)
            outcomes = [
                check(policy, one.type, plain(one.inputs), component=components[number])
                for number, one in enumerate(recording)
            ]
        assert [o for o in outcomes if o.violations or o.unknown] == [], policy.name
