"""How events travel to the hub: who may use the roles of relay and heartbeat, and whom the hub lets in."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
)

from . import names
from .allowances import Allowance, Principal, parse_allowances
from .arns import has_wildcard, is_account_id, parse_arn
from .documents import Unreadable
from .framework import EMERGENCY_ACCESS
from .plain import items, plain, title, unknown_last

ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE_POLICY_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
EVENT_BUS_POLICY = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
EVENT_PERMISSION = "aws:cloudwatch/eventPermission:EventPermission"

NAMES_ROLE: dict[str, str] = {ROLE: "name", ROLE_POLICY: "role", ROLE_POLICY_ATTACHMENT: "role"}
"""Resource types that make up a role, and the property that names it."""

PUT_EVENTS = "events:PutEvents"
ORGANIZATION = "aws:PrincipalOrgID"


def check_relay_role(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report what the relay's role can do, or be used for, beyond putting events on named buses.

    Raises:
        UnknownValueError: the role's name or a policy is not known until deployment; raised after the known
            ones were reported.
    """
    config = args.get_config()
    if not _is_of_role(args, names.text(config, "relayRoleName")):
        return args.not_applicable("the resource is no part of the relay's role")
    problems = {ROLE: _relay_role, ROLE_POLICY: _relay_permission, ROLE_POLICY_ATTACHMENT: _relay_attachment}
    for problem in problems[args.resource_type](args.props, config):
        report(f"{title(args.resource_type, args.name)} of the relay: {problem}", args.urn)
    return None


def check_heartbeat_trust(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a heartbeat's role that Scheduler cannot use, or that others can.

    Raises:
        UnknownValueError: the role's name or its trust policy is not known until deployment.
    """
    if args.resource_type != ROLE or not _is_of_role(
        args, names.text(args.get_config(), "heartbeatRoleName")
    ):
        return args.not_applicable("the resource is not the heartbeat's role")
    fix = (
        "is not limited to schedules of a group: name "
        "arn:aws:scheduler:*:<account id>:schedule-group/<group> as aws:SourceArn under ArnLike. "
        "Scheduler sends the ARN of the group, never that of a schedule."
    )
    document = plain(args.props.get("assumeRolePolicy"))
    for problem in _trust_problems(document, "scheduler.amazonaws.com", _is_schedule_group, fix):
        report(f"{title(args.resource_type, args.name)} of the heartbeat: {problem}", args.urn)
    return None


def _is_of_role(args: ResourceValidationArgs, role: str) -> bool:
    key = NAMES_ROLE.get(args.resource_type)
    return key is not None and plain(args.props.get(key)) == role


def _relay_role(props: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    return unknown_last(_relay_trust(props, config), _relay_inline(props), _relay_managed(props))


def _relay_trust(props: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[str]:
    prefix = names.text(config, "relayRulePrefix")

    def is_relay_rule(value: str) -> bool:
        arn = parse_arn(value)
        return (
            arn is not None
            and arn.service == "events"
            and is_account_id(arn.account)
            and arn.resource.startswith(f"rule/{prefix}")
        )

    fix = (
        "is not limited to the relay's rules: name "
        f"arn:aws:events:*:<account id>:rule/{prefix}* as aws:SourceArn under ArnLike."
    )
    document = plain(props.get("assumeRolePolicy"))
    yield from _trust_problems(document, "events.amazonaws.com", is_relay_rule, fix, with_account=True)


def _relay_inline(props: Mapping[str, Any]) -> Iterator[str]:
    for entry in items(props.get("inlinePolicies")):
        document = entry.get("policy") if isinstance(entry, Mapping) else None
        if document not in (None, ""):
            yield from _permission_problems(plain(document))


def _relay_managed(props: Mapping[str, Any]) -> Iterator[str]:
    if len(items(props.get("managedPolicyArns"))):
        yield _NO_MANAGED_POLICY


def _relay_permission(props: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[str]:
    yield from _permission_problems(plain(props.get("policy")))


def _relay_attachment(_props: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[str]:
    yield _NO_MANAGED_POLICY


_NO_MANAGED_POLICY = (
    "it has a managed policy, and must do nothing but put events on the hub buses. Take the policy away."
)


def _trust_problems(
    document: Any, service: str, is_source: Callable[[str], bool], fix: str, *, with_account: bool = False
) -> Iterator[str]:
    """Yield what is wrong with a trust policy for one service and its resources of ours."""
    allowances = parse_allowances(document)
    if isinstance(allowances, Unreadable):
        yield f"could not read its trust policy: {allowances.reason}. Write it with json.dumps."
        return
    if not allowances:
        yield f"its trust policy lets nobody use it. Let {service} assume it."
    for allowance in allowances:
        where = f"{allowance.where} of its trust policy"
        if allowance.not_principal or set(allowance.principals) != {Principal("service", service)}:
            yield f"{where} trusts somebody else than {service}. Name that service only."
        if not allowance.only_allows("sts:AssumeRole"):
            yield f"{where} allows more, or something else, than sts:AssumeRole. Allow that only."
        if not allowance.requires("aws:SourceArn", is_source):
            yield f"{where} {fix}"
        if with_account and not allowance.requires("aws:SourceAccount", is_account_id):
            yield f"{where} is not limited to an account. Name yours as aws:SourceAccount under StringEquals."


def _is_schedule_group(value: str) -> bool:
    arn = parse_arn(value)
    return (
        arn is not None
        and arn.service == "scheduler"
        and is_account_id(arn.account)
        and arn.resource.startswith("schedule-group/")
    )


def _permission_problems(document: Any) -> Iterator[str]:
    """Yield what the policy allows beyond putting events on named buses."""
    allowances = parse_allowances(document)
    if isinstance(allowances, Unreadable):
        yield f"could not read its policy: {allowances.reason}. Write it with json.dumps."
        return
    for allowance in allowances:
        if not allowance.only_allows(PUT_EVENTS):
            yield f"{allowance.where} allows more than {PUT_EVENTS}. Allow nothing else."
        if (
            allowance.not_resource
            or not all(map(_is_one_bus, allowance.resources))
            or not allowance.resources
        ):
            yield f"{allowance.where} is not limited to event buses. List the ARNs of the hubs in full."


def _is_one_bus(value: str) -> bool:
    arn = parse_arn(value)
    return (
        arn is not None
        and not has_wildcard(value)
        and arn.service == "events"
        and arn.resource.startswith("event-bus/")
    )


def check_bus_policy(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report what the policy of the hub's bus allows beyond putting events, and whom it lets in unnamed.

    Raises:
        UnknownValueError: the bus or its policy is not known until deployment.
    """
    bus = names.text(args.get_config(), "eventBusName")
    readers = {EVENT_BUS_POLICY: _bus_document_problems, EVENT_PERMISSION: _permission_resource_problems}
    if args.resource_type not in readers or _bus_name(args.props) != bus:
        return args.not_applicable("the resource is no policy of the hub's event bus")
    for problem in readers[args.resource_type](args.props):
        report(f"{title(args.resource_type, args.name)} ({bus}): {problem}", args.urn)
    return None


def _bus_name(props: Mapping[str, Any]) -> str | None:
    bus = plain(props.get("eventBusName"))
    return bus.rpartition("/")[2] if isinstance(bus, str) else None


def _bus_document_problems(props: Mapping[str, Any]) -> Iterator[str]:
    allowances = parse_allowances(plain(props.get("policy")))
    if isinstance(allowances, Unreadable):
        yield f"could not read the policy: {allowances.reason}. Write it with json.dumps."
        return
    for allowance in allowances:
        if not allowance.only_allows(PUT_EVENTS):
            yield f"{allowance.where} allows more than {PUT_EVENTS}. {_ONLY_PUT_EVENTS}"
        if not allowance.principals:
            yield f"{allowance.where} names no principal. Name the accounts of the relays."
        elif allowance.to_everybody and not _in_organization(allowance):
            yield f"{allowance.where} {_EVERYBODY}"


def _permission_resource_problems(props: Mapping[str, Any]) -> Iterator[str]:
    action = plain(props.get("action"))
    if action is not None and str(action).lower() != PUT_EVENTS.lower():
        yield f"it allows {action}. {_ONLY_PUT_EVENTS}"
    condition = plain(props.get("condition"))
    if plain(props.get("principal")) == "*" and not _names_organization(condition):
        yield f"it {_EVERYBODY}"


_ONLY_PUT_EVENTS = f"Allow {PUT_EVENTS} and nothing else: rules could be changed from other accounts."
_EVERYBODY = (
    "lets every AWS account put events, and so bury an alarm among false ones. Name accounts, or add "
    f'Condition {{"StringEquals": {{"{ORGANIZATION}": "<organization id>"}}}}.'
)


def _in_organization(allowance: Allowance) -> bool:
    return not allowance.not_principal and allowance.requires(ORGANIZATION, _is_organization_id)


def _names_organization(condition: Any) -> bool:
    return (
        isinstance(condition, dict)
        and condition.get("type") == "StringEquals"
        and str(condition.get("key")).lower() == ORGANIZATION.lower()
        and _is_organization_id(str(condition.get("value")))
    )


def _is_organization_id(value: str) -> bool:
    return value.startswith("o-") and not has_wildcard(value)


RELAY_ROLE_CONFINED = ResourceValidationPolicy(
    name="relay-role-confined",
    display_name="The relay's role is confined",
    description="The relay's role must serve its own rules only, and must only put events on named buses.",
    validate=check_relay_role,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(properties=names.schema("relayRoleName", "relayRulePrefix")),
    remediation_steps=(
        "Trust events.amazonaws.com only, with conditions on aws:SourceArn and aws:SourceAccount; allow "
        f"{PUT_EVENTS} only, on the ARNs of the hub buses; attach nothing else."
    ),
    url=(
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/"
        "cross-service-confused-deputy-prevention.html"
    ),
)

SCHEDULE_TRUST_NAMES_GROUP = ResourceValidationPolicy(
    name="schedule-trust-names-group",
    display_name="The heartbeat's role names its schedule group",
    description="The heartbeat's role must trust Scheduler for a schedule group, which is all it tells.",
    validate=check_heartbeat_trust,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(properties=names.schema("heartbeatRoleName")),
    remediation_steps=(
        "Trust scheduler.amazonaws.com only, with the ARN of the schedule group as aws:SourceArn."
    ),
    url=(
        "https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html"
    ),
)

BUS_POLICY_SCOPED = ResourceValidationPolicy(
    name="bus-policy-scoped",
    display_name="The hub lets in named accounts or an organization",
    description="The policy of the hub's bus must allow nothing but putting events, and not by everybody.",
    validate=check_bus_policy,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(properties=names.schema("eventBusName")),
    remediation_steps=(
        f"Allow {PUT_EVENTS} only, to the accounts of the relays, or to everybody under a condition on "
        f"{ORGANIZATION}."
    ),
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html",
)

RULES: list[Policy] = [RELAY_ROLE_CONFINED, SCHEDULE_TRUST_NAMES_GROUP, BUS_POLICY_SCOPED]
"""The rules of this module."""
