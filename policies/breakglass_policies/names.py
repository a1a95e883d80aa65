"""What the program calls its resources, as far as more than one rule has to know them.

The defaults are the program's own; each rule offers those that it reads in its configuration.
"""

from collections.abc import Mapping
from typing import Any

DRILL_QUEUE = "breakglass-drill"
"""The queue from which a drill reads what the topics sent. The alarm path's proof knows it by this name."""

_TEXTS: dict[str, tuple[str, str]] = {
    "topicName": ("breakglassuser-console-logins", "Name of the encrypted SNS topic."),
    "watchdogTopicName": ("breakglass-watchdog", "Name of the plain second SNS topic."),
    "eventBusName": ("breakglass", "Name of the hub's event bus."),
    "relayRoleName": ("BreakGlassRelay", "Name of the role that forwards events to the hub."),
    "relayRulePrefix": ("breakglass-relay", "How the names of the relay's EventBridge rules begin."),
    "heartbeatRoleName": ("BreakGlassHeartbeat", "Name of the role that sends heartbeats."),
}
_LISTS: dict[str, tuple[list[str], str]] = {
    "rulePrefixes": (
        ["capture-breakglass-", "breakglass-relay"],
        "How the names of the alert path's EventBridge rules begin.",
    ),
    "tamperRulePrefixes": (
        ["capture-breakglass-alerting-change", "capture-breakglass-key-change"],
        "How the names of the rules begin that must reach the plain topic as well.",
    ),
}


def text(config: Mapping[str, Any], key: str) -> str:
    """Return the name that the configuration gives at `key`, or the program's own."""
    return config.get(key, _TEXTS[key][0])


def texts(config: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return the names or beginnings of names that the configuration gives at `key`, or the program's own."""
    return tuple(config.get(key, _LISTS[key][0]))


def schema(*keys: str) -> dict[str, dict[str, Any]]:
    """Return the properties of a configuration schema that offers `keys`, with defaults."""
    return {key: _list_schema(*_LISTS[key]) if key in _LISTS else _text_schema(*_TEXTS[key]) for key in keys}


def _text_schema(default: str, description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "default": default, "description": description}


def _list_schema(default: list[str], description: str) -> dict[str, Any]:
    names = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
    return {**names, "default": default, "description": description}
