"""Nothing has failed without a word: dead letters and alarms."""

from collections.abc import Iterator

from breakglass import naming
from drill.account import CANNOT_TELL, explained
from drill.check.compare import as_rendered
from drill.check.finding import Finding, not_ready, ready, unknown
from drill.check.subject import Subject

DEAD_LETTER_QUEUES = (naming.DEAD_LETTER_QUEUE, naming.RELAY_QUEUE)


def dead_letters(subject: Subject) -> Iterator[Finding]:
    """See that the dead-letter queues are empty: what waits there is an alarm that did not ring.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    queues = [one for one in subject.of("Queue") if one["name"] in DEAD_LETTER_QUEUES]
    empty = 0
    unread: dict[str, list[str]] = {}
    for queue in queues:
        name, region = queue["name"], queue.home[1]
        try:
            found = subject.look(queue)
        except CANNOT_TELL as error:
            unread.setdefault(explained(error), []).append(region)
            continue
        if found is None:
            yield not_ready(
                f"{name} in {region} does not exist", fix="see the row of the relay, or of the hub"
            )
        elif found["messages"]:
            where = f"--region {region} --queue-url {_url(subject, name, region)}"
            yield not_ready(
                f"{_counted(found['messages'])} in {name} in {region}: what was lost is in there",
                subject.aws(f"sqs receive-message {where} --message-attribute-names All"),
                subject.aws(f"sqs purge-queue {where}"),
                fix="read what was lost and why (ERROR_CODE, ERROR_MESSAGE), mend it, then empty the queue",
            )
        else:
            empty += 1
    for reason, regions in unread.items():
        yield unknown(f"dead letters cannot be counted in {', '.join(regions)}: {reason}")
    if empty == len(queues):
        yield ready(f"{empty} dead-letter queues, all empty")


def _url(subject: Subject, name: str, region: str) -> str:
    return f"https://sqs.{region}.amazonaws.com/{subject.account.id}/{name}"


def _counted(letters: int) -> str:
    return "1 dead letter" if letters == 1 else f"{letters} dead letters"


def alarms(subject: Subject) -> Iterator[Finding]:
    """Compare the alarms with the rendered ones; their actions must be on, and none may be in ALARM."""
    own = subject.of("MetricAlarm")
    waiting = []
    yield from as_rendered(subject, own, noun="alarms")
    for alarm in own:
        name = alarm["name"]
        try:
            found = subject.look(alarm)
        except CANNOT_TELL:
            continue  # said above
        if found is None:
            continue
        if not found["actionsEnabled"]:
            yield not_ready(
                f"the actions of alarm {name} are disabled: it tells nobody",
                subject.aws(f"cloudwatch enable-alarm-actions --region {subject.home} --alarm-names {name}"),
            )
        if found["alarmState"] == "ALARM":
            yield not_ready(f"alarm {name} is ringing: {found['alarmReason']}", fix=_MEND[name])
        elif found["alarmState"] != "OK":
            waiting.append(name)
    if waiting:
        yield unknown(f"not evaluated yet (INSUFFICIENT_DATA): {', '.join(waiting)}")


_MEND = {
    f"{naming.ALARM_PREFIX}dead-letters": "see the row of the dead letters",
    f"{naming.ALARM_PREFIX}failed-notifications": "see the row of the subscriptions",
    f"{naming.ALARM_PREFIX}failed-watchdog-notifications": "see the row of the subscriptions",
    f"{naming.ALARM_PREFIX}missing-heartbeats": "see the row of the heartbeats",
}
