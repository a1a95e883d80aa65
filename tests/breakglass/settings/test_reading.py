"""The committed configuration parses to exactly what it says, and whatever is wrong with one is reported."""

import copy
import json
import shutil
from dataclasses import replace
from typing import Any

import pulumi
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime.config import CONFIG
from pulumi_aws import Region

from breakglass import naming
from breakglass.settings import reading
from breakglass.settings.constraints import COMPONENTS, REGIONS
from breakglass.settings.model import (
    AlertsSettings,
    RelaySettings,
    RoleSettings,
    Settings,
    Subscription,
    UserSettings,
    WatchdogSettings,
)
from breakglass.settings.reading import SettingsError, load, parse
from tests.program import STACKS

IAM_FULL_ACCESS = "arn:aws:iam::aws:policy/IAMFullAccess"
OWN_POLICY = "arn:aws:iam::111111111111:policy/team/BreakGlass"
QUEUE = "arn:aws:sqs:eu-west-1:111111111111:alerts"
DRILL_QUEUE = "arn:aws:sqs:us-east-1:111111111111:breakglass-hub-drill"
FUNCTION = "arn:aws:lambda:us-east-1:111111111111:function:page"
DELETE = object()

MGMT_SETTINGS = Settings(
    account_id="111111111111",
    hub_account_id="111111111111",
    components=("user", "role", "alerts", "watchdog", "relay"),
    user=UserSettings(
        names=("BreakglassUser",), account_ids=None, managed_policy_arns=(), mfa_enrolment="closed"
    ),
    role=RoleSettings(
        name="BreakGlassRole",
        managed_policy_arns=(IAM_FULL_ACCESS,),
        permissions_boundary_arn=None,
        max_session_duration=3600,
        mfa_max_age=3600,
    ),
    alerts=AlertsSettings(
        subscriptions=(Subscription(protocol="email", endpoint="security@example.com"),),
        runbook_url=None,
        member_account_ids=("222222222222",),
        organization_id=None,
        audit_retention_days=400,
        expected_heartbeats=None,
    ),
    watchdog=WatchdogSettings(
        region="us-west-2",
        account_id="111111111111",
        subscriptions=(Subscription(protocol="email", endpoint="security-watchdog@example.com"),),
    ),
    relay=RelaySettings(regions=None, exclude_regions=(), dead_letter_alarm=True),
)
MEMBER_SETTINGS = Settings(
    account_id="222222222222",
    hub_account_id="111111111111",
    components=("role", "relay"),
    user=UserSettings(names=("BreakglassUser",)),
    role=RoleSettings(name="BreakGlassRole", managed_policy_arns=(IAM_FULL_ACCESS,)),
    alerts=None,
    watchdog=WatchdogSettings(region="us-west-2", account_id="111111111111", subscriptions=()),
    relay=RelaySettings(regions=None),
)


def committed(stack: str) -> dict[str, Any]:
    """Return a committed stack configuration without the namespace."""
    config = yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key.removeprefix("breakglass:"): value for key, value in config.items()}


def changed(config: dict[str, Any], *changes: tuple[str, object]) -> dict[str, Any]:
    """Return a copy of a configuration with values set, or with `DELETE` taken out, at dotted paths."""
    config = copy.deepcopy(config)
    for path, value in changes:
        *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place: Any = config
        for part in parents:
            place = place[part]
        if value is DELETE:
            del place[last]
        else:
            place[last] = value
    return config


def problems_of(config: dict[str, Any]) -> list[str]:
    """Return the problems of a configuration as paths and texts, separated by ": "."""
    with pytest.raises(SettingsError) as caught:
        parse(config)
    return list(caught.value.problems)


def paths_of(config: dict[str, Any]) -> list[str]:
    """Return the paths of the problems of a configuration, in order."""
    return [problem.partition(": ")[0].removeprefix("breakglass:") for problem in problems_of(config)]


@pytest.mark.parametrize(("stack", "expected"), [("mgmt", MGMT_SETTINGS), ("member", MEMBER_SETTINGS)])
def test_committed_stack_parses_to_exactly_what_it_says(stack: str, expected: Settings):
    assert parse(committed(stack)) == expected


def test_every_optional_key_is_read():
    settings = parse(
        changed(
            committed("mgmt"),
            ("hubAccountId", "111111111111"),
            ("user.names", ["Alice", "bob.b@x"]),
            ("user.accountIds", ["111111111111", "012345678901"]),
            ("user.managedPolicyArns", [IAM_FULL_ACCESS, OWN_POLICY]),
            ("user.mfaEnrolment", "open"),
            ("role.permissionsBoundaryArn", OWN_POLICY),
            ("role.maxSessionDuration", 43200),
            ("role.mfaMaxAge", 60),
            ("alerts.runbookUrl", "https://wiki.example.com/break-glass?page=1#now"),
            ("alerts.organizationId", "o-a1b2c3d4e5"),
            ("alerts.auditRetentionDays", 3653),
            ("alerts.expectedHeartbeats", 34),
            ("relay.excludeRegions", ["me-south-1", "af-south-1"]),
            ("relay.deadLetterAlarm", False),
            ("watchdog.region", "eu-west-1"),
            ("watchdog.accountId", "111111111111"),
        )
    )
    assert settings.user == UserSettings(
        names=("Alice", "bob.b@x"),
        account_ids=("111111111111", "012345678901"),
        managed_policy_arns=(IAM_FULL_ACCESS, OWN_POLICY),
        mfa_enrolment="open",
    )
    assert settings.role == RoleSettings(
        name="BreakGlassRole",
        managed_policy_arns=(IAM_FULL_ACCESS,),
        permissions_boundary_arn=OWN_POLICY,
        max_session_duration=43200,
        mfa_max_age=60,
    )
    assert settings.alerts == AlertsSettings(
        subscriptions=(Subscription(protocol="email", endpoint="security@example.com"),),
        runbook_url="https://wiki.example.com/break-glass?page=1#now",
        member_account_ids=("222222222222",),
        organization_id="o-a1b2c3d4e5",
        audit_retention_days=3653,
        expected_heartbeats=34,
    )
    assert settings.relay == RelaySettings(
        regions=None, exclude_regions=("me-south-1", "af-south-1"), dead_letter_alarm=False
    )
    assert settings.watchdog == replace(MGMT_SETTINGS.watchdog, region="eu-west-1")


@pytest.mark.parametrize("name", ["BreakGlassRelay2", "MyBreakGlassHeartbeat"])
def test_a_role_may_be_named_almost_like_the_relays(name: str):
    assert parse(changed(committed("mgmt"), ("role.name", name))).role.name == name


def test_relay_takes_a_list_of_regions_in_its_order():
    regions = ["eu-west-1", "us-east-1", "us-west-2"]
    settings = parse(changed(committed("member"), ("relay.regions", regions)))
    assert settings.relay == RelaySettings(regions=tuple(regions))


def test_a_relay_covers_the_enabled_regions_but_the_excluded_or_those_listed():
    enabled = ["us-west-2", "us-east-1", "eu-west-1"]
    asked = RelaySettings(regions=None, exclude_regions=("us-west-2", "me-south-1"))
    assert asked.covered(enabled) == ["eu-west-1", "us-east-1"]
    listed = RelaySettings(regions=("us-east-1", "ap-south-1"))
    assert listed.covered(enabled) == ["ap-south-1", "us-east-1"]


def test_hub_and_watchdog_are_in_the_stacks_own_account_where_no_other_is_named():
    settings = parse(changed(committed("member"), ("hubAccountId", DELETE)))
    assert (settings.hub_account_id, settings.watchdog.account_id) == ("222222222222", "222222222222")
    assert (
        settings.watched.bus_arn(naming.HUB) == "arn:aws:events:us-east-1:222222222222:event-bus/breakglass"
    )


def test_a_stack_that_creates_neither_may_leave_the_watchdog_to_the_defaults():
    settings = parse(changed(committed("member"), ("watchdog", DELETE)))
    assert settings.watchdog == MEMBER_SETTINGS.watchdog


def own_watchdog(*changes: tuple[str, object]) -> dict[str, Any]:
    """The configuration of a watchdog in an account of its own, which must know the hub's recipients."""
    hub = committed("mgmt")
    return changed(
        committed("member"),
        ("accountId", "333333333333"),
        ("components", ["role", "watchdog", "relay"]),
        ("alerts", hub["alerts"] | {"memberAccountIds": ["222222222222", "333333333333"]}),
        ("watchdog", hub["watchdog"] | {"accountId": "333333333333"}),
        *changes,
    )


def test_the_watchdog_may_have_an_account_of_its_own():
    settings = parse(own_watchdog())
    assert not settings.is_hub
    assert settings.watched.place(naming.WATCHDOG) == ("333333333333", "us-west-2")
    assert settings.watched.place(naming.HUB) == ("111111111111", "us-east-1")
    assert settings.relaying_accounts == ("111111111111", "222222222222", "333333333333")
    hub = changed(committed("mgmt"), ("components", ["user", "role", "alerts", "relay"]))
    assert parse(changed(hub, ("watchdog.accountId", "333333333333"))).is_hub


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            own_watchdog(("watchdog.accountId", "444444444444")),
            "watchdog.accountId: found '444444444444', must be the accountId '333333333333'",
        ),
        (
            own_watchdog(("alerts", DELETE)),
            "alerts: missing, must be a mapping, because components lists watchdog",
        ),
        (
            own_watchdog(("watchdog.subscriptions", DELETE)),
            "watchdog.subscriptions: missing, must be a list of one",
        ),
        (
            changed(committed("mgmt"), ("components", ["user", "role", "alerts", "relay"])),
            "components: found alerts without watchdog, must list both, because watchdog.accountId names no",
        ),
        (
            changed(committed("mgmt"), ("relay.regions", ["us-east-1", "eu-west-1"])),
            "relay.regions: found no us-west-2, must hold it, because the watchdog is there",
        ),
        (
            changed(committed("mgmt"), ("relay.excludeRegions", ["us-west-2"])),
            "relay.excludeRegions: found us-west-2, must not hold it, because the watchdog is there",
        ),
        *(
            (
                changed(committed("mgmt"), ("watchdog.region", region)),
                f"watchdog.region: found '{region}', must be a",
            )
            for region in ("us-east-1", "eu-south-2", "mars")
        ),
        (
            changed(committed("member"), ("watchdog.subscriptions", [])),
            "watchdog.subscriptions: unknown key, must be one of region, accountId while components",
        ),
        (
            changed(committed("mgmt"), ("alerts.watchdogSubscriptions", [])),
            "alerts.watchdogSubscriptions: was removed, must be absent: its recipients are breakglass",
        ),
        (
            changed(committed("mgmt"), ("relay.hubs", [])),
            "relay.hubs: was removed, must be absent: every relay forwards to the hub",
        ),
    ],
)
def test_a_mistake_about_the_watchdog_is_one_problem(config: dict[str, Any], problem: str):
    (found,) = problems_of(config)
    assert found.startswith(f"breakglass:{problem}")


def test_hub_without_members_or_with_a_whole_organisation():
    alone = parse(changed(committed("mgmt"), ("alerts.memberAccountIds", DELETE)))
    assert alone.alerts is not None
    assert (alone.alerts.member_account_ids, alone.alerts.organization_id) == ((), None)
    organisation = parse(
        changed(
            committed("mgmt"),
            ("alerts.memberAccountIds", DELETE),
            ("alerts.organizationId", f"o-{'z9' * 16}"),
            ("alerts.expectedHeartbeats", 100000),
        )
    )
    assert organisation.alerts is not None
    assert organisation.alerts.expected_heartbeats == 100000
    both = parse(changed(committed("mgmt"), ("alerts.organizationId", "o-a1b2c3d4e5")))
    assert both.alerts is not None
    assert both.alerts.expected_heartbeats is None


def test_names_have_defaults_where_block_is_absent_and_component_not_listed():
    settings = parse(changed(committed("member"), ("user", DELETE)))
    assert settings.user == UserSettings(names=("BreakglassUser",))
    settings = parse(
        changed(committed("mgmt"), ("role", DELETE), ("components", ["user", "alerts", "watchdog", "relay"]))
    )
    assert settings.role == RoleSettings(name="BreakGlassRole")


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("email", "security+break-glass@mail.example.co.uk"),
        ("email", "a.b.c@mail-1.example.museum"),
        ("https", "https://events.example.com:8443/integration/abc?x=1"),
        ("https", "https://x:65535"),
        ("sms", "+15555550100"),
        ("sqs", QUEUE),
        ("sqs", DRILL_QUEUE.replace("breakglass", "my-breakglass")),
        ("lambda", FUNCTION),
        ("lambda", f"{FUNCTION}:live"),
    ],
)
def test_every_protocol_takes_its_endpoint(protocol: str, endpoint: str):
    subscription = {"protocol": protocol, "endpoint": endpoint}
    settings = parse(changed(committed("mgmt"), ("alerts.subscriptions.0", subscription)))
    assert settings.alerts is not None
    assert settings.alerts.subscriptions == (Subscription(protocol=protocol, endpoint=endpoint),)


def test_regions_are_those_of_pulumi_aws_outside_the_other_partitions():
    others = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")
    assert {region.value for region in Region if not region.value.startswith(others)} == REGIONS


def test_largest_lists_are_accepted():
    settings = parse(
        changed(
            committed("mgmt"),
            ("user.names", [f"BreakglassUs{n:02}" for n in range(9)]),
            ("user.accountIds", [f"{n:012}" for n in range(100)]),
            ("user.managedPolicyArns", [f"{OWN_POLICY}{n}" for n in range(6)]),
            ("role.managedPolicyArns", [f"{OWN_POLICY}{n}" for n in range(10)]),
            ("alerts.memberAccountIds", [f"{n:012}" for n in range(200)]),
            ("relay.regions", sorted(REGIONS)),
        )
    )
    assert len(settings.user.names) == 9
    assert settings.alerts is not None
    assert len(settings.alerts.member_account_ids) == 200
    assert settings.user.account_ids is not None
    assert len(settings.user.account_ids) == 100


# (change of Pulumi.mgmt.yaml, path of the one problem it causes, part of the text)
BAD_MGMT: list[tuple[tuple[str, object], str, str]] = [
    # account ids
    (("accountId", "11111111111"), "accountId", "quote it, a YAML number loses leading zeros"),
    (("accountId", "1111111111111"), "accountId", "found '1111111111111', must be 12 digits"),
    (("accountId", "11111111111a"), "accountId", "must be 12 digits"),
    (("accountId", "\u0661" * 12), "accountId", "must be 12 digits"),  # Arabic digits
    (("accountId", 111111111111), "accountId", "found 111111111111, must be a string: 12 digits (quote it"),
    (("accountId", None), "accountId", "found None, must be a string"),
    (("accountId", DELETE), "accountId", "missing, must be 12 digits"),
    (("hubAccountId", "12"), "hubAccountId", "must be 12 digits"),
    (("hubAccountId", "333333333333"), "hubAccountId", "must be the accountId '111111111111'"),
    # two policies of one name
    (
        (
            "role.managedPolicyArns",
            ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::111111111111:policy/x/ReadOnlyAccess"],
        ),
        "role.managedPolicyArns[1]",
        "found another policy of the name ReadOnlyAccess of [0], must have a name of its own",
    ),
    # one mailbox twice
    (
        (
            "alerts.subscriptions",
            [
                {"protocol": "email", "endpoint": "security@example.com"},
                {"protocol": "email", "endpoint": "Security@example.com"},
            ],
        ),
        "alerts.subscriptions[1].endpoint",
        "repeats [0] in another spelling, must be another mailbox",
    ),
    # components
    (("components", DELETE), "components", "missing, must be a list of one or more of user, role, alerts"),
    (("components", []), "components", "found a list of 0"),
    (("components", "user"), "components", "found 'user', must be a list"),
    (("components", {"user": True}), "components", "must be a list"),
    (("components.2", "alert"), "components[2]", "found 'alert', must be one of user, role, alerts"),
    (("components.0", ["user"]), "components[0]", "must be a string: one of user, role, alerts"),
    (("components", [*COMPONENTS, "role"]), "components[5]", "repeats [1], must be there once"),
    # a component without its block, a block without its component
    (("user", DELETE), "user", "missing, must be a mapping, because components lists user"),
    (("role", DELETE), "role", "missing, must be a mapping, because components lists role"),
    (("alerts", DELETE), "alerts", "missing, must be a mapping, because components lists alerts"),
    (("relay", DELETE), "relay", "missing, must be a mapping, because components lists relay"),
    (
        ("components", ["user", "role", "alerts", "watchdog"]),
        "relay",
        "must be absent while components does not list relay",
    ),
    (
        ("components", ["user", "alerts", "watchdog", "relay"]),
        "role.managedPolicyArns",
        "while components does not list role",
    ),
    # unknown keys
    (("alert", {}), "alert", "unknown key (did you mean alerts?), must be one of accountId, hubAccountId"),
    (("colour", "red"), "colour", "unknown key, must be one of"),
    (("user.name", "x"), "user.name", "unknown key (did you mean names?)"),
    (("role.maxSessionduration", 1), "role.maxSessionduration", "did you mean maxSessionDuration?"),
    (("alerts.topic", "x"), "alerts.topic", "must be one of subscriptions, runbookUrl, m"),
    (("alerts.subscriptions.0.filter", 1), "alerts.subscriptions[0].filter", "must be one of protocol, end"),
    (("strange key", 1), "<11 characters>", "unknown key"),
    (("https://hooks/secret", 1), "<20 characters>", "unknown key"),
    # user
    (("user", ["BreakglassUser"]), "user", "found ['BreakglassUser'], must be a mapping"),
    (("user", ""), "user", "found '', must be a mapping"),
    (("user.names", DELETE), "user.names", "missing, must be a list of 1 to 35 IAM user names"),
    (("user.names", "BreakglassUser"), "user.names", "found 'BreakglassUser', must be a list"),
    (("user.names", []), "user.names", "found a list of 0"),
    (
        ("user.names", [f"u{n}" for n in range(36)]),
        "user.names",
        "a role trust policy holds 2,048 characters",
    ),
    (("user.names.0", "break glass"), "user.names[0]", "must be an IAM user name"),
    (("user.names.0", "x" * 65), "user.names[0]", "x..., must be an IAM user name (1 to 64 letters"),
    (("user.names.0", "name\n"), "user.names[0]", r"found 'name\n', must be an IAM user name"),
    (("user.names.0", 7), "user.names[0]", "found 7, must be a string: an IAM user name"),
    (("user.names", ["Alice", "Bob", "alice"]), "user.names[2]", "repeats [0] (in upper or lower case)"),
    (("user.accountIds", []), "user.accountIds", "leave it out for all"),
    (("user.accountIds", None), "user.accountIds", "found None, must be a list"),
    (("user.accountIds", [222222222222]), "user.accountIds[0]", "a YAML number loses leading zeros"),
    (("user.accountIds", ["222222222222"] * 2), "user.accountIds[1]", "repeats [0]"),
    (("user.accountIds", [f"{n:012}" for n in range(101)]), "user.accountIds", "holds 6,144 characters"),
    (
        ("user.managedPolicyArns", [f"{OWN_POLICY}{n}" for n in range(7)]),
        "user.managedPolicyArns",
        "at most 6",
    ),
    (("user.mfaEnrolment", "Open"), "user.mfaEnrolment", "found 'Open', must be one of open, closed"),
    (("user.mfaEnrolment", True), "user.mfaEnrolment", "found True, must be a string"),
    # role
    (("role.name", DELETE), "role.name", "missing, must be an IAM role name"),
    (("role.name", "a/b"), "role.name", "found 'a/b', must be an IAM role name"),
    (("role.name", "BreakGlassRelay"), "role.name", "but not BreakGlassRelay or BreakGlassWatchdogRelay or"),
    (("role.name", "breakglassKEYrelay"), "role.name", "BreakGlassKeyRelay or BreakGlassHeartbeat in upper"),
    (("role.name", "breakglassrelay"), "role.name", "in upper or lower case"),
    (("role.name", "breakglassHEARTBEAT"), "role.name", "or BreakGlassHeartbeat in upper or lower case"),
    (("role.name", ["BreakGlassRole"]), "role.name", "must be a string: an IAM role name"),
    (("role.managedPolicyArns", IAM_FULL_ACCESS), "role.managedPolicyArns", "must be a list of at most 10"),
    (
        ("role.managedPolicyArns", [f"{OWN_POLICY}{n}" for n in range(11)]),
        "role.managedPolicyArns",
        "list of 11",
    ),
    (("role.managedPolicyArns", [OWN_POLICY] * 2), "role.managedPolicyArns[1]", "repeats [0]"),
    (
        ("role.managedPolicyArns.0", "IAMFullAccess"),
        "role.managedPolicyArns[0]",
        "arn:aws:iam::aws:policy/<n",
    ),
    (("role.managedPolicyArns.0", f"{IAM_FULL_ACCESS} "), "role.managedPolicyArns[0]", "IAMFullAccess '"),
    (
        ("role.managedPolicyArns.0", "arn:aws-us-gov:iam::aws:policy/IAMFullAccess"),
        "role.managedPolicyArns[0]",
        "must be arn:aws:iam::aws:policy/<name> or arn:aws:iam::111111111111:policy/<name>",
    ),
    (
        ("role.managedPolicyArns.0", "arn:aws:iam::222222222222:policy/Other"),
        "role.managedPolicyArns[0]",
        "or arn:aws:iam::111111111111:policy/<name>",
    ),
    (
        ("role.permissionsBoundaryArn", "arn:aws:iam::aws:role/x"),
        "role.permissionsBoundaryArn",
        ":policy/<name>",
    ),
    (("role.permissionsBoundaryArn", None), "role.permissionsBoundaryArn", "found None, must be a string"),
    (("role.maxSessionDuration", 3599), "role.maxSessionDuration", "seconds from 3600 to 43200"),
    (("role.maxSessionDuration", 43201), "role.maxSessionDuration", "found 43201"),
    (("role.maxSessionDuration", "3600"), "role.maxSessionDuration", "found '3600', must be a whole number"),
    (("role.maxSessionDuration", 3600.0), "role.maxSessionDuration", "found 3600.0, must be a whole number"),
    (
        ("role.mfaMaxAge", True),
        "role.mfaMaxAge",
        "found True, must be a whole number of seconds from 60 to 14400",
    ),
    (("role.mfaMaxAge", 14401), "role.mfaMaxAge", "found 14401"),
    (("role.mfaMaxAge", 59), "role.mfaMaxAge", "found 59"),
    # alerts
    (("alerts", "on"), "alerts", "found 'on', must be a mapping"),
    (("alerts.subscriptions", DELETE), "alerts.subscriptions", "missing, must be a list of one or more"),
    (("alerts.subscriptions", []), "alerts.subscriptions", "found a list of 0"),
    (
        ("alerts.subscriptions", {}),
        "alerts.subscriptions",
        "found dict of 2 characters, must be a list of one or more",
    ),
    (("alerts.subscriptions.0", "a@example.com"), "alerts.subscriptions[0]", "must be a mapping"),
    (
        ("alerts.subscriptions.0.protocol", DELETE),
        "alerts.subscriptions[0].protocol",
        "missing, must be one of",
    ),
    (
        ("alerts.subscriptions.0.protocol", "http"),
        "alerts.subscriptions[0].protocol",
        "one of email, https, sms",
    ),
    (
        ("alerts.subscriptions.0.endpoint", DELETE),
        "alerts.subscriptions[0].endpoint",
        "missing, must be an e-m",
    ),
    (
        ("alerts.subscriptions", [{"protocol": "email", "endpoint": "a@example.com"}] * 2),
        "alerts.subscriptions[1]",
        "repeats [0]",
    ),
    (("alerts.region", "us-east-1"), "alerts.region", "was removed, must be absent: the hub is in"),
    (
        ("relay.regions", ["us-east-1", "us-gov-west-1"]),
        "relay.regions[1]",
        "must be a Region of partition aws",
    ),
    (("relay.regions", ["us-east-1", "cn-north-1"]), "relay.regions[1]", "must be a Region of partition aws"),
    (("alerts.runbookUrl", "http://example.com"), "alerts.runbookUrl", "must be an https:// URL"),
    (("alerts.runbookUrl", "https:///page"), "alerts.runbookUrl", "with a host"),
    (
        ("alerts.runbookUrl", f"https://example.com/{'x' * 181}"),
        "alerts.runbookUrl",
        "at most 200 characters",
    ),
    (("alerts.runbookUrl", "https://example.com/<page>"), "alerts.runbookUrl", "percent-encoded"),
    (("alerts.runbookUrl", 'https://example.com/"page"'), "alerts.runbookUrl", "percent-encoded"),
    (("alerts.runbookUrl", "https://example.com/a b"), "alerts.runbookUrl", "percent-encoded"),
    (("alerts.runbookUrl", "https://example.com/a\n"), "alerts.runbookUrl", "percent-encoded"),
    # alerts: the second channel
    (
        ("watchdog.subscriptions", DELETE),
        "watchdog.subscriptions",
        "missing, must be a list of one or more subscriptions",
    ),
    (("watchdog.subscriptions", []), "watchdog.subscriptions", "found a list of 0"),
    (("watchdog.subscriptions", "x"), "watchdog.subscriptions", "found 'x', must be a list"),
    (
        ("watchdog.subscriptions.0.protocol", "pager"),
        "watchdog.subscriptions[0].protocol",
        "one of email, https, sms",
    ),
    (
        ("watchdog.subscriptions.0.endpoint", "security"),
        "watchdog.subscriptions[0].endpoint",
        "must be an e-mail address",
    ),
    (
        ("watchdog.subscriptions.0.endpoint", "security@example.com"),
        "watchdog.subscriptions[0].endpoint",
        (
            "found the endpoint of alerts.subscriptions[0], must be another one, because the watchdog must "
            "not share a mailbox with the hub"
        ),
    ),
    (
        ("watchdog.subscriptions.0.endpoint", "Security@Example.com"),
        "watchdog.subscriptions[0].endpoint",
        "must not share a mailbox",
    ),
    (
        ("watchdog.subscriptions.0.endpoint", "security+watchdog@example.com"),
        "watchdog.subscriptions[0].endpoint",
        "must not share a mailbox",
    ),
    *(
        (
            ("alerts.subscriptions.0", {"protocol": "https", "endpoint": f"https://{url}"}),
            "alerts.subscriptions[0].endpoint",
            "not the webhook of a chat",
        )
        for url in (
            "hooks.slack.com/services/T0/B0/SECRET",
            "corp.webhook.office.com/webhookb2/SECRET",
            "discord.com/api/webhooks/1/SECRET",
            "chat.googleapis.com/v1/spaces/SECRET",
        )
    ),
    (
        ("watchdog.subscriptions", [{"protocol": "email", "endpoint": "a@example.com"}] * 2),
        "watchdog.subscriptions[1]",
        "repeats [0]",
    ),
    (
        ("watchdog.subscription", []),
        "watchdog.subscription",
        "unknown key (did you mean subscriptions?)",
    ),
    # alerts: the hub
    (("alerts.memberAccountIds", "222222222222"), "alerts.memberAccountIds", "must be a list of 1 to 200"),
    (("alerts.memberAccountIds", []), "alerts.memberAccountIds", "found a list of 0"),
    (("alerts.memberAccountIds", [222222222222]), "alerts.memberAccountIds[0]", "loses leading zeros"),
    (("alerts.memberAccountIds.0", "2222"), "alerts.memberAccountIds[0]", "found '2222', must be 12 digits"),
    (("alerts.memberAccountIds", ["222222222222"] * 2), "alerts.memberAccountIds[1]", "repeats [0]"),
    (
        ("alerts.memberAccountIds", ["222222222222", "111111111111"]),
        "alerts.memberAccountIds[1]",
        "found the hub's account '111111111111', must be another account, because the hub's own is always",
    ),
    (
        ("alerts.memberAccountIds", [f"{n:012}" for n in range(201)]),
        "alerts.memberAccountIds",
        "found a list of 201, must be a list of 1 to 200 account ids (the policy of the hub bus holds 10,240",
    ),
    (("alerts.organizationId", "a1b2c3d4e5"), "alerts.organizationId", "must be o- and 10 to 32 lower-case"),
    (("alerts.organizationId", "o-A1B2C3D4E5"), "alerts.organizationId", "found 'o-A1B2C3D4E5', must be o-"),
    (("alerts.organizationId", "o-a1b2c3d4e"), "alerts.organizationId", "10 to 32"),
    (("alerts.organizationId", f"o-{'a' * 33}"), "alerts.organizationId", "10 to 32"),
    (("alerts.organizationId", "o-a1b2c3d4e5\n"), "alerts.organizationId", "10 to 32"),
    (("alerts.organizationId", None), "alerts.organizationId", "found None, must be a string"),
    (
        ("alerts.auditRetentionDays", 366),
        "alerts.auditRetentionDays",
        "found 366, must be a number of days that CloudWatch Logs accepts: 1, 3, 5, 7, 14, 30",
    ),
    (("alerts.auditRetentionDays", 0), "alerts.auditRetentionDays", "found 0"),
    (("alerts.auditRetentionDays", "400"), "alerts.auditRetentionDays", "found '400'"),
    (("alerts.auditRetentionDays", True), "alerts.auditRetentionDays", "found True"),
    (("alerts.auditRetentionDays", 400.0), "alerts.auditRetentionDays", "found 400.0"),
    (
        ("alerts.expectedHeartbeats", 0),
        "alerts.expectedHeartbeats",
        "found 0, must be a whole number of heartbeats an hour from 1 to 100000",
    ),
    (("alerts.expectedHeartbeats", 100001), "alerts.expectedHeartbeats", "found 100001"),
    (("alerts.expectedHeartbeats", None), "alerts.expectedHeartbeats", "found None, must be a whole number"),
    (("alerts.expectedHeartbeats", [34]), "alerts.expectedHeartbeats", "found [34], must be a whole number"),
    # relay
    (("alerts.auditLogProtected", "yes"), "alerts.auditLogProtected", "found 'yes', must be true or false"),
    (("alerts.auditLogProtected", 0), "alerts.auditLogProtected", "found 0, must be true or false"),
    (("relay", "enabled"), "relay", "found 'enabled', must be a mapping"),
    (("relay", {}), "relay.regions", "missing, must be the word enabled (AWS is asked which Regions the"),
    (("relay.regions", "all"), "relay.regions", "found 'all', must be the word enabled"),
    (("relay.regions", "Enabled"), "relay.regions", "found 'Enabled', must be the word enabled"),
    (("relay.regions", True), "relay.regions", "found True, must be the word enabled"),
    (("relay.regions", []), "relay.regions", "found a list of 0, must be the word enabled"),
    (
        ("relay.regions", ["eu-west-1", "us-west-2"]),
        "relay.regions",
        "found no us-east-1, must hold it, because IAM, root and account events are recorded only there",
    ),
    (("relay.regions", ["us-east1"]), "relay.regions[0]", "found 'us-east1', must be a Region of partition"),
    (("relay.regions", ["us-east-1", "enabled"]), "relay.regions[1]", "must be a Region of partition aws"),
    (("relay.regions", ["us-east-1", 5]), "relay.regions[1]", "found 5, must be a string"),
    (("relay.regions", ["us-west-2", "us-east-1", "us-east-1"]), "relay.regions[2]", "repeats [1]"),
    (
        ("relay", {"regions": ["us-east-1", "us-west-2"], "excludeRegions": ["eu-west-1"]}),
        "relay.excludeRegions",
        "found ['eu-west-1'], must be absent while regions is a list: leave them out of that list",
    ),
    (
        ("relay.excludeRegions", "eu-west-1"),
        "relay.excludeRegions",
        "must be a list of Regions that a service",
    ),
    (("relay.excludeRegions", ["eu-west-9"]), "relay.excludeRegions[0]", "must be a Region of partition aws"),
    (("relay.excludeRegions", ["eu-west-1"] * 2), "relay.excludeRegions[1]", "repeats [0]"),
    (
        ("relay.excludeRegions", ["eu-west-1", "us-east-1"]),
        "relay.excludeRegions[1]",
        "but not us-east-1, because IAM, root and account events are recorded only there",
    ),
    (("relay.deadLetterAlarm", "no"), "relay.deadLetterAlarm", "found 'no', must be true or false"),
    (("relay.region", "us-east-1"), "relay.region", "unknown key (did you mean regions?)"),
]


@pytest.mark.parametrize(
    ("change", "path", "text"), [pytest.param(*case, id=f"{n}-{case[1]}") for n, case in enumerate(BAD_MGMT)]
)
def test_one_mistake_is_one_problem_at_its_path(change: tuple[str, object], path: str, text: str):
    (problem,) = problems_of(changed(committed("mgmt"), change))
    assert problem.startswith(f"breakglass:{path}: ")
    assert text in problem


def test_recipients_are_absent_where_neither_hub_nor_watchdog_is():
    config = changed(committed("mgmt"), ("components", ["user", "role", "relay"]))
    assert paths_of(config) == ["alerts", "watchdog.subscriptions"]
    assert "must be absent while components does not list alerts or watchdog" in problems_of(config)[0]


@pytest.mark.parametrize(
    ("protocol", "endpoint", "text"),
    [
        ("email", "security", "must be an e-mail address such as"),
        ("email", "security@localhost", "must be an e-mail address"),
        ("email", "a@example.com, b@example.com", "must be an e-mail address"),
        ("email", "Security <a@example.com>", "must be an e-mail address"),
        ("email", "a..b@example.com", "must be an e-mail address"),
        ("email", ".a@example.com", "must be an e-mail address"),
        ("email", "a.@example.com", "must be an e-mail address"),
        ("email", "a@-example.com", "must be an e-mail address"),
        ("email", "a@example.c", "must be an e-mail address"),
        ("https", "https://example.com:65536/", "a port of at most 65535"),
        ("https", "https://x:99999/", "a port of at most 65535"),
        ("https", "https://example..com/", "must be an https:// URL with a host"),
        ("https", "http://example.com/", "must be an https:// URL with a host"),
        ("https", "https://", "must be an https:// URL with a host"),
        ("https", "https://user:password@example.com/", "without user name"),
        ("sms", "5555550100", "E.164"),
        ("sms", "+1 555 555 0100", "E.164"),
        ("sms", "+05555550100", "E.164"),
        ("sms", 15555550100, "found 15555550100, must be a string: a phone number in E.164 form"),
        ("sqs", "https://sqs.us-east-1.amazonaws.com/111111111111/alerts", "arn:aws:sqs:<region>:<account>"),
        ("sqs", f"{QUEUE}.fifo", "the ARN of a standard queue"),
        ("sqs", QUEUE.replace("eu-west-1", "eu-west-9"), "arn:aws:sqs:<region>"),
        ("sqs", QUEUE.replace("arn:aws:", "arn:aws-cn:"), "arn:aws:sqs:<region>"),
        ("sqs", QUEUE.replace("111111111111", "1111"), "arn:aws:sqs:<region>"),
        ("sqs", FUNCTION, "arn:aws:sqs:<region>"),
        ("sqs", DRILL_QUEUE, "these queues of ours are not recipients"),
        ("sqs", DRILL_QUEUE.replace("1" * 12, "3" * 12), "these queues of ours are not recipients"),
        ("sqs", DRILL_QUEUE.replace("drill", "dlq"), "the name must not be breakglass-relays-dlq or "),
        ("sqs", DRILL_QUEUE.replace("hub-drill", "relays-dlq"), "these queues of ours are not recipients"),
        ("lambda", FUNCTION.replace("us-east-1", "us-gov-east-1"), "arn:aws:lambda:<region>"),
        ("lambda", FUNCTION.replace("function:", ""), "arn:aws:lambda:<region>:<account>:function:<name>"),
        ("lambda", QUEUE, "arn:aws:lambda:<region>"),
    ],
)
def test_bad_endpoint_is_told_what_its_protocol_accepts(protocol: str, endpoint: object, text: str):
    subscription = {"protocol": protocol, "endpoint": endpoint}
    (problem,) = problems_of(changed(committed("mgmt"), ("alerts.subscriptions.0", subscription)))
    assert problem.startswith("breakglass:alerts.subscriptions[0].endpoint: ")
    assert text in problem


@pytest.mark.parametrize(
    ("change", "path", "text"),
    [
        (("components", ["role"]), "relay", "must be absent while components does not list relay"),
        (("relay", DELETE), "relay", "missing, must be a mapping, because components lists relay"),
        (("alerts", {"subscriptions": []}), "alerts", "must be absent while components does not list alerts"),
        (
            ("user.mfaEnrolment", "open"),
            "user.mfaEnrolment",
            "one of names while components does not list user",
        ),
        (("user.accountIds", ["222222222222"]), "user.accountIds", "while components does not list user"),
        (("user", {}), "user.names", "missing"),
        (("user.names.0", ""), "user.names[0]", "found '', must be an IAM user name"),
        (
            ("components", ["role", "relay", "user"]),
            "hubAccountId",
            "user and alerts, which components lists, live in the",
        ),
        (
            ("role.managedPolicyArns.0", OWN_POLICY),
            "role.managedPolicyArns[0]",
            "iam::222222222222:policy/<name>",
        ),
    ],
)
def test_mistake_in_member_stack_is_one_problem(change: tuple[str, object], path: str, text: str):
    (problem,) = problems_of(changed(committed("member"), change))
    assert problem.startswith(f"breakglass:{path}: ")
    assert text in problem


def test_all_problems_are_reported_at_once_in_order_of_the_keys():
    config = {
        "alert": {},
        "role": {"mfaMaxAge": False, "managedPolicyArns": ["IAMFullAccess", 5], "boundary": ""},
        "hubAccountId": 222222222222,
        "components": ["user", "roles", "alerts", "watchdog", "relay"],
        "relay": {"regions": ["eu-west-1"], "excludeRegions": [], "hub": 1},
        "watchdog": {"region": "us-east-1", "subscriptions": [{"protocol": "sms", "endpoint": "911"}]},
        "alerts": {
            "subscriptions": [{"protocol": "email"}, {"protocol": "fax", "endpoint": 1, "to": 1}, []],
            "region": "moon-1",
            "runbookUrl": "wiki",
            "memberAccountIds": ["222222222222", "333"],
            "organizationId": "a-1",
            "auditRetentionDays": 2,
            "expectedHeartbeats": "many",
        },
        "user": {"names": ["a b", "Bob", "bob"], "accountIds": [1]},
    }
    assert paths_of(config) == [
        "accountId",
        "hubAccountId",
        "components[1]",
        "user.names[0]",
        "user.names[2]",
        "user.accountIds[0]",
        "role.name",
        "role.managedPolicyArns[0]",
        "role.managedPolicyArns[1]",
        "role.mfaMaxAge",
        "role.boundary",
        "alerts.subscriptions[0].endpoint",
        "alerts.subscriptions[1].protocol",
        "alerts.subscriptions[1].endpoint",
        "alerts.subscriptions[1].to",
        "alerts.subscriptions[2]",
        "alerts.runbookUrl",
        "alerts.memberAccountIds[1]",
        "alerts.organizationId",
        "alerts.auditRetentionDays",
        "alerts.expectedHeartbeats",
        "alerts.region",
        "watchdog.region",
        "watchdog.subscriptions[0].endpoint",
        "relay.regions",
        "relay.excludeRegions",
        "relay.hub",
        "alert",
    ]


@pytest.mark.parametrize(
    ("changes", "start", "end"),
    [
        (
            [("user.names", [f"{'u' * 62}{n:02}" for n in range(20)])],
            "user.names: makes the role's trust policy ",
            " characters long, must be at most 2048: name fewer users, or shorter names",
        ),
        (
            [("role.name", "r" * 64), ("user.accountIds", [f"{n:012}" for n in range(100)])],
            "user.accountIds: makes the policy BreakGlassAssumeRole ",
            " characters long, must be at most 6144: list fewer, or none for all",
        ),
    ],
)
def test_document_that_aws_would_refuse_is_reported_with_its_length(changes, start, end):
    problem = problems_of(changed(committed("mgmt"), *changes))[0]
    assert problem.startswith(f"breakglass:{start}")
    assert problem.endswith(end)


def test_names_that_no_event_pattern_can_hold_are_reported():
    names = [f"BreakglassUs{n:02}" for n in range(12)]
    assert problems_of(changed(committed("mgmt"), ("user.names", names))) == [
        (
            "breakglass:user.names: makes an event pattern of 2289 characters, at most 2048 are allowed: "
            "name fewer users, or shorter names (9 names of 14 letters fit)"
        )
    ]


def test_alerting_without_a_relay_needs_the_number_of_heartbeats():
    components = ["user", "role", "alerts", "watchdog"]
    config = changed(committed("mgmt"), ("components", components), ("relay", DELETE))
    assert paths_of(config) == ["alerts.expectedHeartbeats"]
    assert parse(changed(config, ("alerts.expectedHeartbeats", 34))).alerts is not None


def test_length_is_checked_only_when_nothing_else_is_wrong():
    names = [f"{'u' * 62}{n:02}" for n in range(20)]
    config = changed(committed("mgmt"), ("user.names", names), ("alerts.auditRetentionDays", 2))
    assert paths_of(config) == ["alerts.auditRetentionDays"]


def test_empty_configuration_misses_only_what_every_stack_needs():
    assert paths_of({}) == ["accountId", "components"]


def test_heartbeats_must_be_given_where_the_number_of_accounts_is_not_known():
    config = changed(
        committed("mgmt"), ("alerts.memberAccountIds", DELETE), ("alerts.organizationId", "o-a1b2c3d4e5")
    )
    assert problems_of(config) == [
        (
            "breakglass:alerts.expectedHeartbeats: missing, must be a whole number of heartbeats an hour "
            "from 1 to 100000, because their number cannot be derived: that takes a relay in this stack, and "
            "with organizationId the list memberAccountIds"
        )
    ]


def test_bad_list_of_members_does_not_ask_for_heartbeats_as_well():
    config = changed(
        committed("mgmt"), ("alerts.memberAccountIds", "all"), ("alerts.organizationId", "o-a1b2c3d4e5")
    )
    assert paths_of(config) == ["alerts.memberAccountIds"]


def test_misspelt_word_for_the_regions_leaves_the_exclusions_alone():
    config = changed(
        committed("mgmt"), ("relay.regions", "enable"), ("relay.excludeRegions", ["me-south-1", "moon-1"])
    )
    assert paths_of(config) == ["relay.regions", "relay.excludeRegions[1]"]


def test_shared_endpoint_is_reported_without_quoting_it():
    webhook = {"protocol": "https", "endpoint": "https://events.example.com/hooks/T0PSECRET"}
    (problem,) = problems_of(
        changed(
            committed("mgmt"),
            ("alerts.subscriptions.0", webhook),
            ("watchdog.subscriptions", [{"protocol": "sms", "endpoint": "+15555550100"}, webhook]),
        )
    )
    assert problem.startswith("breakglass:watchdog.subscriptions[1].endpoint: found the endpoint of ")
    assert "T0PSECRET" not in problem


@pytest.mark.parametrize(
    "change",
    [
        ("alerts.subscriptions.0", {"protocol": "https", "endpoint": "events.example.com/T0PSECRET"}),
        ("alerts.subscriptions.0", {"protocol": "https://events.example/T0PSECRET", "endpoint": "x"}),
        ("alerts.subscriptions.0", {"protocol": "https", "endpoint": "https:/events.example/a b/T0PSECRET"}),
        ("alerts.subscriptions.0", {"protocol": "https", "https://e/T0PSECRET": "endpoint"}),
        ("alerts.subscriptions", "https://events.example/T0PSECRET"),
        ("alerts.subscriptions.0", "x T0PSECRET"),
        ("alerts", "https://user:T0PSECRET@events.example/T0PSECRET"),
    ],
)
def test_no_part_of_an_endpoint_is_quoted(change: tuple[str, object]):
    assert "T0PSECRET" not in "\n".join(problems_of(changed(committed("mgmt"), change)))


def test_bad_account_id_is_not_repeated_for_each_policy_of_the_account():
    config = changed(committed("mgmt"), ("accountId", "1"), ("role.managedPolicyArns", [OWN_POLICY]))
    assert paths_of(config) == ["accountId"]


def test_block_is_checked_in_full_while_the_list_of_components_is_in_doubt():
    config = changed(committed("mgmt"), ("components", ["usr"]), ("user.mfaEnrolment", "half"))
    assert paths_of(config) == ["components[0]", "user.mfaEnrolment"]


def test_error_names_the_stack_and_lists_the_problems_line_by_line(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pulumi, "get_stack", lambda: "mgmt")
    with pytest.raises(pulumi.RunError) as caught:
        parse({"accountId": "1", "components": ["role"]})
    assert str(caught.value) == (
        "2 problems in the configuration of stack mgmt:\n"
        "  breakglass:accountId: found '1', must be 12 digits (quote it, a YAML number loses leading zeros; "
        "`pulumi config set` needs --type string)\n"
        "  breakglass:role: missing, must be a mapping, because components lists role"
    )
    assert str(SettingsError(["x"])) == "1 problem in the configuration of stack mgmt:\n  x"


def test_long_value_is_shortened_so_that_a_problem_stays_a_line():
    (problem,) = problems_of(changed(committed("mgmt"), ("user.names.0", "\n" * 5000)))
    assert len(problem) < 200
    assert "\n" not in problem


@pytest.fixture
def stack_config():
    """Return a function that sets what Pulumi hands to the program, and take it back after the test."""
    before = CONFIG.get()

    def hand_over(config: dict[str, object]) -> None:
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
        pulumi.runtime.set_all_config(texts)

    yield hand_over
    pulumi.runtime.set_all_config(before)


@pytest.mark.parametrize(("stack", "expected"), [("mgmt", MGMT_SETTINGS), ("member", MEMBER_SETTINGS)])
def test_load_reads_the_keys_of_its_namespace_as_pulumi_hands_them_over(stack, expected, stack_config):
    others = {"pulumi:disable-default-providers": ["aws"], "other:accountId": "x"}
    stack_config(yaml.safe_load((STACKS / f"Pulumi.{stack}.yaml").read_text())["config"] | others)
    assert load() == expected


@pytest.fixture
def project(tmp_path, monkeypatch, stack_config):
    """A project with the stack files of the tests, whose member the program runs for."""
    for file in STACKS.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(reading, "_project", lambda: tmp_path)
    monkeypatch.setattr(pulumi, "get_stack", lambda: "member")
    stack_config(yaml.safe_load((tmp_path / "Pulumi.member.yaml").read_text())["config"])
    return tmp_path


def rewrite(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_load_compares_the_stack_with_the_files_of_the_others(project):
    (project / "Pulumi.broken.yaml").write_text("config: {")
    (project / "Pulumi.invalid.yaml").write_text("config: {accountId: x}")
    assert load() == MEMBER_SETTINGS
    rewrite(project / "Pulumi.mgmt.yaml", "name: BreakGlassRole", "name: Emergency")
    with pytest.raises(SettingsError) as error:
        load()
    (problem,) = error.value.problems
    assert problem.startswith("breakglass:role.name: found 'BreakGlassRole', must be 'Emergency'")


def test_the_hub_only_warns_of_a_member_that_does_not_agree(project, monkeypatch, stack_config):
    monkeypatch.setattr(pulumi, "get_stack", lambda: "mgmt")
    stack_config(yaml.safe_load((project / "Pulumi.mgmt.yaml").read_text())["config"])
    warned = []
    monkeypatch.setattr(pulumi, "warn", warned.append)
    assert load() == MGMT_SETTINGS
    assert warned == []
    rewrite(project / "Pulumi.member.yaml", "name: BreakGlassRole", "name: Emergency")
    assert load() == MGMT_SETTINGS
    (warning,) = warned
    assert warning.startswith("stack member: breakglass:role.name: found 'Emergency'")


def test_load_refuses_what_the_engine_alone_could_decrypt(project):
    secure = "name: {secure: 'v1:bm9uY2U=:c29tZXRoaW5n'}"
    rewrite(project / "Pulumi.member.yaml", "name: BreakGlassRole", secure)
    with pytest.raises(SettingsError, match=r"breakglass:role\.name: is encrypted, must be plain text"):
        load()


@pytest.mark.parametrize("environment", ["[aws-login]", "null"])
def test_load_refuses_settings_that_an_environment_adds(project, environment):
    file = project / "Pulumi.member.yaml"
    file.write_text(f"environment: {environment}\n{file.read_text()}")
    assert load() == MEMBER_SETTINGS
    rewrite(file, "breakglass:role:", "elsewhere:role:")
    if environment == "null":
        assert load() == MEMBER_SETTINGS  # from the command line, then, or another file
        return
    with pytest.raises(SettingsError) as error:
        load()
    (problem,) = error.value.problems
    assert problem.startswith("breakglass:role: comes from an environment, must be in Pulumi.member.yaml")


def test_load_reports_unknown_keys_and_values_that_are_no_json(stack_config):
    stack_config(
        {
            "breakglass:accountId": "12345678901",  # what Pulumi makes of the unquoted 012345678901
            "breakglass:components": "[user",
            "breakglass:user": "BreakglassUser",
            "breakglass:comonents": ["role"],
        }
    )
    with pytest.raises(SettingsError) as caught:
        load()
    assert [problem.split(", must be")[0] for problem in caught.value.problems] == [
        "breakglass:accountId: found '12345678901'",
        "breakglass:components: found '[user'",
        "breakglass:user: found 'BreakglassUser'",
        "breakglass:comonents: unknown key (did you mean components?)",
    ]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*COMPONENTS, "email"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def some_of(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return mappings that have some of the known keys, each with its kind of value or with anything."""
    return st.fixed_dictionaries({}, optional={key: value | JSON for key, value in values.items()})


@given(
    some_of(
        accountId=st.from_regex("[0-9]{12}", fullmatch=True),
        hubAccountId=st.from_regex("[0-9]{12}", fullmatch=True),
        components=st.lists(st.sampled_from(COMPONENTS)),
        user=some_of(names=st.lists(JSON), accountIds=JSON, managedPolicyArns=JSON, mfaEnrolment=JSON),
        role=some_of(name=JSON, managedPolicyArns=JSON, permissionsBoundaryArn=JSON, mfaMaxAge=st.integers()),
        alerts=some_of(
            subscriptions=st.lists(some_of(protocol=st.just("email"), endpoint=JSON)),
            memberAccountIds=st.lists(JSON),
            organizationId=st.just("o-a1b2c3d4e5"),
            auditRetentionDays=st.integers(),
            expectedHeartbeats=st.integers(),
        ),
        relay=some_of(
            regions=st.just("enabled") | st.lists(st.sampled_from(sorted(REGIONS))),
            excludeRegions=st.lists(st.sampled_from(sorted(REGIONS))),
            deadLetterAlarm=st.booleans() | JSON,
        ),
    )
    | st.dictionaries(st.text(), JSON)
)
def test_any_configuration_is_either_parsed_or_reported(config: dict[str, Any]):
    try:
        problems = [] if isinstance(parse(config), Settings) else ["no settings"]
    except SettingsError as error:
        problems = list(error.problems)
    assert all(problem.startswith("breakglass:") and "\n" not in problem for problem in problems)
