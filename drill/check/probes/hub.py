"""The hub is as this version renders it, and nothing else listens or speaks there."""

from collections.abc import Iterator

from alertpath.resources import Resource
from components import naming
from drill.check.compare import as_rendered
from drill.check.finding import Finding, not_ready, ready, unknown
from drill.check.probes.targets import further_targets
from drill.check.subject import Subject


def _own(subject: Subject, *kinds: str) -> list[Resource]:
    return [one for one in subject.of(*kinds) if one.urn.startswith("break-glass-alerts-")]


def rules(subject: Subject) -> Iterator[Finding]:
    """Compare the detections' rules and targets with the rendered ones; a further one is a stranger's."""
    own = _own(subject, "EventRule", "EventTarget")
    yield from as_rendered(subject, own, noun="rules and targets of the detections")
    events = subject.account.client("events", subject.home)
    names = {one["name"] for one in own if one["eventBusName"] == naming.HUB_BUS}
    for page in events.get_paginator("list_rules").paginate(EventBusName=naming.HUB_BUS):
        for rule in page["Rules"]:
            if rule["Name"] not in names and "ManagedBy" not in rule:  # the archive's rule is AWS's own
                yield not_ready(
                    f"rule {rule['Name']} on the hub bus is none of this version's",
                    fix=f"find out whose it is; to remove it: aws events delete-rule --region {subject.home} "
                    f"--event-bus-name {naming.HUB_BUS} --name {rule['Name']}",
                )
    yield from further_targets(subject, own)


def policies(subject: Subject) -> Iterator[Finding]:
    """Compare the policies of bus, topics, queues and audit log with the rendered ones."""
    own = _own(subject, "EventBusPolicy", "TopicPolicy", "QueuePolicy", "LogResourcePolicy")
    yield from as_rendered(subject, own, noun="policies of bus, topics, queues and audit log")


def key(subject: Subject) -> Iterator[Finding]:
    """Compare the alarm's key, its alias and the topics with the rendered ones; the key must be usable."""
    yield from as_rendered(subject, _own(subject, "Key", "Alias", "Topic"), noun="key, alias and topics")
    for one in _own(subject, "Key"):
        found = subject.look(one)
        if found is not None and found["keyState"] != "Enabled":
            where = f"--region {subject.home} --key-id {found['keyId']}"
            cancel = (
                f"aws kms cancel-key-deletion {where} && " if found["keyState"] == "PendingDeletion" else ""
            )
            yield not_ready(
                f"the key {found['keyId']} is in state {found['keyState']}: the first topic is mute",
                fix=f"{cancel}aws kms enable-key {where}",
            )


def record(subject: Subject) -> Iterator[Finding]:
    """Compare bus, archive, audit log and queues with the rendered ones: what is kept, and how long."""
    own = _own(subject, "EventBus", "EventArchive", "LogGroup", "Queue")
    yield from as_rendered(subject, own, noun="bus, archive, audit log and queues")


def members(subject: Subject) -> Iterator[Finding]:
    """Compare the listed member accounts with the stacks at hand: others cannot be looked at from here."""
    alerts = subject.stack.settings.alerts
    listed = () if alerts is None else alerts.member_account_ids
    for account_id in listed:
        if account_id not in subject.stacks:
            yield unknown(
                f"account {account_id} is a member, but no Pulumi.<stack>.yaml here is of that account",
                fix="check it from the clone that holds its stack file",
            )
    for account_id in subject.stacks:
        if account_id not in (subject.account.id, *listed) and not (alerts and alerts.organization_id):
            yield not_ready(
                f"account {account_id} of stack {subject.stacks[account_id]} is no listed member: "
                "the hub refuses its events",
                fix="add it to alerts.memberAccountIds of the hub's stack file and deploy it",
            )
    yield ready(f"{len(listed)} member accounts listed")
