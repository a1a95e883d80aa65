"""A trail records what happens: without one, EventBridge gets no events, and nothing reports that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from breakglass import naming
from drill.account import CANNOT_TELL, explained
from drill.check.finding import Findings, not_ready, ready, unknown
from drill.check.stack_state import StackState

_KMS = "kms.amazonaws.com"
_BOTH = frozenset({"read", "write"})
_TYPES = {"All": _BOTH, "ReadOnly": frozenset({"read"}), "WriteOnly": frozenset({"write"})}
_READ_ONLY = {"true": frozenset({"read"}), "false": frozenset({"write"})}

_ADVICE = (
    "create an organisation trail in the management account (with --is-organization-trail), or one here; its "
    "BUCKET must allow CloudTrail to write: "
    "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html"
)


@dataclass(kw_only=True)
class _Trail:
    """One trail: what it lacks and what adds that, why some of it could not be read, and remarks."""

    name: str
    lacks: list[str] = field(default_factory=list)
    fixes: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    problem: str = ""
    notes: list[str] = field(default_factory=list)


def trail(stack_state: StackState) -> Findings:
    """Check that one trail records read and write management events of this account in all Regions.

    CloudTrail sends EventBridge what a trail records, and nothing if no trail is logging
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html). A trail of
    the organisation counts; a member account may not be allowed to see what that trail records.
    """
    client = stack_state.account.client("cloudtrail")
    listed = client.describe_trails(includeShadowTrails=True).get("trailList") or ()
    trails = [_look(stack_state, description) for description in listed]
    good = [trail for trail in trails if not trail.lacks and not trail.problem]
    if not trails:
        where = f"--name breakglass --region {naming.HOME_REGION}"
        yield not_ready(
            "there is no trail: EventBridge gets no events, so nobody is notified",
            stack_state.aws(
                f"cloudtrail create-trail {where} --is-multi-region-trail --s3-bucket-name BUCKET"
            ),
            stack_state.aws(f"cloudtrail start-logging {where}"),
            fix=_ADVICE,
        )
    elif good:
        notes = "".join(f"; {note}" for note in good[0].notes)
        yield ready(f"trail {good[0].name} records read and write management events in all Regions{notes}")
        return
    # If one trail could be the good one, what the others lack may not matter.
    finding = not_ready if all(trail.lacks for trail in trails) else unknown
    for trail in trails:
        if trail.lacks:
            text = f"trail {trail.name}: {', '.join(trail.lacks)}"
            yield finding(text, *trail.commands, fix="; ".join(trail.fixes))
        else:
            yield unknown(f"trail {trail.name}: {trail.problem}")


def _look(stack_state: StackState, description: Mapping[str, Any]) -> _Trail:
    arn = str(description.get("TrailARN", ""))
    trail = _Trail(name=description.get("Name") or arn)
    region = description.get("HomeRegion") or naming.HOME_REGION
    owner = arn.split(":")[4] if arn.count(":") > 4 else stack_state.account.id
    profile = stack_state.stacks.get(owner, f"PROFILE_OF_{owner}")
    which = f"--name {arn} --region {region} --profile {profile}"
    if not description.get("IsMultiRegionTrail"):
        trail.lacks.append(f"covers {region} only")
        trail.commands.append(f"aws cloudtrail update-trail --is-multi-region-trail {which}")
    try:
        client = stack_state.account.client("cloudtrail", region)
        status = client.get_trail_status(Name=arn)
        if not status["IsLogging"]:
            trail.lacks.append("is not logging")
            trail.commands.append(f"aws cloudtrail start-logging {which}")
        if status.get("LatestDeliveryError"):
            # EventBridge gets the events anyway, so the alarm does not depend on it.
            trail.notes.append(f"its delivery to the bucket fails: {status['LatestDeliveryError']}")
        edit = f"CloudTrail console of account {owner}, Trails, {trail.name}, Management events, Edit"
        is_hub = stack_state.stack.settings.is_hub
        _judge_selectors(trail, client.get_event_selectors(TrailName=arn), edit, is_hub=is_hub)
    except CANNOT_TELL as error:
        trail.problem = explained(error)
    except KeyError as error:
        trail.problem = f"AWS's answer has no {error}"
    return trail


def _judge_selectors(trail: _Trail, answer: Mapping[str, Any], edit: str, *, is_hub: bool) -> None:
    """Add to a trail what its selectors do not record of the management events, and how to `edit` them.

    One selector that matches is enough
    (https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html).
    """
    basic, advanced = answer.get("EventSelectors") or (), answer.get("AdvancedEventSelectors") or ()
    if not basic and not advanced:
        raise KeyError("EventSelectors")  # every trail has selectors
    narrowed: list[str] = []
    selectors = [*map(_basic, basic), *(_advanced(selector, narrowed) for selector in advanced)]

    def recorded(source: str) -> frozenset[str]:
        kinds = (kinds for kinds, excluded in selectors if source not in excluded)
        return frozenset[str]().union(*kinds)

    if lacking := sorted(_BOTH - recorded("any service that is not excluded")):
        only = f" (it records only some, by {', '.join(narrowed)})" if narrowed else ""
        trail.lacks.append(f"does not record {' and '.join(lacking)} management events{only}")
        trail.fixes.append(f"{edit}: Read and Write, exclude nothing")
    elif is_hub and "write" not in recorded(_KMS):
        # The alarm's key is here: disabling it would silence the first topic without an alert (key-change).
        trail.lacks.append(f"excludes {_KMS}, so nobody is notified if the alarm's key is changed")
        trail.fixes.append(f"{edit}: do not exclude AWS KMS events")
    sources = sorted({source for _, excluded in selectors for source in excluded})
    if less := [source for source in sources if recorded(source) < _BOTH]:
        trail.notes.append(f"excludes events of {', '.join(less)}")


_Selector = tuple[frozenset[str], frozenset[str]]
"""What a selector records ("read", "write" or both), and the services that it excludes."""

_NOTHING: _Selector = (frozenset(), frozenset())


def _basic(selector: Mapping[str, Any]) -> _Selector:
    """Return what a basic selector records; by default, everything.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
    """
    if not selector.get("IncludeManagementEvents", True):
        return _NOTHING
    kinds = _TYPES.get(selector.get("ReadWriteType", "All"), frozenset())
    return kinds, frozenset(selector.get("ExcludeManagementEventSources") or ())


def _advanced(selector: Mapping[str, Any], narrowed: list[str]) -> _Selector:
    """Return what an advanced selector records: all its fields must match.

    If it has a field or operator by which it records only some events, that goes to `narrowed` and the
    selector counts as recording nothing.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
    """
    kinds, excluded, category = _BOTH, frozenset[str](), False
    fields: list[str] = []
    for test in selector.get("FieldSelectors") or ():
        name = test.get("Field", "")
        match [(operator, values) for operator, values in test.items() if operator != "Field" and values]:
            case [("Equals", values)] if name == "eventCategory":
                category = "Management" in values
            case [("Equals", values)] if name == "readOnly":
                kinds = frozenset().union(*(_READ_ONLY.get(value, frozenset()) for value in values))
            case [("NotEquals", values)] if name == "eventSource":
                excluded |= frozenset(values)
            case operators:
                fields.append(f"{name} {' and '.join(operator for operator, _ in operators)}".strip())
    if not category:
        return _NOTHING
    narrowed += fields
    return _NOTHING if fields else (kinds, excluded)
