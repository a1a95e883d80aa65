"""The resource types that the emulated provider offers: one class each, towards the emulated AWS.

Property names are those of pulumi-aws; `tests/sandbox/test_resources.py` holds them to the installed SDK.
A type or property that is not here is refused by name: the sandbox must not accept what it would ignore.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

Props = dict[str, Any]


class Resource:
    """One resource type: how to create, read, update and delete it.

    Attributes:
        token: Pulumi type token.
        service: boto3 name of the AWS service.
        inputs: Properties that a program may set, besides `region` and `tags`.
        outputs: Properties that `read` adds to the inputs.
        replace_on: Inputs whose change AWS cannot apply in place.
        kept: Inputs that moto does not keep: they are answered from the program's own values.
        regional: Whether the type takes `region`.
    """

    token: ClassVar[str]
    service: ClassVar[str]
    inputs: ClassVar[frozenset[str]]
    outputs: ClassVar[frozenset[str]] = frozenset()
    replace_on: ClassVar[frozenset[str]] = frozenset()
    kept: ClassVar[frozenset[str]] = frozenset()
    regional: ClassVar[bool] = True

    def create(self, api: Any, props: Props) -> str:
        """Create the resource and return its id."""
        raise NotImplementedError

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        """Return the live properties, or None when the resource is gone."""
        raise NotImplementedError

    def update(self, api: Any, id: str, props: Props) -> None:
        """Bring the resource to `props`; only types whose every change replaces leave this out."""
        raise NotImplementedError

    def delete(self, api: Any, id: str, props: Props) -> None:
        """Delete the resource."""
        raise NotImplementedError


def _given(**parameters: Any) -> Props:
    """Return the parameters that are not None: boto3 refuses None where a value may be left out."""
    return {name: value for name, value in parameters.items() if value is not None}


class User(Resource):
    """IAM user."""

    token = "aws:iam/user:User"
    service = "iam"
    regional = False
    inputs = frozenset({"name", "path", "forceDestroy"})
    outputs = frozenset({"arn", "uniqueId"})
    replace_on = frozenset({"name", "path"})
    kept = frozenset({"forceDestroy"})

    def create(self, api: Any, props: Props) -> str:
        api.create_user(UserName=props["name"], Path=props.get("path", "/"))
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        user = api.get_user(UserName=id)["User"]
        return {
            "name": user["UserName"],
            "path": user["Path"],
            "arn": user["Arn"],
            "uniqueId": user["UserId"],
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        pass  # forceDestroy only says what a later delete may do

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_user(UserName=id)


class Policy(Resource):
    """IAM customer managed policy."""

    token = "aws:iam/policy:Policy"
    service = "iam"
    regional = False
    inputs = frozenset({"name", "path", "description", "policy"})
    outputs = frozenset({"arn", "policyId"})
    replace_on = frozenset({"name", "path", "description"})

    def create(self, api: Any, props: Props) -> str:
        return api.create_policy(
            PolicyName=props["name"],
            PolicyDocument=props["policy"],
            **_given(Path=props.get("path"), Description=props.get("description")),
        )["Policy"]["Arn"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        policy = api.get_policy(PolicyArn=id)["Policy"]
        version = api.get_policy_version(PolicyArn=id, VersionId=policy["DefaultVersionId"])
        return {
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "description": policy.get("Description") or None,
            "policy": json.dumps(version["PolicyVersion"]["Document"]),
            "arn": policy["Arn"],
            "policyId": policy["PolicyId"],
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        old = api.get_policy(PolicyArn=id)["Policy"]["DefaultVersionId"]
        api.create_policy_version(PolicyArn=id, PolicyDocument=props["policy"], SetAsDefault=True)
        api.delete_policy_version(PolicyArn=id, VersionId=old)

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_policy(PolicyArn=id)


class Role(Resource):
    """IAM role."""

    token = "aws:iam/role:Role"
    service = "iam"
    regional = False
    inputs = frozenset(
        {"name", "path", "description", "assumeRolePolicy", "maxSessionDuration", "permissionsBoundary"}
    )
    outputs = frozenset({"arn", "uniqueId"})
    replace_on = frozenset({"name", "path"})

    def create(self, api: Any, props: Props) -> str:
        api.create_role(
            RoleName=props["name"],
            AssumeRolePolicyDocument=props["assumeRolePolicy"],
            **_given(
                Path=props.get("path"),
                Description=props.get("description"),
                MaxSessionDuration=props.get("maxSessionDuration"),
                PermissionsBoundary=props.get("permissionsBoundary"),
            ),
        )
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        role = api.get_role(RoleName=id)["Role"]
        return {
            "name": role["RoleName"],
            "path": role["Path"],
            "description": role.get("Description") or None,
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "maxSessionDuration": role["MaxSessionDuration"],
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        api.update_assume_role_policy(RoleName=id, PolicyDocument=props["assumeRolePolicy"])
        api.update_role(
            RoleName=id,
            Description=props.get("description", ""),
            MaxSessionDuration=props.get("maxSessionDuration", 3600),
        )
        if boundary := props.get("permissionsBoundary"):
            api.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=boundary)
        else:
            api.delete_role_permissions_boundary(RoleName=id)

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_role(RoleName=id)


class _Attachment(Resource):
    """A managed policy attached to a principal."""

    service = "iam"
    regional = False
    principal: ClassVar[str]

    def create(self, api: Any, props: Props) -> str:
        self._call(api, "attach", props, PolicyArn=props["policyArn"])
        return f"{props[self.principal]}/{props['policyArn']}"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        attached = self._call(api, "list_attached", props)["AttachedPolicies"]
        if props["policyArn"] not in {policy["PolicyArn"] for policy in attached}:
            return None
        return {self.principal: props[self.principal], "policyArn": props["policyArn"]}

    def delete(self, api: Any, id: str, props: Props) -> None:
        self._call(api, "detach", props, PolicyArn=props["policyArn"])

    def _call(self, api: Any, verb: str, props: Props, **parameters: str) -> Any:
        noun = "policies" if verb == "list_attached" else "policy"
        call = getattr(api, f"{verb}_{self.principal}_{noun}")
        return call(**{f"{self.principal.title()}Name": props[self.principal]}, **parameters)


class UserPolicyAttachment(_Attachment):
    """Managed policy on an IAM user."""

    token = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
    principal = "user"
    inputs = replace_on = frozenset({"user", "policyArn"})


class RolePolicyAttachment(_Attachment):
    """Managed policy on an IAM role."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    principal = "role"
    inputs = replace_on = frozenset({"role", "policyArn"})


class Key(Resource):
    """KMS key."""

    token = "aws:kms/key:Key"
    service = "kms"
    inputs = frozenset({"description", "policy", "enableKeyRotation", "deletionWindowInDays", "isEnabled"})
    outputs = frozenset({"arn", "keyId"})
    kept = frozenset({"deletionWindowInDays"})

    def create(self, api: Any, props: Props) -> str:
        id = api.create_key(**_given(Description=props.get("description"), Policy=props.get("policy")))[
            "KeyMetadata"
        ]["KeyId"]
        self._switch(api, id, props)
        return id

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        key = api.describe_key(KeyId=id)["KeyMetadata"]
        if key["KeyState"] == "PendingDeletion":
            return None
        return {
            "description": key["Description"] or None,
            "policy": api.get_key_policy(KeyId=id, PolicyName="default")["Policy"],
            "enableKeyRotation": api.get_key_rotation_status(KeyId=id)["KeyRotationEnabled"],
            "isEnabled": key["Enabled"],
            "arn": key["Arn"],
            "keyId": id,
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        api.update_key_description(KeyId=id, Description=props.get("description", ""))
        if policy := props.get("policy"):
            api.put_key_policy(KeyId=id, PolicyName="default", Policy=policy)
        self._switch(api, id, props)

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.schedule_key_deletion(KeyId=id, PendingWindowInDays=props.get("deletionWindowInDays", 30))

    def _switch(self, api: Any, id: str, props: Props) -> None:
        rotate = api.enable_key_rotation if props.get("enableKeyRotation") else api.disable_key_rotation
        rotate(KeyId=id)
        enable = api.enable_key if props.get("isEnabled", True) else api.disable_key
        enable(KeyId=id)


class Alias(Resource):
    """KMS alias."""

    token = "aws:kms/alias:Alias"
    service = "kms"
    inputs = frozenset({"name", "targetKeyId"})
    outputs = frozenset({"arn", "targetKeyArn"})
    replace_on = frozenset({"name"})

    def create(self, api: Any, props: Props) -> str:
        api.create_alias(AliasName=props["name"], TargetKeyId=props["targetKeyId"])
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        for page in api.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == id:
                    key = api.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]
                    return {
                        "name": id,
                        "targetKeyId": key["KeyId"],
                        "arn": alias["AliasArn"],
                        "targetKeyArn": key["Arn"],
                    }
        return None

    def update(self, api: Any, id: str, props: Props) -> None:
        api.update_alias(AliasName=id, TargetKeyId=props["targetKeyId"])

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_alias(AliasName=id)


class Topic(Resource):
    """SNS topic."""

    token = "aws:sns/topic:Topic"
    service = "sns"
    inputs = frozenset({"name", "displayName", "kmsMasterKeyId"})
    outputs = frozenset({"arn", "owner"})
    replace_on = frozenset({"name"})
    _attributes: ClassVar[Mapping[str, str]] = {
        "displayName": "DisplayName",
        "kmsMasterKeyId": "KmsMasterKeyId",
    }

    def create(self, api: Any, props: Props) -> str:
        id = api.create_topic(Name=props["name"])["TopicArn"]
        self.update(api, id, props)
        return id

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_topic_attributes(TopicArn=id)["Attributes"]
        return {
            "name": id.rsplit(":", 1)[-1],
            **{name: live.get(attribute) or None for name, attribute in self._attributes.items()},
            "arn": id,
            "owner": live["Owner"],
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        for name, attribute in self._attributes.items():
            api.set_topic_attributes(TopicArn=id, AttributeName=attribute, AttributeValue=props.get(name, ""))

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_topic(TopicArn=id)


class TopicPolicy(Resource):
    """Policy of an SNS topic."""

    token = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    inputs = frozenset({"arn", "policy"})
    outputs = frozenset({"owner"})
    replace_on = frozenset({"arn"})

    def create(self, api: Any, props: Props) -> str:
        self._put(api, props["arn"], props["policy"])
        return props["arn"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_topic_attributes(TopicArn=id)["Attributes"]
        return {"arn": id, "policy": live["Policy"], "owner": live["Owner"]}

    def update(self, api: Any, id: str, props: Props) -> None:
        self._put(api, id, props["policy"])

    def delete(self, api: Any, id: str, props: Props) -> None:
        # AWS keeps a policy on every topic: without ours it is one that lets nobody in.
        self._put(api, id, json.dumps({"Version": "2012-10-17", "Statement": []}))

    def _put(self, api: Any, arn: str, policy: str) -> None:
        api.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


class TopicSubscription(Resource):
    """SNS subscription. moto confirms every one at once; AWS waits for the person, so this does too."""

    token = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    inputs = replace_on = frozenset({"topic", "protocol", "endpoint"})
    outputs = frozenset({"arn", "ownerId", "pendingConfirmation"})

    def create(self, api: Any, props: Props) -> str:
        return api.subscribe(
            TopicArn=props["topic"],
            Protocol=props["protocol"],
            Endpoint=props["endpoint"],
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_subscription_attributes(SubscriptionArn=id)["Attributes"]
        return {
            "topic": live["TopicArn"],
            "protocol": live["Protocol"],
            "endpoint": live["Endpoint"],
            "arn": id,
            "ownerId": live["Owner"],
            "pendingConfirmation": live["Protocol"] in {"email", "https"},
        }

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.unsubscribe(SubscriptionArn=id)


class Queue(Resource):
    """SQS queue."""

    token = "aws:sqs/queue:Queue"
    service = "sqs"
    inputs = frozenset({"name", "messageRetentionSeconds", "sqsManagedSseEnabled"})
    outputs = frozenset({"arn", "url"})
    replace_on = frozenset({"name"})

    def create(self, api: Any, props: Props) -> str:
        return api.create_queue(QueueName=props["name"], Attributes=self._attributes(props))["QueueUrl"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_queue_attributes(QueueUrl=id, AttributeNames=["All"])["Attributes"]
        return {
            "name": live["QueueArn"].rsplit(":", 1)[-1],
            "messageRetentionSeconds": int(live["MessageRetentionPeriod"]),
            "sqsManagedSseEnabled": live["SqsManagedSseEnabled"] == "true",
            "arn": live["QueueArn"],
            "url": id,
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        api.set_queue_attributes(QueueUrl=id, Attributes=self._attributes(props))

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_queue(QueueUrl=id)

    def _attributes(self, props: Props) -> dict[str, str]:
        return {
            "MessageRetentionPeriod": str(props.get("messageRetentionSeconds", 345600)),
            "SqsManagedSseEnabled": "true" if props.get("sqsManagedSseEnabled", True) else "false",
        }


class QueuePolicy(Resource):
    """Policy of an SQS queue."""

    token = "aws:sqs/queuePolicy:QueuePolicy"
    service = "sqs"
    inputs = frozenset({"queueUrl", "policy"})
    replace_on = frozenset({"queueUrl"})

    def create(self, api: Any, props: Props) -> str:
        self._put(api, props["queueUrl"], props["policy"])
        return props["queueUrl"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_queue_attributes(QueueUrl=id, AttributeNames=["Policy"]).get("Attributes", {})
        return {"queueUrl": id, "policy": live["Policy"]} if live.get("Policy") else None

    def update(self, api: Any, id: str, props: Props) -> None:
        self._put(api, id, props["policy"])

    def delete(self, api: Any, id: str, props: Props) -> None:
        self._put(api, id, "")

    def _put(self, api: Any, url: str, policy: str) -> None:
        api.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


class EventRule(Resource):
    """EventBridge rule on the default bus."""

    token = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    inputs = frozenset({"name", "description", "eventPattern", "state"})
    outputs = frozenset({"arn"})
    replace_on = frozenset({"name"})

    def create(self, api: Any, props: Props) -> str:
        self.update(api, props["name"], props)
        return props["name"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        rule = api.describe_rule(Name=id)
        return {
            "name": rule["Name"],
            "description": rule.get("Description") or None,
            "eventPattern": rule.get("EventPattern"),
            "state": rule["State"],
            "arn": rule["Arn"],
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        api.put_rule(
            Name=id,
            EventPattern=props["eventPattern"],
            State=props.get("state", "ENABLED"),
            Description=props.get("description", ""),
        )

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.delete_rule(Name=id)


class EventTarget(Resource):
    """Target of an EventBridge rule on the default bus."""

    token = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    inputs = frozenset({"rule", "targetId", "arn", "inputTransformer", "deadLetterConfig", "retryPolicy"})
    replace_on = frozenset({"rule", "targetId"})

    def create(self, api: Any, props: Props) -> str:
        id = f"{props['rule']}-{props['targetId']}"
        self.update(api, id, props)
        return id

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        for target in api.list_targets_by_rule(Rule=props["rule"])["Targets"]:
            if target["Id"] == props["targetId"]:
                return {
                    "rule": props["rule"],
                    "targetId": target["Id"],
                    "arn": target["Arn"],
                    "inputTransformer": _renamed(
                        target.get("InputTransformer"),
                        {"InputPathsMap": "inputPaths", "InputTemplate": "inputTemplate"},
                    ),
                    "deadLetterConfig": _renamed(target.get("DeadLetterConfig"), {"Arn": "arn"}),
                    "retryPolicy": _renamed(target.get("RetryPolicy"), self._retry),
                }
        return None

    def update(self, api: Any, id: str, props: Props) -> None:
        transformer = {"inputPaths": "InputPathsMap", "inputTemplate": "InputTemplate"}
        target = {"Id": props["targetId"], "Arn": props["arn"]} | _given(
            InputTransformer=_renamed(props.get("inputTransformer"), transformer),
            DeadLetterConfig=_renamed(props.get("deadLetterConfig"), {"arn": "Arn"}),
            RetryPolicy=_renamed(props.get("retryPolicy"), {ours: aws for aws, ours in self._retry.items()}),
        )
        refused = api.put_targets(Rule=props["rule"], Targets=[target])["FailedEntries"]
        if refused:
            raise RuntimeError(f"AWS refused the target: {refused}")

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.remove_targets(Rule=props["rule"], Ids=[props["targetId"]])

    _retry: ClassVar[Mapping[str, str]] = {
        "MaximumEventAgeInSeconds": "maximumEventAgeInSeconds",
        "MaximumRetryAttempts": "maximumRetryAttempts",
    }


def _renamed(value: Props | None, names: Mapping[str, str]) -> Props | None:
    """Return `value` with its keys renamed; a key without a name in `names` is a KeyError, not a loss."""
    return None if value is None else {names[key]: entry for key, entry in value.items()}


RESOURCES: Mapping[str, Resource] = {
    kind.token: kind()
    for kind in (
        User, Policy, Role, UserPolicyAttachment, RolePolicyAttachment, Key, Alias, Topic, TopicPolicy,
        TopicSubscription, Queue, QueuePolicy, EventRule, EventTarget,
    )
}  # fmt: skip

_GONE = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "ResourceNotFoundException",
    }
)


def is_gone(error: ClientError) -> bool:
    """Whether AWS says that the resource does not exist (any more)."""
    return error.response["Error"]["Code"] in _GONE
