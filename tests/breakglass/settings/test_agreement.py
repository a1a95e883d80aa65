"""What the stacks must have in common."""

from typing import Any

import pytest

from breakglass.settings.agreement import disagreements
from breakglass.settings.reading import parse
from tests.breakglass.settings.test_reading import DELETE, changed, committed, own_watchdog

HUB, MEMBER = committed("mgmt"), committed("member")


def found(hub: dict[str, Any], **others: dict[str, Any]) -> list[tuple[str, str]]:
    stacks = {name: parse(config) for name, config in {"mgmt": hub, **others}.items()}
    return [(one.stack, one.problem) for one in disagreements(stacks)]


def test_the_stacks_of_the_tests_agree():
    assert found(HUB, member=MEMBER) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            ("role.name", "Emergency"),
            "role.name: found 'Emergency', must be 'BreakGlassRole' as in",
        ),
        (
            ("user.names", ["alice", "BreakglassUser"]),
            "user.names: found alice, BreakglassUser, must be BreakglassUser as in stack mgmt",
        ),
        (
            ("hubAccountId", "111111111112"),
            "hubAccountId: found '111111111112', must be '111111111111', the account of stack mgmt",
        ),
        (
            ("accountId", "333333333333"),
            "accountId: found '333333333333', must be in alerts.memberAccountIds of stack mgmt",
        ),
        (
            ("accountId", "111111111111"),
            "accountId: found '111111111111' of stack mgmt, must be another",
        ),
        (
            ("watchdog.region", "eu-west-1"),
            "watchdog.region: found eu-west-1, must be us-west-2 as in stack mgmt, the hub's",
        ),
        (
            ("watchdog.accountId", "333333333333"),
            "watchdog.accountId: found 333333333333, must be 111111111111 as in stack mgmt, the hub's",
        ),
    ],
)
def test_a_member_that_does_not_go_with_the_hub_is_named(change: tuple[str, object], problem: str):
    ((stack, text),) = found(HUB, member=changed(MEMBER, change))
    assert stack == "member"
    assert text.startswith(f"breakglass:{problem}")


def test_the_users_may_assume_the_role_of_each_member_that_has_one():
    hub = changed(HUB, ("user.accountIds", ["333333333333"]))
    assert found(hub, member=MEMBER) == [
        (
            "member",
            (
                "breakglass:accountId: found '222222222222', must be in user.accountIds of stack mgmt: "
                "its users may not assume the role here"
            ),
        )
    ]
    assert found(hub, member=changed(MEMBER, ("components", ["relay"]), ("role", DELETE))) == []


def test_a_member_whose_heartbeats_the_hub_waits_for_has_a_relay():
    problem = "breakglass:components: found no relay, must list it: stack mgmt waits for its heartbeats"
    silent = changed(MEMBER, ("components", ["role"]), ("relay", DELETE))
    assert found(HUB, member=silent) == [("member", problem)]


def test_a_member_that_does_not_name_the_watchdog_has_the_default():
    assert found(HUB, member=changed(MEMBER, ("watchdog", DELETE))) == []


def test_the_order_of_users_is_nothing():
    users = ("user.names", ["a", "b"]), ("user.names", ["b", "a"])
    assert found(changed(HUB, users[0]), member=changed(MEMBER, users[1])) == []


def test_an_organisation_is_admitted_as_a_whole():
    hub = changed(HUB, ("alerts.organizationId", "o-abcdefghij"))
    assert found(hub, member=changed(MEMBER, ("accountId", "333333333333"))) == []


def test_a_role_without_a_relay_sends_nothing_that_the_hub_could_refuse():
    changes = ("accountId", "333333333333"), ("components", ["role"]), ("relay", DELETE)
    assert found(HUB, other=changed(MEMBER, *changes)) == []


def test_a_second_hub_is_named():
    ((stack, text),) = found(HUB, other=changed(HUB, ("accountId", "333333333333")))
    assert (stack, text) == (
        "other",
        "breakglass:alerts: found a hub beside stack mgmt, must be in one stack only",
    )


HUB_ALONE = changed(
    HUB,
    ("components", ["user", "role", "alerts", "relay"]),
    ("watchdog.accountId", "333333333333"),
    ("alerts.memberAccountIds", ["222222222222", "333333333333"]),
)
"""A hub whose watchdog is in another account."""


def test_a_watchdog_in_an_account_of_its_own_agrees_with_the_hub():
    member = changed(MEMBER, ("watchdog.accountId", "333333333333"))
    assert found(HUB_ALONE, member=member, watchdog=own_watchdog()) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            ("alerts.subscriptions.0.endpoint", "other@example.com"),
            "alerts.subscriptions: is not the same as in stack mgmt, must be, as both places need it",
        ),
        (
            ("watchdog.subscriptions.0.endpoint", "other@example.com"),
            "watchdog.subscriptions: is not the same as in stack mgmt",
        ),
        (
            ("alerts.memberAccountIds", ["333333333333"]),
            "alerts.memberAccountIds: is not the same as in stack mgmt",
        ),
        (
            ("alerts.organizationId", "o-abcdefghij"),
            "alerts.organizationId: is not the same as in stack mgmt",
        ),
    ],
)
def test_a_watchdog_that_does_not_know_what_the_hub_knows_is_named(change: tuple[str, object], problem: str):
    ((stack, text),) = found(HUB_ALONE, watchdog=own_watchdog(change))
    assert stack == "watchdog"
    assert text.startswith(f"breakglass:{problem}")


def test_the_account_of_the_watchdog_has_it():
    without = changed(MEMBER, ("accountId", "333333333333"), ("watchdog.accountId", "333333333333"))
    problem = (
        "breakglass:components: found no watchdog, must list it, because stack mgmt says that it is here"
    )
    assert found(HUB_ALONE, watchdog=without) == [("watchdog", problem)]


def test_members_alone_have_nothing_to_be_compared_with():
    stacks = {"member": parse(MEMBER), "other": parse(changed(MEMBER, ("accountId", "333333333333")))}
    assert disagreements(stacks) == []
