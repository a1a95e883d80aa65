"""Confirms pending SNS subscriptions, as their recipients do with the link in AWS's mail.

Inside the sandbox: `python -m sandbox.confirm`, then `pulumi refresh` to see it in the state. No mail is sent
here, so the token in the link is computed.
"""

import hashlib
import sys
from collections.abc import Iterator

from sandbox.cloud import emulation


def token(topic_arn: str, endpoint: str) -> str:
    """Return the token that AWS's mail to `endpoint` would carry."""
    return hashlib.sha256(f"{topic_arn}\n{endpoint}".encode()).hexdigest()


def confirm(account: emulation.Account, topic_arn: str | None = None) -> list[str]:
    """Confirm the pending subscriptions of one topic, or of every topic in the account's enabled Regions.

    Returns:
        The endpoints that were confirmed, in the order of topics.
    """
    confirmed = []
    for topic in _topics(account) if topic_arn is None else [topic_arn]:
        sns = account.client("sns", topic.split(":")[3])
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        for subscription in pages.search("Subscriptions[]"):
            if subscription["SubscriptionArn"] == "PendingConfirmation":
                sns.confirm_subscription(TopicArn=topic, Token=token(topic, subscription["Endpoint"]))
                confirmed.append(subscription["Endpoint"])
    return confirmed


def _topics(account: emulation.Account) -> Iterator[str]:
    for region in account.regions():
        pages = account.client("sns", region).get_paginator("list_topics").paginate()
        yield from pages.search("Topics[].TopicArn")


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
