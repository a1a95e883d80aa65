"""Confirms pending SNS subscriptions, as their recipients do with the link in AWS's mail.

Inside the sandbox: `python -m sandbox.confirm`, then `pulumi refresh` to see it in the state. No mail is sent
here, so the token in the link is computed.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence

from sandbox.cloud import emulation


def token(topic_arn: str, endpoint: str) -> str:
    """Return the token that AWS's mail to `endpoint` would carry."""
    return hashlib.sha256(f"{topic_arn}\n{endpoint}".encode()).hexdigest()


def confirm(account: emulation.Account) -> list[str]:
    """Confirm the pending subscriptions in the account's enabled Regions, and return their endpoints."""
    confirmed = []
    for region in account.regions():
        sns = account.client("sns", region)
        for subscription in sns.get_paginator("list_subscriptions").paginate().search("Subscriptions[]"):
            if subscription["SubscriptionArn"] == "PendingConfirmation":
                topic, endpoint = subscription["TopicArn"], subscription["Endpoint"]
                sns.confirm_subscription(TopicArn=topic, Token=token(topic, endpoint))
                confirmed.append(endpoint)
    return confirmed


def main(arguments: Sequence[str] = ()) -> int:
    """Confirm every pending subscription and print which; return the exit code."""
    argparse.ArgumentParser(prog="sandbox.confirm", description=__doc__).parse_args(arguments)
    try:
        confirmed = {stack: confirm(account) for stack, account in emulation.own_accounts().items()}
    except RuntimeError as error:
        print(f"sandbox.confirm: {error}", file=sys.stderr)
        return 1
    said = (f"{stack}: {', '.join(endpoints) or 'none'}" for stack, endpoints in confirmed.items())
    print(f"Confirmed the pending subscriptions of {'; '.join(said)}. `pulumi refresh` updates the state.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
