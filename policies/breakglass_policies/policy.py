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
from typing import Any, TypeAlias

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

from .framework import EMERGENCY_ACCESS
from .reading import Resource, Stack

POLICIES: list[Policy] = []
"""Every policy of the pack, in the order of the modules' names and of the functions in them."""

Config: TypeAlias = Mapping[str, Mapping[str, Any]]
"""JSON schema of each key of a policy's configuration, with `description` and mostly `default`."""
Problems: TypeAlias = Iterable[str]
"""Problems of one resource: the rest of a sentence that begins with the resource."""
StackProblems: TypeAlias = Iterable[tuple[Resource | None, str]]
"""Problems of a stack: each with its resource, or a whole sentence with None."""


def resource_policy(
    name: str,
    title: str,
    *,
    types: Collection[str],
    severity: Severity,
    fix: str,
    url: str,
    applies: Callable[[Resource], bool] = lambda _resource: True,
    framework: PolicyComplianceFramework = EMERGENCY_ACCESS,
    level: EnforcementLevel = EnforcementLevel.MANDATORY,
    config: Config | None = None,
) -> Callable[[Callable[[Resource], Problems]], ResourceValidationPolicy]:
    """Make the function that follows a policy on one resource at a time, and register it.

    The engine asks it before it creates the resource, so a mandatory policy prevents it.

    Args:
        name: The policy's name; users configure the policy by it.
        title: What holds when the policy passes.
        types: The types of resources that the policy judges.
        severity: How bad a problem is.
        fix: How to mend a problem, for the documentation.
        url: The page of AWS behind the policy.
        applies: Whether the policy has something to say about a resource of these types.
        framework: The requirement that the policy serves.
        level: Whether a problem stops the deployment, unless the configuration says otherwise.
        config: What can be configured per stack.
    """

    def register(check: Callable[[Resource], Problems]) -> ResourceValidationPolicy:
        def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
            if args.resource_type not in types:
                args.not_applicable("the policy does not judge this type of resource")
            resource = Resource(args, _configured(config, args))
            if not applies(resource):
                args.not_applicable("the policy does not apply to this resource")
            for problem in check(resource):
                report(f"{resource.title} {problem}", resource.urn)

        policy = ResourceValidationPolicy(
            name=name,
            display_name=title,
            description=_description(check),
            validate=validate,
            enforcement_level=level,
            severity=severity,
            framework=framework,
            config_schema=_schema(config),
            remediation_steps=fix,
            url=url,
        )
        POLICIES.append(policy)
        return policy

    return register


def stack_policy(
    name: str,
    title: str,
    *,
    severity: Severity,
    fix: str,
    url: str,
    applies: Callable[[Stack], bool],
    framework: PolicyComplianceFramework = EMERGENCY_ACCESS,
    level: EnforcementLevel = EnforcementLevel.MANDATORY,
    config: Config | None = None,
) -> Callable[[Callable[[Stack], StackProblems]], StackValidationPolicy]:
    """Make the function that follows a policy on the whole stack, and register it.

    The engine asks it last: at preview it still prevents, at a deployment it comes too late. It can see what
    is missing. The arguments are those of `resource_policy`; `applies` gets the stack.
    """

    def register(check: Callable[[Stack], StackProblems]) -> StackValidationPolicy:
        def validate(args: StackValidationArgs, report: ReportViolation) -> None:
            stack = Stack(args, _configured(config, args))
            if not applies(stack):
                args.not_applicable("the policy does not apply to this stack")
            for resource, problem in check(stack):
                if resource is None:
                    report(problem, None)
                else:
                    report(f"{resource.title} {problem}", resource.urn)

        policy = StackValidationPolicy(
            name=name,
            display_name=title,
            description=_description(check),
            validate=validate,
            enforcement_level=level,
            severity=severity,
            framework=framework,
            config_schema=_schema(config),
            remediation_steps=fix,
            url=url,
        )
        POLICIES.append(policy)
        return policy

    return register


def _description(check: Callable[..., object]) -> str:
    """Return the first paragraph of the check's docstring as one line."""
    return " ".join((inspect.getdoc(check) or "").partition("\n\n")[0].split())


def _schema(config: Config | None) -> PolicyConfigSchema | None:
    return PolicyConfigSchema({key: dict(schema) for key, schema in config.items()}) if config else None


def _configured(config: Config | None, args: ResourceValidationArgs | StackValidationArgs) -> dict[str, Any]:
    defaults = {key: schema["default"] for key, schema in (config or {}).items() if "default" in schema}
    return {**defaults, **args.get_config()}
