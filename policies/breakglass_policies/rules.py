"""The EventBridge rules of the alert path: enabled, for reading calls as well, with a pattern AWS accepts."""

import json
from collections.abc import Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)
from pulumi_policy.proxy import UnknownValueError

from . import names
from .framework import EMERGENCY_ACCESS
from .plain import plain, title

EVENT_RULE = "aws:cloudwatch/eventRule:EventRule"

ALL_MANAGEMENT_EVENTS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
MAX_PATTERN_CHARACTERS = 2048
"""EventBridge's quota; it can be raised on request (EventBridge User Guide, eb-quota.html)."""


def check_state(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a rule of the alert path whose state leaves out read-only events.

    Raises:
        UnknownValueError: its name or state is not known until deployment.
    """
    what = _our_rule(args)
    if plain(args.props.get("scheduleExpression")):
        args.not_applicable("the rule has a schedule, and AWS refuses this state on it")
    state = plain(args.props.get("state"))
    if state != ALL_MANAGEMENT_EVENTS:
        report(
            f"{what} has the state {state or 'ENABLED (because none is given)'}, in which it need not see "
            "read-only calls such as AssumeRole and CreateOAuth2Token. "
            f'Set state="{ALL_MANAGEMENT_EVENTS}" on it.',
            args.urn,
        )


def check_enabled(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a rule of the alert path that is switched off.

    Raises:
        UnknownValueError: its name or state is not known until deployment.
    """
    what = _our_rule(args)
    if plain(args.props.get("state")) == "DISABLED" or plain(args.props.get("isEnabled")) is False:
        report(
            f"{what} is disabled, so what it watches for alerts nobody. Take isEnabled away, and set "
            f'state="{ALL_MANAGEMENT_EVENTS}".',
            args.urn,
        )


def check_pattern(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a rule of the alert path whose event pattern AWS would refuse.

    The pattern of capture-breakglass-key-change holds the id of the key, which exists after the first
    deployment only. It is judged from then on, and not applicable until then, rather than a warning that
    everybody learns to overlook.

    Raises:
        UnknownValueError: the rule's name is not known until deployment.
    """
    what = _our_rule(args)
    try:
        pattern = plain(args.props.get("eventPattern"))
        schedule = plain(args.props.get("scheduleExpression"))
    except UnknownValueError:
        return args.not_applicable("the event pattern is not known until deployment")
    if schedule and not pattern:
        return args.not_applicable("the rule has a schedule instead of an event pattern")
    maximum = int(args.get_config().get("maxCharacters", MAX_PATTERN_CHARACTERS))
    if problem := _pattern_problem(pattern, maximum):
        report(f"{what}: its event pattern {problem}", args.urn)
    return None


def _our_rule(args: ResourceValidationArgs) -> str:
    """Return how messages call the rule; end the check when it is not one of the alert path."""
    name = rule_name(args.props) if args.resource_type == EVENT_RULE else ""
    if not name.startswith(names.texts(args.get_config(), "rulePrefixes")):
        args.not_applicable("the resource is not an EventBridge rule of the alert path")
    return f"{title(args.resource_type, args.name)} ({name})"


def rule_name(props: Mapping[str, Any]) -> str:
    """Return the name of an EventRule, or how it begins; empty when neither is given.

    Raises:
        UnknownValueError: the name is not known until deployment.
    """
    # One after the other: at preview, the prefix of a rule that has a name is not known to a stack rule.
    given = (plain(props.get(key)) for key in ("name", "namePrefix"))
    return next((name for name in given if isinstance(name, str) and name), "")


def _pattern_problem(pattern: Any, maximum: int) -> str | None:
    try:
        parsed = json.loads(pattern) if isinstance(pattern, str) else pattern
        # Without white space, as the provider sends it.
        length = len(json.dumps(parsed, separators=(",", ":"), ensure_ascii=False))
    except (ValueError, RecursionError) as error:
        return f"is not JSON ({str(error)[:100]}). Write it with json.dumps."
    if not isinstance(parsed, dict) or not parsed:
        return "is not a JSON object that names at least one field. Name what the rule is to match."
    if length > maximum:
        return f"is {length} characters long, and EventBridge takes {maximum}. Split it into several rules."
    return None


_OUR_RULES = PolicyConfigSchema(properties=names.schema("rulePrefixes"))

RULE_SEES_READ_ONLY_EVENTS = ResourceValidationPolicy(
    name="rule-sees-read-only-events",
    display_name="Rules see read-only events",
    description="EventBridge rules of the alert path must match read-only calls such as AssumeRole as well.",
    validate=check_state,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=_OUR_RULES,
    remediation_steps=f'Set state="{ALL_MANAGEMENT_EVENTS}" on the rule, and take isEnabled away.',
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html",
)

RULE_ENABLED = ResourceValidationPolicy(
    name="rule-enabled",
    display_name="Rules are enabled",
    description="EventBridge rules of the alert path must not be disabled.",
    validate=check_enabled,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=EMERGENCY_ACCESS,
    config_schema=_OUR_RULES,
    remediation_steps=f'Set state="{ALL_MANAGEMENT_EVENTS}" on the rule, and take isEnabled away.',
    url="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Rule.html",
)

PATTERN_WITHIN_LIMITS = ResourceValidationPolicy(
    name="pattern-within-limits",
    display_name="Event patterns are within EventBridge's limits",
    description="Event patterns of the alert path must be JSON objects of at most 2,048 characters.",
    validate=check_pattern,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(
        properties={
            **names.schema("rulePrefixes"),
            "maxCharacters": {
                "type": "integer",
                "minimum": 1,
                "default": MAX_PATTERN_CHARACTERS,
                "description": "Longest event pattern that the account's quota allows.",
            },
        }
    ),
    remediation_steps=(
        "Write the pattern with json.dumps, and split what is too long into several rules. Where AWS has "
        "raised the account's quota, set `maxCharacters` in policies/config/<stack>.json."
    ),
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
)

RULES: list[Policy] = [RULE_SEES_READ_ONLY_EVENTS, RULE_ENABLED, PATTERN_WITHIN_LIMITS]
"""The rules of this module."""
