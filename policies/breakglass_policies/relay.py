"""The roles of relays and heartbeat: who may use them, and what for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pulumi_policy import Severity

from alertpath.iam.evaluate import Request
from alertpath.iam.sent import by_service
from breakglass import naming

from .access import STRANGER, by_strange_service, let_in, named_arns, own_accounts, refused
from .key import EVENTS
from .policy import Problems, resource_policy
from .reading import Resource, each, is_account_id, items, members, parse_arn
from .statements import Named, Unreadable, allowing, has_wildcard, statements

ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ROLE_POLICY_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

NAMES_ROLE: dict[str, str] = {ROLE: "name", ROLE_POLICY: "role", ROLE_POLICY_ATTACHMENT: "role"}
"""Resource types that make up a role, and the property that names it."""

ASSUME_ROLE = "sts:AssumeRole"
PUT_EVENTS = "events:PutEvents"


@dataclass(frozen=True, kw_only=True)
class _Source:
    """What a service may use a role for.

    Attributes:
        what: What messages call the resources.
        prefix: How the last part of their ARNs begins.
        own: The last part of the ARN of the one that our program creates.
        pattern: The value that aws:SourceArn should have.
    """

    service: str
    what: str
    prefix: str
    own: str
    pattern: str

    @property
    def short(self) -> str:
        """The service as ARNs name it."""
        return self.service.partition(".")[0]

    def matches(self, value: str) -> bool:
        """Whether a value of aws:SourceArn stands for such resources of one account only."""
        arn = parse_arn(value)
        return (
            arn.service == self.short and is_account_id(arn.account) and arn.resource.startswith(self.prefix)
        )

    def use(self, account: str, resource: str) -> Request:
        """Return a request for the role on behalf of a resource, given by its ARN or the ARN's last part."""
        home = f"arn:aws:{self.short}:{naming.HOME_REGION}:{account}:"
        arn = resource if resource.startswith("arn:") else f"{home}{resource}"
        role = naming.role_arn(account, "any")  # a trust policy names none
        return by_service(self.service, ASSUME_ROLE, role, SourceAccount=account, SourceArn=arn)


def _rules(what: str, prefix: str, region: str, end: str) -> _Source:
    return _Source(
        service=EVENTS,
        what=what,
        prefix=f"rule/{prefix}",
        own=f"rule/{prefix}",
        pattern=naming.rule_arn("<account id>", region, f"{prefix}{end}"),
    )


RELAY_ROLES = {
    **{
        way.relay_role: _rules(f"rules of the relay to the {way.name}", way.relay_rule, "*", "*")
        for way in naming.WAYS
    },
    naming.KEY_ROLE: _rules(f"the rule {naming.KEY_RULE}", naming.KEY_RULE, naming.HOME_REGION, ""),
}
"""The rules that each role is for."""
_SCHEDULES = _Source(
    service="scheduler.amazonaws.com",
    what="schedules of a group",
    prefix="schedule-group/",
    own=f"schedule-group/{naming.SCHEDULE_GROUP}",
    pattern="arn:aws:scheduler:*:<account id>:schedule-group/<group>",
)


@resource_policy(
    "relay-role-confined",
    "The relays' roles are confined",
    types=NAMES_ROLE,
    applies=lambda part: part[NAMES_ROLE[part.type]] in naming.RELAY_ROLES,  # a tuple: names may be odd
    severity=Severity.HIGH,
    fix=(
        "Trust events.amazonaws.com only, with conditions on aws:SourceArn and aws:SourceAccount; allow "
        f"{PUT_EVENTS} only, on the ARN of one bus; attach nothing else."
    ),
    url="https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html",
)
def relay_role_confined(part: Resource) -> Problems:
    """Each relay's role must serve its own rules only, and must only put events on one bus."""
    if part.type == ROLE:
        inline = each(part.each("inlinePolicies"), _inline_policy)
        problems = each(
            [_trust_problems(part, RELAY_ROLES[part["name"]]), inline, _managed_policy(part)], iter
        )
    else:
        problems = _inline_policy(part) if part.type == ROLE_POLICY else _managed_policy(part)
    for problem in problems:
        yield f"of the relay: {problem}"


def _managed_policy(part: Resource) -> Iterator[str]:
    # Whatever they are, known or not.
    if part.type == ROLE_POLICY_ATTACHMENT or len(items(part.of.props.get("managedPolicyArns"))):
        yield "it has a managed policy, and must only put events on one bus. Detach the policy."


def _inline_policy(part: Resource | Any) -> Iterator[str]:
    """Yield what a policy allows beyond putting events on named buses; it is a resource or a role's entry."""
    document = part["policy"] if isinstance(part, Resource) else members(part).get("policy")
    if document in (None, "") and not isinstance(part, Resource):  # an entry that takes policies away
        return
    found = statements(document)
    if isinstance(found, Unreadable):
        yield f"its policy cannot be read: {found}. Write it with json.dumps."
        return
    for statement in allowing(document):
        if not statement.only_allows(PUT_EVENTS):
            yield f"{statement.where} allows more than {PUT_EVENTS}. Allow only that."
        arns = [parse_arn(value) for value in statement.resources if not has_wildcard(value)]
        buses = [arn for arn in arns if arn.service == "events" and arn.resource.startswith("event-bus/")]
        if statement.not_resource or len(buses) != 1 or len(statement.resources) != 1:
            yield f"{statement.where} is not limited to one event bus. Name its ARN in full, and no other."


@resource_policy(
    "schedule-trust-names-group",
    "The heartbeat's role names its schedule group",
    types=[ROLE],
    applies=lambda role: role["name"] == naming.HEARTBEAT_ROLE,
    severity=Severity.HIGH,
    fix="Trust scheduler.amazonaws.com only, with the ARN of the schedule group as aws:SourceArn.",
    url="https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html",
)
def schedule_trust_names_group(role: Resource) -> Problems:
    """The heartbeat's role must limit its trust to a schedule group: Scheduler sends no narrower ARN."""
    for problem in _trust_problems(role, _SCHEDULES):
        yield f"of the heartbeat: {problem}"


def _trust_problems(role: Resource, source: _Source) -> Iterator[str]:
    """Yield what is wrong with the trust policy of a role that one service uses for resources of ours."""
    document = role["assumeRolePolicy"]
    found = statements(document)
    if isinstance(found, Unreadable):
        yield f"its trust policy cannot be read: {found}. Write it with json.dumps."
        return
    for statement in allowing(document):
        where = f"{statement.where} of its trust policy"
        if statement.not_principal or set(statement.principals) != {Named("service", source.service)}:
            yield f"{where} trusts principals other than {source.service}. Allow only that service."
        if not statement.only_allows(ASSUME_ROLE):
            yield f"{where} allows actions other than {ASSUME_ROLE}. Allow only that one."
    name = f"Name {source.pattern} as aws:SourceArn under ArnLike."
    if reason := refused(document, _uses(role, source)):
        yield f"its trust policy does not let {source.service} use it for {source.what}. {name} {reason}"
    others = [*by_strange_service(source.service, ASSUME_ROLE, naming.role_arn(STRANGER, "any"))]
    for account in own_accounts(role.account, document):
        any_role = naming.role_arn(account, "any")
        others.append(by_service(source.service, ASSUME_ROLE, any_role, SourceAccount=account))
        others.append(source.use(account, "any"))
    if reason := let_in(document, others, source=source.matches):
        yield f"its trust policy is not limited to {source.what}. {name} {reason}"
    # AWS advises against leaving the account to aws:SourceArn alone.
    strange = [
        replace(use, context={**use.context, "aws:SourceAccount": STRANGER}) for use in _uses(role, source)
    ]
    if source is not _SCHEDULES and (reason := let_in(document, strange, source=source.matches)):
        yield (
            "its trust policy is not limited to an account. Name yours as aws:SourceAccount under "
            f"StringEquals. {reason}"
        )


def _uses(role: Resource, source: _Source) -> Iterator[Request]:
    """Yield requests for what the role is for: for resources of our program, and for those that it names."""
    document = role["assumeRolePolicy"]
    for account in own_accounts(role.account, document):
        named = filter(source.matches, named_arns(document, source.short, account))
        yield from (source.use(account, resource) for resource in (source.own, *named))
