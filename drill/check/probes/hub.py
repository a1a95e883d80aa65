"""Hub and watchdog are as this version renders them, and have no other rule or target."""

from functools import partial

from breakglass import naming
from breakglass.naming import Way
from drill.account import CANNOT_TELL
from drill.check import live
from drill.check.compare import as_rendered
from drill.check.finding import Findings, not_ready, ready, unknown
from drill.check.probes.further import further_policies, further_targets
from drill.check.stack_state import StackState


def _rules(way: Way, stack_state: StackState) -> Findings:
    """Compare rules and targets with the rendered ones; report all others on the bus."""
    rendered = stack_state.of_component(way.component, "EventRule", "EventTarget")
    yield from as_rendered(stack_state, rendered, noun="rules and targets of the detections")
    region = stack_state.region(way)
    events = stack_state.account.client("events", region)
    names = {resource["name"] for resource in rendered if resource["eventBusName"] == way.bus}
    where = f"--region {region} --event-bus-name {way.bus}"
    pages = events.get_paginator("list_rules").paginate(EventBusName=way.bus)
    for rule in pages.search("Rules[]"):
        name = rule["Name"]
        if name in names or "ManagedBy" in rule:  # the archive's rule is AWS's own
            continue
        try:
            targets = live.targets(stack_state.account, region, way.bus, name)
        except CANNOT_TELL:
            targets = []  # the rule is worth reporting even so
        ids = " ".join(target["Id"] for target in targets)
        # AWS does not delete a rule that has targets.
        remove = [stack_state.aws(f"events remove-targets {where} --rule {name} --ids {ids}")] if ids else []
        yield not_ready(
            f"rule {name} on the bus {way.bus} does not belong to this version",
            *remove,
            stack_state.aws(f"events delete-rule {where} --name {name}"),
            fix="find out who made it, then remove it",
        )
    yield from further_targets(stack_state, rendered)


def _policies(way: Way, stack_state: StackState) -> Findings:
    """Compare the policies of bus, topics and log groups, and the hub's role, with the rendered ones."""
    rendered = stack_state.of_component(
        way.component, "EventBusPolicy", "TopicPolicy", "LogResourcePolicy", "Role", "RolePolicy"
    )
    yield from as_rendered(stack_state, rendered, noun="policies of bus, topics and log groups")
    for role in stack_state.of_component(way.component, "Role"):
        yield from further_policies(stack_state, role["name"], "role", wanted=())


def watchdog_topics(stack_state: StackState) -> Findings:
    """Compare the watchdog's topics with the rendered ones: they have no key."""
    topics = stack_state.of_component(naming.WATCHDOG.component, "Topic")
    yield from as_rendered(stack_state, topics, noun="topics")


def key(stack_state: StackState) -> Findings:
    """Compare the alarm's key, its alias and the topics with the rendered ones; the key must be usable."""
    (rendered,) = stack_state.of_component("alerts", "Key")
    key = stack_state.look(rendered)
    usable = key is None or key["keyState"] == "Enabled"
    if key is not None and not usable:
        where = f"--region {stack_state.home} --key-id {key['keyId']}"
        pending = key["keyState"] == "PendingDeletion"
        # No other advice: a deployment while the key waits for its deletion would make a new one.
        yield not_ready(
            f"the key {key['keyId']} is in state {key['keyState']}: topic {naming.HUB.topic} sends nothing",
            *([stack_state.aws(f"kms cancel-key-deletion {where}")] if pending else []),
            stack_state.aws(f"kms enable-key {where}"),
        )
    kinds = ("Key", "Alias", "Topic") if usable else ("Alias", "Topic")
    yield from as_rendered(
        stack_state, stack_state.of_component("alerts", *kinds), noun="key, alias and topics"
    )


def _record(way: Way, stack_state: StackState) -> Findings:
    """Compare bus, archive, log groups and queues with the rendered ones: what is kept, and how long."""
    rendered = stack_state.of_component(way.component, "EventBus", "EventArchive", "LogGroup", "Queue")
    yield from as_rendered(stack_state, rendered, noun="bus, log groups, queues and archive, if any,")


rules, watchdog_rules = (partial(_rules, way) for way in naming.WAYS)
policies, watchdog_policies = (partial(_policies, way) for way in naming.WAYS)
record, watchdog_record = (partial(_record, way) for way in naming.WAYS)


def members(stack_state: StackState) -> Findings:
    """Compare the listed member accounts with the stacks in this clone: others cannot be checked here."""
    alerts = stack_state.stack.settings.alerts
    listed = () if alerts is None else alerts.member_account_ids
    for account_id in listed:
        if account_id not in stack_state.stacks:
            yield unknown(
                f"account {account_id} is a member, but no Pulumi.<stack>.yaml here is of that account",
                fix="check it from the clone that holds its stack file",
            )
    for account_id, stack in stack_state.stacks.items():
        is_member = account_id in (stack_state.account.id, *listed)
        if not is_member and not (alerts and alerts.organization_id):
            yield not_ready(
                f"account {account_id} of stack {stack} is not a listed member: the hub refuses its events",
                fix="add it to alerts.memberAccountIds of the hub's stack file and deploy it",
            )
    yield ready(f"{len(listed)} member account{'' if len(listed) == 1 else 's'} listed")
