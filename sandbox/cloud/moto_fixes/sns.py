"""SNS: subscriptions stay pending until they are confirmed, and nothing leaves this machine."""

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.sns.exceptions import SNSInvalidParameter, TopicNotFound
from moto.sns.models import SNSBackend, Subscription
from moto.sns.responses import SNSResponse
from moto.sqs.exceptions import QueueDoesNotExist

from sandbox.cloud.moto_fixes.replacing import Function, corrects
from sandbox.confirm import token

OUTSIDE = frozenset({"email", "email-json", "http", "https"})
"""Protocols whose endpoint must confirm that it wants the messages."""


@corrects(SNSBackend, "subscribe")
def subscribe(original: Function, backend: Any, topic_arn: str, endpoint: str, protocol: str) -> Any:
    """Mail and web addresses start pending; moto confirms every subscription at once.

    https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """
    known = set(backend.subscriptions)
    subscription = original(backend, topic_arn, endpoint, protocol)
    if subscription.arn not in known:
        pending = protocol in OUTSIDE
        subscription.attributes["PendingConfirmation"] = pending
        subscription.attributes["ConfirmationWasAuthenticated"] = not pending
        if protocol == "sqs":  # moto would look for the queue in the topic's account
            subscription.account_id = endpoint.split(":")[4]
    return subscription


@corrects(SNSResponse, "subscribe")
def returned_arn(original: Function, handler: Any) -> ActionResult:
    """Subscribe returns the ARN of a pending subscription only with ReturnSubscriptionArn.

    https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
    """
    answer = original(handler)
    arn = answer.result["SubscriptionArn"]
    if _pending(handler.backend.subscriptions[arn]) and not handler._get_param("ReturnSubscriptionArn"):
        return ActionResult({"SubscriptionArn": "pending confirmation"})
    return answer


@corrects(SNSResponse, "list_subscriptions")
@corrects(SNSResponse, "list_subscriptions_by_topic")
def listed(original: Function, handler: Any) -> ActionResult:
    """Lists say PendingConfirmation in place of a pending subscription's ARN.

    https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    """
    answer = original(handler)
    shown = [copy.copy(subscription) for subscription in answer.result["Subscriptions"]]
    for subscription in shown:
        if _pending(subscription):
            subscription.arn = "PendingConfirmation"
    return ActionResult(answer.result | {"Subscriptions": shown})


@corrects(SNSResponse, "confirm_subscription")
def confirm_subscription(_original: Function, handler: Any) -> ActionResult:
    """Only the token of the mail confirms; moto takes every token, and confirms nothing.

    https://docs.aws.amazon.com/sns/latest/api/API_ConfirmSubscription.html
    """
    topic_arn = handler._get_param("TopicArn")
    if topic_arn not in handler.backend.topics:
        raise TopicNotFound
    for subscription in handler.backend.subscriptions.values():
        if handler._get_param("Token") == token(subscription.topic_arn, subscription.endpoint):
            subscription.attributes["PendingConfirmation"] = False
            return ActionResult({"SubscriptionArn": subscription.arn})
    raise SNSInvalidParameter("Invalid parameter: Token")


@corrects(SNSResponse, "get_topic_attributes")
def get_topic_attributes(original: Function, handler: Any) -> ActionResult:
    """SubscriptionsPending and SubscriptionsConfirmed are counts; moto says 0.

    https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
    """
    topic = handler.backend.get_topic(handler._get_param("TopicArn"))
    pending = [_pending(entry) for entry in handler.backend.subscriptions.values() if entry.topic == topic]
    topic.subscriptions_pending = pending.count(True)
    topic.subscriptions_confimed = pending.count(False)  # moto's spelling
    return original(handler)


@corrects(Subscription, "publish")
def publish(original: Function, subscription: Any, *message: Any, **named: Any) -> None:
    """A publication does not fail because of a subscriber: SNS has answered before it delivers.

    moto fails on a queue that is gone, and really calls a webhook: nothing may leave this machine.
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
    """
    if subscription.protocol in OUTSIDE:
        return
    try:
        original(subscription, *message, **named)
    except QueueDoesNotExist:
        return


def _pending(subscription: Any) -> bool:
    return subscription.attributes["PendingConfirmation"]
