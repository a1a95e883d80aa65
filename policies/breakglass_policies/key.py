"""The key that encrypts alerts: whom its policy must let in, and what must not narrow it.

EventBridge and CloudWatch use the key when they publish to an encrypted topic. If they may not, the alert is
lost, and nobody sees an error (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from .allowances import Allowance, parse_allowances
from .documents import Unreadable, elements, matched
from .framework import CIS_KEY_ROTATION, EMERGENCY_ACCESS
from .plain import any_known, items, known_name, plain, title, unknown_last

TOPIC = "aws:sns/topic:Topic"
KEY = "aws:kms/key:Key"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
ENABLED_BY: dict[str, str] = {
    KEY: "isEnabled",
    "aws:kms/replicaKey:ReplicaKey": "enabled",
    "aws:kms/externalKey:ExternalKey": "enabled",
    "aws:kms/replicaExternalKey:ReplicaExternalKey": "enabled",
}
"""Resource types that are keys, and which property enables them; all have a `policy`, as has KEY_POLICY."""

EVENTS = "events.amazonaws.com"
PUBLISHERS = (EVENTS, "cloudwatch.amazonaws.com")
"""Services that publish alerts to a topic."""

# Lower case, because AWS matches action names and condition keys without case.
_NEEDED = {"kms:generatedatakey": "kms:GenerateDataKey*", "kms:decrypt": "kms:Decrypt"}
_SOURCE_KEYS = {
    key.lower(): key
    for key in ("aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:SourceOrgPaths")
}

DEFAULT_TOPIC_NAMES = ["breakglassuser-console-logins", "breakglass-watchdog"]


def check_source_conditions(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report each statement of a key policy that shuts EventBridge out by a condition on the source.

    Raises:
        UnknownValueError: the policy is not known until deployment.
    """
    document = _policy(args)
    what = title(args.resource_type, args.name)
    statements = elements(document)
    if isinstance(statements, Unreadable):
        if EVENTS not in str(document).lower():
            return args.not_applicable("the key policy does not let EventBridge in")
        return report(
            f"could not read the key policy of {what}: {statements.reason}, so nothing shows that alerts get "
            "through. Write it as a JSON object with one or more objects as Statement.",
            args.urn,
        )
    if not any(_names(statement, EVENTS) for statement in statements):
        return args.not_applicable("the key policy does not let EventBridge in")
    for number, statement in enumerate(statements, start=1):
        if keys := _shutting_out(statement):
            report(
                f"{what}: statement {number} of its policy asks for {', '.join(keys)}, which EventBridge "
                "does not send to KMS: every alert is lost without an error. Remove the condition; the topic "
                "policy is where the source can be narrowed.",
                args.urn,
            )
    return None


def _shutting_out(statement: dict[str, Any]) -> list[str]:
    """Return the condition keys by which a statement shuts EventBridge out; its keys are in lower case."""
    conditions = list(_conditions(statement))
    keys = [_SOURCE_KEYS[key] for _, key, _ in conditions if key in _SOURCE_KEYS]
    if _names(statement, EVENTS) or (
        statement["effect"] == "Deny"
        and _is_for_everyone(statement)
        and matched(map(str, items(statement.get("action"))), _NEEDED)
        and all(_matches_eventbridge(*condition) for condition in conditions)
    ):
        return list(dict.fromkeys(keys))
    return []


def _conditions(statement: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    element = statement.get("condition")
    for operator, tests in element.items() if isinstance(element, dict) else ():
        for key, values in tests.items() if isinstance(tests, dict) else ():
            yield operator, key, values


def _matches_eventbridge(operator: str, key: str, values: Any) -> bool:
    """Return whether a condition surely matches a request of EventBridge, which carries no source."""
    is_true = {str(value).lower() for value in items(values)} == {"true"}
    if key in _SOURCE_KEYS:
        when_missing = "not" in operator or operator.endswith("ifexists") or operator.startswith("forall")
        return is_true if operator == "null" else when_missing
    return operator == "bool" and key == "aws:principalisawsservice" and is_true


def _names(statement: dict[str, Any], service: str) -> bool:
    principal = statement.get("principal")
    services = items(principal.get("service")) if isinstance(principal, dict) else []
    return any(str(name).lower() == service for name in services)


def _is_for_everyone(statement: dict[str, Any]) -> bool:
    principal = statement.get("principal")
    return principal == "*" or (isinstance(principal, dict) and "*" in items(principal.get("aws")))


def _policy(args: ResourceValidationArgs) -> Any:
    if args.resource_type not in ENABLED_BY and args.resource_type != KEY_POLICY:
        args.not_applicable("the resource has no key policy")
    return plain(args.props.get("policy"))


def check_publishers(args: StackValidationArgs, report: ReportViolation) -> None:
    """Report each key of an alerting topic, and each that lets a publisher in, which does so by half.

    Raises:
        UnknownValueError: a name, key or policy that decides is not known until deployment; raised after what
            is known to be missing was reported.
    """
    holders = [r for r in args.resources if r.resource_type in ENABLED_BY or r.resource_type == KEY_POLICY]
    if not any_known(holders, lambda holder: bool(_needing(args, holder))):
        return args.not_applicable("no key of the stack encrypts alerts")
    for holder, gap in unknown_last(*(_publisher_gaps(args, holder) for holder in holders)):
        report(f"{title(holder.resource_type, holder.name)}: {gap}", holder.urn)
    return None


def _publisher_gaps(
    args: StackValidationArgs, holder: PolicyResource
) -> Iterator[tuple[PolicyResource, str]]:
    needing = _needing(args, holder)
    statements = _allowances(holder)
    if isinstance(statements, Unreadable):
        if needing:
            yield holder, f"its key policy could not be read: {statements.reason}. Write it as a JSON object."
        return
    for service in needing:
        missing = _NEEDED.keys() - _allowed(statements, service)
        if missing:
            actions = " and ".join(name for action, name in _NEEDED.items() if action in missing)
            yield (
                holder,
                (
                    f"its policy does not allow {actions} to {service}, so its alerts never reach the "
                    "encrypted topic, without an error. Allow it both kms:GenerateDataKey* and kms:Decrypt."
                ),
            )


def _needing(args: StackValidationArgs, holder: PolicyResource) -> tuple[str, ...]:
    """Return the services that the policy must let in: all of an alerting topic's, else those it names."""
    if _is_replaced(args.resources, holder):
        return ()
    if _is_of_alerts(args, holder):
        return tuple(args.get_config().get("services", [EVENTS]))
    statements = _allowances(holder)
    if isinstance(statements, Unreadable):
        return ()
    return tuple(service for service in PUBLISHERS if any(_lets_in(s, service) for s in statements))


def _allowances(holder: PolicyResource) -> list[Allowance] | Unreadable:
    document = plain(holder.props.get("policy"))
    return [] if document is None else parse_allowances(document)  # by default only the account is let in


def _lets_in(statement: Allowance, service: str) -> bool:
    names = {name.lower() for kind, name in statement.principals if kind == "service"}
    return service.lower() in names and not statement.not_principal


def _allowed(statements: Iterable[Allowance], service: str) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for statement in statements:
        if _lets_in(statement, service):
            listed = matched(statement.actions, _NEEDED)
            found |= frozenset(_NEEDED) - listed if statement.not_action else listed
    return found


def _is_replaced(resources: list[PolicyResource], key: PolicyResource) -> bool:
    """Return whether a KeyPolicy of the stack takes the place of the key's own policy."""
    if key.resource_type == KEY_POLICY:
        return False
    policies = [resource for resource in resources if resource.resource_type == KEY_POLICY]
    return any_known(policies, lambda policy: _refers(policy, "keyId", key))


def _is_of_alerts(args: StackValidationArgs, holder: PolicyResource) -> bool:
    """Return whether a key, or the key of a KeyPolicy, encrypts an alerting topic of the stack."""
    if holder.resource_type == KEY_POLICY:
        keys = [resource for resource in args.resources if resource.resource_type in ENABLED_BY]
        return any_known(keys, lambda key: _refers(holder, "keyId", key) and _is_of_alerts(args, key))
    names = args.get_config().get("topicNames", DEFAULT_TOPIC_NAMES)
    topics = [resource for resource in args.resources if resource.resource_type == TOPIC]
    return any_known(
        topics,
        lambda topic: plain(topic.props.get("name")) in names and _refers(topic, "kmsMasterKeyId", holder),
    )


def _refers(resource: PolicyResource, name: str, key: PolicyResource) -> bool:
    """Return whether a property is the key's ARN or id.

    Told by what the property was made of, because at the first preview its value is not known.
    """
    sources = resource.property_dependencies.get(name, ())
    keys = [source.urn for source in sources if source.resource_type in ENABLED_BY]
    if keys:
        return key.urn in keys
    try:
        value = plain(resource.props.get(name))
    except UnknownValueError:
        if sources:
            raise
        return False  # the program did not set it: what is not known is AWS's own answer
    return value is not None and value in (known_name(key.props, "arn"), known_name(key.props, "keyId"))


def check_rotation(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a key for alerts that is not rotated.

    Raises:
        UnknownValueError: the property or the policy is not known until deployment.
    """
    if args.resource_type != KEY:
        return args.not_applicable("the resource is not a key that AWS rotates")
    if plain(args.props.get("enableKeyRotation")) is not True and _is_watched(args):
        report(f"{title(KEY, args.name)} is not rotated. Set enableKeyRotation to true.", args.urn)
    return None


def check_enabled(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report a key for alerts that is disabled.

    Raises:
        UnknownValueError: the property or the policy is not known until deployment.
    """
    if args.resource_type not in ENABLED_BY:
        return args.not_applicable("the resource is not a key")
    name = ENABLED_BY[args.resource_type]
    if plain(args.props.get(name)) is False and _is_watched(args):
        report(
            f"{title(args.resource_type, args.name)} is disabled, so alerts are lost without an error. "
            f"Set {name} to true.",
            args.urn,
        )
    return None


def _is_watched(args: ResourceValidationArgs) -> bool:
    if args.name in args.get_config().get("resourceNames", []) or encrypts_alerts(args.props):
        return True
    args.not_applicable("the key does not encrypt alerts")
    return False


def encrypts_alerts(props: Mapping[str, Any]) -> bool:
    """Return whether a key's own policy lets a publisher of alerts in.

    Raises:
        UnknownValueError: the policy is not known until deployment.
    """
    statements = elements(plain(props.get("policy")))
    if isinstance(statements, Unreadable):
        return False
    return any(_names(s, service) for s in statements if s["effect"] == "Allow" for service in PUBLISHERS)


def check_alias(args: ResourceValidationArgs, report: ReportViolation) -> None:
    """Report an alerting topic that names its key by alias.

    A key that is unknown at preview is no literal alias, because a literal is always known.

    Raises:
        UnknownValueError: the topic's name is not known until deployment.
    """
    if args.resource_type != TOPIC:
        return args.not_applicable("the resource is not a topic")
    if plain(args.props.get("name")) not in args.get_config().get("topicNames", DEFAULT_TOPIC_NAMES):
        return args.not_applicable("the topic is not an alerting topic")
    try:
        key = plain(args.props.get("kmsMasterKeyId"))
    except UnknownValueError:
        return None
    alias = key.rpartition(":")[2] if isinstance(key, str) else ""
    if not alias.startswith("alias/"):
        return None
    reason = (
        "the key of AWS, whose policy lets neither EventBridge nor CloudWatch in: every alert is lost"
        if alias.startswith("alias/aws/")
        else "an alias, which can be pointed at a key that shuts EventBridge out"
    )
    report(
        f"{title(TOPIC, args.name)} is encrypted with {key}, {reason}. Set kmsMasterKeyId to the ARN of a "
        "customer managed key.",
        args.urn,
    )
    return None


_TOPIC_NAMES: dict[str, Any] = {
    "topicNames": {
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "minLength": 1},
        "default": DEFAULT_TOPIC_NAMES,
        "description": "Names of the topics that alerts are published to.",
    }
}
_RESOURCE_NAMES: dict[str, Any] = {
    "resourceNames": {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "default": [],
        "description": "Keys for alerts, by their names in the program, whose own policy does not show it.",
    }
}
_SNS_KEYS = "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"

KEY_POLICY_NO_SOURCE_CONDITIONS = ResourceValidationPolicy(
    name="key-policy-no-source-conditions",
    display_name="The key does not shut EventBridge out",
    description="A key policy must not ask EventBridge for a source, because EventBridge sends KMS none.",
    validate=check_source_conditions,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=EMERGENCY_ACCESS,
    remediation_steps=(
        "Remove aws:SourceAccount, aws:SourceArn, aws:SourceOrgID and aws:SourceOrgPaths from the statement."
    ),
    url=_SNS_KEYS,
)

KEY_POLICY_LETS_PUBLISHERS_IN = StackValidationPolicy(
    name="key-policy-lets-publishers-in",
    display_name="The key lets publishers of alerts in",
    description="The key of an alerting topic must allow its publishers to encrypt.",
    validate=check_publishers,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(
        properties={
            **_TOPIC_NAMES,
            "services": {
                "type": "array",
                "items": {"enum": list(PUBLISHERS)},
                "default": [EVENTS],
                "description": "Services that publish to the topics.",
            },
        }
    ),
    remediation_steps="Allow the service kms:GenerateDataKey* and kms:Decrypt in the key policy.",
    url=_SNS_KEYS,
)

KEY_ROTATION = ResourceValidationPolicy(
    name="key-rotation",
    display_name="The key is rotated",
    description="The key that encrypts alerts must be rotated.",
    validate=check_rotation,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.MEDIUM,
    framework=CIS_KEY_ROTATION,
    config_schema=PolicyConfigSchema(properties=_RESOURCE_NAMES),
    remediation_steps="Set enableKeyRotation to true.",
    url="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
)

KEY_ENABLED = ResourceValidationPolicy(
    name="key-enabled",
    display_name="The key is enabled",
    description="The key that encrypts alerts must be enabled.",
    validate=check_enabled,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.CRITICAL,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(properties=_RESOURCE_NAMES),
    remediation_steps="Set isEnabled (enabled, where AWS did not make the key) to true.",
    url="https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html",
)

LITERAL_KEY_ALIAS = ResourceValidationPolicy(
    name="literal-key-alias",
    display_name="Alerting topics name their key itself",
    description="An alerting topic must name its key by ARN or id, not by an alias.",
    validate=check_alias,
    enforcement_level=EnforcementLevel.MANDATORY,
    severity=Severity.HIGH,
    framework=EMERGENCY_ACCESS,
    config_schema=PolicyConfigSchema(properties=_TOPIC_NAMES),
    remediation_steps="Set kmsMasterKeyId to the ARN of a customer managed key.",
    url=_SNS_KEYS,
)

RULES: list[Policy] = [
    KEY_POLICY_NO_SOURCE_CONDITIONS,
    KEY_POLICY_LETS_PUBLISHERS_IN,
    KEY_ROTATION,
    KEY_ENABLED,
    LITERAL_KEY_ALIAS,
]
"""The rules of this module, in the order in which they are registered."""
