"""The alarm path as a whole: alertpath plays every scenario through what the stack is about to be.

The other policies know single traps; these know whether an event still reaches a person, also that about an
attack which has landed. They judge a stack that holds the hub: a member's relays end in another stack, and
all together are proven by `python -m alertpath mgmt.json member.json`.
"""

from pulumi_policy import EnforcementLevel, Severity

from alertpath.model import UNKNOWN, deployment
from alertpath.model import Resource as Given
from alertpath.proof import Judgement, findings, prove
from alertpath.tampering import Heard, bad, play
from alertpath.trace import Outcome
from breakglass import naming

from .key import KEY
from .policy import StackProblems, stack_policy
from .reading import Resource, Stack, known_properties, known_text

EVENT_BUS = "aws:cloudwatch/eventBus:EventBus"
NOT_CONFIRMED = "confirmed"
"""Word in the reasons for a subscription that nobody has confirmed, which no deployment can mend."""


def _buses(stack: Stack) -> set[str | None]:
    return {bus.known("name") for bus in stack.all(EVENT_BUS)}


def _holds_hub(stack: Stack) -> bool:
    return naming.HUB.bus in _buses(stack)


@stack_policy(
    "alarm-path-proven",
    "The alarm would ring",
    applies=_holds_hub,
    severity=Severity.CRITICAL,
    fix=(
        "Mend the resource that is named: the first on the event's way that does not let it pass. In the "
        "project, `python -m alertpath` on the stack's export shows every scenario."
    ),
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html",
)
def alarm_path_proven(stack: Stack) -> StackProblems:
    """Every event of the catalogue must reach the people and the record it is meant for."""
    return _findings(stack, "is where {} scenarios would end", lost=True)


@stack_policy(
    "alarm-path-not-yet-proven",
    "What about the alarm is not proven yet",
    applies=_holds_hub,
    level=EnforcementLevel.ADVISORY,
    severity=Severity.MEDIUM,
    fix="Deploy, confirm each subscription by the link in AWS's mail, refresh.",
    url="https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html",
)
def alarm_path_not_yet_proven(stack: Stack) -> StackProblems:
    """What is unknown before a deployment, or unconfirmed after it, is listed."""
    return _findings(stack, "is why {} scenarios are not yet proven", lost=False)


def _holds_both(stack: Stack) -> bool:
    """Whether both ways end in this stack; if one ends in another, this one alone proves nothing."""
    return _buses(stack).issuperset(naming.BUSES)


@stack_policy(
    "alarm-survives-tampering",
    "Whoever tampers with the alarm is heard",
    applies=_holds_both,
    severity=Severity.CRITICAL,
    fix=(
        "Mend the resource that is named. Each way, to hub and watchdog, needs parts of its own: what breaks "
        "one is told by the other."
    ),
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html",
)
def alarm_survives_tampering(stack: Stack) -> StackProblems:
    """The message about each call that weakens the alarm must arrive although the call has landed."""
    resources = {resource.of.urn: resource for resource in stack.all()}
    groups: dict[tuple[str, str, str], list[Heard]] = {}
    for one in bad(play(deployment(_given(stack)))):
        groups.setdefault((one.resource, one.blow.hit, one.reason), []).append(one)
    for (urn, hit, reason), ones in groups.items():
        lost = sorted({scenario.name for one in ones for scenario in one.lost})
        what = f"{len(ones)} attacks on {hit}" if len(ones) > 1 else f"an attack on {hit}"
        if reason:
            problem = f"{what} would not be told once landed: {reason.rstrip('.')}."
        else:
            problem = f"{what} would end what is told of {', '.join(lost)}."
        resource = resources.get(urn)
        yield resource, f"is where {problem}" if resource else problem


def _findings(stack: Stack, words: str, *, lost: bool) -> StackProblems:
    global _latest
    given = _given(stack)
    if given != _latest[0]:  # else the other policy has just asked about the same resources
        _latest = (given, prove(deployment(given)))
    judged = [
        judgement
        for judgement in _latest[1]
        if lost == (judgement.outcome is not Outcome.UNPROVEN and NOT_CONFIRMED not in judgement.reason)
    ]
    resources = {resource.of.urn: resource for resource in stack.all()}
    for finding in findings(judged):
        resource = resources.get(finding.resource)  # None if the stack lacks it
        problem = f"{words.format(finding.count)}: {finding.reason.rstrip('.')}."
        yield resource, problem if resource else f"{finding.resource.rsplit('::', 1)[-1]} {problem}"


_latest: tuple[list[Given], list[Judgement]] = ([], [])
"""The resources that were judged last, and the judgements."""


def _given(stack: Stack) -> list[Given]:
    return [_as_given(resource) for resource in stack.all()]


def _as_given(resource: Resource) -> Given:
    """Return a resource as alertpath reads it; what is not known until deployment is UNKNOWN."""
    provider = resource.of.provider
    region = known_text(provider.props, "region") if provider else None
    properties = known_properties(resource.of.props, UNKNOWN)
    sources = resource.made_of("kmsMasterKeyId") if properties.get("kmsMasterKeyId") == UNKNOWN else []
    if [source.type for source in sources] == [KEY]:
        # The id is not known before the key exists, but which key it will be is.
        home = f"{properties.get('region') or region or ''}:{resource.account}"
        properties["kmsMasterKeyId"] = f"arn:aws:kms:{home}:key/{UNKNOWN}"
    return Given(
        type=resource.type,
        urn=resource.of.urn,
        properties=properties,
        account=resource.account,
        region=region or "",
    )
