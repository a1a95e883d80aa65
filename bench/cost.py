"""What the committed stacks cost at AWS in a month: resources as a preview lists them, times list prices.

Free allowances are left out, so they can only make a bill smaller. Not counted: the CloudTrail trail,
which is there without this system.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from bench.prices import LOOKED_UP, PRICES
from bench.stacks import STACKS, Planned, planned
from bench.timing import console
from breakglass import naming
from sandbox.run import sandboxed

TARGET_USD = 5.0
DAYS_A_MONTH = 30
WAYS = len(naming.WAYS)
"""Relays of each account and Region: what one forwards, the others do too."""
KB_A_GB = 1_000_000

KEY = "kms/key:Key"
ALARM = "cloudwatch/metricAlarm:MetricAlarm"
SCHEDULE = "scheduler/schedule:Schedule"
SUBSCRIPTION = "sns/topicSubscription:TopicSubscription"
LOG_GROUP = "cloudwatch/logGroup:LogGroup"
ARCHIVE = "cloudwatch/eventArchive:EventArchive"
CHARGED = {KEY, ALARM, SCHEDULE, SUBSCRIPTION, LOG_GROUP, ARCHIVE}

MESSAGE_TOPICS = {way.topic for way in naming.WAYS}
"""Topics that tell of events; those of alarms are silent in a month in which nothing breaks."""

PRICE_OF_PROTOCOL = {"email": "SNS e-mail", "https": "SNS https", "sqs": "SQS requests"}
"""What each message costs by protocol; SNS itself charges nothing for a queue, which takes a request."""


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """A month. Each account's events are its own; hub and watchdog send a message each."""

    heartbeats_per_schedule: int = 24 * DAYS_A_MONTH
    events_per_account: int = 200
    event_kb: float = 3  # a heartbeat is smaller, but counted like any other
    messages: int = 20
    kms_requests_per_message: int = 4
    dead_letters: int = 10
    requests_per_dead_letter: int = 3


def sending(resources: Sequence[Planned], assumed: Assumptions) -> dict[str, float]:
    """Return quantities by price of an account's relays: there is one schedule for those of a Region."""
    heartbeats = heartbeats_of(resources, assumed)
    sent = WAYS * (heartbeats + assumed.events_per_account)
    return {
        "AWS events": heartbeats + assumed.events_per_account,
        "scheduler": heartbeats,
        "events sent on": sent,
        "data between Regions": sent * assumed.event_kb / KB_A_GB,
        "SQS requests": assumed.dead_letters * assumed.requests_per_dead_letter,
        "alarms": sum(resource.kind == ALARM for resource in resources),
    }


def heartbeats_of(resources: Sequence[Planned], assumed: Assumptions) -> int:
    """Return how many heartbeats an account's schedules cause; AWS records each as an event."""
    return assumed.heartbeats_per_schedule * sum(resource.kind == SCHEDULE for resource in resources)


def receiving(
    resources: Sequence[Planned], heartbeats: float, events: float, assumed: Assumptions
) -> dict[str, float]:
    """Return quantities by price of hub and watchdog: keys, alarms, records, messages."""
    inputs = {kind: [entry.inputs for entry in resources if entry.kind == kind] for kind in CHARGED}
    gb = events * assumed.event_kb / KB_A_GB
    logs = {True: heartbeats * assumed.event_kb / KB_A_GB, False: gb}
    logged = [
        (logs[entry["name"] == naming.HEARTBEAT_LOG_GROUP], entry["retentionInDays"] / DAYS_A_MONTH)
        for entry in inputs[LOG_GROUP]
    ]
    protocols = Counter(
        PRICE_OF_PROTOCOL[entry["protocol"]]
        for entry in inputs[SUBSCRIPTION]
        if entry["topic"].split(":")[-1] in MESSAGE_TOPICS
    )
    return {
        "key": len(inputs[KEY]),
        "rotated key": 2 * sum(entry["enableKeyRotation"] for entry in inputs[KEY]),
        "KMS requests": assumed.messages * assumed.kms_requests_per_message,
        "log ingestion": sum(amount for amount, _ in logged),
        "log storage": sum(amount * months for amount, months in logged),
        "archive ingestion": gb,
        "archive storage": gb * sum(entry["retentionDays"] for entry in inputs[ARCHIVE]) / DAYS_A_MONTH,
        "SNS publishes": assumed.messages * WAYS,
        **{name: assumed.messages * count for name, count in protocols.items()},
    }


def quantities(stacks: Mapping[str, Sequence[Planned]], assumed: Assumptions) -> dict[str, dict[str, float]]:
    """Return quantities by price, by stack; the stack with the log group is the hub."""
    found = {stack: sending(resources, assumed) for stack, resources in stacks.items()}
    heartbeats = sum(heartbeats_of(resources, assumed) for resources in stacks.values())
    events = assumed.events_per_account * len(stacks)
    for stack, resources in stacks.items():
        if any(resource.kind == LOG_GROUP for resource in resources):
            for name, quantity in receiving(resources, heartbeats, events, assumed).items():
                found[stack][name] = found[stack].get(name, 0) + quantity
    return found


def cost(amounts: Mapping[str, float]) -> float:
    return sum(PRICES[name].of(quantity) for name, quantity in amounts.items())


def total(found: Mapping[str, Mapping[str, float]]) -> float:
    return sum(cost(amounts) for amounts in found.values())


def print_lines(found: Mapping[str, Mapping[str, float]]) -> None:
    """Print a row for each price, with quantity and dollars of each stack."""
    headings = [heading for stack in found for heading in (stack, f"{stack} USD")]
    table = Table("item", "USD", "per", *headings, "known from")
    for name, price in PRICES.items():
        amounts = [found[stack].get(name, 0.0) for stack in found]
        if any(amounts):
            cells = [cell for amount in amounts for cell in (f"{amount:,.4g}", f"{price.of(amount):.4f}")]
            table.add_row(name, f"{price.usd:g}", f"{price.per:,} {price.unit}", *cells, price.known_from)
    console.print(table)


def print_total(stacks: Mapping[str, Sequence[Planned]], assumed: Assumptions) -> None:
    """Print the sum, with the rotations of the key that come with the years, and without."""
    found = quantities(stacks, assumed)
    later = total(found)
    rotated = sum(amounts.get("rotated key", 0) for amounts in found.values())
    first = later - cost({"rotated key": rotated})
    relays = {stack: sum(entry.kind == SCHEDULE for entry in stacks[stack]) for stack in stacks}
    further = total(quantities({**stacks, "another": stacks["member"]}, assumed)) - later
    free = sum(entry.kind not in CHARGED for resources in stacks.values() for entry in resources)
    console.print(f"Regions: {', '.join(f'{count} in {stack}' for stack, count in relays.items())}.")
    console.print(f"Without a charge of their own: {free} resources (rules, targets, queues, roles …).")
    console.print(f"Each further member account: {further:.4f} USD.")
    console.print(f"All: {first:.2f} USD in the first year, {later:.2f} USD from the third (key rotation).")
    verdict = "within" if later <= TARGET_USD else "ABOVE"
    console.print(f"{verdict} the target of {TARGET_USD:.2f} USD a month for an organisation.")


def main() -> None:
    """Read the resources off a preview of each committed stack, and print what they cost."""
    console.rule("[bold]Cost: a month at AWS", align="left")
    with sandboxed(console.print, stack_files=STACKS) as sandbox:
        stacks = {stack: planned(sandbox, stack) for stack in sandbox.accounts}
    assumed = Assumptions()
    table = Table("assumed for a month", "", title=f"Prices as looked up in {LOOKED_UP}, us-east-1, USD")
    for name, value in vars(assumed).items():
        table.add_row(name.replace("_", " "), f"{value:g}")
    console.print(table)
    print_lines(quantities(stacks, assumed))
    print_total(stacks, assumed)


if __name__ == "__main__":
    main()
