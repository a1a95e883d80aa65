"""What is deployed: one model of the alarm path, from stack exports or from the resources a policy pack sees.

Values that the input leaves open stay `UNKNOWN`: the trace then says "cannot prove" instead of guessing.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from breakglass import naming
from breakglass.naming import Way

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Pulumi's marker for a string that is not known before the deployment."""

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key by which Pulumi marks a secret in an export, which does not show its value."""


_VERSION = 3
"""Of the exports that Pulumi writes."""


class UnreadableInput(ValueError):
    """The input is not a stack export; the message says which file and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource of a stack.

    Attributes:
        type: Pulumi type token.
        properties: Outputs where there are any, else inputs.
        account: Account that its provider is pinned to; "" if it is not pinned.
        region: The provider's Region.
    """

    type: str
    urn: str
    properties: Mapping[str, Any]
    account: str
    region: str

    def __getitem__(self, name: str) -> Any:
        """Return a property, or None where it is absent."""
        return self.properties.get(name)

    @property
    def home(self) -> tuple[str, str]:
        """Account and Region that the resource is in."""
        return self.account, self["region"] or self.region


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target of a rule."""

    urn: str
    arn: str
    role_arn: str | None
    transformer: Mapping[str, Any] | None
    dead_letter_arn: str | None


@dataclass(kw_only=True)
class Rule:
    """An EventBridge rule with its targets."""

    urn: str
    name: str
    arn: str
    state: str
    pattern: str
    targets: list[Target] = field(default_factory=list)


@dataclass(kw_only=True)
class Policed:
    """A bus, topic, queue, log group or key: something with a resource policy.

    Attributes:
        policy: Its policy document as text; None where it has none.
        policy_urn: The resource that holds the policy, when that is another one.
    """

    urn: str
    arn: str
    policy: str | None = None
    policy_urn: str | None = None

    @property
    def to_blame(self) -> str:
        """URN of the resource to name when the policy is wrong."""
        return self.policy_urn or self.urn


@dataclass(kw_only=True)
class Topic(Policed):
    """An SNS topic.

    Attributes:
        key: ARN, id or alias of the key that encrypts it; None where none does.
        subscriptions: URN and whether it is pending, None where that is not known. Without our own queues:
            a message that nobody else receives does not count as delivered.
    """

    key: str | None = None
    subscriptions: list[tuple[str, bool | None]] = field(default_factory=list)


@dataclass(kw_only=True)
class Key(Policed):
    """A KMS key, found by ARN, id or alias."""

    enabled: bool = True


@dataclass(kw_only=True)
class Role:
    """An IAM role: who may use it, and what it may do. `policies`: URN and document as text."""

    urn: str
    arn: str
    trust: str
    policies: list[tuple[str, str]] = field(default_factory=list)


@dataclass(kw_only=True)
class Deployment:
    """Everything in the given stacks, by ARN.

    Attributes:
        regions: Regions with a relay, by account, as the stacks say in their outputs.
        roles_for_users: Names of the roles that let IAM principals in, by account.
    """

    rules: dict[str, list[Rule]] = field(default_factory=dict)  # by bus ARN
    buses: dict[str, Policed] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    queues: dict[str, Policed] = field(default_factory=dict)
    logs: dict[str, Policed] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    regions: dict[str, list[str]] = field(default_factory=dict)
    users: dict[str, list[str]] = field(default_factory=dict)
    roles_for_users: dict[str, list[str]] = field(default_factory=dict)

    @property
    def default_buses(self) -> list[str]:
        """ARNs of the default buses that have rules."""
        return [bus for bus in self.rules if bus.endswith(":event-bus/default")]

    def bus_of(self, way: Way) -> str | None:
        """Return the ARN of the bus where a way ends; None if no given stack has it."""
        return next((arn for arn in self.buses if arn.endswith(f":event-bus/{way.bus}")), None)


def from_stack_export(text: str | bytes, origin: str) -> list[Resource]:
    """Return the resources of `pulumi stack export`.

    Args:
        text: The export, JSON; bytes may be in any of its encodings, as PowerShell writes UTF-16.
        origin: Name of the file, for messages.

    Raises:
        UnreadableInput: The text is not a stack export, or it holds nothing.
    """
    try:
        export = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableInput(
            f"{origin}: not the output of `pulumi stack export`: not JSON text in UTF-8"
        ) from error
    try:
        entries = export["deployment"].get("resources")
        if export.get("version", _VERSION) != _VERSION:
            raise UnreadableInput(
                f"{origin}: is an export of version {export['version']!r}, must be of version {_VERSION}"
            )
        if entries in (None, []):
            raise UnreadableInput(
                f"{origin}: holds no resources, as the export of a stack never deployed, or destroyed: "
                "nothing can be proven of it"
            )
        providers = {
            f"{entry['urn']}::{entry['id']}": entry.get("inputs", {})
            for entry in entries
            if entry["type"] == "pulumi:providers:aws"
        }
        return [_exported(entry, providers.get(entry.get("provider", ""), {})) for entry in entries]
    except (LookupError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise UnreadableInput(f"{origin}: not the output of `pulumi stack export`") from error


def _exported(entry: Mapping[str, Any], provider: Mapping[str, Any]) -> Resource:
    properties = {**entry.get("inputs", {}), **entry.get("outputs", {})}
    secrets = [name for name, value in properties.items() if isinstance(value, dict) and _SIGNATURE in value]
    return Resource(
        type=str(entry["type"]),
        urn=str(entry["urn"]),
        properties={**properties, **dict.fromkeys(secrets, UNKNOWN)},
        account=pinned_account(provider),
        region=str(provider.get("region", "")),
    )


def pinned_account(provider: Mapping[str, Any]) -> str:
    """Return the one account that a provider allows, or "" where it allows any or several."""
    allowed = provider.get("allowedAccountIds") or []
    if isinstance(allowed, str):
        allowed = json.loads(allowed)
    return str(allowed[0]) if isinstance(allowed, list) and len(allowed) == 1 else ""


def deployment(resources: Iterable[Resource]) -> Deployment:
    """Return the model of everything that the resources, of any number of stacks, make up."""
    given = list(resources)
    model = Deployment()
    for add in (_add_resource, _add_policy, _add_part, _add_target):  # each needs what the one before found
        for resource in given:
            add(model, resource)
    return model


def _arn(resource: Resource, service: str, name: str) -> str:
    """Return the resource's ARN: its own where that is known, else made from account, Region and name."""
    account, region = resource.home
    own = resource["arn"]
    if isinstance(own, str) and own != UNKNOWN:
        return own.removesuffix(":*")
    return f"arn:aws:{service}:{'' if service == 'iam' else region}:{account}:{name}"


def _bus_arn(resource: Resource) -> str:
    name = _text(resource["eventBusName"]) or "default"
    if name.startswith("arn:"):
        return name
    account, region = resource.home
    return naming.bus_arn(account, region, name)


def _text(value: Any) -> str:
    """Return a value as text: a document that is an object as JSON, what is missing as nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _add_resource(model: Deployment, resource: Resource) -> None:
    name = str(resource["name"] or "")
    urn = resource.urn
    match resource.type:
        case "aws:cloudwatch/eventBus:EventBus":
            arn = _arn(resource, "events", f"event-bus/{name}")
            model.buses[arn] = Policed(arn=arn, urn=urn)
        case "aws:sns/topic:Topic":
            arn = _arn(resource, "sns", name)
            key = _text(resource["kmsMasterKeyId"])
            model.topics[arn] = Topic(arn=arn, key=key or None, policy=_text(resource["policy"]), urn=urn)
        case "aws:sqs/queue:Queue":
            arn = _arn(resource, "sqs", name)
            model.queues[arn] = Policed(arn=arn, policy=_text(resource["policy"]), urn=urn)
        case "aws:cloudwatch/logGroup:LogGroup":
            arn = _arn(resource, "logs", f"log-group:{name}")
            model.logs[arn] = Policed(arn=arn, urn=urn)
        case "aws:kms/key:Key":
            arn = _arn(resource, "kms", f"key/{resource['keyId'] or UNKNOWN}")  # one unknown key at most
            enabled = resource["isEnabled"] is not False
            model.keys[arn] = Key(arn=arn, policy=_text(resource["policy"]), enabled=enabled, urn=urn)
        case "aws:iam/role:Role":
            arn = _arn(resource, "iam", f"role/{name}")
            trust = _text(resource["assumeRolePolicy"])
            model.roles[arn] = Role(arn=arn, trust=trust, urn=urn)
            if '"AWS"' in trust:
                model.roles_for_users.setdefault(resource.account, []).append(name)
        case "aws:iam/user:User":
            model.users.setdefault(resource.account, []).append(name)
        case "pulumi:pulumi:Stack":
            # The Regions with a relay; the account stands in the role's ARN.
            regions, role = resource["coveredRegions"], resource["roleArn"]
            if isinstance(regions, list) and isinstance(role, str) and role.count(":") == 5:
                model.regions[role.split(":")[4]] = [str(region) for region in regions]


def _add_policy(model: Deployment, resource: Resource) -> None:
    held: Policed | None = None
    document = resource["policy"]
    match resource.type:
        case "aws:cloudwatch/eventBusPolicy:EventBusPolicy":
            held = model.buses.get(_bus_arn(resource))
        case "aws:sns/topicPolicy:TopicPolicy":
            held = model.topics.get(str(resource["arn"]))
        case "aws:cloudwatch/logResourcePolicy:LogResourcePolicy":
            held, document = model.logs.get(str(resource["resourceArn"])), resource["policyDocument"]
        case "aws:sqs/queuePolicy:QueuePolicy":
            url = resource["queueUrl"]
            if isinstance(url, str) and url != UNKNOWN:
                held = model.queues.get(naming.queue_arn(*resource.home, url.rsplit("/", 1)[-1]))
            else:
                # Before the first deployment the URL is not known; the policy is then named after its queue.
                urn = resource.urn.removesuffix("-policy").replace("queuePolicy:QueuePolicy", "queue:Queue")
                held = next((queue for queue in model.queues.values() if queue.urn == urn), None)
        case "aws:iam/rolePolicy:RolePolicy":
            role = model.roles.get(naming.role_arn(resource.account, resource["role"]))
            if role is not None:
                role.policies.append((resource.urn, _text(document)))
    if held is not None:
        held.policy, held.policy_urn = _text(document), resource.urn


def _add_part(model: Deployment, resource: Resource) -> None:
    match resource.type:
        case "aws:cloudwatch/eventRule:EventRule":
            bus = _bus_arn(resource)
            path = bus.split("event-bus/")[-1]
            name = str(resource["name"] or "")
            label = name if path == "default" else f"{path}/{name}"
            rule = Rule(
                urn=resource.urn,
                name=name,
                arn=_arn(resource, "events", f"rule/{label}"),
                state=str(resource["state"] or "ENABLED"),
                pattern=_text(resource["eventPattern"]),
            )
            model.rules.setdefault(bus, []).append(rule)
        case "aws:kms/alias:Alias":
            key = model.keys.get(str(resource["targetKeyArn"]))
            if key is not None:
                model.keys[str(resource["name"])] = key
        case "aws:sns/topicSubscription:TopicSubscription":
            topic = model.topics.get(str(resource["topic"]))
            # Encrypted, an endpoint counts as a recipient: it is not the text that our queues' is.
            queue = str(resource["endpoint"]).rsplit(":", 1)[-1] if resource["protocol"] == "sqs" else ""
            if topic is not None and queue not in naming.OWN_QUEUES:
                pending = resource["pendingConfirmation"]
                topic.subscriptions.append((resource.urn, pending if isinstance(pending, bool) else None))


def _add_target(model: Deployment, resource: Resource) -> None:
    if resource.type != "aws:cloudwatch/eventTarget:EventTarget":
        return
    dead_letters, transformer = resource["deadLetterConfig"], resource["inputTransformer"]
    target = Target(
        urn=resource.urn,
        arn=str(resource["arn"] or ""),
        role_arn=_text(resource["roleArn"]) or None,
        transformer=transformer if isinstance(transformer, Mapping) else None,
        dead_letter_arn=_text(dead_letters.get("arn")) if isinstance(dead_letters, Mapping) else None,
    )
    for rule in model.rules.get(_bus_arn(resource), []):
        if rule.name == resource["rule"]:
            rule.targets.append(target)
