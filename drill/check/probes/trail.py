"""A trail records what happens: without one EventBridge hears nothing, and nobody says so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from breakglass import naming
from drill.account import CANNOT_TELL, explained
from drill.check.finding import Finding, not_ready, ready, unknown
from drill.check.subject import Subject

_KMS = "kms.amazonaws.com"
_BOTH = frozenset({"read", "write"})
_TYPES = {"All": _BOTH, "ReadOnly": frozenset({"read"}), "WriteOnly": frozenset({"write"})}
_READ_ONLY = {"true": frozenset({"read"}), "false": frozenset({"write"})}

_ADVICE = (
    "an organisation trail in the management account (with --is-organization-trail), or one here; its BUCKET "
    "must let CloudTrail in: "
    "https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html"
)


@dataclass(frozen=True, kw_only=True)
class _Lack:
    """What is wrong with a trail, and what mends it, in words or as a command."""

    text: str
    fix: str = ""
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """One trail.

    Attributes:
        name: Its name.
        lacks: What it lacks.
        problem: Why it cannot be told whether it lacks anything (more); "" where it can.
        notes: What is worth a word and does not matter to the alarm.
    """

    name: str
    lacks: Sequence[_Lack]
    problem: str
    notes: Sequence[str]


def trail(subject: Subject) -> Iterator[Finding]:
    """See that one trail records read and write management events of this account in all Regions.

    EventBridge gets of CloudTrail what a trail records, and nothing where none is logging
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html). A trail of
    the organisation counts; an account of it may not be allowed to see what that one records.
    """
    client = subject.account.client("cloudtrail")
    found = client.describe_trails(includeShadowTrails=True).get("trailList") or ()
    seen = [_look(subject, one) for one in found]
    good = [one for one in seen if not one.lacks and not one.problem]
    if not seen:
        where = f"--name breakglass --region {naming.HOME_REGION}"
        yield not_ready(
            "there is no trail: EventBridge hears nothing, nobody is told anything",
            subject.aws(f"cloudtrail create-trail {where} --is-multi-region-trail --s3-bucket-name BUCKET"),
            subject.aws(f"cloudtrail start-logging {where}"),
            fix=_ADVICE,
        )
    elif good:
        notes = "".join(f"; {note}" for note in good[0].notes)
        yield ready(f"trail {good[0].name} records read and write management events in all Regions{notes}")
    else:
        yield from _none_is_good(seen)


def _none_is_good(seen: Sequence[_Seen]) -> Iterator[Finding]:
    # A trail that could be the good one leaves it open what the others' lacks mean.
    doubtful = any(not one.lacks for one in seen)
    for one in seen:
        if not one.lacks:
            yield unknown(f"trail {one.name}: {one.problem}")
            continue
        text = f"trail {one.name}: {', '.join(lack.text for lack in one.lacks)}"
        fix = "; ".join(lack.fix for lack in one.lacks if lack.fix)
        commands = [lack.command for lack in one.lacks if lack.command]
        yield unknown(text, *commands, fix=fix) if doubtful else not_ready(text, *commands, fix=fix)


def _look(subject: Subject, found: Mapping[str, Any]) -> _Seen:
    arn = str(found.get("TrailARN", ""))
    name, region = found.get("Name") or arn, found.get("HomeRegion") or naming.HOME_REGION
    owner = arn.split(":")[4] if arn.count(":") > 4 else subject.account.id
    profile = subject.stacks.get(owner, f"PROFILE_OF_{owner}")
    which = f"--name {arn} --region {region} --profile {profile}"
    lacks: list[_Lack] = []
    notes: list[str] = []
    problem = ""
    if not found.get("IsMultiRegionTrail"):
        command = f"aws cloudtrail update-trail --is-multi-region-trail {which}"
        lacks.append(_Lack(text=f"is of {region} only", command=command))
    try:
        client = subject.account.client("cloudtrail", region)
        status = client.get_trail_status(Name=arn)
        if not status["IsLogging"]:
            command = f"aws cloudtrail start-logging {which}"
            lacks.append(_Lack(text="is not logging", command=command))
        if status.get("LatestDeliveryError"):
            # EventBridge gets the events all the same, so the alarm does not depend on it.
            notes.append(f"its delivery to the bucket fails: {status['LatestDeliveryError']}")
        recorded = _recorded(client.get_event_selectors(TrailName=arn))
        edit = f"CloudTrail console of account {owner}, Trails, {name}, Management events, Edit"
        lacks += _missing(recorded, edit=edit, hub=subject.stack.settings.alerts is not None)
        notes += _notes(recorded)
    except CANNOT_TELL as error:
        problem = explained(error)
    except KeyError as error:
        problem = f"AWS's answer has no {error}"
    return _Seen(name=name, lacks=lacks, problem=problem, notes=notes)


@dataclass(kw_only=True)
class _Recorded:
    """What a trail's selectors let through of the management events.

    Attributes:
        general: "read" and "write", as far as they are recorded of services that are left out nowhere.
        of: The same of services that a selector leaves out.
        narrowed: Fields by which a selector takes only some events.
    """

    general: frozenset[str] = frozenset()
    of: dict[str, frozenset[str]] = field(default_factory=dict)
    narrowed: list[str] = field(default_factory=list)


def _recorded(answer: Mapping[str, Any]) -> _Recorded:
    """Return what all selectors together let through: one that matches is enough.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html

    Raises:
        KeyError: The answer names no selector.
    """
    if not answer.get("EventSelectors") and not answer.get("AdvancedEventSelectors"):
        raise KeyError("EventSelectors")  # every trail has some
    narrowed: list[str] = []
    taken = [_basic(one) for one in answer.get("EventSelectors") or ()]
    taken += [_advanced(one, narrowed) for one in answer.get("AdvancedEventSelectors") or ()]
    recorded = _Recorded(narrowed=narrowed)
    for source in {source for _, left_out in taken for source in left_out}:
        let = (kinds for kinds, left_out in taken if source not in left_out)
        recorded.of[source] = frozenset().union(*let)
    recorded.general = frozenset().union(*(kinds for kinds, _ in taken))
    return recorded


_Taken = tuple[frozenset[str], frozenset[str]]
"""What a selector takes, and the services that it leaves out."""

_NOTHING: _Taken = (frozenset(), frozenset())


def _basic(selector: Mapping[str, Any]) -> _Taken:
    """Return what a basic selector takes; without a word it takes everything.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
    """
    if not selector.get("IncludeManagementEvents", True):
        return _NOTHING
    kinds = _TYPES.get(selector.get("ReadWriteType", "All"), frozenset())
    return kinds, frozenset(selector.get("ExcludeManagementEventSources") or ())


def _advanced(selector: Mapping[str, Any], narrowed: list[str]) -> _Taken:
    """Return what an advanced selector takes: all its fields must match.

    A field or operator by which it takes only some of the events goes to `narrowed`, and it then counts for
    nothing.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
    """
    kinds, left_out, category = _BOTH, frozenset[str](), False
    fields: list[str] = []
    for one in selector.get("FieldSelectors") or ():
        name = one.get("Field", "")
        match [(operator, values) for operator, values in one.items() if operator != "Field" and values]:
            case [("Equals", values)] if name == "eventCategory":
                category = "Management" in values
            case [("Equals", values)] if name == "readOnly":
                kinds = frozenset().union(*(_READ_ONLY.get(value, frozenset()) for value in values))
            case [("NotEquals", values)] if name == "eventSource":
                left_out |= frozenset(values)
            case operators:
                fields.append(f"{name} {' and '.join(operator for operator, _ in operators)}".strip())
    if not category:
        return _NOTHING
    narrowed += fields
    return _NOTHING if fields else (kinds, left_out)


def _missing(recorded: _Recorded, *, edit: str, hub: bool) -> Iterator[_Lack]:
    """Yield what the alarm needs and a trail does not record."""
    lacking = sorted(_BOTH - recorded.general)
    if lacking:
        only = f" (it takes only some, by {', '.join(recorded.narrowed)})" if recorded.narrowed else ""
        text = f"does not record {' and '.join(lacking)} management events{only}"
        yield _Lack(text=text, fix=f"{edit}: Read and Write, exclude nothing")
    elif hub and "write" not in recorded.of.get(_KMS, _BOTH):
        # The alarm's key lives here: whoever disables it would silence the first topic unheard (key-change).
        text = f"leaves out {_KMS}, so that nobody hears a change of the alarm's key"
        yield _Lack(text=text, fix=f"{edit}: do not exclude AWS KMS events")


def _notes(recorded: _Recorded) -> Iterator[str]:
    less = sorted(source for source, kinds in recorded.of.items() if kinds < _BOTH)
    if less:
        yield f"leaves out events of {', '.join(less)}"
