"""The rules of the watchdog: it tells people of all that the hub's detections tell, in general words.

They are made from the same catalogue, so that what one place hears, the other hears.
"""

from breakglass.detections.catalogue import DETECTIONS, WHERE, Detection, Fact
from breakglass.detections.hub_patterns import ABOUT_ALIAS
from breakglass.detections.patterns import WRITE, Pattern, Watched

_OWN_MESSAGE = ("drill",)
"""Detections that the watchdog tells in their own words: a drill must not frighten anybody."""


def _all_that_notify(watched: Watched) -> list[Pattern]:
    """Return the patterns of every detection that notifies.

    The hub's rule for the key knows its id. Here all writes to KMS that arrive count: the rule key-change
    sends those about the key, the relays those about its alias, and those of user and role.
    """
    writes = WRITE | {"eventName": [{"anything-but": ABOUT_ALIAS}]}
    key_writes: Pattern = {"source": ["aws.kms"], "account": [watched.hub_account_id], "detail": writes}
    told = [entry for entry in DETECTIONS if entry.action == "notify" and entry.id not in _OWN_MESSAGE]
    return [key_writes, *(pattern for entry in told for pattern in entry.patterns(watched))]


WATCHDOG_RULES: tuple[Detection, ...] = (
    Detection(
        id="alert",
        title="BREAK-GLASS: <call> (<kind>)",
        recorded_in="any Region",
        reference="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html",
        patterns=_all_that_notify,
        sample="events-disable-rule",
        facts=(
            Fact("Call", "{eventName} {eventSource}"),
            Fact("Kind", "{$.detail-type}"),
            Fact("Who", "{userIdentity.arn} {userIdentity.userName} {userIdentity.principalId}"),
            Fact("Outcome", "{responseElements.ConsoleLogin}{status}{errorCode} {errorMessage}"),
            Fact("Time UTC", "{$.time}"),
            *WHERE,
        ),
        advice=(
            "The hub's message about this event says more. If none comes within",
            "minutes, the hub is under attack: act on this one.",
        ),
    ),
    *(detection for detection in DETECTIONS if detection.id in _OWN_MESSAGE),
)
"""What the watchdog's rules match, and its messages."""
