"""What the program itself creates passes the rules about events, topics and roles, at every stage."""

import json
from pathlib import Path
from typing import Any

import breakglass_policies
import pytest
from breakglass_policies import alarms, messaging, relay, rules, sizes, targets
from pulumi.runtime.rpc import UNKNOWN
from pulumi_policy import ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

CONFIG = Path(breakglass_policies.__file__).parents[1] / "config"
RULES = [
    rule
    for module in (rules, targets, messaging, sizes, relay, alarms)
    for rule in module.RULES
    if rule is not messaging.SUBSCRIPTIONS_AT_LEAST
]
STAGES = pytest.mark.parametrize("preview", [True, False], ids=["first preview", "deployed"])
# Rules that say nothing of any resource of a stack.
SILENT = {
    "mgmt": set(),
    "member": {
        "hub-forwards-nowhere",
        "tamper-also-reaches-plain-topic",
        "topic-encrypted",
        "topic-policy-scoped",
        "bus-policy-scoped",
        "alarm-action-in-own-region",
    },
}


def plain(value: Any) -> Any:
    """Return the value as the engine sends it to a rule: what is unknown is a text."""
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
    config = json.loads((CONFIG / f"{stack}.json").read_text())
    silent = set()
    for rule in RULES:
        settings = {k: v for k, v in config.get(rule.name, {}).items() if k != "enforcementLevel"}
        if isinstance(rule, StackValidationPolicy):
            outcomes = [check_stack(rule, registered, config=settings)]
        else:
            assert isinstance(rule, ResourceValidationPolicy)
            outcomes = [check(rule, kind, props, config=settings) for kind, props in registered]
        assert [o for o in outcomes if o.violations or o.unknown] == [], rule.name
        if not any(o.passed for o in outcomes):
            silent.add(rule.name)
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
    (violation,) = check_stack(messaging.SUBSCRIPTIONS_AT_LEAST, registered).violations
    assert violation.startswith("1 of at least 2 advised subscriptions")


def test_the_pattern_that_is_unknown_at_first_is_judged_after_the_deployment(deploy, check):
    outcomes = {}
    for preview in (True, False):
        (rule,) = (
            plain(resource.inputs)
            for resource in deploy("mgmt", preview=preview)
            if resource.inputs.get("name") == "capture-breakglass-key-change"
        )
        outcomes[preview] = check(rules.PATTERN_WITHIN_LIMITS, rules.EVENT_RULE, rule)
    assert outcomes[True].not_applicable == "the event pattern is not known until deployment"
    assert outcomes[False].passed
