"""Fires every enabled schedule once: the emulated AWS has no clock.

Inside the sandbox: `python -m sandbox.schedules`. The schedule's expression and its role's permissions are
ignored; schedules whose target is not an event bus are skipped.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from sandbox.cloud import emulation


def fire(account: emulation.Account) -> int:
    """Fire the account's schedules in all enabled Regions and return how many were fired.

    Raises:
        RuntimeError: A bus refused a schedule's event, or its input has a context attribute, such as
            <aws.scheduler.scheduled-time>: the sandbox does not fill those in.
    """
    fired = 0
    for region in account.regions():
        scheduler = account.client("scheduler", region)
        pages = scheduler.get_paginator("list_schedules").paginate(State="ENABLED")
        for listed in pages.search("Schedules[]"):
            schedule = scheduler.get_schedule(GroupName=listed["GroupName"], Name=listed["Name"])
            if ":event-bus/" in schedule["Target"]["Arn"]:
                _put(account.client("events", region), schedule["Arn"], schedule["Target"])
                fired += 1
    return fired


def _put(events: Any, schedule: str, target: dict[str, Any]) -> None:
    parameters, detail = target["EventBridgeParameters"], target.get("Input", "{}")
    if "<aws.scheduler." in detail:
        raise RuntimeError(
            f"the sandbox does not fill in context attributes, but {schedule} has input {detail}"
        )
    entry = {
        "EventBusName": target["Arn"],
        "Source": parameters["Source"],
        "DetailType": parameters["DetailType"],
        "Detail": detail,
        "Resources": [schedule],
    }
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"{target['Arn']} refused the event of {schedule}: {answer['Entries'][0]}")


def main(arguments: Sequence[str] = ()) -> int:
    """Fire every schedule of every account and print how many; return the exit code."""
    argparse.ArgumentParser(prog="sandbox.schedules", description=__doc__).parse_args(arguments)
    try:
        fired = {stack: fire(account) for stack, account in emulation.own_accounts().items()}
    except RuntimeError as error:
        print(f"sandbox.schedules: {error}", file=sys.stderr)
        return 1
    said = (f"{count} schedule{'' if count == 1 else 's'} of {stack}" for stack, count in fired.items())
    print(f"Fired {', '.join(said)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
