"""The role is as meant, and nobody but the break-glass users can assume it."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alertpath.iam.evaluate import (
    AccessError,
    Decision,
    Principal,
    Request,
    Verdict,
    by_resource_policy,
    evaluate,
)
from alertpath.model import Resource
from breakglass import naming
from drill.check import live
from drill.check.compare import as_rendered, redeploy
from drill.check.finding import Finding, not_ready, ready, unknown
from drill.check.probes.judged import EVERYTHING, judgeable
from drill.check.runner import answer
from drill.check.subject import Subject

_FRESH = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "30"}
_ASSUME = "sts:AssumeRole"
_FEDERATED = ("sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
_STRANGERS = ("999999999999", "888888888888", "777777777777")
"""Accounts of which one is surely neither the hub's nor the stack's own: anybody else's."""

_TAKEN = ", and Statement[0] of identity policy 0 allows it"
"""What the reason for an "allowed" says of `EVERYTHING`, which is only taken to be so."""

_NAMED = re.compile(r'"(arn:[^":]*:(?:iam|sts)::[^"]+|[0-9]{12})"')
_PROVIDERS = ("saml-provider/", "oidc-provider/")
_SHOWN = 4


def permissions(subject: Subject) -> Iterator[Finding]:
    """Compare the role, its boundary, session length and attachments with the rendered ones.

    Nothing else may be attached, and no inline policy: either would be permissions that nobody reviewed.
    """
    own = [_role(subject), *(one for one in subject.of("RolePolicyAttachment") if _is_of_role(one))]
    yield from as_rendered(subject, own, noun="role and attachments")
    if subject.live[own[0].urn] is None:
        return  # said above
    # One that cannot be read must not hide the other.
    for part in (_further_attachments, _inline):
        yield from answer(part, subject)


def _is_of_role(resource: Resource) -> bool:
    return resource.urn.startswith("break-glass-role-")


def _role(subject: Subject) -> Resource:
    (role,) = (one for one in subject.of("Role") if _is_of_role(one))
    return role


def _further_attachments(subject: Subject) -> Iterator[Finding]:
    name = subject.stack.settings.role.name
    wanted = {one["policyArn"] for one in subject.of("RolePolicyAttachment") if _is_of_role(one)}
    further = [arn for arn in live.attached_to_role(subject.account, name) if arn not in wanted]
    for arn in further:
        yield not_ready(
            f"role {name} has a further policy {arn}",
            subject.aws(f"iam detach-role-policy --role-name {name} --policy-arn {arn}"),
            fix="find out who attached it",
        )
    if not further:
        yield ready(f"role {name}: no further policy attached")


def _inline(subject: Subject) -> Iterator[Finding]:
    name = subject.stack.settings.role.name
    pages = subject.account.client("iam").get_paginator("list_role_policies").paginate(RoleName=name)
    found = [policy for page in pages for policy in page.get("PolicyNames") or ()]
    for policy in found:
        yield not_ready(
            f"role {name} has an inline policy {policy}",
            subject.aws(f"iam delete-role-policy --role-name {name} --policy-name {policy}"),
            fix="find out who put it there",
        )
    if not found:
        yield ready(f"role {name}: no inline policy")


@dataclass(frozen=True, kw_only=True)
class _Asker:
    """Somebody who would assume the role: what people call them, and their request."""

    who: str
    request: Request


def trust(subject: Subject) -> Iterator[Finding]:
    """Ask of the live trust policy who can assume the role: each user with a fresh MFA sign-in, nobody else.

    Each asker's own account is taken to allow everything, as the other side is not in our hands
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html).
    Besides those that a trust policy must always keep out, everybody is tried whom the document names.
    """
    name = subject.stack.settings.role.name
    found = subject.look(_role(subject))
    if found is None:
        yield not_ready(f"role {name} does not exist: nobody can assume it", redeploy(subject))
        return
    document = found["assumeRolePolicy"]
    asking = _Asking(subject)
    yield from _let_in(subject, document, asking.users())
    yield from _kept_out(subject, document, [*asking.others(document), *asking.users_too_weak()])
    yield from _other_kinds(subject, document)
    for text in asking.not_understood(document):
        yield unknown(f"the trust policy names {text}: whether that is somebody cannot be told")


def _let_in(subject: Subject, document: str, askers: Sequence[_Asker]) -> Iterator[Finding]:
    for why, (verdict, who) in _by_reason(document, askers).items():
        if verdict is Verdict.ALLOWED:
            yield ready(f"{who} can assume it")
        elif verdict is Verdict.DENIED:
            yield not_ready(f"{who} cannot assume it: {why}", redeploy(subject))
        else:
            yield unknown(f"whether {who} can assume it cannot be told: {why}")


def _kept_out(subject: Subject, document: str, askers: Sequence[_Asker]) -> Iterator[Finding]:
    kept = True
    for why, (verdict, who) in _by_reason(document, askers).items():
        if verdict is Verdict.ALLOWED:
            fix = "find out who changed the trust policy"
            yield not_ready(f"{who} can assume it: {why}", redeploy(subject), fix=fix)
        elif verdict is Verdict.UNPROVEN:
            yield unknown(f"whether {who} can assume it cannot be told: {why}")
        kept = kept and verdict is Verdict.DENIED
    if kept:
        yield ready(
            f"{len(askers)} others were tried and cannot: without MFA, with a stale one, "
            "other users, roles, root, other accounts, services, federated people"
        )


def _by_reason(document: str, askers: Sequence[_Asker]) -> dict[str, tuple[Verdict, str]]:
    """Return verdict and askers for each reason, so that one mistake is said once."""
    found: dict[str, tuple[Verdict, list[str]]] = {}
    prepared = judgeable(document)
    for asker in askers:
        decision = _decision(asker.request, prepared)
        reason = decision.reason.replace("the resource's policy", "the trust policy").replace(_TAKEN, "")
        found.setdefault(reason, (decision.verdict, []))[1].append(asker.who)
    return {reason: (verdict, _some(who)) for reason, (verdict, who) in found.items()}


def _some(who: Sequence[str]) -> str:
    more = f" and {len(who) - _SHOWN} more" if len(who) > _SHOWN else ""
    return ", ".join(who[:_SHOWN]) + more


def _decision(request: Request, document: str) -> Decision:
    account, arn = request.resource.split(":")[4], request.principal.arn
    if arn is None or arn.endswith(":root") or request.action != _ASSUME:
        # No identity policies: a service and a federated person have none, root needs none.
        return by_resource_policy(document, request, resource_account=account)
    return evaluate(request, identity=[EVERYTHING], resource=document, resource_account=account)


def _other_kinds(subject: Subject, document: str) -> Iterator[Finding]:
    """Yield services and identity providers that the document lets in, on whatever conditions."""
    for statement in _statements(document):
        principal = statement.get("Principal")
        if statement.get("Effect") != "Allow" or not isinstance(principal, dict):
            continue
        for kind, named in principal.items():
            if kind != "AWS":
                who = ", ".join(map(str, named)) if isinstance(named, list) else str(named)
                yield not_ready(
                    f"the trust policy lets in {kind} {who}",
                    redeploy(subject),
                    fix="find out who changed the trust policy",
                )


def _statements(document: str) -> list[dict[str, Any]]:
    """Return the statements that are objects; of others `alertpath.iam.evaluate` says that it cannot tell."""
    parsed = json.loads(document)
    statements = parsed.get("Statement") if isinstance(parsed, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    return [one for one in listed if isinstance(one, dict)]


def _patterns(document: str) -> set[str]:
    """Return the texts that conditions compare `aws:PrincipalArn` with, such as `*Admin*`."""
    found: set[str] = set()
    for statement in _statements(document):
        conditions = statement.get("Condition")
        for block in conditions.values() if isinstance(conditions, dict) else ():
            for key, values in block.items() if isinstance(block, dict) else ():
                if key.lower() == "aws:principalarn":
                    found.update(map(str, values if isinstance(values, list) else [values]))
    return found


class _Asking:
    """The requests to assume a stack's role."""

    def __init__(self, subject: Subject) -> None:
        settings = subject.stack.settings
        self._own, self._hub = subject.account.id, subject.hub_account_id
        self._stranger = next(one for one in _STRANGERS if one not in (self._own, self._hub))
        self._names, self._max_age = settings.user.names, settings.role.mfa_max_age
        self._role = naming.role_arn(self._own, settings.role.name)

    def users(self) -> list[_Asker]:
        """Return the users as they come in an emergency."""
        return [
            self._asker(f"{name} (just signed in with MFA)", naming.user_arn(self._hub, name), _FRESH)
            for name in self._names
        ]

    def users_too_weak(self) -> Iterator[_Asker]:
        """Yield the users as they must not get in.

        A request signed by an access key carries neither MFA key, a console session without MFA says "false"
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html).
        """
        stale = self._max_age + 1
        for name in self._names:
            arn = naming.user_arn(self._hub, name)
            yield self._asker(f"{name} (no MFA, by an access key)", arn, {})
            without = {"aws:MultiFactorAuthPresent": "false"}
            yield self._asker(f"{name} (no MFA, from the console)", arn, without)
            old = _FRESH | {"aws:MultiFactorAuthAge": str(stale)}
            yield self._asker(f"{name} (MFA {stale} seconds ago)", arn, old)

    def others(self, document: str) -> Iterator[_Asker]:
        """Yield everybody else, with a fresh MFA sign-in: of all accounts, and whom the document names."""
        named, accounts = self._named(document)
        for account in dict.fromkeys((self._hub, self._own, self._stranger, *sorted(accounts))):
            where = self._account(account)
            yield self._asker(f"another user of {where}", naming.user_arn(account, "SomebodyElse"), _FRESH)
            role = f"arn:aws:sts::{account}:assumed-role/SomeRole/somebody"
            yield self._asker(f"a role's session of {where}", role, _FRESH)
            yield self._asker(f"root of {where}", naming.iam_arn(account, "root"), _FRESH)
            if account != self._hub:
                for name in self._names:
                    yield self._asker(f"{name} of {where}", naming.user_arn(account, name), _FRESH)
        for arn in named:
            yield self._asker(arn, arn, _FRESH)
        service = Principal(service="ec2.amazonaws.com")
        yield _Asker(who="a service", request=Request(principal=service, action=_ASSUME, resource=self._role))
        anybody = Principal(arn=f"arn:aws:sts::{self._stranger}:federated-user/anybody")
        for action in _FEDERATED:
            request = Request(principal=anybody, action=action, resource=self._role)
            yield _Asker(who=f"anybody federated ({action.removeprefix('sts:')})", request=request)

    def not_understood(self, document: str) -> list[str]:
        """Return what the document says of principals from which nobody can be made up who is meant."""
        said = {text for text in self._texts(document) if ":" in text} | _patterns(document)
        return sorted(text for text in said if not list(self._principals(text)))

    def _texts(self, document: str) -> list[str]:
        found = _NAMED.findall(json.dumps(_statements(document)))
        return [text for text in found if not text.split(":")[-1].startswith(_PROVIDERS)]

    def _named(self, document: str) -> tuple[list[str], set[str]]:
        """Return the principals that a document names, without the users, and all its accounts."""
        users = {naming.user_arn(self._hub, name) for name in self._names}
        texts = self._texts(document)
        arns = {arn for text in texts for arn in self._principals(text)}
        accounts = {text for text in texts if ":" not in text} | {arn.split(":")[4] for arn in arns}
        return sorted(arn for arn in arns - users if not arn.endswith(":root")), accounts

    def _principals(self, text: str) -> Iterator[str]:
        """Yield ARNs of somebody whom a text means, which may have wildcards."""
        parts = text.split(":", 5)
        if len(parts) < 6:
            return
        whole = parts[4].isdigit()
        for account in (parts[4],) if whole else (self._hub, self._own, self._stranger):
            somebody = ":".join((*parts[:4], account, re.sub(r"[*?]", "x", parts[5])))
            try:
                yield str(Principal(arn=somebody).arn)
            except AccessError:
                continue

    def _asker(self, who: str, arn: str, context: dict[str, str]) -> _Asker:
        session = re.fullmatch(r"arn:([a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/.+", arn)
        # AWS sends a session's role in this key:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        principal = f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn
        request = Request(
            principal=Principal(arn=arn),
            action=_ASSUME,
            resource=self._role,
            context={"aws:PrincipalArn": principal, **context},
        )
        return _Asker(who=who, request=request)

    def _account(self, account: str) -> str:
        # In the hub's own stack the last word wins.
        known = {self._stranger: "any other account", self._own: "this account", self._hub: "the hub account"}
        return known.get(account, f"account {account}")
