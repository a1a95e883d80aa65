"""Would AWS allow this request? Evaluates IAM policies, as far as the alarm path and role trust need it.

The rules are on these pages of https://docs.aws.amazon.com/IAM/latest/UserGuide/:

- `reference_policies_evaluation-logic.html`: an explicit deny wins, and without an allow a request is denied;
- `reference_policies_evaluation-logic_policy-eval-basics.html`: within one account an identity
  policy or the resource's policy suffices, but a role's trust policy and a KMS key policy must allow;
- `reference_policies_evaluation-logic-cross-account.html`: between accounts both sides must allow;
- `access_policies_boundaries.html`: a boundary caps what identity policies grant;
- `reference_policies_elements_principal.html`, `..._action.html`, `..._resource.html`: the elements.

The answer is three-valued. What is malformed or not modelled makes it `Verdict.UNPROVEN`, and only if it
could change the answer: an unknown operator in a statement about another action does not.

Not modelled: service and resource control policies, session policies, VPC endpoint policies, grants of KMS,
what the root user may do, and condition keys that AWS derives from the principal (aws:PrincipalArn,
aws:username): the request names every key that AWS would send. `alertpath.iam.sent` makes such requests.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeAlias

from alertpath.iam.answer import Answer, every, one_of, shown, some, texts_of
from alertpath.iam.conditions import condition_holds
from alertpath.iam.principals import ACCOUNT, AccessError, Named, Principal, left_out, names
from alertpath.iam.wildcards import Context, Wild, expanded, fits, tokens

Document: TypeAlias = Mapping[str, Any] | str
"""A policy document, parsed or as JSON text."""

_ELEMENTS = {"Sid", "Effect", "Condition"} | {
    form + element for element in ("Principal", "Action", "Resource") for form in ("", "Not")
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call to AWS.

    Attributes:
        action: Such as `sns:Publish`.
        resource: ARN of the resource, or `*` for an action without one.
        context: Condition keys, names in any case, each with its value or values. A key that is neither here
            nor unknown is absent, as AWS would not send it.
        unknown: Condition keys that AWS may send, it is not known whether, or with which value; of keys such
            as `aws:ResourceTag/team` what comes before the slash. The context goes first.

    Raises:
        AccessError: The action has no service, or the context is not text (or lists of it) by distinct keys.
    """

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    unknown: Set[str] = frozenset()

    def __post_init__(self) -> None:
        """Checks the request."""
        if ":" not in self.action:
            raise AccessError(f"{shown(self.action)} is not an action; write service:Name")
        if not isinstance(self.context, Mapping) or not all(isinstance(key, str) for key in self.context):
            raise AccessError(
                "the context must be a mapping whose keys are text, the names of condition keys"
            )
        for key, value in self.context.items():
            values = [value] if isinstance(value, str) else value
            if not isinstance(values, list | tuple) or not all(isinstance(item, str) for item in values):
                raise AccessError(f"the condition key {shown(key)} must have text or a list of text")
        if len({key.lower() for key in self.context}) < len(self.context):
            raise AccessError("the context names a condition key twice; key names are compared without case")


_EVERY_WAY = frozenset(Named)
_ROLE_ARN = re.compile("[^:]*:[^:]*:iam:[^:]*:[^:]*:role/")
_KEY_ARN = re.compile("[^:]*:[^:]*:kms:[^:]*:[^:]*:key/")


class Verdict(Enum):
    """What AWS would answer, or that it cannot be proven."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNPROVEN = "unproven"


@dataclass(frozen=True)
class Decision:
    """A verdict and the sentence that explains it: which statement, and what did not match."""

    verdict: Verdict
    reason: str


def by_resource_policy(document: Document, request: Request, *, resource_account: str) -> Decision:
    """What the resource's policy alone says: for a service the whole answer, for an account one side.

    A statement that names the principal's account leaves the decision to that account's identity policies
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts).
    So it counts for another account, whose side is judged elsewhere, and not within the resource's account.

    Args:
        document: The policy of the topic, key, bus, queue, log group or role.

    Raises:
        AccessError: The account is not twelve digits.
    """
    policy = _read(document, "the resource's policy", _resource_kind(request))
    granted = _EVERY_WAY - ({Named.ACCOUNT} if _same_account(request, resource_account) else set())
    return _decision(_stated("Deny", [policy], request), _stated("Allow", [policy], request, granted))


def evaluate(
    request: Request,
    *,
    identity: Sequence[Document] = (),
    resource: Document | None = None,
    boundary: Document | None = None,
    resource_account: str,
) -> Decision:
    """What all policies together say.

    Args:
        identity: Policies of the user, its groups or the role.
        resource: Policy of the resource. None if it has none; a role or key always has one, so there None
            means that it is not known.
        boundary: Permissions boundary of the user or role.

    Raises:
        AccessError: The account is not twelve digits, `identity` is a single document, or a service is given
            identity policies or a boundary, which it cannot have.
    """
    if isinstance(identity, str | Mapping):
        raise AccessError("identity is one document; give a list of documents")
    same = _same_account(request, resource_account)
    if request.principal.service is not None and (identity or boundary is not None):
        raise AccessError("a service has no identity policies; its request is judged by the resource alone")
    own = [_read(each, f"identity policy {index}", _Kind.IDENTITY) for index, each in enumerate(identity)]
    limit = [] if boundary is None else [_read(boundary, "the boundary", _Kind.IDENTITY)]
    on_resource: list[_Policy] = []
    if resource is not None:
        policy = _read(resource, "the resource's policy", _resource_kind(request))
        on_resource = [replace(policy, asked_with_boundary=bool(limit))]
    denied = _stated("Deny", [*own, *limit, *on_resource], request)

    capped = _stated("Allow", limit, request) if limit else Answer(True, "")
    if str(request.principal.arn).endswith(":root"):
        by_identity = every([Answer(None, "what the root user may do is not modelled"), capped])
    else:
        by_identity = every([_stated("Allow", own, request), capped])
    # An identity policy alone is never enough for a key or for a role to assume.
    must_allow = _resource_kind(request) is _Kind.TRUST or _KEY_ARN.match(request.resource) is not None
    if must_allow and not on_resource:
        unknown = Answer(None, f"the policy of {request.resource} is not known, and it must allow")
        by_name = by_role = by_account = unknown
    else:
        by_name, by_role, by_account = (_stated("Allow", on_resource, request, {named}) for named in Named)
    # An implicit deny of the boundary limits what is granted to a role, not what is granted to a user or to
    # one session of a role (the page on boundaries, "Resource-based policies").
    directly = some([by_name, every([by_role, capped])])
    if request.principal.service is not None:
        allowed = by_name
    elif not same:
        allowed = every([some([by_name, by_role, by_account]), by_identity])
    elif must_allow:
        allowed = some([directly, every([by_account, by_identity])])
    else:
        allowed = some([directly, by_identity])
    return _decision(denied, allowed)


def _decision(denied: Answer, allowed: Answer) -> Decision:
    if denied.holds:
        return Decision(Verdict.DENIED, f"{denied.why}.")
    if allowed.holds is False:
        return Decision(Verdict.DENIED, f"Nothing allows it: {allowed.why}.")
    if denied.holds is None or allowed.holds is None:
        return Decision(Verdict.UNPROVEN, f"{denied.why if denied.holds is None else allowed.why}.")
    return Decision(Verdict.ALLOWED, f"{allowed.why}.")


def _same_account(request: Request, resource_account: str) -> bool:
    if not isinstance(resource_account, str) or not ACCOUNT.fullmatch(resource_account):
        raise AccessError(f"the resource's account is {shown(resource_account)}; it must be twelve digits")
    return request.principal.account == resource_account


class _Kind(Enum):
    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"


@dataclass(frozen=True)
class _Policy:
    name: str
    kind: _Kind
    statements: Sequence[object] = ()
    variables: bool = False
    problem: str | None = None
    asked_with_boundary: bool = False


def _resource_kind(request: Request) -> _Kind:
    assumed = _ROLE_ARN.match(request.resource) and request.action.lower().startswith("sts:")
    return _Kind.TRUST if assumed else _Kind.RESOURCE


def _read(document: object, name: str, kind: _Kind) -> _Policy:
    try:
        parsed = json.loads(document, object_pairs_hook=_object) if isinstance(document, str) else document
    except (ValueError, RecursionError) as error:
        return _Policy(name, kind, problem=f"{name} is not JSON: {error}")
    if not isinstance(parsed, Mapping):
        return _Policy(name, kind, problem=f"{name} is {shown(parsed)} instead of a JSON object")
    unknown = [key for key in parsed if key not in ("Version", "Id", "Statement")]
    # Without a Version it is 2008-10-17 (reference_policies_elements_version.html).
    version = parsed.get("Version", "2008-10-17")
    statements = parsed.get("Statement")
    if unknown:
        problem = f"{name} has an unknown element {shown(unknown[0])}"
    elif version not in ("2012-10-17", "2008-10-17"):
        problem = f"{name} has the Version {shown(version)}, which AWS does not have"
    elif not isinstance(statements, dict | list):
        problem = f"{name} has no Statement"
    else:
        listed = statements if isinstance(statements, list) else [statements]
        return _Policy(name, kind, statements=listed, variables=version == "2012-10-17")
    return _Policy(name, kind, problem=problem)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("an object names a key twice")
    return made


def _stated(effect: str, policies: list[_Policy], request: Request, named: Set[Named] = _EVERY_WAY) -> Answer:
    """Whether a statement of this effect applies; a no gives the reasons of those that came closest."""
    findings = [Answer(None, policy.problem) for policy in policies if policy.problem]
    closest: dict[int, list[str]] = {}
    context: Context = {key.lower(): None for key in request.unknown} | {
        key.lower(): (value,) if isinstance(value, str) else tuple(value)
        for key, value in request.context.items()
    }
    for policy in policies:
        for index, statement in enumerate(policy.statements):
            stages: list[Answer] = []
            for stage in _stages(statement, effect, policy, request, context, named):
                stages.append(stage)
                if stage.holds is False:
                    break  # it decides, also over the finer stages
            sid = statement.get("Sid") if isinstance(statement, dict) else None
            where = f"Statement[{index}]{f' ({sid})' if isinstance(sid, str) else ''} of {policy.name}"
            answer = every(stages, "allows it" if effect == "Allow" else "denies it explicitly")
            findings.append(Answer(answer.holds, f"{where}{' ' if answer.holds else ': '}{answer.why}"))
            if answer.holds is False:
                closest.setdefault(len(stages), []).append(findings[-1].why)
    given = " or ".join(policy.name for policy in policies)
    nothing = f"no statement of {given} applies" if given else "there is no policy that could allow it"
    return some(findings, "; ".join(closest[max(closest)]) if closest and max(closest) > 1 else nothing)


def _stages(
    statement: object, effect: str, policy: _Policy, request: Request, context: Context, named: Set[Named]
) -> Iterator[Answer]:
    """What has to hold for the statement to apply, from the coarse to the fine."""
    if not isinstance(statement, dict):
        yield Answer(None, f"it is {shown(statement)} instead of an object")
        return
    written = statement.get("Effect")
    known = isinstance(written, str) and written in ("Allow", "Deny")
    yield Answer(written == effect if known else None, f"its Effect is {shown(written)}")
    yield _action(statement, request)
    yield _resource(statement, policy, request, context)
    yield _principal(statement, policy, request.principal, named)
    if "Condition" in statement:
        yield condition_holds(statement["Condition"], context, variables=policy.variables)
    unknown = [name for name in statement if name not in _ELEMENTS]
    if unknown:
        yield Answer(None, f"it has an unknown element {shown(unknown[0])}")
    if not isinstance(statement.get("Sid", ""), str):
        yield Answer(None, "its Sid is not text")


def _listed(statement: dict[str, Any], element: str) -> object | Answer:
    """The value of the element or of its Not form; there must be one of them."""
    values = [statement[name] for name in (element, f"Not{element}") if name in statement]
    return values[0] if len(values) == 1 else Answer(None, f"it must have one of {element} and Not{element}")


def _one_matches(
    statement: dict[str, Any], element: str, matches: Callable[[str], list[Answer]], why: str
) -> Answer:
    """Whether one of the element's texts matches; for its Not form whether none of them does."""
    listed = _listed(statement, element)
    texts = listed if isinstance(listed, Answer) else texts_of(listed, element)
    if isinstance(texts, Answer):
        return texts
    answers = [answer for text in texts for answer in matches(text)]
    return one_of(answers, negated=element not in statement, why=why)


def _action(statement: dict[str, Any], request: Request) -> Answer:
    def matches(text: str) -> list[Answer]:
        if text != "*" and ":" not in text:
            return [Answer(None, f"its Action {shown(text)} has no service")]
        return [Answer(fits(tokens(text.lower()), request.action.lower()), "")]

    return _one_matches(statement, "Action", matches, f"it is not about the action {request.action}")


def _resource(statement: dict[str, Any], policy: _Policy, request: Request, context: Context) -> Answer:
    if policy.kind is _Kind.TRUST:
        # It is about its role, and IAM refuses the element ("Has prohibited field Resource").
        has_one = "Resource" in statement or "NotResource" in statement
        return Answer(None if has_one else True, "a trust policy takes no Resource")
    variables = context if policy.variables else None

    def matches(text: str) -> list[Answer]:
        # AWS completes an ARN of an identity policy: `arn:aws:iam` becomes `arn:aws:iam:*:*:*` (see
        # reference_identifiers.html). As it is written too: a wildcard may stand for what is missing.
        short = policy.kind is _Kind.IDENTITY and text.startswith("arn:")
        forms = [text, text + ":*" * (5 - text.count(":"))] if short else [text]
        return [_resource_matches(form, request.resource, variables) for form in dict.fromkeys(forms)]

    return _one_matches(statement, "Resource", matches, f"it is not about the resource {request.resource}")


def _resource_matches(written: str, resource: str, context: Context | None) -> Answer:
    """Whether a written resource covers one; a `*` also matches colons if it ends a segment of the ARN.

    Of a wildcard elsewhere AWS says only that it matches "within" a segment.

    See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    if written == "*":
        return Answer(True, "")
    if not written.startswith("arn:"):
        return Answer(None, f"its Resource {shown(written)} is neither * nor an ARN")
    if context is not None and "${" in ":".join(written.split(":", 5)[:5]):
        return Answer(None, f"its Resource {shown(written)} has a variable before the fifth colon")
    pattern = expanded(written, context)
    if isinstance(pattern, Answer):
        return pattern
    inside: dict[str | Wild, str | Wild] = {Wild.MANY: Wild.MANY_INSIDE, Wild.ONE: Wild.ONE_INSIDE}
    segments = [
        token if token is Wild.MANY and after == ":" else inside.get(token, token)
        for token, after in zip(pattern, [*pattern[1:], ":"], strict=True)
    ]
    if fits(segments, resource):
        return Answer(True, "")
    crossed = f"a wildcard inside a segment of {shown(written)} meets a colon"
    return Answer(None if fits(pattern, resource) else False, crossed)


def _principal(statement: dict[str, Any], policy: _Policy, caller: Principal, named: Set[Named]) -> Answer:
    if policy.kind is _Kind.IDENTITY:
        has_one = "Principal" in statement or "NotPrincipal" in statement
        return Answer(None if has_one else True, "an identity policy takes no Principal")
    listed = _listed(statement, "Principal")
    if isinstance(listed, Answer):
        return listed
    if "Principal" in statement:
        return names(listed, caller, named)
    if policy.kind is _Kind.TRUST or statement.get("Effect") != "Deny":
        return Answer(None, "AWS takes a NotPrincipal in a Deny only, and not in a trust policy")
    # It "will always deny any IAM principal that has a permissions boundary policy attached", says
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    return Answer(True, "") if policy.asked_with_boundary else left_out(listed, caller)
