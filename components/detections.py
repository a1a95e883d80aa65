"""The detection catalogue: which events ring, and what the message says. Pure data, no Pulumi.

A detection is one EventBridge rule. Patterns match on the user *name* and the account, not on the ARN: a
failed ConsoleLogin carries no `userIdentity.arn`
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html).
They use exact values only, so that they can be read, and checked, at a glance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from components import naming

Pattern = dict[str, Any]

SIGN_IN_DETAIL_TYPE = "AWS Console Sign In via CloudTrail"
API_CALL_DETAIL_TYPE = "AWS API Call via CloudTrail"

RULE_STATE = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""AssumeRole is a read-only event, and by the letter of the EventBridge guide only rules in this state
receive those (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html)."""

MAX_PATTERN_CHARACTERS = 2048
MAX_LINE_COLUMNS = 76
"""Mail shows the two quotes that EventBridge puts around each line, and a plain mail client shows 78."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """Whom the detections watch.

    Attributes:
        account_id: Account that holds the users.
        user_names: Names of the users, in their exact case: patterns are case-sensitive, as IAM user names
            in a trust policy are.
    """

    account_id: str
    user_names: Sequence[str]


@dataclass(frozen=True)
class Fact:
    """One line of a message: a label, and values of the event that stand behind it.

    A value that the event lacks leaves nothing behind, so a fact takes every place where it may stand.
    """

    label: str
    paths: tuple[str, ...]

    def __init__(self, label: str, *paths: str) -> None:
        """Take the label and the JSON paths of the values, such as `$.detail.errorCode`."""
        object.__setattr__(self, "label", label)
        object.__setattr__(self, "paths", paths)

    @property
    def variables(self) -> dict[str, str]:
        """The template's variables and their JSON paths; the first is the label's first word."""
        word = self.label.split()[0].lower()
        return {f"{word}{number or ''}": path for number, path in enumerate(self.paths)}


@dataclass(frozen=True, kw_only=True)
class Detection:
    """One kind of event that must reach a person.

    Attributes:
        id: Short name; the rule is called `capture-breakglass-<id>`.
        title: First line of the message; may use the fields' variables, such as `<user>`.
        pattern: Builds the EventBridge event pattern.
        facts: Lines of the message between title and advice.
    """

    id: str
    title: str
    pattern: Callable[[Watched], Pattern]
    facts: tuple[Fact, ...]

    @property
    def rule_name(self) -> str:
        """Name of the EventBridge rule."""
        return naming.RULE_PREFIX + self.id


@dataclass(frozen=True, kw_only=True)
class Message:
    """An EventBridge input transformer: where the values come from, and the text around them."""

    input_paths: dict[str, str]
    template: str


def _by_user(watched: Watched, *, source: str, detail_type: str, event_name: str) -> Pattern:
    return {
        "source": [source],
        "detail-type": [detail_type],
        "account": [watched.account_id],
        "detail": {
            "eventName": [event_name],
            "userIdentity": {"type": ["IAMUser"], "userName": list(watched.user_names)},
        },
    }


def _user_sign_in(watched: Watched) -> Pattern:
    return _by_user(watched, source="aws.signin", detail_type=SIGN_IN_DETAIL_TYPE, event_name="ConsoleLogin")


def _user_switch_role(watched: Watched) -> Pattern:
    return _by_user(watched, source="aws.signin", detail_type=SIGN_IN_DETAIL_TYPE, event_name="SwitchRole")


def _user_assume_role(watched: Watched) -> Pattern:
    # No condition on the role: a denied AssumeRole has `requestParameters: null`, and a break-glass user
    # that tries any other role is worth a call as well.
    return _by_user(watched, source="aws.sts", detail_type=API_CALL_DETAIL_TYPE, event_name="AssumeRole")


_USER = Fact("User", "$.detail.userIdentity.userName")
_WHEN_AND_WHERE = (
    Fact("Time (UTC)", "$.detail.eventTime"),
    Fact("Account", "$.account"),
    Fact("Region", "$.region"),
    Fact("From", "$.detail.sourceIPAddress"),
    Fact("Client", "$.detail.userAgent"),
    Fact("Event", "$.detail.eventID"),
)

DETECTIONS: tuple[Detection, ...] = (
    Detection(
        id="user-sign-in",
        title="BREAK-GLASS: console sign-in by <user>",
        pattern=_user_sign_in,
        facts=(
            _USER,
            Fact("Outcome", "$.detail.responseElements.ConsoleLogin", "$.detail.errorMessage"),
            Fact("MFA used", "$.detail.additionalEventData.MFAUsed"),
            *_WHEN_AND_WHERE,
        ),
    ),
    Detection(
        id="user-switch-role",
        title="BREAK-GLASS: console role switch by <user>",
        pattern=_user_switch_role,
        facts=(
            _USER,
            Fact("Role", "$.detail.additionalEventData.SwitchTo"),
            Fact("Outcome", "$.detail.responseElements.SwitchRole", "$.detail.errorMessage"),
            *_WHEN_AND_WHERE,
        ),
    ),
    Detection(
        id="user-assume-role",
        title="BREAK-GLASS: role assumed, or tried, by <user>",
        pattern=_user_assume_role,
        facts=(
            _USER,
            # Allowed or denied, the other values are absent: one line says it either way.
            Fact(
                "Outcome",
                "$.detail.responseElements.assumedRoleUser.arn",
                "$.detail.errorCode",
                "$.detail.errorMessage",
            ),
            *_WHEN_AND_WHERE,
        ),
    ),
)

_ADVICE = (
    "Was this announced? If not, somebody has the break-glass credentials:",
    "remove the user's password and MFA devices now, then investigate.",
)


def message(detection: Detection, *, runbook_url: str | None) -> Message:
    """Return the text of an alert: readable in a plain mail client, never the raw event.

    The raw event of an AssumeRole carries a session token. A text template is one JSON string per line
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html).
    """
    label_width = max(len(fact.label) for fact in detection.facts)
    lines = [
        detection.title,
        *(
            f"{fact.label:<{label_width}}  {' '.join(f'<{name}>' for name in fact.variables)}"
            for fact in detection.facts
        ),
        *_ADVICE,
    ]
    if runbook_url is not None:
        lines.append(f"Runbook: {runbook_url}")
    return Message(
        input_paths={name: path for fact in detection.facts for name, path in fact.variables.items()},
        template="\n".join(f'"{line}"' for line in lines),
    )
