"""What each value of a stack's configuration must be, with the AWS page or quota behind each limit.

A constraint holds its own words, as they follow "must be" in a problem, and data: the reader checks values
with it, and the settings page and the schema for editors are made from it. Regular expressions use only what
Python and JavaScript have in common. Constraints that concern several keys are in `reading.py`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from breakglass import naming, quotas

# --- Kinds of constraints -------------------------------------------------------------------------


@dataclass(frozen=True)
class Constraint:
    """What a value must be, in words that follow "must be". No value fits this one: a key must be absent."""

    accepted: str

    def fits(self, _found: object, /) -> bool:
        """Return whether a value is as it must be."""
        return False

    def given(self, _values: Mapping[str, Any], /) -> "Constraint":
        """Return the constraint that goes with the values of the keys before and around this one."""
        return self


@dataclass(frozen=True)
class Text(Constraint):
    """A string that matches a regular expression as a whole, or that is one of a few options."""

    regex: str = ""
    options: tuple[str, ...] = ()

    def fits(self, found: object) -> bool:
        """Return whether a value is such a string."""
        return isinstance(found, str) and (
            found in self.options if self.options else re.fullmatch(self.regex, found) is not None
        )


@dataclass(frozen=True, kw_only=True)
class TextBy(Text):
    """A string whose constraint depends on `key`; this one where that key has no good value."""

    key: str
    each: Mapping[str, Text]

    def given(self, values: Mapping[str, Any]) -> Constraint:
        """Return the constraint for the value of the key."""
        return self.each.get(values[self.key], self)


@dataclass(frozen=True)
class OwnText(Text):
    """A string with the id of the stack's account, `<accountId>` in words; any id if that is not known."""

    def given(self, values: Mapping[str, Any]) -> Constraint:
        """Return the constraint for the account of the stack."""
        own = values["account_id"]
        if own is None:
            return self
        return Text(self.accepted.replace("<accountId>", own), self.regex.replace(_ACCOUNT_REGEX, own))


@dataclass(frozen=True)
class Number(Constraint):
    """A whole number out of `values`."""

    values: range | tuple[int, ...]

    def fits(self, found: object) -> bool:
        """Return whether a value is such a number."""
        # In Python True is an int; in the configuration it is a mistake.
        return isinstance(found, int) and not isinstance(found, bool) and found in self.values


@dataclass(frozen=True)
class Flag(Constraint):
    """True or false."""

    accepted: str = "true or false"

    def fits(self, found: object) -> bool:
        """Return whether a value is one of both."""
        return isinstance(found, bool)


@dataclass(frozen=True, kw_only=True)
class Nested(Constraint):
    """A mapping with the keys that a model declares, or with those that `only` names."""

    accepted: str = "a mapping"
    model: type[Any]
    only: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ListOf(Constraint):
    """A list of strings, or of mappings; no two items may be the same.

    Attributes:
        item: Constraint on each item.
        at_least: Smallest number of items.
        at_most: Largest number of items; None for any.
        ignore_case: Whether two strings that differ only in case count as the same.
        word: A word that may stand instead of the list; read as None.
        needed: An item that the list must hold, and why, as it follows "must hold it, ".
    """

    item: Text | Nested
    at_least: int = 0
    at_most: int | None = None
    ignore_case: bool = False
    word: str = ""
    needed: tuple[str, str] | None = None


def one_of(options: Iterable[str], accepted: str = "") -> Text:
    """Return the constraint that a string is one of a few, which its words list unless others are given."""
    options = tuple(options)
    return Text(accepted or f"one of {', '.join(options)}", options=options)


def number_from(lowest: int, highest: int, what: str) -> Number:
    """Return the constraint that a number is between two, both included; `what` names it and its unit."""
    return Number(f"{what} from {lowest} to {highest}", range(lowest, highest + 1))


# --- Accounts, names, policies --------------------------------------------------------------------

COMPONENTS = ("user", "role", "alerts", "watchdog", "relay")
"""What `breakglass:components` may list."""

_ACCOUNT_REGEX = "[0-9]{12}"
ACCOUNT_ID = Text(
    "12 digits (quote it, a YAML number loses leading zeros; `pulumi config set` needs --type string)",
    _ACCOUNT_REGEX,
)
LISTED_COMPONENTS = ListOf(
    accepted=f"a list of one or more of {', '.join(COMPONENTS)}", item=one_of(COMPONENTS), at_least=1
)

# Names and lengths: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_NAME_WORDS = "1 to 64 letters, digits and characters of +=,.@_-"
_NAME_REGEX = "[A-Za-z0-9+=,.@_-]{1,64}"
_OUR_ROLES = (*naming.RELAY_ROLES, naming.HEARTBEAT_ROLE)
# IAM allows only one spelling of a name; JavaScript cannot ignore case in a part of a regular expression.
_OUR_ROLES_REGEX = re.sub(
    "[A-Z]",
    lambda letter: f"[{letter[0].upper()}{letter[0].lower()}]",
    "|".join(_OUR_ROLES),
    flags=re.IGNORECASE,
)
ROLE_NAME = Text(
    f"an IAM role name ({_NAME_WORDS}), but not {' or '.join(_OUR_ROLES)} in upper or lower case, "
    "which are the relays' roles",
    f"(?!(?:{_OUR_ROLES_REGEX})$){_NAME_REGEX}",
)
USER_NAMES = ListOf(
    accepted=f"a list of 1 to 35 IAM user names (a role trust policy holds {quotas.ROLE_TRUST:,} characters)",
    item=Text(f"an IAM user name ({_NAME_WORDS})", _NAME_REGEX),
    at_least=1,
    at_most=35,
    ignore_case=True,  # IAM allows only one spelling of a name
)
ACCOUNT_IDS = ListOf(
    accepted=f"a list of 1 to 100 account ids (a managed policy holds {quotas.MANAGED_POLICY:,} characters); "
    "leave it out for all",
    item=ACCOUNT_ID,
    at_least=1,  # an empty list could be meant as none or as all
    at_most=100,
)
MFA_ENROLMENT = one_of(("open", "closed"))

POLICY_ARN = OwnText(
    f"{' or '.join(naming.policy_arn(owner, '<name>') for owner in ('aws', '<accountId>'))}, but not one of "
    "AWS's services (aws-service-role/), which nobody else can attach",
    naming.policy_arn(
        f"(?:aws|{_ACCOUNT_REGEX})", "(?!aws-service-role/)(?:[!-~]{1,510}/)?[A-Za-z0-9+=,.@_-]{1,128}"
    ),
)


def policy_arns(at_most: int) -> ListOf:
    """Return the constraint on the managed policies of a user or role."""
    return ListOf(
        accepted=f"a list of at most {at_most} managed policy ARNs "
        f"(IAM attaches {quotas.ATTACHED_POLICIES}, our own included)",
        item=POLICY_ARN,
        at_most=at_most,
    )


ROLE_POLICIES = policy_arns(quotas.ATTACHED_POLICIES)
USER_POLICIES = policy_arns(quotas.ATTACHED_POLICIES - len(naming.USER_POLICIES))
"""The managed policies that a user may have besides the component's own."""

# The duration has AWS's limits (MaxSessionDuration in
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html), the age has ours: at least time
# enough to switch role after signing in, at most 4 hours.
MAX_SESSION_DURATION = number_from(3600, 43200, "a whole number of seconds")
MFA_MAX_AGE = number_from(60, 14400, "a whole number of seconds")

# --- Regions --------------------------------------------------------------------------------------

REGIONS = frozenset(
    {
        "af-south-1",
        "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
        "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
        "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1",
        "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1",
        "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1",
        "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    }
)  # fmt: skip
"""Regions of the commercial partition `aws`. Written out because pulumi_aws is slow to import; a test
compares the two."""

REGION = one_of(sorted(REGIONS), "a Region of partition aws, such as us-east-1")
_REGION_REGEX = f"(?:{'|'.join(sorted(REGIONS))})"

# CloudTrail records IAM, root and account events in us-east-1 only, whatever the Region of the caller:
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html
_ONLY_THERE = "because IAM, root and account events are recorded only there"
RELAY_REGIONS = ListOf(
    accepted="the word enabled (AWS is asked which Regions the account has enabled) or a list of Regions "
    f"with {naming.HOME_REGION}, {_ONLY_THERE}",
    item=REGION,
    at_least=1,
    word="enabled",
    needed=(naming.HOME_REGION, _ONLY_THERE),
)
EXCLUDED_REGIONS = ListOf(
    accepted="a list of Regions that a service control policy denies",
    item=one_of(
        sorted(REGIONS - {naming.HOME_REGION}),
        f"a Region of partition aws, such as eu-west-3, but not {naming.HOME_REGION}, {_ONLY_THERE}",
    ),
)

# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
ALWAYS_ENABLED_REGIONS = frozenset(
    {
        "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1",
        "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2",
        "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    }
)  # fmt: skip
"""Regions that no account can disable."""

WATCHDOG_REGION = one_of(
    sorted(ALWAYS_ENABLED_REGIONS - {naming.HOME_REGION}),
    f"a Region that no account can disable, such as {naming.WATCHDOG_REGION} or eu-west-1, but not "
    f"{naming.HOME_REGION}, where the hub is",
)

# --- The hub --------------------------------------------------------------------------------------

_URL_CHARACTERS = r"A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-"  # RFC 3986; no white space, <, > or "
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PORT = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_HTTPS_REGEX = rf"https://{_LABEL}(?:\.{_LABEL})*(?::(?:{_PORT}))?(?:[/?#][{_URL_CHARACTERS}]*)?"
HTTPS_URL = Text(
    "an https:// URL with a host and a port of at most 65535, if any, without user name", _HTTPS_REGEX
)
RUNBOOK_URL = Text(
    'an https:// URL with a host, of at most 200 characters, with white space, <, > and " percent-encoded',
    f"(?=.{{1,200}}$){_HTTPS_REGEX}",
)

# By protocol (https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html). The topic is a standard one,
# which does not deliver to FIFO queues, so a queue name ends without `.fifo`.
ENDPOINTS = {
    "email": Text(
        "an e-mail address such as security@example.com",
        rf"(?!\.)(?![^@]*\.[.@])[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@(?:{_LABEL}\.)+(?=[A-Za-z][A-Za-z0-9-]){_LABEL}",
    ),
    # SNS asks to confirm, and sends JSON of its own form; the webhook of a chat understands neither:
    # https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html
    "https": Text(
        f"{HTTPS_URL.accepted}; not the webhook of a chat (Slack, Teams, Discord, Google Chat), which cannot "
        "confirm a subscription: use the channel's mail address, or a function",
        r"(?!https://(?:[^/]*\.)?(?:hooks\.slack\.com|webhook\.office\.com|discord(?:app)?\.com|"
        rf"chat\.googleapis\.com)(?:[:/?#]|$)){_HTTPS_REGEX}",
    ),
    "sms": Text(
        "a phone number in E.164 form such as '+15555550100', in quotes (`pulumi config set` needs --type "
        "string)",
        r"\+[1-9][0-9]{6,14}",
    ),
    "sqs": Text(
        f"the ARN of a standard queue: {naming.queue_arn('<account>', '<region>', '<name>')}; the name must "
        f"not be {' or '.join(naming.OWN_QUEUES)}, because these queues of ours are not recipients",
        naming.queue_arn(
            _ACCOUNT_REGEX, _REGION_REGEX, f"(?!(?:{'|'.join(naming.OWN_QUEUES)})$)[A-Za-z0-9_-]{{1,80}}"
        ),
    ),
    "lambda": Text(
        f"the ARN of a function: {naming.function_arn('<account>', '<region>', '<name>')}",
        naming.function_arn(_ACCOUNT_REGEX, _REGION_REGEX, "[A-Za-z0-9_-]{1,64}(?::[A-Za-z0-9_-]{1,128})?"),
    ),
}
PROTOCOL = one_of(ENDPOINTS)
ENDPOINT = TextBy(accepted="an endpoint of the protocol", regex=r"[\s\S]+", key="protocol", each=ENDPOINTS)

# The policies of hub and watchdog bus name each member account: 300 account ARNs fill it.
MEMBER_ACCOUNT_IDS = ListOf(
    accepted=f"a list of 1 to 200 account ids (the policy of the hub bus holds {quotas.BUS_POLICY:,} "
    "characters); leave it out for none, or admit a whole organisation with organizationId",
    item=ACCOUNT_ID,
    at_least=1,  # an empty list could be meant as none or as all
    at_most=200,
)
# https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
ORGANIZATION_ID = Text("o- and 10 to 32 lower-case letters or digits", "o-[a-z0-9]{10,32}")

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
AUDIT_RETENTION_DAYS = Number(
    f"a number of days that CloudWatch Logs accepts: {', '.join(map(str, _RETENTION_DAYS))}", _RETENTION_DAYS
)
# The upper limit is ours: about 3,000 accounts with every Region.
EXPECTED_HEARTBEATS = number_from(1, 100_000, "a whole number of heartbeats an hour")
UNCOUNTED_HEARTBEATS = Number(
    f"{EXPECTED_HEARTBEATS.accepted}, because their number cannot be derived: that takes a relay in "
    "this stack, and with organizationId the list memberAccountIds",
    EXPECTED_HEARTBEATS.values,
)
