"""Finds the resource to name when an event is lost although no hop failed: some rule did not match."""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from alertpath.eventbridge.pattern import PatternError, matches
from alertpath.model import Deployment, Rule
from alertpath.scenarios import Scenario
from alertpath.trace import Ending, default_bus
from breakglass import naming
from breakglass.naming import Way


def bus_of(deployment: Deployment, way: Way) -> str:
    """Return the ARN of the bus where a way ends; where no given stack has it, one that is nowhere."""
    return deployment.bus_of(way) or naming.bus_arn("", "", way.bus)


class Blame:
    """Finds the rule that is wrong.

    A relay's rules are the same in every Region, so the odd one out is the one that was changed. On the hub
    the detection's own rule is to blame, on the watchdog the closest one, or its absence.
    """

    def __init__(self, deployment: Deployment, played: Sequence[Scenario]) -> None:
        """Finds the usual pattern of each relay rule: the one that most Regions have.

        `played` are all scenarios: a rule of the watchdog that takes none of them was edited.
        """
        self._deployment = deployment
        self._played = played
        patterns: dict[tuple[str, str], Counter[str]] = {}
        for bus in deployment.default_buses:
            for rule in deployment.rules[bus]:
                patterns.setdefault((bus.split(":")[4], rule.name), Counter())[rule.pattern] += 1
        self._usual = {key: counted.most_common(1)[0][0] for key, counted in patterns.items()}

    def taking(self, scenario: Scenario) -> Rule:
        """Return the rule on the event's default bus that takes it; there is one, as the event went on."""
        rules = self._deployment.rules[default_bus(scenario.event)]
        return next((rule for rule in rules if takes(rule, scenario)), rules[0])

    def missing(
        self, scenario: Scenario, endings: Sequence[Ending], way: Way, destination: str
    ) -> tuple[str, str]:
        """Return resource and reason for a destination that the event did not reach."""
        bus = bus_of(self._deployment, way)
        if scenario.detection == "key-change" and way is naming.HUB:
            return self._detection(scenario, way, destination, default_bus(scenario.event))
        if any(bus in ending.through for ending in endings):
            return self._detection(scenario, way, destination, bus)
        if scenario.detection == "key-change":
            return self._detection(scenario, way, bus, default_bus(scenario.event))
        return self._relay(scenario, way)

    def _rules(self, bus: str) -> list[Rule]:
        return self._deployment.rules.get(bus, [])

    def _relay(self, scenario: Scenario, way: Way) -> tuple[str, str]:
        bus = default_bus(scenario.event)
        _, _, _, region, account, _ = bus.split(":", 5)
        here = {rule.name: rule for rule in self._rules(bus)}
        relays = {
            name
            for owner, name in self._usual
            if owner == account and (name == way.relay_rule or name.startswith(f"{way.relay_rule}-"))
        }
        for name in sorted(relays - here.keys()):
            return bus, f"rule {name} is missing in {region} of {account}"
        for name in sorted(relays & here.keys()):
            if here[name].pattern != self._usual[account, name]:
                return here[name].urn, f"the pattern of rule {name} differs from that in other Regions"
        if not relays:
            return bus, f"no relay to the {way.name} in {region} of {account}"
        closest = max((here[name] for name in sorted(relays)), key=lambda rule: _closeness(rule, scenario))
        return closest.urn, f"no rule in {region} of {account} matches, rule {closest.name} comes closest"

    def _detection(self, scenario: Scenario, way: Way, destination: str, bus: str) -> tuple[str, str]:
        noun = scenario.detection
        if (
            way is naming.WATCHDOG
            and noun not in ("heartbeat", "drill")
            and bus == bus_of(self._deployment, way)
        ):
            noun = "alert"
        elif destination.endswith(f":log-group:{naming.AUDIT_LOG_GROUP}") and noun != "key-change":
            noun = "record"
        wanted = f"{naming.RULE_PREFIX}{noun}"
        rules = [
            rule for rule in self._rules(bus) if rule.name == wanted or rule.name.startswith(f"{wanted}-")
        ]
        if not rules:
            urn = self._deployment.buses[bus].urn if bus in self._deployment.buses else bus
            return urn, f"rule {wanted} is missing"
        taking = [rule for rule in rules if takes(rule, scenario)]
        if taking:
            return taking[0].urn, f"rule {taking[0].name} has no target {destination.split(':', 5)[-1]}"
        if noun == "alert":  # any of the rules may have held it
            idle = (rule for rule in rules if not any(takes(rule, one) for one in self._played))
            odd = next(idle, None) or max(rules, key=lambda rule: _closeness(rule, scenario))
        else:
            odd = min(rules, key=lambda rule: _closeness(rule, scenario))
        return odd.urn, f"rule {odd.name} does not match"


def takes(rule: Rule, scenario: Scenario) -> bool:
    """Whether a rule's pattern matches a scenario's event; one that cannot be evaluated does not."""
    try:
        return matches(rule.pattern, scenario.event)
    except PatternError:
        return False


def _closeness(rule: Rule, scenario: Scenario) -> float:
    """Return the share of a pattern's fields that an event matches, of its best branch."""
    try:
        pattern = json.loads(rule.pattern)
    except ValueError:
        return 0.0
    shares = [0.0]
    for branch in pattern.get("$or", [pattern]):
        met = 0
        for name, value in branch.items() if isinstance(branch, dict) else ():
            with suppress(PatternError):
                met += matches({name: value}, scenario.event)
        shares.append(met / len(branch) if branch else 0.0)
    return max(shares)
