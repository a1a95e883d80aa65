"""Reads the settings of a stack from its committed configuration.

Everything a security reviewer cares about is in Pulumi.<stack>.yaml, so a mistake there must not pass for a
default: unknown keys, wrong types and impossible values are errors, reported all at once and before any
resource is registered. `model.py` declares the keys; here are the constraints that concern several of them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from breakglass import naming
from breakglass.settings import constraints, lengths
from breakglass.settings.block import Block
from breakglass.settings.constraints import COMPONENTS
from breakglass.settings.model import (
    AlertsSettings,
    RelaySettings,
    RoleSettings,
    Settings,
    UserSettings,
    camel_case,
)

M = TypeVar("M")


class SettingsError(pulumi.RunError):
    """The configuration has problems; the language host prints the message and no traceback.

    Attributes:
        problems: One line each: key path, what was found, what would be right.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        """Compose the message from the problems, of which there is at least one."""
        self.problems = tuple(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__(
            "\n  ".join([f"{count} in the configuration of stack {pulumi.get_stack()}:", *self.problems])
        )


def load() -> Settings:
    """Return the settings of the stack that the program runs for.

    Raises:
        SettingsError: The configuration has problems; lists all of them.
    """
    # Public Pulumi API reads a key by its name only; a misspelt key is found by listing them.
    prefix = "breakglass:"
    config = {key: value for key, value in CONFIG.get().items() if key.startswith(prefix)}
    return parse(
        {key.removeprefix(prefix): _decoded(value) for key, value in config.items()},
        # Pulumi marks a whole key as secret when anything below it is encrypted.
        endpoints_are_secret=is_config_secret(f"{prefix}alerts"),
    )


def _decoded(value: str) -> object:
    """Return a value as YAML had it: Pulumi hands over objects and lists as JSON, the rest as plain text."""
    if not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def parse(config: Mapping[str, object], *, endpoints_are_secret: bool = False) -> Settings:
    """Return the settings that a stack's configuration describes.

    Args:
        config: Keys without the namespace `breakglass:`, values as YAML gives them.
        endpoints_are_secret: Whether the recipients' endpoints came from an encrypted value.

    Raises:
        SettingsError: The configuration has problems; lists all of them.
    """
    problems: list[str] = []
    root = Block(Settings, config, problems, path="breakglass", separator=":")
    for field in ("account_id", "hub_account_id", "components"):
        root.read(field)
    account_id = root.values.get("account_id")
    _note_hub_elsewhere(root)

    # Where the list itself is in doubt, assume that a block is there because its component is meant.
    meant = root.values.get("components") or [
        name for name in COMPONENTS if name in root or name in root.items.get("components", {}).values()
    ]
    # A relay that is listed and lacks its block, or the other way round, is reported once, at its own place.
    has_relay = "relay" in meant or "relay" in root
    user = _user(root, "user" in meant, account_id)
    role = _role(root, "role" in meant, account_id)
    alerts = _alerts(root, "alerts" in meant, has_relay, account_id)
    relay = _relay(root, "relay" in meant)
    root.finish()
    if problems:
        raise SettingsError(problems)

    root.values.setdefault("hub_account_id", account_id)
    hub = naming.bus_arn(root.values["hub_account_id"], naming.HOME_REGION, naming.HUB_BUS)
    settings = root.made(
        user=UserSettings(names=naming.DEFAULT_USER_NAMES) if user is None else user.made(),
        role=RoleSettings(name=naming.DEFAULT_ROLE_NAMES[0]) if role is None else role.made(),
        alerts=None if alerts is None else alerts.made(endpoints_are_secret=endpoints_are_secret),
        relay=None if relay is None else relay.made(hubs=(hub,)),
    )
    if too_long := lengths.problems(settings):
        raise SettingsError(too_long)
    return settings


def _note_hub_elsewhere(root: Block[Settings]) -> None:
    account_id = root.values.get("account_id")
    hub_account_id = root.values.get("hub_account_id", account_id)
    listed = root.items.get("components", {}).values()
    if account_id and hub_account_id != account_id and {"user", "alerts"} & set(listed):
        root.note(
            "hubAccountId",
            f"found {hub_account_id!r}, must be the accountId {account_id!r}, "
            "because user and alerts, which components lists, live in the hub account",
        )


def _user(root: Block[Settings], listed: bool, account_id: str | None) -> Block[UserSettings] | None:
    block = _block(root, "user", UserSettings, listed)
    if block is not None:
        block.read("names")
        if listed:
            block.read_others(
                managed_policy_arns=constraints.policy_arns(constraints.USER_POLICIES, account_id)
            )
        block.finish("" if listed else " while components does not list user")
    return block


def _role(root: Block[Settings], listed: bool, account_id: str | None) -> Block[RoleSettings] | None:
    block = _block(root, "role", RoleSettings, listed)
    if block is not None:
        block.read("name")
        if listed:
            block.read_others(
                managed_policy_arns=constraints.policy_arns(constraints.ROLE_POLICIES, account_id),
                permissions_boundary_arn=constraints.policy_arn(account_id),
            )
        block.finish("" if listed else " while components does not list role")
    return block


def _alerts(
    root: Block[Settings], listed: bool, has_relay: bool, account_id: str | None
) -> Block[AlertsSettings] | None:
    block = _block(root, "alerts", AlertsSettings, listed)
    if block is not None:
        block.read_others(but="expected_heartbeats")
        _note_shared_endpoints(block)
        _note_drill_queue(block)
        _note_own_account(block, account_id)
        uncounted = "organization_id" in block.values and "member_account_ids" not in block
        if uncounted or not has_relay:
            block.read("expected_heartbeats", constraints.UNCOUNTED_HEARTBEATS, required=True)
        else:
            block.read("expected_heartbeats")
        block.finish()
    return block


def _relay(root: Block[Settings], listed: bool) -> Block[RelaySettings] | None:
    block = _block(root, "relay", RelaySettings, listed)
    if block is not None:
        block.read("regions")
        if "regions" in block.items:
            block.refuse("exclude_regions", "absent while regions is a list: leave them out of that list")
        block.read_others()
        block.finish()
    return block


def _block(root: Block[Settings], component: str, model: type[M], listed: bool) -> Block[M] | None:
    """Return a component's block; a listed one that is gone is an error, never a wish to delete things.

    Only the stack that creates the alerts or the relay may describe them.
    """
    if not listed and component in ("alerts", "relay"):
        root.refuse(component, f"absent while components does not list {component}")
        return None
    return root.block(component, model, f"components lists {component}" if listed else "")


def _note_shared_endpoints(alerts: Block[AlertsSettings]) -> None:
    """Note a problem for each endpoint of the second channel that the first one has as well.

    The problem does not quote the endpoint, which may be secret. Case is ignored: for mail it is one mailbox.
    """
    first = alerts.items.get("subscriptions", {})
    taken = {item.endpoint.lower(): index for index, item in first.items()}
    for index, item in alerts.items.get("watchdog_subscriptions", {}).items():
        if item.endpoint.lower() in taken:
            alerts.note(
                f"watchdogSubscriptions[{index}].endpoint",
                f"found the endpoint of subscriptions[{taken[item.endpoint.lower()]}], must be another one, "
                "because the second channel must not share a mailbox with the first",
            )


def _note_drill_queue(alerts: Block[AlertsSettings]) -> None:
    """Note a problem for each endpoint that is a drill queue, which everything that counts leaves out."""
    for field in ("subscriptions", "watchdog_subscriptions"):
        for index, item in alerts.items.get(field, {}).items():
            if item.protocol == "sqs" and item.endpoint.endswith(f":{naming.DRILL_QUEUE}"):
                alerts.note(
                    f"{camel_case(field)}[{index}].endpoint",
                    f"found the queue {naming.DRILL_QUEUE}, must be another one, because that name is the "
                    "hub's drill queue, which is subscribed anyway and never counts as a recipient",
                )


def _note_own_account(alerts: Block[AlertsSettings], account_id: str | None) -> None:
    for index, member in alerts.items.get("member_account_ids", {}).items():
        if member == account_id:
            alerts.note(
                f"memberAccountIds[{index}]",
                f"found the accountId {account_id!r}, must be another account, because the hub's own account "
                "is always admitted and counted",
            )
