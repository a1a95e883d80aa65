"""Confirms pending SNS subscriptions, as their recipients do with the link in AWS's mail.

Inside the sandbox: `python -m sandbox.confirm`, then `pulumi refresh` to see it in the state. No mail is sent
here, so the token in the link is computed.
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
    """Confirm the pending subscriptions of one topic, or of every topic in the account's enabled Regions.

    Returns:
        The endpoints that were confirmed, in the order of topics.
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
    """Confirm every pending subscription and print which; return the exit code."""
    try:
        confirmed = {stack: confirm(account) for stack, account in emulation.own_accounts().items()}
    except RuntimeError as error:
        print(f"sandbox.confirm: {error}", file=sys.stderr)
        return 1
    said = (f"{stack}: {', '.join(endpoints) or 'none'}" for stack, endpoints in confirmed.items())
    print(f"Confirmed the pending subscriptions of {'; '.join(said)}. `pulumi refresh` updates the state.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
