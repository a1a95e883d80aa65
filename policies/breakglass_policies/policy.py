'''A policy is a decorated function that yields problems.

How to add one: write a function in the module of its subject, and its tests in `tests/policies/`. Then run
`make docs`, and commit `docs/policies.md`. Nothing else has to be registered.

    @resource_policy(
        "key-rotation",
        "The key is rotated",
        types=[KEY],
        applies=encrypts_alerts,
        severity=Severity.MEDIUM,
        fix="Set enableKeyRotation to true.",
        url="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
    )
    def key_rotation(key: Resource) -> Problems:
        """The key that encrypts alerts must be rotated."""
        if key["enableKeyRotation"] is not True:
            yield "is not rotated. Set enableKeyRotation to true."

The first paragraph of the docstring is the description, which users see above each problem. A problem says
the fact, the consequence and the fix; the resource is named in front of it. A policy that does not apply to a
resource is reported as "not applicable", and not as passed. A value that is unknown at preview raises
UnknownValueError: let it pass, so that the engine says "can't run policy". `reading.each` judges what is
known before.
'''

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Required, TypeAlias, TypedDict, Unpack

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from .reading import Resource, Stack

EMERGENCY_ACCESS = PolicyComplianceFramework(
    name="AWS Well-Architected Framework",
    version="Security Pillar",
    reference="SEC03-BP03",
    specification="Establish emergency access process",
)
"""https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_permissions_emergency_process.html"""

PREPARED_ACCESS = PolicyComplianceFramework(
    name="AWS Well-Architected Framework",
    version="Security Pillar",
    reference="SEC10-BP05",
    specification="Pre-provision access",
)
"""https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_incident_response_pre_provision_access.html"""


def _cis(reference: str, specification: str) -> PolicyComplianceFramework:
    return PolicyComplianceFramework("CIS AWS Foundations Benchmark", "v3.0.0", reference, specification)


CIS_MFA = _cis("1.10", "Ensure MFA is enabled for all IAM users that have a console password")
CIS_ACCESS_KEYS = _cis("1.11", "Do not set up access keys for IAM users that have a console password")
CIS_KEY_ROTATION = _cis("3.6", "Ensure rotation for customer-created symmetric keys is enabled")

POLICIES: list[Policy] = []
"""Every policy of the pack, in the order of the modules' names and of the functions in them."""

Problems: TypeAlias = Iterable[str]
"""Problems of one resource: the rest of a sentence that begins with the resource."""
StackProblems: TypeAlias = Iterable[tuple[Resource | None, str]]
"""Problems of a stack: each with its resource, or a whole sentence with None."""


class About(TypedDict, total=False):
    """What the documentation and the engine say about a policy.

    Attributes:
        url: The page of AWS behind the policy.
        framework: The requirement that the policy serves; by default emergency access.
        level: Whether a problem stops the deployment; by default it does. The configuration may change it.
        config: What can be configured per stack: keys with their JSON schema, mostly with a default.
        config_of: Name of the policy, defined before, whose configuration this one reads. The engine gives a
            policy only its own; this one gets what that one was asked with last, its defaults if it was not.
    """

    severity: Required[Severity]
    fix: Required[str]
    url: Required[str]
    framework: PolicyComplianceFramework
    level: EnforcementLevel
    config: Mapping[str, dict[str, Any]]
    config_of: str


_configs: dict[str, Mapping[str, Any]] = {}
"""The configuration with which each policy was asked last, its defaults before; by the policy's name."""


def seconds(minimum: int, maximum: int, description: str) -> dict[str, Any]:
    """Return the JSON schema of a time in seconds, which is four hours by default."""
    limits = {"type": "integer", "minimum": minimum, "maximum": maximum}
    return {**limits, "default": 14400, "description": description}


def resource_policy(
    name: str,
    title: str,
    *,
    types: Collection[str],
    applies: Callable[[Resource], object] = lambda _resource: True,
    **about: Unpack[About],
) -> Callable[[Callable[[Resource], Problems]], ResourceValidationPolicy]:
    """Make the function that follows a policy on one resource at a time, and register it.

    The engine asks it before it creates the resource, so a mandatory policy prevents it. Users configure the
    policy by its name; the title says what holds when it passes. `applies` tells whether it has something to
    say about a resource of these types.
    """

    def register(check: Callable[[Resource], Problems]) -> ResourceValidationPolicy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            if args.resource_type not in types:
                args.not_applicable("the policy does not judge this type of resource")
            resource = Resource(args, _config(name, about, args))
            if not applies(resource):
                args.not_applicable("the policy does not apply to this resource")
            for problem in check(resource):
                report(f"{resource.title} {problem}", resource.of.urn)

        policy = ResourceValidationPolicy(validate=validate, **_metadata(name, title, check, about))
        POLICIES.append(policy)
        return policy

    return register


def stack_policy(
    name: str, title: str, *, applies: Callable[[Stack], bool], **about: Unpack[About]
) -> Callable[[Callable[[Stack], StackProblems]], StackValidationPolicy]:
    """Make the function that follows a policy on the whole stack, and register it.

    The engine asks it last: at preview it still prevents, at a deployment it comes too late. It can see what
    is missing. The arguments are those of `resource_policy`; `applies` gets the stack.
    """

    def register(check: Callable[[Stack], StackProblems]) -> StackValidationPolicy:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            stack = Stack(args, _config(name, about, args))
            if not applies(stack):
                args.not_applicable("the policy does not apply to this stack")
            for resource, problem in check(stack):
                report(f"{resource.title} {problem}" if resource else problem, resource and resource.of.urn)

        policy = StackValidationPolicy(validate=validate, **_metadata(name, title, check, about))
        POLICIES.append(policy)
        return policy

    return register


def _metadata(name: str, title: str, check: Callable[..., object], about: About) -> dict[str, Any]:
    """Return what the SDK wants to know; the description is the first paragraph of the check's docstring."""
    schemas = about.get("config")
    _configs[name] = _defaults(about)
    return {
        "name": name,
        "display_name": title,
        "description": " ".join((inspect.getdoc(check) or "").partition("\n\n")[0].split()),
        "enforcement_level": about.get("level", EnforcementLevel.MANDATORY),
        "severity": about["severity"],
        "framework": about.get("framework", EMERGENCY_ACCESS),
        "config_schema": PolicyConfigSchema(dict(schemas)) if schemas else None,
        "remediation_steps": about["fix"],
        "url": about["url"],
    }


def _config(name: str, about: About, args: ResourceValidationArgs | StackValidationArgs) -> Mapping[str, Any]:
    if "config_of" in about:
        return _configs[about["config_of"]]
    _configs[name] = {**_defaults(about), **args.get_config()}
    return _configs[name]


def _defaults(about: About) -> dict[str, Any]:
    schemas = about.get("config", {}).items()
    return {key: schema["default"] for key, schema in schemas if "default" in schema}
