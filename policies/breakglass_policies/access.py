"""What a resource policy lets happen, asked of `alertpath.iam`: for our own services, and for strangers.

A stranger is a principal of some other AWS account, or a service that acts for one. A stranger can meet many
conditions by choice, such as one on a source address, a tag or the event itself. So a condition only keeps
strangers out if it compares what AWS vouches for (account, ARN or organization) with something named in full.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from alertpath.iam.evaluate import Decision, Principal, Request, Verdict, evaluate
from alertpath.iam.sent import by_role, by_service
from breakglass import naming

from .reading import is_account_id, items, members, parse_arn
from .statements import Unreadable, allowing, statements

STRANGER = "000000000001"
"""An account that no document names."""
ANY_ACCOUNT = "123456789012"
"""The account where none is known."""
Test: TypeAlias = Callable[[str], bool]

_ORGANIZATION = "o-0000000000"
_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def in_organization(path: str) -> dict[str, str]:
    """Return what a role sends that is in an organization, perhaps at a path, such as `o-…/r-…/ou-…/`."""
    identifier, _, below = path.partition("/")
    return {"aws:PrincipalOrgID": identifier, "aws:PrincipalOrgPaths": f"{identifier}/{below or 'any/'}"}


def by_strange_service(service: str, action: str, resource: str) -> Iterator[Request]:
    """Yield requests by a service that acts for another account; some services send no source at all."""
    source = {"SourceAccount": STRANGER, "SourceArn": naming.rule_arn(STRANGER, naming.HOME_REGION, "any")}
    organization = {"SourceOrgID": _ORGANIZATION, "SourceOrgPaths": f"{_ORGANIZATION}/any/"}
    for sent in ({}, source, {**source, **organization}):
        yield by_service(service, action, resource, **sent)


def by_stranger(action: str, resource: str) -> Iterator[Request]:
    """Yield requests by a role of another account, and an anonymous one."""
    arn = naming.role_arn(STRANGER, "any")
    for sent in ({}, in_organization(_ORGANIZATION)):
        yield replace(by_role(arn, action, resource, **sent), unknown=frozenset())
    # Without a signature AWS knows nothing of the principal.
    yield Request(principal=Principal(arn=arn), action=action, resource=resource)


def own_accounts(known: str, document: Any, resource: str = "") -> list[str]:
    """Return the accounts that may be a resource's own: the known one, else those that its policy names.

    Of these only those count, if there are any, that stand before `resource`, the last part of an ARN.
    """
    if is_account_id(known):
        return [known]
    text = _text(document)
    named = re.findall(rf"\b([0-9]{{12}}):{re.escape(resource)}", text) or re.findall(r"\b[0-9]{12}\b", text)
    return list(dict.fromkeys(named)) or [ANY_ACCOUNT]


def region_in_arn(region: str | None) -> str:
    """Return a Region as it may stand in an ARN; the home Region if it is missing or odd."""
    return region if region and ":" not in region else naming.HOME_REGION


def named_arns(document: Any, service: str, account: str) -> list[str]:
    """Return the ARNs that a policy names of a service in an account, with their wildcards filled in."""
    found = re.findall(rf'arn:aws:{service}:[^:"]*:{account}:[^"\\\s]+', _text(document))
    return [filled_in(arn) for arn in found]


def filled_in(pattern: str) -> str:
    """Return a text that a pattern with wildcards matches."""
    return pattern.replace("*", "any").replace("?", "x")


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def refused(document: Any, requests: Iterable[Request]) -> str | None:
    """Return why a resource policy allows no form in which a request may come, None if it allows one."""
    decisions = [_decision(document, request) for request in requests]
    allowed = any(decision.verdict is Verdict.ALLOWED for decision in decisions)
    known = "" if decisions[0].verdict is Verdict.DENIED else "It cannot be proven: "
    return None if allowed else f"{known}{decisions[0].reason}"


def by_identity(policy: Mapping[str, Any], action: str, resource: str, **context: str) -> Verdict:
    """Return what an identity policy says to a user of ANY_ACCOUNT; context keys are without `aws:`."""
    request = Request(
        principal=Principal(arn=f"arn:aws:iam::{ANY_ACCOUNT}:user/any"),
        action=action,
        resource=resource,
        context={f"aws:{key}": value for key, value in context.items()},
    )
    return evaluate(request, identity=[policy], resource_account=ANY_ACCOUNT).verdict


def let_in(document: Any, requests: Iterable[Request], *, source: Test | None = None) -> str | None:
    """Return how a readable resource policy allows one of the requests, or may do so; None if it allows none.

    `source` says which values of aws:SourceArn keep strangers out; if None, those that name an account.
    """
    worst = worst_case(document, {**_VOUCHED, "aws:sourcearn": source} if source else _VOUCHED)
    # A stranger may be one without what is unknown.
    decisions = (_decision(worst, replace(request, unknown=frozenset())) for request in requests)
    return next((one.reason for one in decisions if one.verdict is not Verdict.DENIED), None)


def excess(
    document: Any, action: str, strangers: Mapping[str, Iterable[Request]], condition: str
) -> Iterator[str]:
    """Yield what a resource policy allows beyond one action, for those whom it names.

    Strangers are what is tried, by what messages call those who try; the condition would keep them out.
    """
    found = statements(document)
    if isinstance(found, Unreadable):
        yield f"has a policy that cannot be read: {found}. Write it with json.dumps."
        return
    for statement in allowing(document):
        if not statement.only_allows(action):
            yield f"allows more than {action} in {statement.where} of its policy. Allow only that."
    nameless = [statement.where for statement in allowing(document) if not statement.principals]
    for where in nameless:
        yield f"names no principal in {where} of its policy. Name who may use it."
    for who, requests in () if nameless else strangers.items():
        if reason := let_in(document, requests):
            yield f"lets {who} in, or may do so. Name accounts, or add the condition {condition}. {reason}"
            return


def _decision(document: Any, request: Request) -> Decision:
    identity = [] if request.principal.service else [_EVERYTHING]
    account = request.resource.split(":")[4]
    return evaluate(request, identity=identity, resource=document, resource_account=account)


_VOUCHED: Mapping[str, Test] = {
    "aws:principalisawsservice": lambda _value: True,
    **dict.fromkeys(("aws:sourceaccount", "aws:sourceowner", "aws:principalaccount"), is_account_id),
    **dict.fromkeys(("aws:sourcearn", "aws:principalarn"), lambda arn: is_account_id(parse_arn(arn).account)),
    **dict.fromkeys(
        ("aws:sourceorgid", "aws:sourceorgpaths", "aws:principalorgid", "aws:principalorgpaths"),
        lambda value: re.match(r"o-[a-z0-9]+(/|$)", value) is not None,
    ),
}
"""Condition keys that no caller chooses, in lower case, each with a test for values named in full."""


def worst_case(document: Any, vouched: Mapping[str, Test]) -> Any:
    """Return a readable policy as it is for somebody who meets, or avoids, all other conditions as needed."""
    worst: Any = json.loads(document) if isinstance(document, str) else document
    if "Statement" not in worst:  # it is in another case, which the evaluator does not take for a policy
        return worst
    return {**worst, "Statement": [_at_worst(one, vouched) for one in items(worst["Statement"])]}


def _at_worst(statement: dict[str, Any], vouched: Mapping[str, Test]) -> dict[str, Any]:
    def counts(key: str, values: Any) -> bool:
        test = vouched.get(key.lower())
        return test is not None and all(test(str(value)) for value in items(values))

    conditions = members(statement.get("Condition"))
    left = {
        operator: {key: values for key, values in keys.items() if counts(key, values)}
        for operator, keys in conditions.items()
    }
    if left == conditions:
        return statement
    if statement.get("Effect") == "Deny":
        never = {"StringEquals": {"aws:SourceAccount": "no account"}}
        return {**statement, "Condition": never}
    return {**statement, "Condition": {operator: keys for operator, keys in left.items() if keys}}
