"""The settings of a stack as frozen dataclasses, with one declaration per key of the configuration.

A field made by `key` is a key of the configuration, in camelCase. The reader, `docs/settings.md` and the
schema for editors all use its declaration.
"""

import re
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar, dataclass_transform

from breakglass import naming
from breakglass.detections.patterns import Watched
from breakglass.settings import constraints
from breakglass.settings.constraints import Constraint, ListOf, Nested

T = TypeVar("T")

REMOVED = {
    "breakglass:alerts.region": f"the hub is in {naming.HOME_REGION}, where alone AWS records changes of IAM",
    "breakglass:alerts.watchdogSubscriptions": "its recipients are breakglass:watchdog.subscriptions "
    "now, and components lists watchdog (docs/upgrade.md)",
    "breakglass:relay.hubs": "every relay forwards to the hub, and another to the watchdog",
}
"""Keys that there were, by their paths, and why there are none any more."""

NEEDED_BY = {
    "user": ("user",),
    "role": ("role",),
    "alerts": ("alerts", "watchdog"),
    "watchdog": ("alerts", "watchdog"),
    "relay": ("relay",),
}
"""The components that need each block. Hub and watchdog know each other's recipients, and the same accounts
are let in."""

ALWAYS_NAMED = {"user": ("names",), "role": ("name",), "watchdog": ("region", "account_id")}
"""The keys of blocks that may stay in a stack that needs the block for nothing else."""


@dataclass(frozen=True, kw_only=True)
class Key:
    """The declaration of one key.

    Attributes:
        constraint: What its value must be.
        meaning: What it is for, as one line of the settings page.
        default: The value where the key is absent, MISSING where there is no fixed one.
        absent: What its absence means, in words; "" for a required key, or where the default says it.
        since: Version of the project that introduced it.
    """

    constraint: Constraint
    meaning: str
    default: Any = MISSING
    absent: str = ""
    since: str

    @property
    def required(self) -> bool:
        """Whether the configuration must have it."""
        return self.default is MISSING and not self.absent


def key(
    constraint: Constraint, meaning: str, *, default: Any = MISSING, absent: str = "", since: str = "0.1"
) -> Any:
    """Return the dataclass field of a key, see `Key`."""
    declared = Key(constraint=constraint, meaning=meaning, default=default, absent=absent, since=since)
    return field(default=default, metadata={"key": declared})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(key, field))
def _settings(model: type[T]) -> type[T]:
    return dataclass(frozen=True, kw_only=True)(model)


def keys_of(model: type[Any]) -> dict[str, Key]:
    """Return the keys that a model declares, by the names of its fields, in their order."""
    return {entry.name: entry.metadata["key"] for entry in fields(model) if "key" in entry.metadata}


def camel_case(name: str) -> str:
    """Return the key of a field in the configuration: `mfaMaxAge` for `mfa_max_age`."""
    return re.sub("_(.)", lambda match: match[1].upper(), name)


@_settings
class UserSettings:
    """The break-glass users."""

    names: tuple[str, ...] = key(
        constraints.USER_NAMES,
        "Names of the break-glass users; event patterns hold about 9. Also in a stack that does not create "
        "the users: its role trusts them.",
    )
    account_ids: tuple[str, ...] | None = key(
        constraints.ACCOUNT_IDS,
        "Accounts whose break-glass role the users may assume.",
        default=None,
        absent="all accounts",
    )
    managed_policy_arns: tuple[str, ...] = key(
        constraints.USER_POLICIES,
        "Policies to attach to each user besides its own.",
        default=(),
    )
    mfa_enrolment: str = key(
        constraints.MFA_ENROLMENT,
        "`open` while the users may enrol MFA devices of their own.",
        default="closed",
    )


@_settings
class RoleSettings:
    """The role that the users assume, the same name in every account."""

    name: str = key(
        constraints.ROLE_NAME,
        "Name of the break-glass role, the same in every account. Also in a stack that does not create the "
        "role: its users may assume it.",
    )
    managed_policy_arns: tuple[str, ...] = key(
        constraints.ROLE_POLICIES,
        "Policies to attach: what the role may do.",
        default=(),
    )
    permissions_boundary_arn: str | None = key(
        constraints.POLICY_ARN, "Policy that bounds what the role may do; it must exist.", default=None
    )
    max_session_duration: int = key(
        constraints.MAX_SESSION_DURATION, "Longest session of the role, in seconds.", default=3600
    )
    mfa_max_age: int = key(
        constraints.MFA_MAX_AGE,
        "Longest time between the user's sign-in with MFA and assuming the role, in seconds.",
        default=3600,
    )


@_settings
class Subscription:
    """A recipient of messages.

    Attributes:
        secret: Whether it is encrypted in the configuration, and so in the state: the URL of a webhook is
            often its password. This is not a key.
    """

    protocol: str = key(constraints.PROTOCOL, "How SNS delivers the messages.")
    endpoint: str = key(
        constraints.ENDPOINT,
        "Address, URL, phone number or ARN, as the protocol requires. The URL of a webhook is often its "
        "password: keep it encrypted.",
    )
    secret: bool = field(default=False, compare=False)


_SUBSCRIPTIONS = ListOf(
    accepted="a list of one or more subscriptions", item=Nested(model=Subscription), at_least=1
)


@_settings
class AlertsSettings:
    """The hub: the alerting, which the relays of all accounts forward to."""

    subscriptions: tuple[Subscription, ...] = key(_SUBSCRIPTIONS, "Recipients of the hub's messages.")
    runbook_url: str | None = key(constraints.RUNBOOK_URL, "Page that every message links to.", default=None)
    member_account_ids: tuple[str, ...] = key(
        constraints.MEMBER_ACCOUNT_IDS,
        "Other accounts whose relays may send to hub and watchdog.",
        default=(),
    )
    organization_id: str | None = key(
        constraints.ORGANIZATION_ID,
        "Organisation whose accounts may all send to hub and watchdog, besides those listed.",
        default=None,
    )
    audit_retention_days: int = key(
        constraints.AUDIT_RETENTION_DAYS, "How long audit log and archive keep events, in days.", default=400
    )
    audit_log_protected: bool = key(
        constraints.Flag(),
        "Whether AWS refuses to delete the audit log; `false` only before a removal that is meant.",
        default=True,
    )
    expected_heartbeats: int | None = key(
        constraints.EXPECTED_HEARTBEATS,
        "Heartbeats that must reach hub and watchdog each hour. Required without a relay in this stack, and "
        "with `organizationId` but without `memberAccountIds`.",
        default=None,
        absent="own Regions x (1 + member accounts)",
    )

    def heartbeats(self, *, own_regions: int) -> int:
        """Return how many heartbeats an hour must bring, given the number of Regions with a relay here."""
        if self.expected_heartbeats is not None:
            return self.expected_heartbeats
        return own_regions * (1 + len(self.member_account_ids))


@_settings
class WatchdogSettings:
    """The second hub, which shares nothing with the first; other stacks name its place only."""

    region: str = key(
        constraints.WATCHDOG_REGION,
        "Region of the watchdog; eu-west-1 is as good. Your service control policies must allow it.",
        default=naming.WATCHDOG_REGION,
        since="0.2",
    )
    account_id: str = key(
        constraints.ACCOUNT_ID,
        "Account of the watchdog. One of its own is advised.",
        absent="`hubAccountId`",
        since="0.2",
    )
    subscriptions: tuple[Subscription, ...] = key(
        _SUBSCRIPTIONS,
        "Recipients of the watchdog's messages; none may share a mailbox with the hub's. Only in a stack "
        "with alerts or watchdog, and required there.",
        since="0.2",
    )


@_settings
class RelaySettings:
    """What forwards an account's events to hub and watchdog."""

    regions: tuple[str, ...] | None = key(
        constraints.RELAY_REGIONS,
        "Regions to forward from: all that the account has enabled, or those listed.",
    )
    exclude_regions: tuple[str, ...] = key(
        constraints.EXCLUDED_REGIONS,
        "Regions to leave out of the enabled ones, because a service control policy denies them.",
        default=(),
    )
    dead_letter_alarm: bool = key(
        constraints.Flag(),
        f"Whether alarms in {naming.HOME_REGION} tell of events that a relay could not forward; three, of "
        "0.10 USD each a month.",
        default=True,
        since="0.2",
    )

    def covered(self, enabled: Iterable[str]) -> list[str]:
        """Return the Regions that get a relay, in order.

        Args:
            enabled: Regions that the account has enabled; they do not matter where Regions are listed.
        """
        wanted = set(enabled) - set(self.exclude_regions) if self.regions is None else self.regions
        return sorted(wanted)


@_settings
class Settings:
    """Everything a stack is made from.

    `user`, `role` and `watchdog` are there also where this stack does not create them, for their names and
    places; `alerts` and `relay` are None then, except that a stack with only the watchdog has `alerts` too.
    """

    account_id: str = key(constraints.ACCOUNT_ID, "Account of this stack.")
    hub_account_id: str = key(
        constraints.ACCOUNT_ID, "Account of the users and the alerting.", absent="`accountId`"
    )
    components: tuple[str, ...] = key(constraints.LISTED_COMPONENTS, "What this stack creates.")
    user: UserSettings = key(Nested(model=UserSettings), "The break-glass users.", absent="not created")
    role: RoleSettings = key(Nested(model=RoleSettings), "The break-glass role.", absent="not created")
    alerts: AlertsSettings | None = key(Nested(model=AlertsSettings), "The hub.", absent="not created")
    watchdog: WatchdogSettings = key(
        Nested(model=WatchdogSettings), "The watchdog, a second hub.", absent="not created", since="0.2"
    )
    relay: RelaySettings | None = key(Nested(model=RelaySettings), "The relay.", absent="not created")

    @property
    def is_hub(self) -> bool:
        """Whether this stack creates the hub."""
        return "alerts" in self.components

    @property
    def relaying_accounts(self) -> tuple[str, ...]:
        """Accounts whose relays forward to hub and watchdog, as far as they are listed: the hub's first."""
        members = self.alerts.member_account_ids if self.alerts is not None else ()
        return (self.hub_account_id, *members)

    @property
    def watched(self) -> Watched:
        """Whom the detections watch, and where hub and watchdog are."""
        return Watched(
            hub_account_id=self.hub_account_id,
            user_names=self.user.names,
            role_name=self.role.name,
            watchdog_account_id=self.watchdog.account_id,
            watchdog_region=self.watchdog.region,
        )
