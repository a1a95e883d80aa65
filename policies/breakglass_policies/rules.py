"""The EventBridge rules of the alert path: their state, and patterns that AWS accepts."""

import json
from typing import Any

from pulumi_policy import Severity
from pulumi_policy.proxy import UnknownValueError

from breakglass import naming, quotas

from .placement import EVENT_RULE
from .policy import Problems, resource_policy
from .reading import Resource

PREFIXES = (naming.RULE_PREFIX, *(way.relay_rule for way in naming.WAYS))
"""How the names of the rules of hub, watchdog and relays begin."""
STATE = naming.ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS


def rule_name(rule: Resource) -> str:
    """Return the name of an EventRule, or its prefix; empty if it has neither."""
    # One after the other: at preview, the prefix of a rule that has a name is not known to a stack policy.
    given = (rule[key] for key in ("name", "namePrefix"))
    return next((name for name in given if isinstance(name, str) and name), "")


def is_of_alert_path(name: Any) -> bool:
    """Whether a rule of this name belongs to hub or watchdog, or to a relay."""
    return isinstance(name, str) and name.startswith(PREFIXES)


def _has_known_pattern(rule: Resource) -> bool:
    """Whether the rule has a pattern that can be judged.

    The pattern of capture-breakglass-key-change holds the id of the key, which exists only after the first
    deployment. Until then the policy does not apply: a warning at each first preview is one that people learn
    to overlook.
    """
    if not is_of_alert_path(rule_name(rule)):
        return False
    try:
        return bool(rule["eventPattern"]) or not rule["scheduleExpression"]
    except UnknownValueError:
        return False


@resource_policy(
    "rule-state",
    "Rules are enabled, for read-only events as well",
    types=[EVENT_RULE],
    # AWS refuses this state on a rule with a schedule.
    applies=lambda rule: is_of_alert_path(rule_name(rule)) and not rule["scheduleExpression"],
    severity=Severity.CRITICAL,
    fix=f'Set state="{STATE}" on the rule, and remove isEnabled.',
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html",
)
def rule_state(rule: Resource) -> Problems:
    """EventBridge rules of the alert path must be enabled, and match read-only calls such as AssumeRole."""
    state = rule["state"]
    if state == "DISABLED" or rule["isEnabled"] is False:
        yield (
            f"({rule_name(rule)}) is disabled, so it alerts nobody. Remove isEnabled, and set "
            f'state="{STATE}".'
        )
    elif state != STATE:
        yield (
            f"({rule_name(rule)}) has the state {state or 'ENABLED (because none is given)'}, in which it "
            "may not receive read-only calls such as AssumeRole and CreateOAuth2Token. "
            f'Set state="{STATE}" on it.'
        )


@resource_policy(
    "pattern-within-limits",
    "Event patterns are within EventBridge's limits",
    types=[EVENT_RULE],
    applies=_has_known_pattern,
    severity=Severity.HIGH,
    fix="Write the pattern with json.dumps, and split what is too long into several rules.",
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html",
)
def pattern_within_limits(rule: Resource) -> Problems:
    """Event patterns of the alert path must be JSON objects of at most 2,048 characters."""
    what = f"({rule_name(rule)}) has an event pattern that"
    pattern = rule["eventPattern"]
    try:
        parsed = json.loads(pattern) if isinstance(pattern, str) else pattern
        # Without white space, as the provider sends it.
        length = len(json.dumps(parsed, separators=(",", ":"), ensure_ascii=False))
    except (ValueError, RecursionError) as error:
        yield f"{what} is not JSON ({str(error)[:100]}). Write it with json.dumps."
        return
    if not isinstance(parsed, dict) or not parsed:
        yield f"{what} is not a JSON object with at least one field. Name what the rule is to match."
    elif length > quotas.EVENT_PATTERN:
        yield (
            f"{what} is {length} characters long, and EventBridge takes {quotas.EVENT_PATTERN}. Split it "
            "into several rules."
        )
