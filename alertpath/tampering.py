"""Does the message about a blow arrive although the blow has landed? Each is played after its own effect.

A message may arrive by either way: what breaks one is told by the other. Recipients count as confirmed here,
and a key that does not exist yet as the one that will: the other part of the proof speaks of those.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from alertpath.blows import Blow, blows
from alertpath.model import UNKNOWN, Deployment, Topic
from alertpath.proof import scope_of
from alertpath.scenarios import Event, Scenario, Scope, scenarios
from alertpath.trace import Ending, trace
from breakglass import naming
from breakglass.naming import Way


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What became of one blow.

    Attributes:
        ways: By which ways people are told of it, although it has landed.
        lost: Scenarios of which, after it, nobody is told any more.
        reason: Why it is not told, if it is not.
        resource: Where its event stops, if it is not told.
    """

    blow: Blow
    ways: Sequence[Way]
    lost: Sequence[Scenario]
    reason: str = ""
    resource: str = ""

    @property
    def good(self) -> bool:
        """Whether it is told, and ends nothing that could still be told."""
        return bool(self.ways) and (not self.lost or bool(self.blow.known))


@dataclass(frozen=True, kw_only=True)
class Row:
    """All blows to one kind of resource.

    Attributes:
        hit: What is hit.
        count: How many blows.
        by: How many of them people are told of by each way.
        unheard: How many by neither.
        losing: How many end scenarios that nobody is told of any more.
        known: Why that is so, where no second way can help; "" if it must not be.
    """

    hit: str
    count: int
    by: Mapping[Way, int]
    unheard: int
    losing: int
    known: str


Paths = frozenset[frozenset[str]]
"""The paths by which an event reaches people, each as the set of what it depends on."""


@dataclass(frozen=True)
class _Told:
    """A scenario of which people must be told, and how it reaches them."""

    scenario: Scenario
    paths: Paths


def play(deployment: Deployment, watched: Callable[[Sequence[Blow]], Iterable[Blow]] = iter) -> list[Heard]:
    """Return what becomes of each blow; an empty list if the hub is not in any given stack.

    Args:
        deployment: What is deployed.
        watched: Passes the blows on, and may show how far they are.
    """
    scope = scope_of(deployment)
    if scope is None:
        return []
    whole = with_recipients(deployment)
    # What nobody is told of even now is the other part's to report.
    through: dict[str, list[_Told]] = {}
    for told in _all_told(whole, scope):
        for arn in frozenset().union(*told.paths):
            through.setdefault(arn, []).append(told)
    return [_heard(whole, blow, through) for blow in watched(list(blows(whole)))]


def with_recipients(deployment: Deployment) -> Deployment:
    """Return the deployment with its recipients confirmed and, if its key is not known yet, with that key."""
    keys = list({key.arn for key in deployment.keys.values()})

    def topic(one: Topic) -> Topic:
        key = keys[0] if one.key == UNKNOWN and len(keys) == 1 else one.key
        return replace(one, key=key, subscriptions=[(urn, False) for urn, _ in one.subscriptions])

    return replace(deployment, topics={arn: topic(one) for arn, one in deployment.topics.items()})


def _arrivals(endings: Iterable[Ending]) -> Iterator[tuple[Way, Ending]]:
    """Yield each message that people get, with the way by which it comes."""
    for ending in endings:
        if ending.message is not None:
            topic = ending.destination.rsplit(":", 1)[-1]
            for way in naming.WAYS:
                if topic in (way.topic, way.alarms_topic):
                    yield way, ending


def _paths(deployment: Deployment, event: Event) -> Paths:
    return frozenset(ending.through for _, ending in _arrivals(trace(deployment, event)))


def _avoid(paths: Paths, touched: frozenset[str]) -> bool:
    """Whether one of the paths depends on nothing that was touched."""
    return any(touched.isdisjoint(path) for path in paths)


def _all_told(whole: Deployment, scope: Scope) -> list[_Told]:
    notifying = (scenario for scenario in scenarios(scope) if scenario.action == "notify")
    return [_Told(scenario, _paths(whole, scenario.event)) for scenario in notifying]


def _heard(whole: Deployment, blow: Blow, through: Mapping[str, Sequence[_Told]]) -> Heard:
    """Return what becomes of a blow; `through` has the scenarios that depend on each part."""
    after = blow.effect(whole)
    endings = trace(after, blow.event)
    arrived = {way for way, _ in _arrivals(endings)}
    stopped = next((ending for ending in endings if ending.reason and ending.message is None), None)
    # A path that depends on nothing that was touched is as it was; the others are played again.
    hit = {id(told): told for arn in blow.touched for told in through.get(arn, ())}
    doubtful = (told.scenario for told in hit.values() if not _avoid(told.paths, blow.touched))
    return Heard(
        blow=blow,
        ways=[way for way in naming.WAYS if way in arrived],
        lost=[scenario for scenario in doubtful if not any(_arrivals(trace(after, scenario.event)))],
        reason="" if arrived else stopped.reason if stopped else "no rule matches its event",
        resource="" if arrived or stopped is None else stopped.resource,
    )


def table(heard: Iterable[Heard]) -> list[Row]:
    """Return a row for each kind of resource that is hit, in the order in which they come."""
    hits: dict[str, list[Heard]] = {}
    for one in heard:
        hits.setdefault(one.blow.hit, []).append(one)
    return [
        Row(
            hit=hit,
            count=len(ones),
            by={way: sum(way in one.ways for one in ones) for way in naming.WAYS},
            unheard=sum(not one.ways for one in ones),
            losing=sum(bool(one.lost) for one in ones),
            known=next((one.blow.known for one in ones if one.lost), ""),
        )
        for hit, ones in hits.items()
    ]


def bad(heard: Iterable[Heard]) -> list[Heard]:
    """Return the blows that are not told, or that end what could still be told."""
    return [one for one in heard if not one.good]


# --- Pairs ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """What two blows within one account do, both landed before either message has left.

    Attributes:
        count: Number of pairs.
        silent: Pairs of which neither message arrives and after which a scenario is lost.
        hits: How many of these there are, by what the two hit.
    """

    count: int
    silent: int
    hits: Mapping[tuple[str, str], int]


def pairs(deployment: Deployment) -> Pairs:
    """Return what all pairs of blows within one account do, judged by what the ways depend on.

    A way counts as broken if any part of it was touched: with this the number is an upper bound.
    """
    whole = with_recipients(deployment)
    scope = scope_of(whole)
    if scope is None:
        return Pairs(count=0, silent=0, hits={})
    standing = [told for told in _all_told(whole, scope) if told.paths]
    # Blows that touch the same and whose message depends on the same are alike: thousands are a few dozen.
    alike: dict[str, Counter[tuple[frozenset[str], Paths, str]]] = {}
    for blow in blows(whole):
        message = _paths(whole, blow.event)
        alike.setdefault(blow.account, Counter())[blow.touched, message, blow.hit] += 1
    count = silent = 0
    hits: Counter[tuple[str, str]] = Counter()
    for account, groups in alike.items():
        own = [told for told in standing if told.scenario.event["account"] == account]
        losing: dict[frozenset[str], bool] = {}
        for (first, many), (second, others) in combinations_with_replacement(groups.items(), 2):
            number = many * (many - 1) // 2 if first == second else many * others
            count += number
            touched = first[0] | second[0]
            if not number or not touched or any(_avoid(group[1], touched) for group in (first, second)):
                continue
            if touched not in losing:
                losing[touched] = not all(_avoid(told.paths, touched) for told in own)
            if losing[touched]:
                silent += number
                hits[first[2], second[2]] += number
    return Pairs(count=count, silent=silent, hits=dict(hits.most_common()))
