"""SNS and SQS: topics, subscriptions, queues, and the policies of both."""

import json
from typing import Any

from sandbox.provider.resources.base import Props, Resource, arguments, aws_names, properties


class Topic(Resource):
    """SNS topic."""

    token = "aws:sns/topic:Topic"
    service = "sns"
    noun, key = "topic", "TopicArn"
    names = aws_names("displayName", "kmsMasterKeyId")
    inputs = frozenset({*names, "name"})
    outputs = frozenset({"arn", "owner"})
    replace_on = frozenset({"name"})

    def create(self, api: Any, props: Props) -> str:
        id = api.create_topic(Name=props["name"])["TopicArn"]
        self.update(api, id, props)
        return id

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_topic_attributes(TopicArn=id)["Attributes"]
        fixed = {"name": id.rsplit(":", 1)[-1], "arn": id, "owner": live["Owner"]}
        return fixed | properties(live, self.names)

    def update(self, api: Any, id: str, props: Props) -> None:
        for ours, name in self.names.items():
            api.set_topic_attributes(TopicArn=id, AttributeName=name.aws, AttributeValue=props.get(ours, ""))


class TopicPolicy(Resource):
    """Policy of an SNS topic."""

    token = "aws:sns/topicPolicy:TopicPolicy"
    service = "sns"
    inputs = frozenset({"arn", "policy"})
    outputs = frozenset({"owner"})
    replace_on = frozenset({"arn"})
    id_from = "arn"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_topic_attributes(TopicArn=id)["Attributes"]
        return {"arn": id, "policy": live["Policy"], "owner": live["Owner"]}

    def update(self, api: Any, id: str, props: Props) -> None:
        api.set_topic_attributes(TopicArn=id, AttributeName="Policy", AttributeValue=props["policy"])

    def delete(self, api: Any, id: str, props: Props) -> None:
        # AWS keeps a policy on every topic: without ours it is one that allows nothing.
        self.update(api, id, {"policy": json.dumps({"Version": "2012-10-17", "Statement": []})})


class TopicSubscription(Resource):
    """SNS subscription. A mail or web address must confirm it: see `sandbox/confirm.py`."""

    token = "aws:sns/topicSubscription:TopicSubscription"
    service = "sns"
    names = aws_names("protocol", "endpoint", topic="TopicArn")
    inputs = replace_on = frozenset(names)
    outputs = frozenset({"arn", "ownerId", "pendingConfirmation"})

    def create(self, api: Any, props: Props) -> str:
        return api.subscribe(**arguments(props, self.names), ReturnSubscriptionArn=True)["SubscriptionArn"]

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_subscription_attributes(SubscriptionArn=id)["Attributes"]
        pending = live["PendingConfirmation"] == "true"
        outputs = {"arn": id, "ownerId": live["Owner"], "pendingConfirmation": pending}
        return properties(live, self.names) | outputs

    def delete(self, api: Any, id: str, props: Props) -> None:
        api.unsubscribe(SubscriptionArn=id)


class Queue(Resource):
    """SQS queue."""

    token = "aws:sqs/queue:Queue"
    service = "sqs"
    noun, key = "queue", "QueueUrl"
    inputs = frozenset({"name", "messageRetentionSeconds", "sqsManagedSseEnabled", "policy"})
    outputs = frozenset({"arn", "url"})
    replace_on = frozenset({"name"})

    def create(self, api: Any, props: Props) -> str:
        id = api.create_queue(QueueName=props["name"])["QueueUrl"]
        self.update(api, id, props)
        return id

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_queue_attributes(QueueUrl=id, AttributeNames=["All"])["Attributes"]
        return {
            "name": live["QueueArn"].rsplit(":", 1)[-1],
            "messageRetentionSeconds": int(live["MessageRetentionPeriod"]),
            "sqsManagedSseEnabled": live["SqsManagedSseEnabled"] == "true",
            "policy": live.get("Policy") or None,
            "arn": live["QueueArn"],
            "url": id,
        }

    def update(self, api: Any, id: str, props: Props) -> None:
        attributes = {
            "MessageRetentionPeriod": str(props.get("messageRetentionSeconds", 345600)),
            "SqsManagedSseEnabled": "true" if props.get("sqsManagedSseEnabled", True) else "false",
        }
        if "policy" in props:  # else it may be that of a resource of its own
            attributes["Policy"] = props["policy"]
        api.set_queue_attributes(QueueUrl=id, Attributes=attributes)


class QueuePolicy(Resource):
    """Policy of an SQS queue."""

    token = "aws:sqs/queuePolicy:QueuePolicy"
    service = "sqs"
    inputs = frozenset({"queueUrl", "policy"})
    replace_on = frozenset({"queueUrl"})
    id_from = "queueUrl"

    def read(self, api: Any, id: str, props: Props) -> Props | None:
        live = api.get_queue_attributes(QueueUrl=id, AttributeNames=["Policy"]).get("Attributes", {})
        return {"queueUrl": id, "policy": live["Policy"]} if live.get("Policy") else None

    def update(self, api: Any, id: str, props: Props) -> None:
        api.set_queue_attributes(QueueUrl=id, Attributes={"Policy": props["policy"]})

    def delete(self, api: Any, id: str, props: Props) -> None:
        self.update(api, id, {"policy": ""})
