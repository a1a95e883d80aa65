"""Would the alarm ring? The proof over what is live, and AWS's own answer about the patterns."""

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial

from alertpath.blame import takes
from alertpath.model import Deployment, Rule
from alertpath.proof import findings, not_given, scope_of
from alertpath.scenarios import Scenario, scenarios
from alertpath.trace import Outcome
from breakglass import naming
from drill.check.finding import Findings, not_ready, ready, unknown
from drill.check.stack_state import StackState, in_parallel


def proven(stack_state: StackState) -> Findings:
    """Play every scenario of `alertpath` through what is live in the selected accounts."""
    yield from _unread(stack_state)
    judgements = stack_state.judgements
    if not judgements:
        yield unknown("there is no hub bus, so no scenario can be played")
        return
    absent = findings(not_given(stack_state.model))
    for finding in absent:
        yield unknown(
            finding.reason, fix="check all accounts at once, from a clone that has their stack files"
        )
    found = findings(judgements)
    for finding in found:
        text = f"{finding.count} of {len(judgements)} scenarios: {finding.reason}, at {finding.resource}"
        if all(judgement.outcome is Outcome.UNPROVEN for judgement in finding.judgements):
            yield unknown(text)
        else:
            yield not_ready(text, fix="see the other rows: one of them says how to fix it")
    if not found:
        accounts = len({judgement.account for judgement in judgements})
        where = "1 account" if accounts == 1 else f"{accounts} accounts"
        yield ready(f"{len(judgements)} scenarios end as they must, in {where}")


def _unread(stack_state: StackState) -> Findings:
    for reason, count in Counter(stack_state.unread).items():
        yield unknown(f"{count} resources could not be read, so this covers only the others: {reason}")


def patterns(stack_state: StackState) -> Findings:
    """Have AWS match one event of each detection with the live patterns, on relays and hub.

    TestEventPattern (https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html)
    settles what an offline proof cannot: that AWS reads the patterns as `alertpath` does.
    """
    yield from _unread(stack_state)
    pairs = {(scenario.name, rule.arn): (scenario, rule) for scenario, rule in _to_match(stack_state.model)}
    if not pairs:
        yield unknown("no live pattern matches any scenario, so there is nothing to ask AWS")
        return
    events = stack_state.account.client("events", stack_state.home)
    answers = in_parallel(
        {
            key: partial(
                events.test_event_pattern, EventPattern=rule.pattern, Event=json.dumps(scenario.event)
            )
            for key, (scenario, rule) in pairs.items()
        }
    )
    agreed = True
    for key, answer in answers.items():
        if isinstance(answer, Exception):
            raise answer
        if not answer["Result"]:
            agreed = False
            scenario, rule = pairs[key]
            yield not_ready(
                f"AWS says that rule {rule.name} does not match {scenario.name!r} ({scenario.detection})",
                fix="report this as a defect: the offline proof and AWS disagree",
            )
    if agreed:
        yield ready(f"AWS matched {len(answers)} pairs of event and live pattern as the proof does")


def _to_match(model: Deployment) -> Iterator[tuple[Scenario, Rule]]:
    """Yield, for each detection and account, one event with each live rule that must match it."""
    scope = scope_of(model)
    if scope is None:
        return
    buses = [bus for way in naming.WAYS if (bus := model.bus_of(way)) is not None]
    seen: set[tuple[str, str]] = set()
    for scenario in scenarios(scope):
        account, region = scenario.event["account"], scenario.event["region"]
        if scenario.action == "quiet" or (scenario.detection, account) in seen:
            continue
        seen.add((scenario.detection, account))
        for bus in (naming.bus_arn(account, region, "default"), *buses):
            for rule in model.rules.get(bus, []):
                if takes(rule, scenario):
                    yield scenario, rule
