"""The hub is as this version renders it, and nothing else listens or speaks there."""

from collections.abc import Iterator

from alertpath.model import Resource
from breakglass import naming
from drill.account import CANNOT_TELL
from drill.check import live
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
                yield _stranger(subject, rule["Name"])
    yield from further_targets(subject, own)


def _stranger(subject: Subject, name: str) -> Finding:
    where = f"--region {subject.home} --event-bus-name {naming.HUB_BUS}"
    try:
        targets = live.targets(subject.account, subject.home, naming.HUB_BUS, name)
    except CANNOT_TELL:
        targets = []  # the rule is there all the same, and worth saying
    ids = " ".join(target["Id"] for target in targets)
    # AWS deletes no rule that has targets.
    remove = [subject.aws(f"events remove-targets {where} --rule {name} --ids {ids}")] if ids else []
    return not_ready(
        f"rule {name} on the hub bus is none of this version's",
        *remove,
        subject.aws(f"events delete-rule {where} --name {name}"),
        fix="find out whose it is, then remove it",
    )


def policies(subject: Subject) -> Iterator[Finding]:
    """Compare the policies of bus, topics, queues and audit log with the rendered ones."""
    own = _own(subject, "EventBusPolicy", "TopicPolicy", "QueuePolicy", "LogResourcePolicy")
    yield from as_rendered(subject, own, noun="policies of bus, topics, queues and audit log")


def key(subject: Subject) -> Iterator[Finding]:
    """Compare the alarm's key, its alias and the topics with the rendered ones; the key must be usable."""
    (key,) = _own(subject, "Key")
    found = subject.look(key)
    usable = found is None or found["keyState"] == "Enabled"
    if found is not None and not usable:
        where = f"--region {subject.home} --key-id {found['keyId']}"
        waits = found["keyState"] == "PendingDeletion"
        # Nothing else is advised: a deployment while the key waits for its deletion would make a new one.
        yield not_ready(
            f"the key {found['keyId']} is in state {found['keyState']}: the first topic is mute",
            *([subject.aws(f"kms cancel-key-deletion {where}")] if waits else []),
            subject.aws(f"kms enable-key {where}"),
        )
    kinds = ("Key", "Alias", "Topic") if usable else ("Alias", "Topic")
    yield from as_rendered(subject, _own(subject, *kinds), noun="key, alias and topics")


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
    yield ready(f"{len(listed)} member account{'' if len(listed) == 1 else 's'} listed")
