"""No undelivered events and no alarm in ALARM."""

from breakglass import naming
from drill.account import CANNOT_TELL, explained
from drill.check.compare import as_rendered
from drill.check.finding import Findings, not_ready, ready, unknown
from drill.check.stack_state import StackState

DEAD_LETTER_QUEUES = (naming.RELAY_QUEUE, *(way.dead_letter_queue for way in naming.WAYS))

ROWS = {
    **dict.fromkeys(("dead-letters", "new-dead-letters", "lost-events"), "dead letters"),
    **dict.fromkeys(("relay-dead-letters", "relay-new-dead-letters", "relay-lost-events"), "dead letters"),
    **dict.fromkeys(("failed-notifications", "flood"), "recipients"),
    "missing-heartbeats": "heartbeats",
}
"""The row that says why an alarm is ringing, by the alarm's name without the prefix."""


def dead_letters(stack_state: StackState) -> Findings:
    """Check that the dead-letter queues are empty: each message there is an alert that did not arrive.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    queues = [queue for queue in stack_state.of("Queue") if queue["name"] in DEAD_LETTER_QUEUES]
    empty = 0
    unread: dict[str, list[str]] = {}
    for queue in queues:
        name, region = queue["name"], queue.home[1]
        try:
            live = stack_state.look(queue)
        except CANNOT_TELL as error:
            unread.setdefault(explained(error), []).append(region)
            continue
        if live is None:
            yield not_ready(
                f"{name} in {region} does not exist", fix="see the row of the relays or of the hub"
            )
        elif live["messages"]:
            url = f"https://sqs.{region}.amazonaws.com/{stack_state.account.id}/{name}"
            where = f"--region {region} --queue-url {url}"
            letters = "1 dead letter" if live["messages"] == 1 else f"{live['messages']} dead letters"
            yield not_ready(
                f"{letters} in {name} in {region}: these are events that were not delivered",
                stack_state.aws(f"sqs receive-message {where} --message-attribute-names All"),
                stack_state.aws(f"sqs purge-queue {where}"),
                fix="read what was lost and why (ERROR_CODE, ERROR_MESSAGE), fix the cause, then empty the "
                "queue",
            )
        else:
            empty += 1
    for reason, regions in unread.items():
        yield unknown(f"dead letters cannot be counted in {', '.join(regions)}: {reason}")
    if empty == len(queues):
        yield ready(f"{empty} dead-letter queues, all empty")


def alarms(stack_state: StackState) -> Findings:
    """Compare the alarms with the rendered ones; their actions must be on, and none may be in ALARM."""
    rendered = stack_state.of("MetricAlarm")
    waiting = []
    yield from as_rendered(stack_state, rendered, noun="alarms")
    for alarm in rendered:
        name = alarm["name"]
        live = stack_state.live[alarm.urn]
        if live is None or isinstance(live, Exception):
            continue  # `as_rendered` has reported it
        if not live["actionsEnabled"]:
            yield not_ready(
                f"the actions of alarm {name} are disabled: it notifies nobody",
                stack_state.aws(
                    f"cloudwatch enable-alarm-actions --region {alarm.home[1]} --alarm-names {name}"
                ),
            )
        if live["alarmState"] == "ALARM":
            yield not_ready(
                f"alarm {name} is ringing: {live['alarmReason']}",
                fix=f"see the row of the {ROWS[name.removeprefix(naming.ALARM_PREFIX)]}",
            )
        elif live["alarmState"] != "OK":
            waiting.append(f"{name} in {alarm.home[1]}")
    if waiting:
        yield unknown(f"not evaluated yet (INSUFFICIENT_DATA): {', '.join(waiting)}")
