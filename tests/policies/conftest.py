"""Runs one policy on properties wrapped as the engine wraps them; plain dicts would hide its pitfalls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from pulumi_policy import (
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.policy import PolicyCustomTimeouts, _NotApplicableError
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy


def options(*, protect: bool = False, secret_outputs: Sequence[str] = ()) -> PolicyResourceOptions:
    return PolicyResourceOptions(
        protect=protect,
        ignore_changes=[],
        delete_before_replace=None,
        aliases=[],
        custom_timeouts=PolicyCustomTimeouts(0, 0, 0),
        additional_secret_outputs=list(secret_outputs),
    )


OPTIONS = options()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    violations: tuple[str, ...]
    not_applicable: str | None = None
    unknown: str | None = None
    """Path of the property that is not known until deployment."""

    @property
    def passed(self) -> bool:
        return not (self.violations or self.not_applicable or self.unknown)


def provider(region: str | None, account: str | None = None) -> PolicyProviderResource:
    props = {} if region is None else {"region": region}
    if account is not None:
        props["allowedAccountIds"] = f'["{account}"]'  # the engine sends provider properties as JSON text
    return PolicyProviderResource("pulumi:providers:aws", unknown_checking_proxy(props), "urn:aws", "aws")


def urn(component: str | None, kind: str, name: str) -> str:
    """Return the URN of a resource, inside one of our components where one is given."""
    parent = f"breakglass:index:{component}$" if component else ""
    return f"urn:pulumi:mgmt::breakglass::{parent}{kind}::{name}"


def outcome(policy: ResourceValidationPolicy | StackValidationPolicy, args: Any) -> Outcome:
    violations: list[str] = []

    def report(message: str, urn: str | None = None) -> None:
        violations.append(message)

    try:
        policy.validate(args, report)
    except _NotApplicableError as error:
        return Outcome(violations=tuple(violations), not_applicable=error.reason)
    except UnknownValueError as error:
        return Outcome(violations=tuple(violations), unknown=".".join(error.props))
    return Outcome(violations=tuple(violations))


@pytest.fixture(scope="session")
def check():
    """Run a resource policy: check(policy, type, props, provider_region=…, config=…, opts=…, …)."""

    def run(
        policy: ResourceValidationPolicy,
        resource_type: str,
        props: dict[str, Any],
        *,
        provider_region: str | None = "us-east-1",
        config: Mapping[str, Any] | None = None,
        opts: Mapping[str, Any] | None = None,
        component: str | None = None,
        account: str | None = None,
    ) -> Outcome:
        proxied = unknown_checking_proxy(props)
        return outcome(
            policy,
            ResourceValidationArgs(
                resource_type,
                proxied,
                urn(component, resource_type, "thing"),
                "thing",
                options(**opts or {}),
                provider(provider_region, account),
                config,
            ),
        )

    return run


@pytest.fixture(scope="session")
def check_stack():
    """Run a stack policy: check_stack(policy, [(type, props), …], provider_region=…, config=…, …).

    `made_of` says which resource a property takes its value from: {(number, property): number}. `components`
    says which of our components a resource is in: {number: component}.
    """

    def run(
        policy: StackValidationPolicy,
        resources: list[tuple[str, dict[str, Any]]],
        *,
        provider_region: str | None = "us-east-1",
        config: Mapping[str, Any] | None = None,
        made_of: Mapping[tuple[int, str], int] | None = None,
        components: Mapping[int, str] | None = None,
        account: str | None = None,
    ) -> Outcome:
        wrapped = [
            PolicyResource(
                kind,
                unknown_checking_proxy(props),
                urn((components or {}).get(number), kind, f"thing-{number}"),
                f"thing-{number}",
                OPTIONS,
                provider(provider_region, account),
                None,
                [],
                {},
            )
            for number, (kind, props) in enumerate(resources)
        ]
        for (number, name), source in (made_of or {}).items():
            wrapped[number].property_dependencies[name] = [wrapped[source]]
        return outcome(policy, StackValidationArgs(wrapped, config))

    return run


@pytest.fixture(scope="session")
def unknown() -> str:
    """What the engine sends for a string that is not known until deployment."""
    return UNKNOWN_STRING_VALUE
