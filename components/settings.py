"""The settings of a stack: its committed configuration, checked and turned into frozen dataclasses.

Everything a security reviewer cares about stands in Pulumi.<stack>.yaml, so a mistake there must not pass
for a default: unknown keys, wrong types and impossible values are errors, reported all at once and before
any resource is registered.

Order of this file: what comes out, the rules for what goes in, the reading.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from components import documents
from components.settings_reader import Block, ListRule, Rule, one_of, pattern

COMPONENTS = ("user", "role", "alerts")
"""What `breakglass:components` may list."""

REGIONS = frozenset(
    {
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-6",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""Regions of the commercial partition `aws`. Written out because pulumi_aws is slow to import; a test
compares the two."""


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
    """The alerting.

    Attributes:
        subscriptions: Whom alerts are sent to, at least one.
        region: Region of the alerting.
        runbook_url: Page that an alert links to; None for no link.
        endpoints_are_secret: Whether endpoints are encrypted in the configuration, and so in the state: the
            URL of a webhook is often its password.
    """

    subscriptions: tuple[Subscription, ...]
    region: str = "us-east-1"
    runbook_url: str | None = None
    endpoints_are_secret: bool = False


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
    """

    account_id: str
    hub_account_id: str
    components: tuple[str, ...]
    user: UserSettings
    role: RoleSettings
    alerts: AlertsSettings | None


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


# --- The rules ------------------------------------------------------------------------------------

_ACCOUNT_ID = pattern("12 digits (quote it, a YAML number loses leading zeros)", "[0-9]{12}")
_COMPONENTS = ListRule(
    accepted=f"a list of one or more of {', '.join(COMPONENTS)}",
    item=one_of(COMPONENTS),
    at_least=1,
)

# Names and lengths: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_NAME_WORDS = "1 to 64 letters, digits and characters of +=,.@_-"
_NAME_REGEX = "[A-Za-z0-9+=,.@_-]{1,64}"
_ROLE_NAME = pattern(f"an IAM role name ({_NAME_WORDS})", _NAME_REGEX)
_USER_NAMES = ListRule(
    accepted="a list of 1 to 35 IAM user names (a role trust policy holds 2,048 characters)",
    item=pattern(f"an IAM user name ({_NAME_WORDS})", _NAME_REGEX),
    at_least=1,
    at_most=35,
    ignore_case=True,  # IAM allows only one spelling of a name
)
_ACCOUNT_IDS = ListRule(
    accepted="a list of 1 to 100 account ids (a managed policy holds 6,144 characters); leave it out for all",
    item=_ACCOUNT_ID,
    at_least=1,  # an empty list could be meant as none or as all
    at_most=100,
)
_MFA_ENROLMENT = one_of(("open", "closed"))

# 10 is the default quota of managed policies per user or role; AWS raises it to 20 on request. The user
# component attaches up to 4 policies of its own.
_ROLE_POLICIES_AT_MOST = 10
_USER_POLICIES_AT_MOST = 10 - 4

# Seconds, lowest and highest. The duration has AWS's limits (MaxSessionDuration in
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html), the age has ours: at least time
# enough to switch role after signing in, at most 4 hours.
_MAX_SESSION_DURATION = (3600, 43200)
_MFA_MAX_AGE = (60, 14400)

_URL_CHARACTERS = r"A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-"  # RFC 3986; no white space, <, > or "
_HTTPS_URL = pattern(
    "an https:// URL with a host, without user name",
    rf"https://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{{1,5}})?(?:[/?#][{_URL_CHARACTERS}]*)?",
)
_RUNBOOK_URL = Rule(
    'an https:// URL with a host, of at most 200 characters, with white space, <, > and " percent-encoded',
    lambda text: len(text) <= 200 and _HTTPS_URL.accepts(text),
)

_REGION = Rule("a Region of partition aws, such as us-east-1", REGIONS.__contains__)
_REGION_REGEX = f"(?:{'|'.join(sorted(REGIONS))})"

# By protocol (https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html). The topic is a standard one,
# which does not deliver to FIFO queues, so a queue name ends without `.fifo`.
_ENDPOINTS = {
    "email": pattern(
        "an e-mail address such as security@example.com",
        r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{1,62}",
    ),
    "https": _HTTPS_URL,
    "sms": pattern("a phone number in E.164 form such as '+15555550100', in quotes", r"\+[1-9][0-9]{6,14}"),
    "sqs": pattern(
        "the ARN of a standard queue: arn:aws:sqs:<region>:<account>:<name>",
        f"arn:aws:sqs:{_REGION_REGEX}:[0-9]{{12}}:[A-Za-z0-9_-]{{1,80}}",
    ),
    "lambda": pattern(
        "the ARN of a function: arn:aws:lambda:<region>:<account>:function:<name>",
        f"arn:aws:lambda:{_REGION_REGEX}:[0-9]{{12}}:function:[A-Za-z0-9_-]{{1,64}}(?::[A-Za-z0-9_-]{{1,128}})?",
    ),
}
_PROTOCOL = one_of(_ENDPOINTS)
_ANY_ENDPOINT = pattern("an endpoint of the protocol", r"(?s:.)+")


def _policy_arn(account_id: str) -> Rule:
    """Return the rule for managed policies: of AWS, or of the stack's own account.

    A bad account id ("") is reported at its own place and not once more for each policy.
    """
    owner = f"(?:aws|{account_id or '[0-9]{12}'})"
    return pattern(
        f"arn:aws:iam::aws:policy/<name> or arn:aws:iam::{account_id or '<accountId>'}:policy/<name>",
        f"arn:aws:iam::{owner}:policy/(?:[!-~]{{1,510}}/)?[A-Za-z0-9+=,.@_-]{{1,128}}",
    )


def _policy_arns(policy_arn: Rule, at_most: int) -> ListRule:
    return ListRule(
        accepted=f"a list of at most {at_most} managed policy ARNs (IAM attaches 10, our own included)",
        item=policy_arn,
        at_most=at_most,
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

    account_id = root.text("accountId", _ACCOUNT_ID)
    hub_account_id = root.text("hubAccountId", _ACCOUNT_ID, default=account_id)
    components = root.texts("components", _COMPONENTS)
    elsewhere = account_id and hub_account_id not in ("", account_id)
    if elsewhere and {"user", "alerts"} & set(components):
        problems.append(
            f"breakglass:hubAccountId: found {hub_account_id!r}, must be the accountId {account_id!r}, "
            "because user and alerts, which components lists, live in the hub account"
        )

    # Where the list itself is in doubt, assume that a block is there because its component is meant.
    in_doubt = not components or "" in components
    listed = [name for name in COMPONENTS if name in components or (in_doubt and name in root)]
    settings = Settings(
        account_id=account_id,
        hub_account_id=hub_account_id,
        components=components,
        user=_user(root, "user" in listed, _policy_arn(account_id)),
        role=_role(root, "role" in listed, _policy_arn(account_id)),
        alerts=_alerts(root, "alerts" in listed, endpoints_are_secret),
    )
    root.finish()
    problems = problems or _too_long(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _too_long(settings: Settings) -> list[str]:
    """Return a problem for each document that AWS would refuse for its length; white space does not count.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    user, role = settings.user, settings.role
    trust = documents.role_trust(
        user_account_id=settings.hub_account_id, user_names=user.names, mfa_max_age=role.mfa_max_age
    )
    assume = documents.assume_role(role_name=role.name, account_ids=user.account_ids)
    return [
        f"breakglass:{path}: makes the {document} {length} characters long, must be at most {limit}: {remedy}"
        for path, document, content, limit, remedy in (
            ("user.names", "role's trust policy", trust, 2048, "name fewer users, or shorter names"),
            ("user.accountIds", "policy BreakGlassAssumeRole", assume, 6144, "list fewer, or none for all"),
        )
        if (length := len(json.dumps(content, separators=(",", ":")))) > limit
    ]


def _component_block(root: Block, component: str, listed: bool) -> Block | None:
    """Return a component's block; a listed one that is gone is an error, never a wish to delete things."""
    return root.block(component, required_because=f"components lists {component}" if listed else "")


def _user(root: Block, listed: bool, policy_arn: Rule) -> UserSettings:
    block = _component_block(root, "user", listed)
    if block is None:
        return UserSettings(names=("BreakglassUser",))
    names = block.texts("names", _USER_NAMES)
    if not listed:
        block.finish(note=" while components does not list user")
        return UserSettings(names=names)
    user = UserSettings(
        names=names,
        account_ids=block.texts("accountIds", _ACCOUNT_IDS, default=None),
        managed_policy_arns=block.texts(
            "managedPolicyArns", _policy_arns(policy_arn, _USER_POLICIES_AT_MOST), default=()
        ),
        mfa_enrolment=block.text("mfaEnrolment", _MFA_ENROLMENT, default=UserSettings.mfa_enrolment),
    )
    block.finish()
    return user


def _role(root: Block, listed: bool, policy_arn: Rule) -> RoleSettings:
    block = _component_block(root, "role", listed)
    if block is None:
        return RoleSettings(name="BreakGlassRole")
    name = block.text("name", _ROLE_NAME)
    if not listed:
        block.finish(note=" while components does not list role")
        return RoleSettings(name=name)
    role = RoleSettings(
        name=name,
        managed_policy_arns=block.texts(
            "managedPolicyArns", _policy_arns(policy_arn, _ROLE_POLICIES_AT_MOST), default=()
        ),
        permissions_boundary_arn=block.text("permissionsBoundaryArn", policy_arn, default=None),
        max_session_duration=block.seconds(
            "maxSessionDuration", *_MAX_SESSION_DURATION, default=RoleSettings.max_session_duration
        ),
        mfa_max_age=block.seconds("mfaMaxAge", *_MFA_MAX_AGE, default=RoleSettings.mfa_max_age),
    )
    block.finish()
    return role


def _alerts(root: Block, listed: bool, endpoints_are_secret: bool) -> AlertsSettings | None:
    if not listed:
        root.refuse("alerts", "absent while components does not list alerts")
        return None
    block = _component_block(root, "alerts", listed)
    if block is None:
        return None
    subscriptions = [
        _subscription(item) for item in block.blocks("subscriptions", "a list of one or more subscriptions")
    ]
    block.note_repetitions("subscriptions", subscriptions)
    alerts = AlertsSettings(
        subscriptions=tuple(item for item in subscriptions if item),
        region=block.text("region", _REGION, default=AlertsSettings.region),
        runbook_url=block.text("runbookUrl", _RUNBOOK_URL, default=None),
        endpoints_are_secret=endpoints_are_secret,
    )
    block.finish()
    return alerts


def _subscription(block: Block) -> Subscription | None:
    """Return a subscription, or None where one of its parts is bad."""
    protocol = block.text("protocol", _PROTOCOL)
    endpoint = block.text("endpoint", _ENDPOINTS.get(protocol, _ANY_ENDPOINT))
    block.finish()
    return Subscription(protocol=protocol, endpoint=endpoint) if protocol and endpoint else None
