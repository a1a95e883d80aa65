"""The parts of an ARN."""

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Arn:
    """The parts of an ARN that policies look at; any of them may hold wildcards."""

    service: str
    region: str
    account: str
    resource: str


def parse_arn(value: Any) -> Arn | None:
    """Return the parts of an ARN, or None when it is not one."""
    parts = value.split(":", 5) if isinstance(value, str) else []
    if len(parts) != 6 or parts[0] != "arn":
        return None
    return Arn(service=parts[2], region=parts[3], account=parts[4], resource=parts[5])


def is_account_id(value: str) -> bool:
    """Return whether the text is the id of one account."""
    return re.fullmatch(r"[0-9]{12}", value) is not None
