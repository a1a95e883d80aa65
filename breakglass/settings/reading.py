"""The settings of a stack: its committed configuration, checked and turned into frozen dataclasses.

Everything a security reviewer cares about stands in Pulumi.<stack>.yaml, so a mistake there must not pass
for a default: unknown keys, wrong types and impossible values are errors, reported all at once and before
any resource is registered.

Order of this file: what comes out, the reading. What each value must look like stands in
`breakglass/settings/constraints.py`, what all of them together must not exceed in `breakglass/quotas.py`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from breakglass import naming, quotas
from breakglass.detections.patterns import Watched
from breakglass.settings import constraints as rules
from breakglass.settings.block import Block
from breakglass.settings.constraints import COMPONENTS, REGIONS

__all__ = [
    "COMPONENTS",
    "REGIONS",
    "AlertsSettings",
    "RelaySettings",
    "RoleSettings",
    "Settings",
    "SettingsError",
    "Subscription",
    "UserSettings",
    "load",
    "parse",
]


@dataclass(frozen=True, kw_only=True)
class UserSettings:
    """The break-glass users.

    Attributes:
        names: IAM user names, at path `/`.
        account_ids: Accounts in which the role may be assumed; None stands for every account.
        managed_policy_arns: Policies to attach to each user besides the component's own.
        mfa_enrolment: "open" while the users may enrol MFA devices of their own, else "closed".
    """

    names: tuple[str, ...]
    account_ids: tuple[str, ...] | None = None
    managed_policy_arns: tuple[str, ...] = ()
    mfa_enrolment: str = "closed"


@dataclass(frozen=True, kw_only=True)
class RoleSettings:
    """The role that the users assume, the same name in every account.

    Attributes:
        name: IAM role name, at path `/`.
        managed_policy_arns: Policies to attach: what the role may do.
        permissions_boundary_arn: Policy that bounds what the role may do; None for no bound.
        max_session_duration: Longest session, in seconds.
        mfa_max_age: Longest time since the user's sign-in with MFA, in seconds.
    """

    name: str
    managed_policy_arns: tuple[str, ...] = ()
    permissions_boundary_arn: str | None = None
    max_session_duration: int = 3600
    mfa_max_age: int = 3600


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """Whom an alert is sent to.

    Attributes:
        protocol: SNS protocol: email, https, sms, sqs or lambda.
        endpoint: Address, URL, phone number or ARN, as the protocol wants it.
    """

    protocol: str
    endpoint: str


@dataclass(frozen=True, kw_only=True)
class AlertsSettings:
    """The alerting, which is also the hub that the relays of all accounts forward to.

    Attributes:
        subscriptions: Whom alerts are sent to, at least one.
        watchdog_subscriptions: Whom a broken alarm path is reported to, at least one; shares no endpoint with
            `subscriptions`.
        region: Region of the alerting.
        runbook_url: Page that an alert links to; None for no link.
        endpoints_are_secret: Whether endpoints are encrypted in the configuration, and so in the state: the
            URL of a webhook is often its password.
        member_account_ids: Other accounts whose relays may send to the hub.
        organization_id: Organisation whose accounts may all send to the hub; None to admit only those listed.
        audit_retention_days: How long the hub keeps its record of events, in days.
        audit_log_protected: Whether AWS refuses to delete the audit log; False is for taking the hub down.
        expected_heartbeats: How many heartbeats must reach the hub in a day; None for one from each own
            Region for this account and each of `member_account_ids`.
    """

    subscriptions: tuple[Subscription, ...]
    watchdog_subscriptions: tuple[Subscription, ...]
    region: str = "us-east-1"
    runbook_url: str | None = None
    endpoints_are_secret: bool = False
    member_account_ids: tuple[str, ...] = ()
    organization_id: str | None = None
    audit_retention_days: int = 400
    audit_log_protected: bool = True
    expected_heartbeats: int | None = None

    def heartbeats(self, *, own_regions: int) -> int:
        """Return how many heartbeats a day must bring, given the number of Regions with a relay here."""
        if self.expected_heartbeats is not None:
            return self.expected_heartbeats
        return own_regions * (1 + len(self.member_account_ids))


@dataclass(frozen=True, kw_only=True)
class RelaySettings:
    """What forwards an account's events to the hub.

    Attributes:
        regions: Regions to forward from, us-east-1 among them; None stands for every Region that the account
            has enabled.
        exclude_regions: Regions to leave out of the enabled ones, because a service control policy denies
            them; never us-east-1.
        hubs: ARNs of the event buses to forward to, one or two.
    """

    regions: tuple[str, ...] | None
    exclude_regions: tuple[str, ...] = ()
    hubs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything a stack is made from.

    Attributes:
        account_id: The account of this stack, 12 digits.
        hub_account_id: The account of the users and the alerting; the same as `account_id` in that account.
        components: What this stack creates, out of `COMPONENTS`.
        user: The users, also where this stack does not create them: the role trusts their names.
        role: The role, also where this stack does not create it: the users may assume it by name.
        alerts: The alerting; None where this stack does not create it.
        relay: The relay; None where this stack does not create it.
    """

    account_id: str
    hub_account_id: str
    components: tuple[str, ...]
    user: UserSettings
    role: RoleSettings
    alerts: AlertsSettings | None
    relay: RelaySettings | None

    @property
    def watched(self) -> Watched:
        """Whom the detections watch, and where their hub is."""
        return Watched(
            hub_account_id=self.hub_account_id,
            user_names=self.user.names,
            role_name=self.role.name,
            hub_region=naming.HOME_REGION if self.alerts is None else self.alerts.region,
        )


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


# --- The reading ----------------------------------------------------------------------------------


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
    root = Block(config, problems, path="breakglass", separator=":")

    account_id = root.text("accountId", rules.ACCOUNT_ID)
    hub_account_id = root.text("hubAccountId", rules.ACCOUNT_ID, default=account_id)
    components = root.texts("components", rules.LISTED_COMPONENTS)
    elsewhere = account_id and hub_account_id not in ("", account_id)
    if elsewhere and {"user", "alerts"} & set(components):
        root.note(
            "hubAccountId",
            f"found {hub_account_id!r}, must be the accountId {account_id!r}, "
            "because user and alerts, which components lists, live in the hub account",
        )

    # Where the list itself is in doubt, assume that a block is there because its component is meant.
    in_doubt = not components or "" in components
    listed = [name for name in COMPONENTS if name in components or (in_doubt and name in root)]
    # A relay that is listed and lacks its block, or the other way round, is reported once, at its own place.
    has_relay = "relay" in listed or "relay" in root
    settings = Settings(
        account_id=account_id,
        hub_account_id=hub_account_id,
        components=components,
        user=_user(root, "user" in listed, account_id),
        role=_role(root, "role" in listed, account_id),
        alerts=_alerts(root, "alerts" in listed, has_relay, account_id, endpoints_are_secret),
        relay=_relay(root, "relay" in listed, hub_account_id),
    )
    root.finish()
    problems = problems or quotas.problems(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _component_block(root: Block, component: str, listed: bool) -> Block | None:
    """Return a component's block; a listed one that is gone is an error, never a wish to delete things."""
    return root.block(component, required_because=f"components lists {component}" if listed else "")


def _own_block(root: Block, component: str, listed: bool) -> Block | None:
    """Return the block of a component that only the stack that creates it may describe."""
    if not listed:
        root.refuse(component, f"absent while components does not list {component}")
        return None
    return _component_block(root, component, listed)


def _user(root: Block, listed: bool, account_id: str) -> UserSettings:
    block = _component_block(root, "user", listed)
    if block is None:
        return UserSettings(names=("BreakglassUser",))
    names = block.texts("names", rules.USER_NAMES)
    if not listed:
        block.finish(note=" while components does not list user")
        return UserSettings(names=names)
    user = UserSettings(
        names=names,
        account_ids=block.texts("accountIds", rules.ACCOUNT_IDS, default=None),
        managed_policy_arns=block.texts(
            "managedPolicyArns", rules.policy_arns(account_id, rules.USER_POLICIES_AT_MOST), default=()
        ),
        mfa_enrolment=block.text("mfaEnrolment", rules.MFA_ENROLMENT, default=UserSettings.mfa_enrolment),
    )
    block.finish()
    return user


def _role(root: Block, listed: bool, account_id: str) -> RoleSettings:
    block = _component_block(root, "role", listed)
    if block is None:
        return RoleSettings(name="BreakGlassRole")
    name = block.text("name", rules.ROLE_NAME)
    if not listed:
        block.finish(note=" while components does not list role")
        return RoleSettings(name=name)
    role = RoleSettings(
        name=name,
        managed_policy_arns=block.texts(
            "managedPolicyArns", rules.policy_arns(account_id, rules.ROLE_POLICIES_AT_MOST), default=()
        ),
        permissions_boundary_arn=block.text(
            "permissionsBoundaryArn", rules.policy_arn(account_id), default=None
        ),
        max_session_duration=block.number(
            "maxSessionDuration", rules.MAX_SESSION_DURATION, default=RoleSettings.max_session_duration
        ),
        mfa_max_age=block.number("mfaMaxAge", rules.MFA_MAX_AGE, default=RoleSettings.mfa_max_age),
    )
    block.finish()
    return role


def _alerts(
    root: Block, listed: bool, has_relay: bool, account_id: str, endpoints_are_secret: bool
) -> AlertsSettings | None:
    block = _own_block(root, "alerts", listed)
    if block is None:
        return None
    subscriptions = _subscriptions(block, "subscriptions")
    watchdog_subscriptions = _subscriptions(block, "watchdogSubscriptions")
    _note_shared_endpoints(block, subscriptions, watchdog_subscriptions)
    _note_drill_queue(block, "subscriptions", subscriptions)
    _note_drill_queue(block, "watchdogSubscriptions", watchdog_subscriptions)
    region = block.text("region", rules.REGION, default=AlertsSettings.region)
    runbook_url = block.text("runbookUrl", rules.RUNBOOK_URL, default=None)

    members_are_listed = "memberAccountIds" in block
    member_account_ids = _member_account_ids(block, account_id)
    organization_id = block.text("organizationId", rules.ORGANIZATION_ID, default=None)
    audit_retention_days = block.number(
        "auditRetentionDays", rules.AUDIT_RETENTION_DAYS, default=AlertsSettings.audit_retention_days
    )
    audit_log_protected = block.flag("auditLogProtected", default=AlertsSettings.audit_log_protected)
    if (organization_id and not members_are_listed) or not has_relay:
        expected_heartbeats = block.number("expectedHeartbeats", rules.UNCOUNTED_HEARTBEATS)
    else:
        expected_heartbeats = block.number("expectedHeartbeats", rules.EXPECTED_HEARTBEATS, default=None)
    block.finish()
    return AlertsSettings(
        subscriptions=tuple(item for item in subscriptions if item),
        watchdog_subscriptions=tuple(item for item in watchdog_subscriptions if item),
        region=region,
        runbook_url=runbook_url,
        endpoints_are_secret=endpoints_are_secret,
        member_account_ids=member_account_ids,
        organization_id=organization_id,
        audit_retention_days=audit_retention_days,
        audit_log_protected=audit_log_protected,
        expected_heartbeats=expected_heartbeats,
    )


def _subscriptions(block: Block, key: str) -> list[Subscription | None]:
    """Return the subscriptions of a required list, with None in the place of a bad one."""
    subscriptions = [_subscription(item) for item in block.blocks(key, "a list of one or more subscriptions")]
    block.note_repetitions(key, subscriptions)
    return subscriptions


def _subscription(block: Block) -> Subscription | None:
    protocol = block.text("protocol", rules.PROTOCOL)
    endpoint = block.text("endpoint", rules.ENDPOINTS.get(protocol, rules.ANY_ENDPOINT))
    block.finish()
    return Subscription(protocol=protocol, endpoint=endpoint) if protocol and endpoint else None


def _note_shared_endpoints(
    block: Block, first: Sequence[Subscription | None], second: Sequence[Subscription | None]
) -> None:
    """Note a problem for each endpoint of the second channel that the first one has as well.

    The problem does not quote the endpoint, which may be secret. Case is ignored: for mail it is one mailbox.
    """
    taken = {item.endpoint.lower(): index for index, item in enumerate(first) if item}
    for index, item in enumerate(second):
        if item and item.endpoint.lower() in taken:
            block.note(
                f"watchdogSubscriptions[{index}].endpoint",
                f"found the endpoint of subscriptions[{taken[item.endpoint.lower()]}], must be another one, "
                "because the second channel must not share a mailbox with the first",
            )


def _note_drill_queue(block: Block, key: str, subscriptions: Sequence[Subscription | None]) -> None:
    """Note a problem for each endpoint that is a drill queue, which everything that counts leaves out."""
    for index, item in enumerate(subscriptions):
        if item and item.protocol == "sqs" and item.endpoint.endswith(f":{naming.DRILL_QUEUE}"):
            block.note(
                f"{key}[{index}].endpoint",
                f"found the queue {naming.DRILL_QUEUE}, must be another one, because that name is the hub's "
                "drill queue, which is subscribed anyway and never counts as a recipient",
            )


def _member_account_ids(block: Block, account_id: str) -> tuple[str, ...]:
    members = block.texts("memberAccountIds", rules.MEMBER_ACCOUNT_IDS, default=())
    if account_id and account_id in members:
        block.note(
            f"memberAccountIds[{members.index(account_id)}]",
            f"found the accountId {account_id!r}, must be another account, because the hub's own account "
            "is always admitted and counted",
        )
    return members


def _relay(root: Block, listed: bool, hub_account_id: str) -> RelaySettings | None:
    block = _own_block(root, "relay", listed)
    if block is None:
        return None
    regions = _relay_regions(block)
    if regions:
        block.refuse("excludeRegions", "absent while regions is a list: leave them out of that list")
        exclude_regions = ()
    else:
        exclude_regions = block.texts("excludeRegions", rules.EXCLUDED_REGIONS, default=())
    hub = naming.bus_arn(hub_account_id, naming.HOME_REGION, naming.HUB_BUS)
    hubs = block.texts("hubs", rules.HUBS, default=(hub,))
    block.finish()
    return RelaySettings(regions=regions, exclude_regions=exclude_regions, hubs=hubs)


def _relay_regions(block: Block) -> tuple[str, ...] | None:
    """Return the Regions to relay from, None for the enabled ones; () where that is bad or missing."""
    if block.take_word("regions", rules.ENABLED_REGIONS):
        return None
    regions = block.texts("regions", rules.RELAY_REGIONS)
    # A Region that is bad ("") may be us-east-1 misspelt: one problem is enough.
    if regions and "" not in regions and naming.HOME_REGION not in regions:
        block.note("regions", f"found no {naming.HOME_REGION}, must hold it, {rules.ONLY_THERE}")
    return regions
