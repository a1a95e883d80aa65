"""CloudWatch: the state of alarms."""

from typing import Any

from moto.cloudwatch.models import CloudWatchBackend

from sandbox.cloud.moto_fixes.replacing import Function, corrects

_STATE = ("state_value", "state_reason", "state_reason_data", "state_updated_timestamp", "history")


@corrects(CloudWatchBackend, "put_metric_alarm")
def put_metric_alarm(original: Function, backend: Any, name: str, *settings: Any, **named: Any) -> Any:
    """A new alarm is INSUFFICIENT_DATA, a changed one keeps its state; moto says OK without a look.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    before = backend.alarms.get(name)
    alarm = original(backend, name, *settings, **named)
    if before is None:
        alarm.state_value = "INSUFFICIENT_DATA"
    else:
        vars(alarm).update({part: vars(before)[part] for part in _STATE})
    return alarm
