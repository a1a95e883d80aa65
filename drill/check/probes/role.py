"""The role is as intended, and only the break-glass users can assume it."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from alertpath.iam.evaluate import AccessError, Principal, Request, Verdict, by_resource_policy, evaluate
from breakglass import naming
from drill.check.compare import as_rendered, redeploy
from drill.check.finding import Findings, not_ready, ready, unknown
from drill.check.probes.further import further_policies, inline_policies
from drill.check.probes.judged import EVERYTHING, judgeable
from drill.check.runner import answer
from drill.check.stack_state import StackState

_FRESH = {"aws:MultiFactorAuthPresent": "true", "aws:MultiFactorAuthAge": "30"}
_ASSUME = "sts:AssumeRole"
_FEDERATED = ("sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
_STRANGERS = ("999999999999", "888888888888", "777777777777")
"""Account ids, at least one of which is neither the hub's nor the stack's own."""

_TAKEN = ", and Statement[0] of identity policy 0 allows it"
"""What the reason of an "allowed" says about `EVERYTHING`, which is only an assumption."""

_NAMED = re.compile(r'"(arn:[^":]*:(?:iam|sts)::[^"]+|[0-9]{12})"')
_PROVIDERS = ("saml-provider/", "oidc-provider/")
_SHOWN = 4


def permissions(stack_state: StackState) -> Findings:
    """Compare the role, its boundary, session length and attachments with the rendered ones.

    Nothing else may be attached, and no inline policy: either would be permissions that nobody reviewed.
    """
    (role,) = stack_state.of_component("role", "Role")
    attachments = stack_state.of_component("role", "RolePolicyAttachment")
    yield from as_rendered(stack_state, [role, *attachments], noun="role and attachments")
    if stack_state.live[role.urn] is None:
        return  # `as_rendered` has reported it
    name, wanted = role["name"], {attachment["policyArn"] for attachment in attachments}
    # A read error in one of these must not hide the other.
    further = partial(further_policies, name=name, kind="role", wanted=wanted)
    yield from answer(further, stack_state, ready(f"role {name}: no further policy attached"))
    inline = partial(inline_policies, name=name, kind="role")
    yield from answer(inline, stack_state, ready(f"role {name}: no inline policy"))


Question = tuple[str, Request]
"""A principal in words, and its request to assume the role."""


def trust(stack_state: StackState) -> Findings:
    """Ask of the live trust policy who can assume the role: each user after a fresh MFA sign-in, nobody else.

    Each principal's own account is assumed to allow everything, as that side is not in our hands
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html).
    Besides principals that a trust policy must always keep out, every principal in the document is tried.
    """
    (role,) = stack_state.of_component("role", "Role")
    properties = stack_state.look(role)
    if properties is None:
        yield not_ready(f"role {role['name']} does not exist: nobody can assume it", redeploy(stack_state))
        return
    for problem in stack_state.disagreements:
        # What follows is asked about this stack's own names and accounts.
        yield not_ready(problem, fix="mend the stack file, and deploy it")
    document = properties["assumeRolePolicy"]
    questions = TrustQuestions(stack_state, document)
    for verdict, who, why in _decided(document, questions.users()):
        if verdict is Verdict.ALLOWED:
            yield ready(f"{who} can assume it")
        elif verdict is Verdict.DENIED:
            yield not_ready(f"{who} cannot assume it: {why}", redeploy(stack_state))
        else:
            yield unknown(f"it is unknown whether {who} can assume it: {why}")
    yield from _kept_out(stack_state, document, [*questions.others(), *questions.users_too_weak()])
    yield from _other_kinds(stack_state, document)
    for text in questions.not_understood():
        yield unknown(f"the trust policy names {text}: it is unknown whether that is a principal")


def _kept_out(stack_state: StackState, document: str, questions: Sequence[Question]) -> Findings:
    all_denied = True
    for verdict, who, why in _decided(document, questions):
        if verdict is Verdict.ALLOWED:
            fix = "find out who changed the trust policy"
            yield not_ready(f"{who} can assume it: {why}", redeploy(stack_state), fix=fix)
        elif verdict is Verdict.UNPROVEN:
            yield unknown(f"it is unknown whether {who} can assume it: {why}")
        all_denied = all_denied and verdict is Verdict.DENIED
    if all_denied:
        yield ready(
            f"{len(questions)} others were tried and cannot: without MFA, with a stale one, "
            "other users, roles, root, other accounts, services, federated principals"
        )


def _decided(document: str, questions: Sequence[Question]) -> Iterator[tuple[Verdict, str, str]]:
    """Yield verdict, principals and reason; each reason once, so that one mistake is reported once."""
    grouped: dict[tuple[Verdict, str], list[str]] = {}
    prepared = judgeable(document)
    for who, request in questions:
        account, arn = request.resource.split(":")[4], request.principal.arn
        if arn is None or arn.endswith(":root") or request.action != _ASSUME:
            # No identity policies: services and federated principals have none, root needs none.
            decision = by_resource_policy(prepared, request, resource_account=account)
        else:
            decision = evaluate(request, identity=[EVERYTHING], resource=prepared, resource_account=account)
        reason = decision.reason.replace("the resource's policy", "the trust policy").replace(_TAKEN, "")
        grouped.setdefault((decision.verdict, reason), []).append(who)
    for (verdict, reason), names in grouped.items():
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield verdict, ", ".join(names[:_SHOWN]) + more, reason


def _other_kinds(stack_state: StackState, document: str) -> Findings:
    """Yield services and identity providers that the document lets in, regardless of the conditions."""
    for statement in _statements(document):
        principal = statement.get("Principal")
        if statement.get("Effect") != "Allow" or not isinstance(principal, dict):
            continue
        for kind, names in principal.items():
            if kind != "AWS":
                who = ", ".join(map(str, names)) if isinstance(names, list) else str(names)
                yield not_ready(
                    f"the trust policy lets in {kind} {who}",
                    redeploy(stack_state),
                    fix="find out who changed the trust policy",
                )


def _statements(document: str) -> list[dict[str, Any]]:
    """Return the statements that are objects; `alertpath.iam.evaluate` reports the others as unknown."""
    parsed = json.loads(document)
    statements = parsed.get("Statement") if isinstance(parsed, dict) else None
    listed = statements if isinstance(statements, list) else [statements]
    return [statement for statement in listed if isinstance(statement, dict)]


def _patterns(document: str) -> set[str]:
    """Return the texts that conditions compare `aws:PrincipalArn` with, such as `*Admin*`."""
    patterns: set[str] = set()
    for statement in _statements(document):
        conditions = statement.get("Condition")
        for block in conditions.values() if isinstance(conditions, dict) else ():
            for key, values in block.items() if isinstance(block, dict) else ():
                if key.lower() == "aws:principalarn":
                    patterns.update(map(str, values if isinstance(values, list) else [values]))
    return patterns


class TrustQuestions:
    """The requests to assume a stack's role that are tried."""

    def __init__(self, stack_state: StackState, document: str) -> None:
        """Take users, role and limits from a stack's settings, other principals from the trust policy."""
        settings = stack_state.stack.settings
        self._own, self._hub = stack_state.account.id, stack_state.stack.settings.hub_account_id
        self._stranger = next(id for id in _STRANGERS if id not in (self._own, self._hub))
        self._names, self._max_age = settings.user.names, settings.role.mfa_max_age
        self._role = naming.role_arn(self._own, settings.role.name)
        texts = _NAMED.findall(json.dumps(_statements(document)))
        self._texts = {text for text in texts if not text.split(":")[-1].startswith(_PROVIDERS)}
        self._patterns = _patterns(document)

    def users(self) -> list[Question]:
        """Return the requests of the users in an emergency."""
        return [
            self._question(f"{name} (just signed in with MFA)", naming.user_arn(self._hub, name), _FRESH)
            for name in self._names
        ]

    def users_too_weak(self) -> Iterator[Question]:
        """Yield requests of the users that must be denied.

        A request signed by an access key carries neither MFA key, a console session without MFA says "false"
        (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html).
        """
        stale = self._max_age + 1
        weak = {
            "no MFA, by an access key": {},
            "no MFA, from the console": {"aws:MultiFactorAuthPresent": "false"},
            f"MFA {stale} seconds ago": _FRESH | {"aws:MultiFactorAuthAge": str(stale)},
        }
        for name in self._names:
            for how, context in weak.items():
                yield self._question(f"{name} ({how})", naming.user_arn(self._hub, name), context)

    def others(self) -> Iterator[Question]:
        """Yield requests of all other principals, with fresh MFA: of each account, and from the document."""
        users = {naming.user_arn(self._hub, name) for name in self._names}
        named = {arn for text in self._texts for arn in self._principals(text)}
        accounts = {text for text in self._texts if ":" not in text} | {arn.split(":")[4] for arn in named}
        # In the hub's own stack the last entry wins.
        known = {self._stranger: "any other account", self._own: "this account", self._hub: "the hub account"}
        for account in dict.fromkeys((self._hub, self._own, self._stranger, *sorted(accounts))):
            where = known.get(account, f"account {account}")
            yield self._question(f"another user of {where}", naming.user_arn(account, "SomebodyElse"), _FRESH)
            role = naming.session_arn(account, "assumed-role/SomeRole/somebody")
            yield self._question(f"a role's session of {where}", role, _FRESH)
            yield self._question(f"root of {where}", naming.iam_arn(account, "root"), _FRESH)
            if account != self._hub:
                for name in self._names:
                    yield self._question(f"{name} of {where}", naming.user_arn(account, name), _FRESH)
        for arn in sorted(named - users):
            if not arn.endswith(":root"):
                yield self._question(arn, arn, _FRESH)
        service = Principal(service="ec2.amazonaws.com")
        yield "a service", Request(principal=service, action=_ASSUME, resource=self._role)
        anybody = Principal(arn=naming.session_arn(self._stranger, "federated-user/anybody"))
        for action in _FEDERATED:
            who = f"any federated principal ({action.removeprefix('sts:')})"
            yield who, Request(principal=anybody, action=action, resource=self._role)

    def not_understood(self) -> list[str]:
        """Return what the document says of principals that no example principal can be made from."""
        texts = {text for text in self._texts if ":" in text} | self._patterns
        return sorted(text for text in texts if not list(self._principals(text)))

    def _principals(self, text: str) -> Iterator[str]:
        """Yield ARNs of example principals for a text, which may have wildcards."""
        parts = text.split(":", 5)
        if len(parts) < 6:
            return
        whole = parts[4].isdigit()
        for account in (parts[4],) if whole else (self._hub, self._own, self._stranger):
            example = ":".join((*parts[:4], account, re.sub(r"[*?]", "x", parts[5])))
            try:
                yield str(Principal(arn=example).arn)
            except AccessError:
                continue

    def _question(self, who: str, arn: str, context: dict[str, str]) -> Question:
        session = re.fullmatch(r"arn:([a-z-]+):sts::([0-9]{12}):assumed-role/([^/]+)/.+", arn)
        # AWS sends a session's role in this key:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        principal = f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn
        context = {"aws:PrincipalArn": principal, **context}
        return who, Request(
            principal=Principal(arn=arn), action=_ASSUME, resource=self._role, context=context
        )
