"""Subscriptions in the emulated AWS are pending until `sandbox.confirm` confirms them."""

import json

import pytest
from botocore.exceptions import ClientError

from sandbox import confirm

REGION = "ca-central-1"
SOMEBODY = "somebody@example.com"


@pytest.fixture
def sns(account):
    return account.client("sns", REGION)


@pytest.fixture
def topic(sns):
    arn = sns.create_topic(Name="alarm")["TopicArn"]
    yield arn
    sns.delete_topic(TopicArn=arn)


def subscribe(sns, topic, protocol, endpoint):
    return sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint, ReturnSubscriptionArn=True)[
        "SubscriptionArn"
    ]


def listed(sns, topic):
    """ARNs as both lists show them, by endpoint."""
    of_topic = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    every = sns.list_subscriptions()["Subscriptions"]
    assert of_topic == [subscription for subscription in every if subscription["TopicArn"] == topic]
    return {subscription["Endpoint"]: subscription["SubscriptionArn"] for subscription in of_topic}


def pending(sns, arn):
    return sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"]


def counts(sns, topic):
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    return attributes["SubscriptionsPending"], attributes["SubscriptionsConfirmed"]


@pytest.mark.parametrize(
    ("protocol", "address"),
    [
        ("email", SOMEBODY),
        ("email-json", SOMEBODY),
        ("http", "http://example.com/hook"),
        ("https", "https://example.com/hook"),
    ],
)
def test_mail_and_web_addresses_must_confirm(sns, topic, protocol, address):
    answer = sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=address)
    assert answer["SubscriptionArn"] == "pending confirmation"
    arn = subscribe(sns, topic, protocol, address)
    assert listed(sns, topic) == {address: "PendingConfirmation"}
    assert pending(sns, arn) == "true"
    assert counts(sns, topic) == ("1", "0")

    with pytest.raises(ClientError, match=r"InvalidParameter\).*Invalid parameter: Token"):
        sns.confirm_subscription(TopicArn=topic, Token="guessed")
    assert pending(sns, arn) == "true"
    token = confirm.token(topic, address)
    assert sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"] == arn
    assert listed(sns, topic) == {address: arn}
    assert pending(sns, arn) == "false"
    assert counts(sns, topic) == ("0", "1")
    assert subscribe(sns, topic, protocol, address) == arn
    assert pending(sns, arn) == "false"


@pytest.mark.parametrize(
    ("protocol", "address"),
    [
        ("sqs", f"arn:aws:sqs:{REGION}:111111111111:q"),
        ("sms", "+12025550123"),
        ("lambda", f"arn:aws:lambda:{REGION}:111111111111:function:f"),
    ],
)
def test_other_endpoints_need_not_confirm(sns, topic, protocol, address):
    arn = subscribe(sns, topic, protocol, address)
    assert listed(sns, topic) == {address: arn}
    assert pending(sns, arn) == "false"


def test_confirming_needs_a_topic(sns, topic):
    with pytest.raises(ClientError, match="Topic does not exist"):
        sns.confirm_subscription(TopicArn=f"{topic}-gone", Token="t")


def test_every_topic_of_an_account_is_confirmed(account, sns, topic):
    elsewhere = account.client("sns", "sa-east-1")
    other = elsewhere.create_topic(Name="watchdog")["TopicArn"]
    subscribe(sns, topic, "email", SOMEBODY)
    subscribe(sns, topic, "sqs", f"arn:aws:sqs:{REGION}:111111111111:q")
    subscribe(elsewhere, other, "email", "other@example.com")
    assert listed(elsewhere, other) == {"other@example.com": "PendingConfirmation"}
    assert {SOMEBODY, "other@example.com"} <= {*confirm.confirm(account)}
    assert confirm.confirm(account) == []
    elsewhere.delete_topic(TopicArn=other)


def test_the_command_confirms_in_every_account(sandbox, sns, topic, monkeypatch, capsys):
    subscribe(sns, topic, "email", SOMEBODY)
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.endpoint)
    monkeypatch.setenv("SANDBOX_STACK_ACCOUNTS", json.dumps(sandbox.accounts))
    assert confirm.main() == 0
    assert capsys.readouterr().out == (
        f"Confirmed the pending subscriptions of mgmt: {SOMEBODY}; member: none. "
        "`pulumi refresh` updates the state.\n"
    )


def test_outside_of_a_sandbox_the_command_says_so(monkeypatch, capsys):
    monkeypatch.delenv("SANDBOX_STACK_ACCOUNTS", raising=False)
    assert confirm.main() == 1
    assert "is not set: run this inside a sandbox" in capsys.readouterr().err
