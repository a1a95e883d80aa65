"""What each value of a stack's configuration must look like, with the AWS page or quota behind each limit.

`breakglass/settings/reading.py` reads the configuration by these rules. Rules that take more than one key to
check stand there.
"""

from breakglass import naming
from breakglass.settings.block import ListRule, NumberRule, Rule, number_from, one_of, pattern

COMPONENTS = ("user", "role", "alerts", "relay")
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

ACCOUNT_ID = pattern("12 digits (quote it, a YAML number loses leading zeros)", "[0-9]{12}")
LISTED_COMPONENTS = ListRule(
    accepted=f"a list of one or more of {', '.join(COMPONENTS)}",
    item=one_of(COMPONENTS),
    at_least=1,
)

# Names and lengths: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_NAME_WORDS = "1 to 64 letters, digits and characters of +=,.@_-"
_NAME_REGEX = "[A-Za-z0-9+=,.@_-]{1,64}"
ROLE_NAME = pattern(f"an IAM role name ({_NAME_WORDS})", _NAME_REGEX)
USER_NAMES = ListRule(
    accepted="a list of 1 to 35 IAM user names (a role trust policy holds 2,048 characters)",
    item=pattern(f"an IAM user name ({_NAME_WORDS})", _NAME_REGEX),
    at_least=1,
    at_most=35,
    ignore_case=True,  # IAM allows only one spelling of a name
)
ACCOUNT_IDS = ListRule(
    accepted="a list of 1 to 100 account ids (a managed policy holds 6,144 characters); leave it out for all",
    item=ACCOUNT_ID,
    at_least=1,  # an empty list could be meant as none or as all
    at_most=100,
)
MFA_ENROLMENT = one_of(("open", "closed"))

# 10 is the default quota of managed policies per user or role; AWS raises it to 20 on request. The user
# component attaches up to 4 policies of its own.
ROLE_POLICIES_AT_MOST = 10
USER_POLICIES_AT_MOST = 10 - 4

# The duration has AWS's limits (MaxSessionDuration in
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html), the age has ours: at least time
# enough to switch role after signing in, at most 4 hours.
MAX_SESSION_DURATION = number_from(3600, 43200, "a whole number of seconds")
MFA_MAX_AGE = number_from(60, 14400, "a whole number of seconds")

_URL_CHARACTERS = r"A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-"  # RFC 3986; no white space, <, > or "
HTTPS_URL = pattern(
    "an https:// URL with a host, without user name",
    rf"https://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{{1,5}})?(?:[/?#][{_URL_CHARACTERS}]*)?",
)
RUNBOOK_URL = Rule(
    'an https:// URL with a host, of at most 200 characters, with white space, <, > and " percent-encoded',
    lambda text: len(text) <= 200 and HTTPS_URL.accepts(text),
)

REGION = Rule("a Region of partition aws, such as us-east-1", REGIONS.__contains__)
_REGION_REGEX = f"(?:{'|'.join(sorted(REGIONS))})"

# By protocol (https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html). The topic is a standard one,
# which does not deliver to FIFO queues, so a queue name ends without `.fifo`.
ENDPOINTS = {
    "email": pattern(
        "an e-mail address such as security@example.com",
        r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{1,62}",
    ),
    "https": HTTPS_URL,
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
PROTOCOL = one_of(ENDPOINTS)
ANY_ENDPOINT = pattern("an endpoint of the protocol", r"(?s:.)+")

# The policy of the hub bus names each member account. It holds 10,240 characters
# (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html), which 300 account ARNs fill.
MEMBER_ACCOUNT_IDS = ListRule(
    accepted="a list of 1 to 200 account ids (the policy of the hub bus holds 10,240 characters); leave it "
    "out for none, or admit a whole organisation with organizationId",
    item=ACCOUNT_ID,
    at_least=1,  # an empty list could be meant as none or as all
    at_most=200,
)
# https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html
ORGANIZATION_ID = pattern("o- and 10 to 32 lower-case letters or digits", "o-[a-z0-9]{10,32}")

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
AUDIT_RETENTION_DAYS = NumberRule(
    f"a number of days that CloudWatch Logs accepts: {', '.join(map(str, _RETENTION_DAYS))}",
    _RETENTION_DAYS.__contains__,
)
# The upper limit is ours: about 3,000 accounts with every Region.
EXPECTED_HEARTBEATS = number_from(1, 100_000, "a whole number of heartbeats a day")
UNCOUNTED_HEARTBEATS = NumberRule(
    f"{EXPECTED_HEARTBEATS.accepted}, because their number cannot be derived: that takes a relay in this "
    "stack, and with organizationId the list memberAccountIds",
    EXPECTED_HEARTBEATS.accepts,
)

# CloudTrail records IAM, root and account events in us-east-1 only, whatever the Region of the caller:
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html
ONLY_THERE = "because IAM, root and account events are recorded only there"
ENABLED_REGIONS = "enabled"
RELAY_REGIONS = ListRule(
    accepted=f"the word {ENABLED_REGIONS} (AWS is asked which Regions the account has enabled) or a list of "
    f"Regions with {naming.HOME_REGION}, {ONLY_THERE}",
    item=REGION,
    at_least=1,
)
EXCLUDED_REGIONS = ListRule(
    accepted="a list of Regions that a service control policy denies",
    item=Rule(
        f"a Region of partition aws, such as eu-west-3, but not {naming.HOME_REGION}, {ONLY_THERE}",
        (REGIONS - {naming.HOME_REGION}).__contains__,
    ),
)

# A rule has at most 5 targets, of which we use 2 for hubs. Names of buses:
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
HUBS = ListRule(
    accepted="a list of 1 or 2 event bus ARNs",
    item=pattern(
        "arn:aws:events:<region>:<account>:event-bus/<name>; the name must not be default, because the "
        "relay's own rule sits on the default bus and would loop",
        rf"arn:aws:events:{_REGION_REGEX}:[0-9]{{12}}:event-bus/(?!default\Z)[A-Za-z0-9._-]{{1,256}}",
    ),
    at_least=1,
    at_most=2,
)


def policy_arn(account_id: str) -> Rule:
    """Return the rule for managed policies: of AWS, or of the stack's own account.

    A bad account id ("") is reported at its own place and not once more for each policy.
    """
    owner = f"(?:aws|{account_id or '[0-9]{12}'})"
    return pattern(
        f"arn:aws:iam::aws:policy/<name> or arn:aws:iam::{account_id or '<accountId>'}:policy/<name>",
        f"arn:aws:iam::{owner}:policy/(?:[!-~]{{1,510}}/)?[A-Za-z0-9+=,.@_-]{{1,128}}",
    )


def policy_arns(account_id: str, at_most: int) -> ListRule:
    """Return the rule for the managed policies of a user or role."""
    return ListRule(
        accepted=f"a list of at most {at_most} managed policy ARNs (IAM attaches 10, our own included)",
        item=policy_arn(account_id),
        at_most=at_most,
    )
