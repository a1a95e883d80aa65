"""Corrections of moto, where its answers differ from AWS's in ways that would mislead a tool.

A tool that reads live accounts must run against the sandbox unchanged. So it gets the answer that AWS would
give, or a refusal; never one that moto made up. There is a file per service, and
in it a function per answer, which says what AWS does; `unimplemented` refuses what moto does not have. `ec2`
is imported at the first request to EC2: it would double the start of the server.
"""

import importlib

from sandbox.cloud.moto_fixes import events

SERVICES = ("cloudtrail", "cloudwatch", "iam", "logs", "organizations", "scheduler", "sns", "unimplemented")


def apply(enqueue: events.Enqueue) -> None:
    """Correct moto in this process, before its server starts.

    Args:
        enqueue: Takes the ARN of a bus and an event that was put on it, for delivery in the background.

    Raises:
        RuntimeError: The installed moto lacks a method to correct, or is corrected already.
    """
    for service in SERVICES:
        importlib.import_module(f"sandbox.cloud.moto_fixes.{service}")
    events.put_events_through(enqueue)
