"""Whether everything that must ring would ring, and nothing else: every scenario is traced and judged."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from alertpath.blame import Blame, bus_of
from alertpath.model import UNKNOWN, Deployment
from alertpath.scenarios import Scenario, Scope, scenarios
from alertpath.trace import Outcome, trace
from breakglass import naming
from breakglass.naming import Way


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What became of one scenario.

    Attributes:
        outcome: `DELIVERED` or `RECORDED` as expected, or the worst outcome of the event's paths. `DELIVERED`
            with a reason means that people are told of what must stay quiet or only be recorded.
        resource: URN or ARN of the resource to look at; "" if all is well.
        reason: What is wrong; "" if all is well.
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


ANY = "(any)"
"""Stands for the detection where nothing is known of an account."""

_SHOWN = 5
"""Accounts that a reason names; more would make it unreadable."""

_FIXES = {
    "confirmed": "each recipient uses the link in AWS's mail; then `pulumi refresh`, and export again",
    "nothing was given": "give the export of each such account's stack as well",
    "not known before the deployment": "deploy, and export again",
}
"""What mends a finding, by words of its reason."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something wrong: one resource and reason, with all judgements that it spoils."""

    resource: str
    reason: str
    judgements: Sequence[Judgement]

    @property
    def count(self) -> int:
        """Number of scenarios that it spoils."""
        return len(self.judgements)

    @property
    def fix(self) -> str:
        """What mends it where that is not a change of the resource; else ""."""
        return next((fix for words, fix in _FIXES.items() if words in self.reason), "")


def problems(judgements: Iterable[Judgement]) -> list[Judgement]:
    """Return the judgements that are not as they must be."""
    return [judgement for judgement in judgements if not judgement.good]


def findings(judgements: Iterable[Judgement]) -> list[Finding]:
    """Return what is wrong, once for each resource and reason; what spoils most scenarios comes first."""
    grouped: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in problems(judgements):
        grouped.setdefault((judgement.resource, judgement.reason), []).append(judgement)
    found = [
        Finding(resource=resource, reason=reason, judgements=spoilt)
        for (resource, reason), spoilt in grouped.items()
    ]
    return sorted(found, key=lambda finding: -finding.count)


def scope_of(deployment: Deployment) -> Scope | None:
    """Return what to make scenarios for; None if the hub is not in any given stack."""
    hub_bus, watchdog_bus = (deployment.bus_of(way) for way in naming.WAYS)
    if hub_bus is None:
        return None
    hub = hub_bus.split(":")[4]
    with_rules: dict[str, set[str]] = {hub: set()}
    for bus in deployment.default_buses:
        region, account = bus.split(":")[3:5]
        with_rules.setdefault(account, set()).add(region)
    # What the account's stack says is covered; if it does not say, where it has rules.
    regions = {
        account: deployment.regions.get(account, sorted(with_rules[account]))
        for account in sorted(with_rules)
    }
    roles = [name for names in deployment.roles_for_users.values() for name in names]
    keys = dict.fromkeys(key.arn for key in deployment.keys.values() if UNKNOWN not in key.arn)
    return Scope(
        hub=hub,
        members=[account for account in regions if account != hub],
        regions=regions,
        users=deployment.users.get(hub, []),
        role=Counter(roles).most_common(1)[0][0] if roles else "BreakGlassRole",
        keys=[(arn.rsplit("/", 1)[-1], arn) for arn in keys],
        watchdog=None if watchdog_bus is None else (watchdog_bus.split(":")[4], watchdog_bus.split(":")[3]),
    )


def prove(
    deployment: Deployment, watched: Callable[[Sequence[Scenario]], Iterable[Scenario]] = iter
) -> list[Judgement]:
    """Return the judgement of every scenario; an empty list if the hub is not in any given stack.

    Args:
        watched: Passes the scenarios on, and may show how far they are.
    """
    scope = scope_of(deployment)
    if scope is None:
        return []
    played = list(scenarios(scope))
    blame = Blame(deployment, played)
    judgements = [judge(deployment, blame, scenario) for scenario in watched(played)]
    for bus, rules in deployment.rules.items():
        for rule in rules:
            if rule.pattern == UNKNOWN:  # it needs a name that AWS has not assigned yet
                _, _, _, region, account, _ = bus.split(":", 5)
                scenario = Scenario(
                    name="not known yet",
                    detection=rule.name.removeprefix(naming.RULE_PREFIX),
                    action="notify",
                    event={"account": account, "region": region},
                )
                reason = f"the pattern of rule {rule.name} is not known before the deployment"
                judgements.append(_bad(scenario, Outcome.UNPROVEN, rule.urn, reason))
    return judgements


def not_given(deployment: Deployment) -> list[Judgement]:
    """Return a judgement "cannot prove" for each account that the hub names and of which nothing is given.

    The hub's policy lets such an account send, so it is meant to be covered; whether its relays would is not
    known. Accounts that are let in as part of an organisation are not named: see `organizations`.
    """
    hub = deployment.buses.get(deployment.bus_of(naming.HUB) or "")
    if hub is None:
        return []
    given = {arn.split(":")[4] for arn in (*deployment.rules, *deployment.roles)}
    named = dict.fromkeys(re.findall(r"\barn:aws:iam::([0-9]{12}):", hub.policy or ""))
    absent = [account for account in named if account not in given]
    shown = ", ".join(absent[:_SHOWN]) + (f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else "")
    reason = f"nothing was given of {shown}, which may send to the hub"
    return [
        _bad(
            Scenario(
                name="anything",
                detection=ANY,
                action="notify",
                event={"account": account, "region": naming.HOME_REGION},
            ),
            Outcome.UNPROVEN,
            hub.to_blame,
            reason,
        )
        for account in absent
    ]


def organizations(deployment: Deployment) -> list[str]:
    """Return the ids of the organisations whose accounts may all send to the hub: nothing here names them."""
    hub = deployment.buses.get(deployment.bus_of(naming.HUB) or "")
    return sorted(set(re.findall(r"\bo-[a-z0-9]{10,32}\b", (hub.policy if hub else None) or "")))


def judge(deployment: Deployment, blame: Blame, scenario: Scenario) -> Judgement:
    """Return what becomes of one scenario, and the resource to blame if that is not what must be."""
    endings = trace(deployment, scenario.event)
    if scenario.action == "quiet":
        if not endings:
            return Judgement(scenario=scenario, outcome=Outcome.RECORDED)
        rule = blame.taking(scenario)
        reason = f"must stay quiet, but rule {rule.name} takes it"
        return _bad(scenario, endings[0].outcome, rule.urn, reason)
    telling = [ending.rule for ending in endings if ending.destination.split(":")[2:3] == ["sns"]]
    if scenario.action == "record" and telling:
        reason = f"must be recorded only, but rule {telling[0].name} tells people"
        return _bad(scenario, Outcome.DELIVERED, telling[0].urn, reason)
    for outcome in Outcome:
        for ending in endings:
            # If no rule on a place's bus matches, `Blame` names the rule that should, if any.
            if ending.outcome is outcome and ending.reason and not ending.unmatched:
                return _bad(scenario, outcome, ending.resource, ending.reason)
    reached = {ending.destination.removesuffix(":*") for ending in endings}
    for way, destination in _destinations(deployment, scenario):
        if destination not in reached:
            return _bad(scenario, Outcome.LOST, *blame.missing(scenario, endings, way, destination))
    messages = [ending.message for ending in endings if ending.message is not None]
    return Judgement(
        scenario=scenario,
        outcome=Outcome.DELIVERED if messages else Outcome.RECORDED,
        message=messages[0] if messages else None,
    )


def _destinations(deployment: Deployment, scenario: Scenario) -> Iterator[tuple[Way, str]]:
    """Yield the ARNs that an event must get to, each with its way."""
    for way in naming.WAYS:
        bus = bus_of(deployment, way)
        account, region = bus.split(":")[4], bus.split(":")[3]
        if scenario.action == "notify":
            yield way, naming.topic_arn(account, region, way.topic)
        if scenario.detection == "key-change" and way is naming.HUB:
            yield way, naming.topic_arn(account, region, way.alarms_topic)
        if scenario.detection == "heartbeat":
            yield way, naming.log_group_arn(account, region, naming.HEARTBEAT_LOG_GROUP)
        elif way is naming.HUB:
            yield way, naming.log_group_arn(account, region)


def _bad(scenario: Scenario, outcome: Outcome, resource: str, reason: str) -> Judgement:
    return Judgement(scenario=scenario, outcome=outcome, resource=resource, reason=reason)
