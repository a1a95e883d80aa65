"""Fires every enabled schedule once: the emulated AWS has no clock.

Inside the sandbox: `python -m sandbox.schedules`. A schedule's target is an event bus, or an API call of
EventBridge ("universal target"); others are skipped. A call is made, and its CloudTrail records are put on
the default bus as AWS does, that of Scheduler's AssumeRole included. The expression of the schedule and the
permissions of its role are ignored.
"""

import argparse
import json
import sys
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from botocore import xform_name
from botocore.exceptions import ClientError

from alertpath.scenarios import cloudtrail_event
from breakglass.naming import bus_arn
from sandbox.cloud import emulation
from sandbox.cloud.delivery import Accounts, Batch, Event

UNIVERSAL = "arn:aws:scheduler:::aws-sdk:eventbridge:"
"""How the ARN of a target begins that is an API call
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html)."""


def fire(account: emulation.Account, accounts: Accounts) -> int:
    """Fire the account's schedules in all enabled Regions and return how many were fired.

    Args:
        account: Whose schedules.
        accounts: All accounts by id, for what is forwarded.

    Raises:
        RuntimeError: A bus refused a schedule's event, or its input has a context attribute, such as
            <aws.scheduler.scheduled-time>: the sandbox does not fill those in.
    """
    fired = 0
    batch = Batch(accounts)
    for region in account.regions():
        scheduler = account.client("scheduler", region)
        pages = scheduler.get_paginator("list_schedules").paginate(State="ENABLED")
        for listed in pages.search("Schedules[]"):
            schedule = scheduler.get_schedule(GroupName=listed["GroupName"], Name=listed["Name"])
            target = schedule["Target"]
            if "<aws.scheduler." in target.get("Input", ""):
                raise RuntimeError(
                    "the sandbox does not fill in context attributes, but "
                    f"{schedule['Arn']} has input {target['Input']}"
                )
            if target["Arn"].startswith(UNIVERSAL):
                for record in _call(account.client("events", region), region, target):
                    batch.deliver(bus_arn(record["account"], region, "default"), record)
            elif ":event-bus/" in target["Arn"]:
                _put(account.client("events", region), schedule["Arn"], target)
            else:
                continue
            fired += 1
    return fired


def _call(events: Any, region: str, target: dict[str, Any]) -> list[Event]:
    """Make the call and return what CloudTrail records: the role is assumed, then used."""
    name = target["Arn"].removeprefix(UNIVERSAL)
    parameters, role_arn = json.loads(target["Input"]), target["RoleArn"]
    account_id, role = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
    failed: dict[str, str] = {}
    try:
        getattr(events, xform_name(name))(**parameters)
    except ClientError as error:
        failed = {"errorCode": error.response["Error"]["Code"], "errorMessage": str(error)}
    scheduler = {"type": "AWSService", "invokedBy": "scheduler.amazonaws.com"}
    issuer = {"type": "Role", "arn": role_arn, "accountId": account_id, "userName": role}
    session = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account_id}:assumed-role/{role}/scheduler",
        "accountId": account_id,
        "sessionContext": {"sessionIssuer": issuer},
        "invokedBy": "scheduler.amazonaws.com",
    }
    # CloudTrail writes the names of parameters with a small first letter.
    given = {key[0].lower() + key[1:]: value for key, value in parameters.items()}
    assumed = {"roleArn": role_arn, "roleSessionName": "scheduler"}
    called = _record(account_id, region, "events", f"{name[0].upper()}{name[1:]}", session, given)
    called["detail"] |= failed
    return [_record(account_id, region, "sts", "AssumeRole", scheduler, assumed, read_only=True), called]


def _record(
    account_id: str,
    region: str,
    service: str,
    name: str,
    identity: Event,
    parameters: Event,
    *,
    read_only: bool = False,
) -> Event:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail = {
        "eventTime": now,
        "sourceIPAddress": "scheduler.amazonaws.com",
        "userAgent": "scheduler.amazonaws.com",
        "requestParameters": parameters,
        "eventID": str(uuid.uuid4()),
        "readOnly": read_only,
        "managementEvent": True,
        "eventType": "AwsApiCall",
    }
    event = cloudtrail_event(account_id, region, service, name, identity, **detail)
    return event | {"id": str(uuid.uuid4()), "time": now}


def _put(events: Any, schedule: str, target: dict[str, Any]) -> None:
    parameters = target["EventBridgeParameters"]
    entry = {
        "EventBusName": target["Arn"],
        "Source": parameters["Source"],
        "DetailType": parameters["DetailType"],
        "Detail": target.get("Input", "{}"),
        "Resources": [schedule],
    }
    answer = events.put_events(Entries=[entry])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"{target['Arn']} refused the event of {schedule}: {answer['Entries'][0]}")


def main(arguments: Sequence[str] = ()) -> int:
    """Fire every schedule of every account and print how many; return the exit code."""
    argparse.ArgumentParser(prog="sandbox.schedules", description=__doc__).parse_args(arguments)
    try:
        stacks, by_id = emulation.own_accounts(), emulation.accounts_by_id()
        fired = {stack: fire(account, by_id) for stack, account in stacks.items()}
    except RuntimeError as error:
        print(f"sandbox.schedules: {error}", file=sys.stderr)
        return 1
    said = (f"{count} schedule{'' if count == 1 else 's'} of {stack}" for stack, count in fired.items())
    print(f"Fired {', '.join(said)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
