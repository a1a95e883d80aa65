"""Is what is deployed what this version renders? Documents are compared by what they say."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from alertpath.model import UNKNOWN, Resource
from drill.account import CANNOT_TELL, explained
from drill.check.finding import Findings, State, not_ready, ready, unknown
from drill.check.live import NOT_COMPARED, SEEN_ONLY
from drill.check.stack_state import StackState

_REGIONS_SHOWN = 3


def as_rendered(stack_state: StackState, resources: Sequence[Resource], *, noun: str) -> Findings:
    """Yield what differs between rendered and live resources; the same difference once for all Regions.

    The `noun`, such as "relays", is for the finding that nothing differs.
    """
    problems: dict[tuple[State, str], list[str]] = {}
    for resource in resources:
        for state, text in _problems(stack_state, resource):
            # IAM has no Region.
            region = "" if resource.type.startswith("aws:iam/") else resource.home[1]
            problems.setdefault((state, text), []).append(region)
    for (state, text), regions in problems.items():
        different = sorted(filter(None, set(regions)))
        if len(different) > _REGIONS_SHOWN:
            text += f", in {len(different)} Regions ({', '.join(different[:_REGIONS_SHOWN])} …)"
        elif different:
            text += f", in {', '.join(different)}"
        yield not_ready(text, redeploy(stack_state)) if state is State.NOT_READY else unknown(text)
    if not problems:
        yield ready(f"{noun} match this version: {len(resources)} resources")


def redeploy(stack_state: StackState) -> str:
    """Return the command that makes what is deployed what this version renders."""
    pack = "--policy-pack policies --policy-pack-config policies/config.json"
    return stack_state.pulumi("up", f"--refresh {pack}")


def _problems(stack_state: StackState, resource: Resource) -> Iterator[tuple[State, str]]:
    name = label(resource)
    try:
        live = stack_state.look(resource)
    except CANNOT_TELL as error:
        yield State.UNKNOWN, f"cannot be read: {explained(error)}"
        return
    if live is None:
        yield State.NOT_READY, f"{name} does not exist"
        return
    added = live.keys() - SEEN_ONLY
    for property in sorted((resource.properties.keys() | added) - NOT_COMPARED.keys()):
        wanted, found = resource[property], live.get(property)
        if wanted is None and found == UNKNOWN:
            continue
        if UNKNOWN in (wanted, found):
            emulated = ", which is emulated here" if "AWS_ENDPOINT_URL" in os.environ else ""
            source = f"AWS's answer{emulated}" if found == UNKNOWN else "this version"
            yield State.UNKNOWN, f"{name}: {property} is not known from {source}"
        elif canonical(wanted) != canonical(found):
            yield State.NOT_READY, f"{name}: {difference(property, wanted, found)}"


def difference(property: str, wanted: Any, found: Any) -> str:
    """Return how a live property differs from the rendered one."""
    rendered, live = _statements(wanted), _statements(found)
    if rendered is not None and live is not None:
        changed = [sid for sid in rendered if rendered[sid] != live.get(sid)]
        added = [sid for sid in live if sid not in rendered]
        parts = [f"statement {sid} differs" for sid in changed] + [f"statement {sid} is new" for sid in added]
        return f"{property}: {', '.join(parts) or 'the document differs'}"
    if property == "eventPattern":
        return "the pattern is not the one that this version renders"
    if isinstance(wanted, Mapping) or len(str(wanted)) > 90:
        return f"{property} is not the one that this version renders"
    if wanted is None:
        return f"{property} is {found}, must not be set"
    return f"{property} is {'not set' if found is None else found}, must be {wanted}"


def _statements(value: Any) -> dict[str, Any] | None:
    """Return the statements of a policy document by their Sid; None if it is not a policy document."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    if not isinstance(value, Mapping) or "Statement" not in value:
        return None
    statements = value["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    named = {}
    for number, statement in enumerate(listed, start=1):
        sid = statement.get("Sid") if isinstance(statement, Mapping) else None
        named[str(sid or f"number {number}")] = canonical(statement)
    return named


def canonical(value: Any) -> Any:
    """Return a value in one form for all that mean the same.

    JSON texts are parsed; a list of one entry is that entry, and the order of a list does not count, as in
    policies and patterns; null is the same as absent.
    """
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return canonical(json.loads(value))
        except ValueError:
            return value
    if isinstance(value, Mapping):
        return {name: canonical(entry) for name, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        entries = sorted(map(canonical, value), key=lambda entry: json.dumps(entry, sort_keys=True))
        # A list with only null has a meaning of its own: in a pattern, that the field is null.
        return entries[0] if len(entries) == 1 and entries[0] is not None else entries
    return value


def label(resource: Resource) -> str:
    """Return the name of a resource in words, such as "event rule breakglass-relay"."""
    kind = resource.type.rsplit(":", 1)[-1]
    words = re.sub(r"(?<!^)([A-Z])", r" \1", kind).lower()
    match kind:
        case "EventTarget":
            return f"target {resource['targetId']} of rule {resource['rule']}"
        case "UserPolicyAttachment" | "RolePolicyAttachment":
            return f"attachment of {str(resource['policyArn']).rsplit('/', 1)[-1]}"
        case "RolePolicy":
            return f"policy {resource['name']} of role {resource['role']}"
        case "Key":
            return "key of the alarm"
        case "TopicSubscription":
            return f"{resource['protocol']} subscription of topic {str(resource['topic']).rsplit(':', 1)[-1]}"
        case "QueuePolicy":
            return f"queue policy {str(resource['queueUrl']).rsplit('/', 1)[-1]}"
    name = resource["name"] or resource["eventBusName"] or resource["arn"] or resource["resourceArn"]
    return f"{words} {str(name).rsplit(':', 1)[-1]}"
