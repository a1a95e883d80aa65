"""Where things are: the parts of an ARN, and the Region of a resource."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi_policy import PolicyProviderResource

from .plain import plain


@dataclass(frozen=True, kw_only=True)
class Arn:
    """The parts of an ARN that the rules look at; any of them may hold wildcards."""

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


def has_wildcard(value: str) -> bool:
    """Return whether a text of a policy matches more than itself."""
    return "*" in value or "?" in value


def region_of(props: Mapping[str, Any], provider: PolicyProviderResource | None) -> str | None:
    """Return the Region of a resource: its own, else its provider's; None when neither says.

    Raises:
        UnknownValueError: the Region is not known until deployment.
    """
    region = plain(props.get("region"))
    if region is None and provider is not None:
        region = plain(provider.props.get("region"))
    return region if isinstance(region, str) and region else None
