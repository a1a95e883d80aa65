"""Fires the schedules of the emulated AWS, which has no clock: each fires once.

Inside the sandbox: `python -m sandbox.schedules`. A schedule is fired whatever its expression says, unless it
is disabled, and only if it puts an event on a bus. Its role's permissions are not judged.
"""

import sys
from typing import Any

from sandbox.cloud import emulation


def strike(account: emulation.Account) -> int:
    """Fire the account's schedules in all enabled Regions and return how many were fired.

    Raises:
        RuntimeError: A bus did not take a schedule's event, or the sandbox cannot make up its input.
    """
    return sum(_strike(account, region) for region in account.regions())


def _strike(account: emulation.Account, region: str) -> int:
    scheduler = account.client("scheduler", region)
    fired = 0
    for page in scheduler.get_paginator("list_schedules").paginate(State="ENABLED"):
        for listed in page["Schedules"]:
            schedule = scheduler.get_schedule(GroupName=listed["GroupName"], Name=listed["Name"])
            target = schedule["Target"]
            if ":event-bus/" in target["Arn"]:
                _put(account.client("events", region), schedule["Arn"], target)
                fired += 1
    return fired


def _put(events: Any, schedule: str, target: dict[str, Any]) -> None:
    parameters, detail = target["EventBridgeParameters"], target.get("Input", "{}")
    if "<aws.scheduler." in detail:
        raise RuntimeError(f"the sandbox fills in no context attribute, but {schedule} has input {detail}")
    entry = {
        "EventBusName": target["Arn"],
        "Source": parameters["Source"],
        "DetailType": parameters["DetailType"],
        "Detail": detail,
        "Resources": [schedule],
    }
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"{target['Arn']} did not take the event of {schedule}: {answer['Entries'][0]}")


def main() -> int:
    """Fire every schedule of every account, and say how many."""
    try:
        for stack, account in emulation.own_accounts().items():
            print(f"{stack}: {strike(account)} schedules fired")
    except RuntimeError as error:
        print(f"noon: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
