"""The people who get the mails: they click the link that confirms a subscription, when this says so.

Inside the sandbox `python -m sandbox.confirm` lets everybody confirm; `pulumi refresh` then sees it. No mail
is delivered here, so the token in the link can be worked out.
"""

import hashlib
import sys
from collections.abc import Iterator
from typing import Any

from sandbox.cloud import emulation


def token(topic_arn: str, endpoint: str) -> str:
    """Return the token that AWS's mail to `endpoint` would carry."""
    return hashlib.sha256(f"{topic_arn}\n{endpoint}".encode()).hexdigest()


def confirm(account: emulation.Account, topic_arn: str | None = None) -> list[str]:
    """Confirm what is pending on one topic, or on every topic in the account's enabled Regions.

    Returns:
        The endpoints that have confirmed, in the order of topics.
    """
    if topic_arn is not None:
        return list(_confirm(account.client("sns", topic_arn.split(":")[3]), topic_arn))
    confirmed = []
    for region in account.regions():
        sns = account.client("sns", region)
        for page in sns.get_paginator("list_topics").paginate():
            for topic in page["Topics"]:
                confirmed += _confirm(sns, topic["TopicArn"])
    return confirmed


def _confirm(sns: Any, topic_arn: str) -> Iterator[str]:
    for page in sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn):
        for subscription in page["Subscriptions"]:
            if subscription["SubscriptionArn"] == "PendingConfirmation":
                endpoint = subscription["Endpoint"]
                sns.confirm_subscription(TopicArn=topic_arn, Token=token(topic_arn, endpoint))
                yield endpoint


def main() -> int:
    """Let everybody confirm, and say who did."""
    try:
        for stack, account in emulation.own_accounts().items():
            endpoints = confirm(account)
            print(f"{stack}: {', '.join(endpoints) or 'nobody'} confirmed")
    except RuntimeError as error:
        print(f"people: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
