"""The credential report of an account: the only place where AWS says how old a password is.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

import csv
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from drill.account import CANNOT_TELL, Account, explained

PAUSES = (1, 2, 4, 8)
"""Seconds between attempts to fetch the report, which AWS takes some time to make."""

_NOT_YET = {"ReportExpired", "ReportInProgress", "ReportNotPresent"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the report says of each user, by name, and when AWS made it, or why there is none (`problem`).

    Four hours may pass until AWS makes a new one.
    """

    lines: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    made: datetime | None = None
    problem: str = ""


def read(account: Account) -> Report:
    """Return the account's report. AWS makes it on request, which changes nothing in the account."""
    try:
        iam = account.client("iam")
        iam.generate_credential_report()
        answer = _fetched(iam)
    except CANNOT_TELL as error:
        return Report(problem=explained(error))
    content = answer.get("Content", b"").decode(errors="replace")
    lines = {line.get("user") or "": line for line in csv.DictReader(content.splitlines())}
    return Report(lines=lines, made=answer.get("GeneratedTime"))


def _fetched(iam: Any) -> dict[str, Any]:
    for pause in PAUSES:
        try:
            return iam.get_credential_report()
        except ClientError as error:
            if error.response["Error"]["Code"] not in _NOT_YET:
                raise
            time.sleep(pause)
    return iam.get_credential_report()


def date(text: str | None) -> datetime | None:
    """Return a date of the report; None for its N/A, not_supported, no_information and the like."""
    try:
        value = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return value if value.tzinfo else None
