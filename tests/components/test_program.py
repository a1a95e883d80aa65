"""The whole program on both committed stacks: exactly these resources, nothing more."""

import json
from collections import Counter

import pulumi
import pytest

from components.settings import SettingsError

USER = "aws:iam/user:User"
POLICY = "aws:iam/policy:Policy"
USER_ATTACHMENT = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
ROLE = "aws:iam/role:Role"
ROLE_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
RULE = "aws:cloudwatch/eventRule:EventRule"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
PROVIDER = "pulumi:providers:aws"
USER_COMPONENT = "breakglass:index:BreakGlassUser"
ROLE_COMPONENT = "breakglass:index:BreakGlassRole"
ALERTS_COMPONENT = "breakglass:index:BreakGlassAlerts"

IAM_FULL_ACCESS = "arn:aws:iam::aws:policy/IAMFullAccess"
SECRET = "4dabf18193072939515e22adb298388d"
SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270"
TOPIC_ARN = "arn:aws:sns:us-east-1:111111111111:breakglassuser-console-logins"

# The SDK makes the stack resource once per process, so its name is that of the first stack of the run.
STACKS = {"breakglass-mgmt", "breakglass-member"}

EXPECTED = {
    "mgmt": {
        PROVIDER: 1, USER_COMPONENT: 1, ROLE_COMPONENT: 1, ALERTS_COMPONENT: 1,
        USER: 1, POLICY: 3, USER_ATTACHMENT: 3, ROLE: 1, ROLE_ATTACHMENT: 1,
        KEY: 1, ALIAS: 1, TOPIC: 1, TOPIC_POLICY: 1, SUBSCRIPTION: 1, QUEUE: 1, QUEUE_POLICY: 1,
        RULE: 3, TARGET: 3,
    },
    "member": {PROVIDER: 1, ROLE_COMPONENT: 1, ROLE: 1, ROLE_ATTACHMENT: 1},
}  # fmt: skip

both_stacks = pytest.mark.parametrize("stack", ["mgmt", "member"])
both_modes = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])


@both_stacks
@both_modes
def test_each_stack_registers_exactly_its_resources(deploy, stack, preview):
    recording = deploy(stack, preview=preview)
    assert Counter(resource.type for resource in recording) == EXPECTED[stack]


@both_stacks
def test_no_two_resources_share_type_and_name(deploy, stack):
    counted = Counter((resource.type, resource.name) for resource in deploy(stack))
    assert [key for key, count in counted.items() if count > 1] == []


@both_stacks
@both_modes
def test_there_is_no_password_and_no_access_key(deploy, stack, preview):
    kinds = {resource.type for resource in deploy(stack, preview=preview)}
    assert not {kind for kind in kinds if "accessKey" in kind or "LoginProfile" in kind or "Mfa" in kind}


@both_stacks
def test_children_hang_on_their_component_and_components_on_the_stack(deploy, stack):
    components = {"break-glass-user", "break-glass-role", "break-glass-alerts"}
    for resource in deploy(stack):
        if resource.type == PROVIDER or resource.name in components:
            assert resource.parent in STACKS, resource.name
        else:
            assert resource.parent in components, resource.name
            assert resource.name.startswith(f"{resource.parent}-")


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (
            "mgmt",
            {
                "break-glass-user-BreakglassUser",
                "break-glass-role-role",
                "break-glass-alerts-key",
                "break-glass-alerts-topic",
            },
        ),
        ("member", {"break-glass-role-role"}),
    ],
)
def test_user_role_key_and_topic_are_protected_and_nothing_else(deploy, stack, expected):
    assert {resource.name for resource in deploy(stack) if resource.protect} == expected


@both_stacks
def test_what_has_a_fixed_name_is_deleted_before_it_is_replaced(deploy, stack):
    """The new one could not be created beside the old one; a key has no name of its own."""
    for resource in deploy(stack):
        if resource.type.startswith("aws:") and "name" in resource.inputs:
            assert resource.delete_before_replace, resource.name


@both_stacks
@both_modes
def test_the_provider_allows_this_account_only_and_every_resource_uses_it(deploy, stack, preview):
    recording = deploy(stack, preview=preview)
    account = {"mgmt": "111111111111", "member": "222222222222"}[stack]
    provider = recording.only(PROVIDER)
    assert json.loads(provider.inputs["allowedAccountIds"]) == [account]
    assert json.loads(provider.inputs["defaultTags"]) == {"tags": {"breakglass": stack}}
    assert provider.inputs["region"] == "us-east-1"
    for resource in recording:
        if resource.type.startswith("aws:"):
            assert resource.provider.endswith(f"{PROVIDER}::aws::aws-id"), resource.name


@both_stacks
@both_modes
def test_every_policy_document_is_known_at_preview(deploy, stack, preview):
    """A policy pack skips what is unknown, so a document made of an output would go unchecked."""
    documents = {
        (resource.name, name): value
        for resource in deploy(stack, preview=preview)
        for name, value in resource.inputs.items()
        if name in {"policy", "assumeRolePolicy", "eventPattern"}
    }
    assert len(documents) == {"mgmt": 10, "member": 1}[stack]
    for value in documents.values():
        assert json.loads(value)


@both_modes
def test_the_user_holds_three_policies_and_nothing_of_aws(deploy, preview):
    recording = deploy("mgmt", preview=preview)
    user = recording.only(USER)
    assert user.inputs == {"name": "BreakglassUser", "path": "/"}
    attached = {
        (entry.inputs["user"], entry.inputs["policyArn"]) for entry in recording.of(USER_ATTACHMENT).values()
    }
    assert attached == {
        ("BreakglassUser", f"arn:aws:iam::111111111111:policy/{name}")
        for name in ("BreakGlassAssumeRole", "BreakGlassCliSignIn", "BreakGlassRequireMfa")
    }
    assert {entry.inputs["name"] for entry in recording.of(POLICY).values()} == {
        "BreakGlassAssumeRole",
        "BreakGlassCliSignIn",
        "BreakGlassRequireMfa",
    }


def test_open_enrolment_adds_its_policy_and_its_exemptions(deploy):
    def opened(config):
        config["user"]["mfaEnrolment"] = "open"

    recording = deploy("mgmt", change=opened)
    policies = {entry.inputs["name"]: entry.document("policy") for entry in recording.of(POLICY).values()}
    assert policies.keys() == {
        "BreakGlassAssumeRole", "BreakGlassCliSignIn", "BreakGlassRequireMfa", "BreakGlassMfaEnrolment",
    }  # fmt: skip
    assert "iam:EnableMFADevice" in policies["BreakGlassRequireMfa"]["Statement"][0]["NotAction"]
    assert len(recording.of(USER_ATTACHMENT)) == 4


def test_two_users_each_hold_every_policy_and_every_role_trusts_both(deploy):
    def two(config):
        config["user"]["names"] = ["BreakglassUser", "BreakglassUser2"]

    recording = deploy("mgmt", change=two)
    assert {user.inputs["name"] for user in recording.of(USER).values()} == {
        "BreakglassUser", "BreakglassUser2",
    }  # fmt: skip
    assert len(recording.of(USER_ATTACHMENT)) == 6
    trust = recording.only(ROLE).document("assumeRolePolicy")
    assert trust["Statement"][0]["Condition"]["ArnEquals"]["aws:PrincipalArn"] == [
        "arn:aws:iam::111111111111:user/BreakglassUser",
        "arn:aws:iam::111111111111:user/BreakglassUser2",
    ]
    for rule in recording.of(RULE).values():
        assert rule.document("eventPattern")["detail"]["userIdentity"]["userName"] == [
            "BreakglassUser", "BreakglassUser2",
        ]  # fmt: skip


def test_configured_policies_are_attached_to_user_and_role(deploy):
    def full_access(config):
        config["user"]["managedPolicyArns"] = [IAM_FULL_ACCESS]

    recording = deploy("mgmt", change=full_access)
    on_user = [entry.inputs["policyArn"] for entry in recording.of(USER_ATTACHMENT).values()]
    assert on_user.count(IAM_FULL_ACCESS) == 1
    assert recording.only(ROLE_ATTACHMENT).inputs == {"role": "BreakGlassRole", "policyArn": IAM_FULL_ACCESS}


@both_stacks
@both_modes
def test_the_role_trusts_the_hub_account_s_user_with_mfa(deploy, stack, preview):
    role = deploy(stack, preview=preview).only(ROLE)
    assert role.inputs["name"] == "BreakGlassRole"
    assert role.inputs["maxSessionDuration"] == 3600
    assert "permissionsBoundary" not in role.inputs
    (statement,) = role.document("assumeRolePolicy")["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert statement["Condition"]["Bool"] == {"aws:MultiFactorAuthPresent": "true"}


def test_session_length_mfa_age_and_boundary_come_from_the_configuration(deploy):
    def narrowed(config):
        config["role"] |= {
            "maxSessionDuration": 7200,
            "mfaMaxAge": 900,
            "permissionsBoundaryArn": "arn:aws:iam::222222222222:policy/Boundary",
        }

    role = deploy("member", change=narrowed).only(ROLE)
    assert role.inputs["maxSessionDuration"] == 7200
    assert role.inputs["permissionsBoundary"] == "arn:aws:iam::222222222222:policy/Boundary"
    condition = role.document("assumeRolePolicy")["Statement"][0]["Condition"]
    assert condition["NumericLessThanEquals"] == {"aws:MultiFactorAuthAge": "900"}


@both_modes
def test_the_key_rotates_is_enabled_and_waits_ten_days_before_it_is_deleted(deploy, preview):
    recording = deploy("mgmt", preview=preview)
    key = recording.only(KEY)
    assert {
        name: key.inputs[name] for name in ("enableKeyRotation", "isEnabled", "deletionWindowInDays")
    } == {
        "enableKeyRotation": True,
        "isEnabled": True,
        "deletionWindowInDays": 10,
    }
    assert recording.only(ALIAS).inputs["name"] == "alias/breakglassSNS"


@both_modes
def test_the_topic_has_its_fixed_name_and_is_encrypted(deploy, preview):
    recording = deploy("mgmt", preview=preview)
    topic = recording.only(TOPIC)
    assert topic.inputs["name"] == "breakglassuser-console-logins"
    # The key's ARN is an output: the recorder answers it with nothing, the real engine with the ARN.
    assert "kmsMasterKeyId" not in topic.inputs or "alias/" not in str(topic.inputs["kmsMasterKeyId"])
    assert recording.only(TOPIC_POLICY).inputs["arn"] == TOPIC_ARN
    subscription = recording.only(SUBSCRIPTION)
    assert {name: subscription.inputs[name] for name in ("topic", "protocol", "endpoint")} == {
        "topic": TOPIC_ARN,
        "protocol": "email",
        "endpoint": "security@example.com",
    }


def test_reordering_the_recipients_renames_no_subscription(deploy):
    recipients = [
        {"protocol": "email", "endpoint": "security@example.com"},
        {"protocol": "https", "endpoint": "https://hooks.example.com/T0/secret"},
    ]

    def forward(config):
        config["alerts"]["subscriptions"] = recipients

    def backward(config):
        config["alerts"]["subscriptions"] = recipients[::-1]

    names = deploy("mgmt", change=forward).of(SUBSCRIPTION).keys()
    assert names == deploy("mgmt", change=backward).of(SUBSCRIPTION).keys()
    assert len(names) == 2
    assert not any("secret" in name for name in names)


def test_an_encrypted_endpoint_stays_a_secret(deploy):
    (open_,) = deploy("mgmt").of(SUBSCRIPTION).values()
    (hidden,) = deploy("mgmt", secret=("alerts",)).of(SUBSCRIPTION).values()
    assert open_.inputs["endpoint"] == "security@example.com"
    assert hidden.inputs["endpoint"] == {SECRET: SECRET_MARK, "value": "security@example.com"}


@both_modes
def test_each_rule_hears_read_only_events_and_has_one_complete_target(deploy, preview):
    recording = deploy("mgmt", preview=preview)
    rules, targets = recording.of(RULE), recording.of(TARGET)
    assert {rule.inputs["name"] for rule in rules.values()} == {
        "capture-breakglass-user-sign-in",
        "capture-breakglass-user-switch-role",
        "capture-breakglass-user-assume-role",
    }
    for rule in rules.values():
        assert rule.inputs["state"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        assert "eventBusName" not in rule.inputs
        assert "isEnabled" not in rule.inputs
    assert {target.inputs["rule"] for target in targets.values()} == {
        rule.inputs["name"] for rule in rules.values()
    }
    for target in targets.values():
        assert target.inputs["targetId"] == "SendToSNS"
        assert target.inputs["arn"] == TOPIC_ARN
        assert target.inputs["deadLetterConfig"] == {
            "arn": "arn:aws:sqs:us-east-1:111111111111:breakglass-alerts-dlq"
        }
        assert target.inputs["retryPolicy"] == {
            "maximumEventAgeInSeconds": 86400,
            "maximumRetryAttempts": 185,
        }
        assert "roleArn" not in target.inputs
        assert set(target.inputs["inputTransformer"]) == {"inputPaths", "inputTemplate"}


@both_modes
def test_everything_regional_states_the_region_of_the_alerting(deploy, preview):
    def moved(config):
        config["alerts"]["region"] = "eu-west-1"

    for resource in deploy("mgmt", preview=preview, change=moved):
        if resource.parent == "break-glass-alerts":
            assert resource.inputs["region"] == "eu-west-1", resource.name
        elif resource.type.startswith("aws:"):
            assert "region" not in resource.inputs, resource.name


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (["user"], {USER_COMPONENT}),
        (["role"], {ROLE_COMPONENT}),
        (["alerts"], {ALERTS_COMPONENT}),
        (["user", "alerts"], {USER_COMPONENT, ALERTS_COMPONENT}),
    ],
)
def test_only_listed_components_exist(deploy, listed, expected):
    def select(config):
        config["components"] = listed
        if "alerts" not in listed:
            del config["alerts"]
        for block, identity in (("user", "names"), ("role", "name")):
            if block not in listed:
                config[block] = {identity: config[block][identity]}

    kinds = {entry.type for entry in deploy("mgmt", change=select) if entry.type.startswith("breakglass:")}
    assert kinds == expected


def test_a_bad_configuration_registers_nothing(deploy):
    def broken(config):
        config["accountId"] = "11111111111"
        config["role"]["nmae"] = "Typo"

    recording = []
    with pytest.raises(SettingsError) as error:
        deploy("mgmt", change=broken, recording=recording)
    assert len(error.value.problems) == 2
    assert recording == []
    assert isinstance(error.value, pulumi.RunError)
