"""Whether everything that must ring would ring, and nothing else: every scenario traced and judged."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alertpath.eventbridge.pattern import PatternError, matches
from alertpath.model import UNKNOWN, Deployment, Rule
from alertpath.scenarios import Scenario, Scope, scenarios
from alertpath.trace import Ending, Outcome, default_bus, trace

TOPIC = "breakglassuser-console-logins"
WATCHDOG = "breakglass-watchdog"
AUDIT_LOG = "log-group:/breakglass/audit"
HUB_BUS = "event-bus/breakglass"
RULE_PREFIX = "capture-breakglass-"


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What became of one scenario.

    Attributes:
        scenario: The scenario.
        outcome: `DELIVERED` or `RECORDED` as expected, or the worst that happened on the way; for what must
            stay quiet, or be recorded only, `DELIVERED` means that it rings.
        resource: URN or ARN of the resource to look at; "" when all is well.
        reason: What is wrong; "" when all is well.
        message: The text that people receive.
    """

    scenario: Scenario
    outcome: Outcome
    resource: str = ""
    reason: str = ""
    message: str | None = None

    @property
    def good(self) -> bool:
        """Whether it went as it must."""
        return not self.reason

    @property
    def account(self) -> str:
        """Account that the event was recorded in."""
        return self.scenario.event["account"]

    @property
    def region(self) -> str:
        """Region that the event was recorded in."""
        return self.scenario.event["region"]


def scope_of(deployment: Deployment) -> Scope | None:
    """Return what scenarios are to be made for, or None when no hub is among what was given."""
    hubs = [arn.split(":")[4] for arn in deployment.buses if arn.endswith(HUB_BUS)]
    if not hubs:
        return None
    hub = hubs[0]
    relays = {bus.split(":")[4] for bus in deployment.rules if bus.endswith("event-bus/default")}
    regions = {account: _regions(deployment, account) for account in sorted({hub} | relays)}
    roles = [name for names in deployment.roles_for_users.values() for name in names]
    keys = {key.arn: key for key in deployment.keys.values() if UNKNOWN not in key.arn}
    return Scope(
        hub=hub,
        members=[account for account in regions if account != hub],
        regions=regions,
        users=deployment.users.get(hub, []),
        role=Counter(roles).most_common(1)[0][0] if roles else "BreakGlassRole",
        keys=[(arn.rsplit("/", 1)[-1], arn) for arn in keys],
    )


def _regions(deployment: Deployment, account: str) -> list[str]:
    """Return the Regions that the account's stack says are covered; else those that have rules."""
    if account in deployment.regions:
        return deployment.regions[account]
    parts = [bus.split(":") for bus in deployment.rules if bus.endswith("event-bus/default")]
    return sorted({part[3] for part in parts if part[4] == account})


def prove(deployment: Deployment) -> list[Judgement]:
    """Return the judgement of every scenario; an empty list when no hub is among what was given."""
    scope = scope_of(deployment)
    if scope is None:
        return []
    blame = Blame(deployment)
    judgements = [judge(deployment, blame, scenario) for scenario in scenarios(scope)]
    return [*judgements, *_not_known_yet(deployment)]


def _not_known_yet(deployment: Deployment) -> Iterator[Judgement]:
    """Yield one judgement for each rule whose pattern is made of something that AWS has yet to name."""
    for bus, rules in deployment.rules.items():
        for rule in rules:
            if rule.pattern == UNKNOWN:
                _, _, _, region, account, _ = bus.split(":", 5)
                scenario = Scenario(
                    name="not known yet",
                    detection=rule.name.removeprefix(RULE_PREFIX),
                    action="notify",
                    event={"account": account, "region": region},
                )
                reason = f"the pattern of rule {rule.name} is not known before the deployment"
                yield _bad(scenario, Outcome.UNPROVEN, rule.urn, reason)


def judge(deployment: Deployment, blame: "Blame", scenario: Scenario) -> Judgement:
    """Return what becomes of one scenario, and whom to blame when that is not what must be."""
    endings = trace(deployment, scenario.event)
    if scenario.action == "quiet":
        if not endings:
            return Judgement(scenario=scenario, outcome=Outcome.RECORDED)
        rule = blame.taker(scenario)
        reason = f"must stay quiet, but rule {rule.name} takes it"
        return _bad(scenario, endings[0].outcome, rule.urn, reason)
    if scenario.action == "record" and (teller := blame.teller(scenario, endings)):
        reason = f"must be recorded only, but rule {teller.name} tells people"
        return _bad(scenario, Outcome.DELIVERED, teller.urn, reason)
    for outcome in (Outcome.LOST, Outcome.UNSAFE, Outcome.UNPROVEN):
        for ending in endings:
            if ending.outcome is outcome and not _blames_the_hub_bus(ending):
                return _bad(scenario, outcome, ending.resource, ending.reason)
    reached = {ending.destination.split(":", 5)[-1].removesuffix(":*") for ending in endings}
    for wanted in _destinations(scenario):
        if wanted not in reached:
            return _bad(scenario, Outcome.LOST, *blame.missing(scenario, endings, wanted))
    messages = [ending.message for ending in endings if ending.message is not None]
    return Judgement(
        scenario=scenario,
        outcome=Outcome.DELIVERED if messages else Outcome.RECORDED,
        message=messages[0] if messages else None,
    )


def _blames_the_hub_bus(ending: Ending) -> bool:
    """Whether the ending is "no rule on the hub matches": who is to blame for that is seen more closely."""
    return (
        ending.outcome is Outcome.LOST and ending.destination.endswith(HUB_BUS) and "matches" in ending.reason
    )


def _bad(scenario: Scenario, outcome: Outcome, resource: str, reason: str) -> Judgement:
    return Judgement(scenario=scenario, outcome=outcome, resource=resource, reason=reason)


def _destinations(scenario: Scenario) -> Sequence[str]:
    """Return the ends that the scenario's event must reach, as the last part of their ARNs."""
    topics = [TOPIC, WATCHDOG] if scenario.both else [TOPIC]
    return [*topics, AUDIT_LOG] if scenario.action == "notify" else [AUDIT_LOG]


class Blame:
    """Finds the resource to name when an event does not arrive and no hop failed: some rule did not match.

    A relay's rules are the same in every Region, so the odd one out is the one that was changed. On the hub
    the detection's own rule is to blame, or its absence.
    """

    def __init__(self, deployment: Deployment) -> None:
        """Learn what the relays' rules have in common."""
        self._deployment = deployment
        self._usual: dict[tuple[str, str], str] = {}
        patterns: dict[tuple[str, str], Counter[str]] = {}
        for bus, rules in deployment.rules.items():
            if bus.endswith("event-bus/default"):
                for rule in rules:
                    patterns.setdefault((bus.split(":")[4], rule.name), Counter())[rule.pattern] += 1
        for key, counted in patterns.items():
            self._usual[key] = counted.most_common(1)[0][0]

    def taker(self, scenario: Scenario) -> Rule:
        """Return the rule on the event's default bus that takes it; there is one, as the event went on."""
        rules = self._deployment.rules[default_bus(scenario.event)]
        return next((rule for rule in rules if takes(rule, scenario)), rules[0])

    def teller(self, scenario: Scenario, endings: Sequence[Ending]) -> Rule | None:
        """Return the first rule that sends the event to a topic, whether or not it arrives; None if none."""
        telling = {ending.rule for ending in endings if ending.destination.split(":")[2:3] == ["sns"]}
        hubs = [arn for arn in self._deployment.buses if arn.endswith(HUB_BUS)]
        on_the_way = [
            rule
            for bus in (default_bus(scenario.event), *hubs)
            for rule in self._deployment.rules.get(bus, [])
        ]
        return next((rule for rule in on_the_way if rule.name in telling and takes(rule, scenario)), None)

    def missing(self, scenario: Scenario, endings: Sequence[Ending], wanted: str) -> tuple[str, str]:
        """Return resource and reason for an end that the event did not reach."""
        if scenario.detection == "key-change":
            return self._detection(scenario, wanted, default_bus(scenario.event))
        if not endings:
            return self._relay(scenario)
        hub = next(arn for arn in self._deployment.buses if arn.endswith(HUB_BUS))
        return self._detection(scenario, wanted, hub)

    def _relay(self, scenario: Scenario) -> tuple[str, str]:
        bus = default_bus(scenario.event)
        _, _, _, region, account, _ = bus.split(":", 5)
        here = {rule.name: rule for rule in self._deployment.rules.get(bus, [])}
        relays = {
            name for owner, name in self._usual if owner == account and not name.startswith(RULE_PREFIX)
        }
        for name in sorted(relays - here.keys()):
            return bus, f"rule {name} is missing in {region} of {account}"
        for name in sorted(relays & here.keys()):
            if here[name].pattern != self._usual[account, name]:
                return here[name].urn, f"the pattern of rule {name} differs from that in other Regions"
        if not relays:
            return bus, f"no relay in {region} of {account}"
        closest = max((here[name] for name in sorted(relays)), key=lambda rule: _likeness(rule, scenario))
        return closest.urn, f"no rule in {region} of {account} matches, rule {closest.name} comes closest"

    def _detection(self, scenario: Scenario, wanted: str, bus: str) -> tuple[str, str]:
        noun = scenario.detection
        if wanted == AUDIT_LOG and noun not in ("heartbeat", "key-change"):
            noun = "record"
        rules = [
            rule
            for rule in self._deployment.rules.get(bus, [])
            if rule.name == RULE_PREFIX + noun or rule.name.startswith(f"{RULE_PREFIX}{noun}-")
        ]
        if not rules:
            urn = self._deployment.buses[bus].urn if bus in self._deployment.buses else bus
            return urn, f"rule {RULE_PREFIX}{noun} is missing"
        taking = [rule for rule in rules if takes(rule, scenario)]
        if taking:
            return taking[0].urn, f"rule {taking[0].name} has no target {wanted}"
        odd = min(rules, key=lambda rule: _likeness(rule, scenario))
        return odd.urn, f"rule {odd.name} does not match"


def takes(rule: Rule, scenario: Scenario) -> bool:
    """Whether a rule's pattern matches a scenario's event; one that cannot be evaluated does not."""
    try:
        return matches(rule.pattern, scenario.event)
    except PatternError:
        return False


def _likeness(rule: Rule, scenario: Scenario) -> float:
    """Return how much of a pattern an event meets: the best share of one branch's fields."""
    try:
        pattern = json.loads(rule.pattern)
    except ValueError:
        return 0.0
    return max((_share(branch, scenario) for branch in pattern.get("$or", [pattern])), default=0.0)


def _share(branch: object, scenario: Scenario) -> float:
    if not isinstance(branch, dict) or not branch:
        return 0.0
    met = 0
    for name, value in branch.items():
        try:
            met += matches({name: value}, scenario.event)
        except PatternError:
            continue
    return met / len(branch)


def problems(judgements: Sequence[Judgement]) -> Iterator[Judgement]:
    """Yield the judgements that are not as they must be."""
    return (judgement for judgement in judgements if not judgement.good)
