"""The event buses of hub and watchdog: who may put events on them."""

import re
from typing import Any

from pulumi_policy import Severity

from alertpath.iam.sent import by_role
from breakglass import naming

from .access import (
    STRANGER,
    by_stranger,
    excess,
    filled_in,
    in_organization,
    own_accounts,
    refused,
    region_in_arn,
)
from .policy import Problems, resource_policy
from .reading import Resource, bus_name, is_own_bus, members
from .relay import PUT_EVENTS
from .statements import Unreadable, allowing, statements

EVENT_BUS_POLICY = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
EVENT_PERMISSION = "aws:cloudwatch/eventPermission:EventPermission"


@resource_policy(
    "bus-policy-scoped",
    "Hub and watchdog let in named accounts or an organization",
    types=[EVENT_BUS_POLICY, EVENT_PERMISSION],
    applies=is_own_bus,
    severity=Severity.HIGH,
    fix=(
        f"Allow {PUT_EVENTS} only, to the accounts of the relays, or to everybody under a condition on "
        "aws:PrincipalOrgID."
    ),
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html",
)
def bus_policy_scoped(policy: Resource) -> Problems:
    """The policy of each bus must only allow putting events, and must not allow it to everybody.

    A stranger could bury an alarm among false ones, or with more actions change the rules.
    """
    document = policy["policy"] if policy.type == EVENT_BUS_POLICY else _as_document(policy)
    tried = [request for bus in _arns(policy, document).values() for request in by_stranger(PUT_EVENTS, bus)]
    strangers = {"every AWS account": tried}
    for problem in excess(document, PUT_EVENTS, strangers, "StringEquals aws:PrincipalOrgID"):
        yield f"({bus_name(policy)}) {problem}"


def _as_document(permission: Resource) -> dict[str, Any]:
    """Return an EventPermission, which is one statement in properties of its own, as a policy."""
    principal, condition = permission["principal"], permission["condition"]
    statement = {
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": principal},
        "Action": permission["action"] or PUT_EVENTS,
        "Resource": "*",
    }
    if isinstance(condition, dict):
        given = members(condition)
        statement["Condition"] = {str(given.get("type")): {str(given.get("key")): given.get("value")}}
    elif condition is not None:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


@resource_policy(
    "bus-lets-relays-in",
    "Hub and watchdog let the relays in",
    types=[EVENT_BUS_POLICY],
    applies=is_own_bus,
    severity=Severity.CRITICAL,
    fix=f"Allow {PUT_EVENTS} to the accounts of the relays, and exempt them from Deny statements.",
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html",
)
def bus_lets_relays_in(policy: Resource) -> Problems:
    """The policy of each bus must let in the relays of all accounts that it names, and of its own."""
    document = policy["policy"]
    if isinstance(statements(document), Unreadable):  # bus-policy-scoped says so
        return
    role = next(way.relay_role for way in naming.WAYS if way.bus == bus_name(policy))
    paths = re.findall(r"\bo-[a-z0-9]{10,32}\b(?:/[^\s\"'\\]*)?", str(document))
    organizations = [{}, *(in_organization(filled_in(path)) for path in paths)]
    found = allowing(document)
    names = [principal.name for statement in found for principal in statement.principals]
    named = [re.fullmatch(r"(?:arn:aws:iam::)?([0-9]{12})(?::root)?", name) for name in names]
    everybody = [STRANGER] if any(statement.to_everybody for statement in found) else []
    # None is the bus's own account.
    for account in dict.fromkeys([None, *(match[1] for match in named if match), *everybody]):
        requests = [
            by_role(naming.role_arn(account or own, role), PUT_EVENTS, bus, **organization)
            for own, bus in _arns(policy, document).items()
            for organization in organizations
        ]
        if reason := refused(document, requests):
            yield (
                f"({bus_name(policy)}) does not let the relays of {account or 'its own account'} put events, "
                "so their alerts are lost. Exempt the relays from Deny statements, and put no condition on "
                f"accounts that you name. {reason}"
            )
            return


def _arns(policy: Resource, document: Any) -> dict[str, str]:
    """Return the ARN that the bus has in each account that may be its own, by the account."""
    region = region_in_arn(policy.region)
    name = bus_name(policy)
    accounts = own_accounts(policy.account, document, f"event-bus/{name}")
    return {account: naming.bus_arn(account, region, name) for account in accounts}
