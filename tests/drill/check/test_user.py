"""Users sign in by password and MFA only, and have the intended permissions."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from breakglass import documents, naming
from drill import stacks
from drill.check import stack_state as stack_states
from drill.check.finding import CheckFinding
from drill.check.probes import credential_report, user
from drill.check.runner import Probe, answer
from drill.check.stack_state import StackState
from sandbox.cloud import emulation
from tests.drill import deployed
from tests.drill.conftest import Broken, Look, mends, states, unseen

HUB, NAME = "111111111111", "BreakglassUser"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
REQUIRE_MFA = f"break-glass-user-{naming.REQUIRE_MFA_POLICY}"


@pytest.fixture(scope="module", autouse=True)
def credentials(aws: str) -> Iterator[None]:
    """What people set up by hand: a password and a virtual MFA device."""
    iam = emulation.signed_in(HUB, aws).client("iam", "us-east-1")
    iam.create_login_profile(UserName=NAME, Password="correct-Horse-7-battery")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{NAME}-1")["VirtualMFADevice"][
        "SerialNumber"
    ]
    iam.enable_mfa_device(
        UserName=NAME, SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    yield
    iam.deactivate_mfa_device(UserName=NAME, SerialNumber=device)
    iam.delete_virtual_mfa_device(SerialNumber=device)
    iam.delete_login_profile(UserName=NAME)


@pytest.fixture(scope="module")
def seen(aws: str, credentials: None) -> StackState:
    """The hub with nothing broken: reading all of it again for each test would take minutes."""
    everything = stacks.load()
    accounts = [deployed.account(stack.account_id, aws) for stack in everything]
    (found,) = stack_states.prepare(everything, accounts, only=("mgmt",), progress=unseen)
    return found


@pytest.fixture
def hub(aws: str, seen: StackState, broken: Broken) -> Callable[[], StackState]:
    """Return the hub as it is, where what the checks themselves ask is broken as the test wants it."""

    def looked() -> StackState:
        account = deployed.account(HUB, aws)
        broken.apply(account)
        account.client("iam").meta.events.register_last("before-call", no_service_specific_credentials)
        return replace(seen, account=account, now=datetime.now(UTC))

    return looked


def no_service_specific_credentials(model: Any, **_: Any) -> Any:
    """moto does not have the operation."""
    if model.name != "ListServiceSpecificCredentials":
        return None
    return AWSResponse("", 200, {}, None), {"ServiceSpecificCredentials": []}


Hub = Callable[[], StackState]


def answers(stack_state: StackState, operation: str, given: dict[str, Any]) -> None:
    """Have AWS give this answer from now on."""
    events = stack_state.account.client("iam").meta.events
    events.register(f"before-call.iam.{operation}", lambda **_: (AWSResponse("", 200, {}, None), dict(given)))


def unreadable_of(stack_state: StackState, name: str, operation: str) -> None:
    """Refuse an operation for one user only."""

    def refused(params: dict[str, Any], **_: Any) -> None:
        if params["UserName"] == name:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)

    stack_state.account.client("iam").meta.events.register(f"provide-client-params.iam.{operation}", refused)


def with_users(stack_state: StackState, *names: str, **more: Any) -> StackState:
    settings = stack_state.stack.settings
    users = replace(settings.user, names=names, **more)
    return replace(stack_state, stack=replace(stack_state.stack, settings=replace(settings, user=users)))


def wrong(findings: list[CheckFinding]) -> list[CheckFinding]:
    return [finding for finding in findings if finding.state.value != "ready"]


def test_a_user_that_is_set_up_is_ready(hub: Hub) -> None:
    stack_state = hub()
    assert [finding.text for finding in answer(user.sign_in, stack_state)] == [
        f"{NAME}: password set today, never used"
    ]
    assert [finding.text for finding in answer(user.mfa, stack_state)] == [
        f"{NAME}: 1 MFA device (1 virtual); two, kept in two places, are advised"
    ]
    assert [finding.text for finding in answer(user.keys, stack_state)] == [
        f"{NAME}: no access key, service-specific credential, SSH public key, signing certificate"
    ]
    assert [finding.text for finding in answer(user.policies, stack_state)] == [
        "users, policies and attachments match this version: 7 resources",
        f"{NAME}: no further policy, no inline policy, no group, no boundary",
    ]
    assert [finding.text for finding in answer(user.enrolment, stack_state)] == [
        f"{NAME}: closed: no device can be enrolled without MFA"
    ]


# (probe, an operation that it calls)
CALLS: list[tuple[Probe, str]] = [
    (user.sign_in, "GetUser"),
    (user.sign_in, "GetLoginProfile"),
    (user.mfa, "ListMFADevices"),
    (user.keys, "ListAccessKeys"),
    (user.keys, "ListServiceSpecificCredentials"),
    (user.keys, "ListSSHPublicKeys"),
    (user.keys, "ListSigningCertificates"),
    (user.policies, "ListAttachedUserPolicies"),
    (user.policies, "ListUserPolicies"),
    (user.policies, "ListGroupsForUser"),
    (user.policies, "GetUser"),
    (user.enrolment, "ListAttachedUserPolicies"),
]


@pytest.mark.parametrize(("probe", "operation"), CALLS)
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("AccessDenied", "access denied to {}: `python -m drill policy` prints what is needed"),
        ("Throttling", "throttled at {}, 5 times: try again later"),
    ],
)
def test_what_cannot_be_read_is_not_taken_for_ready(
    hub: Hub, broken: Broken, probe: Probe, operation: str, code: str, text: str
) -> None:
    broken.refuse(operation, code)
    found = wrong(answer(probe, hub()))
    assert set(states(found)) == {"could not tell"}
    assert any(text.format(operation) in finding.text for finding in found)


@pytest.mark.parametrize(
    "probe",
    [user.sign_in, user.mfa, user.keys, user.policies, user.enrolment],
    ids=lambda probe: probe.__name__,
)
def test_a_user_that_is_gone_is_not_ready(hub: Hub, probe: Probe) -> None:
    findings = answer(probe, with_users(hub(), "Gone", NAME))
    assert "user Gone does not exist" in [finding.text for finding in findings]
    assert findings[-1].state.value == "ready"
    (gone,) = (finding for finding in findings if "Gone" in finding.text)
    assert "pulumi up -s mgmt" in mends(gone)


# (probe, an operation)
FIRST_OF_TWO: list[tuple[Probe, str]] = [
    (user.sign_in, "GetLoginProfile"),
    (user.mfa, "ListMFADevices"),
    (user.keys, "ListAccessKeys"),
    (user.policies, "ListGroupsForUser"),
]


@pytest.mark.parametrize(("probe", "operation"), FIRST_OF_TWO)
def test_a_user_that_cannot_be_read_does_not_hide_the_next(
    hub: Hub, aws: str, probe: Probe, operation: str
) -> None:
    iam = emulation.signed_in(HUB, aws).client("iam", "us-east-1")
    iam.create_user(UserName="Unreadable")
    try:
        stack_state = with_users(hub(), "Unreadable", NAME)
        unreadable_of(stack_state, "Unreadable", operation)
        findings = answer(probe, stack_state)
    finally:
        iam.delete_user(UserName="Unreadable")
    (first,) = wrong(findings)
    assert first.text.startswith(f"Unreadable: access denied to {operation}: ")
    assert findings[-1].text.startswith(f"{NAME}: ")


# ---- sign-in


def test_without_a_password_nobody_can_sign_in(hub: Hub, broken: Broken) -> None:
    broken.refuse("GetLoginProfile", "NoSuchEntity")
    (finding,) = answer(user.sign_in, hub())
    assert (finding.state.value, mends(finding)) == ("not ready", f"python -m drill password {NAME}")


def test_a_password_that_must_be_changed_is_not_ready(hub: Hub, broken: Broken) -> None:
    broken.answer("GetLoginProfile", lambda answer: answer["LoginProfile"].update(PasswordResetRequired=True))
    findings = answer(user.sign_in, hub())
    assert states(findings) == ["not ready", "ready"]
    assert (
        mends(findings[0])
        == f"aws iam update-login-profile --user-name {NAME} --no-password-reset-required --profile mgmt"
    )


def report(changed: str, rotation: str = "N/A", name: str = NAME) -> Callable[[dict[str, Any]], None]:
    def change(answer: dict[str, Any]) -> None:
        answer["Content"] = (
            f"user,arn,password_last_changed,password_next_rotation\n{name},arn,{changed},{rotation}\n"
        ).encode()
        answer["GeneratedTime"] = datetime.now(UTC) + timedelta(hours=1)  # later than the password

    return change


def days_ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days, seconds=5)).isoformat(timespec="seconds")


# (days since, the words, whether that is ready)
AGES = [
    (0, "today", True),
    (-1, "today", True),
    (1, "1 day ago", True),
    (12, "12 days ago", True),
    (365, "365 days ago", True),
    (366, "366 days ago", False),
    (4000, "4000 days ago", False),
]


@pytest.mark.parametrize(("days", "words", "is_ready"), AGES)
def test_the_age_of_the_password_is_told(
    hub: Hub, broken: Broken, days: float, words: str, is_ready: bool
) -> None:
    broken.answer("GetCredentialReport", report(days_ago(days)))
    (finding,) = answer(user.sign_in, hub())
    assert finding.text.startswith(f"{NAME}: password set {words}, never used")
    if is_ready:
        assert finding.state.value == "ready"
    else:
        assert finding.state.value == "not ready"
        assert mends(finding) == f"python -m drill password {NAME}"
        assert ": it may be at most 365 days old (report of " in finding.text


def test_the_last_use_is_told(hub: Hub, broken: Broken) -> None:
    used = datetime.now(UTC) - timedelta(days=3, minutes=1)
    broken.answer("GetUser", lambda answer: answer["User"].update(PasswordLastUsed=used))
    (finding,) = answer(user.sign_in, hub())
    assert finding.text == f"{NAME}: password set today, last used 3 days ago"


def test_a_password_that_has_expired_is_not_ready(hub: Hub, broken: Broken) -> None:
    broken.answer("GetCredentialReport", report(days_ago(100), days_ago(10)))
    (finding,) = answer(user.sign_in, hub())
    assert (finding.state.value, mends(finding)) == ("not ready", f"python -m drill password {NAME}")
    assert "it has expired under the account's password policy" in finding.text


def test_a_password_that_will_expire_is_ready(hub: Hub, broken: Broken) -> None:
    broken.answer("GetCredentialReport", report(days_ago(100), days_ago(-10)))
    assert states(answer(user.sign_in, hub())) == ["ready"]


# What the report may say instead of a date.
NO_DATES = ["N/A", "not_supported", "no_information", "", "yesterday", "2026-11-22T10:00:00"]


@pytest.mark.parametrize("said", NO_DATES)
def test_without_a_date_the_age_cannot_be_told(hub: Hub, broken: Broken, said: str) -> None:
    broken.answer("GetCredentialReport", report(said))
    (finding,) = answer(user.sign_in, hub())
    assert finding.state.value == "could not tell"
    because = said or "nothing about this user"
    assert finding.text == (
        f"{NAME}: the age of the password is unknown (the credential report says {because}), never used"
    )


@pytest.mark.parametrize("content", [b"", b"\xff\xfe,\n", b"user\nBreakglassUser\n", b"arn,x\na,b\n"])
def test_an_odd_report_does_not_tell_the_age(hub: Hub, broken: Broken, content: bytes) -> None:
    broken.answer("GetCredentialReport", lambda answer: (answer.clear(), answer.update(Content=content)))
    assert states(answer(user.sign_in, hub())) == ["could not tell"]
    broken.answer("GetCredentialReport", lambda answer: answer.clear())
    assert states(answer(user.sign_in, hub())) == ["could not tell"]


def test_a_report_of_others_does_not_tell_the_age(hub: Hub, broken: Broken) -> None:
    broken.answer("GetCredentialReport", report(days_ago(1), name="Other"))
    (finding,) = answer(user.sign_in, hub())
    assert "(the credential report says nothing about this user)" in finding.text


def test_a_password_that_is_newer_than_the_report_has_its_own_date(hub: Hub, broken: Broken) -> None:
    broken.answer("GetCredentialReport", report("N/A"))
    old = datetime.now(UTC) - timedelta(hours=3)
    broken.answer("GetCredentialReport", lambda answer: answer.update(GeneratedTime=old))
    (finding,) = answer(user.sign_in, hub())
    assert (finding.state.value, finding.text) == ("ready", f"{NAME}: password set today, never used")


@pytest.mark.parametrize("operation", ["GenerateCredentialReport", "GetCredentialReport"])
@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("AccessDenied", "access denied to {}: `python -m drill policy` prints what is needed"),
        ("Throttling", "throttled at {}, 5 times: try again later"),
    ],
)
def test_without_a_report_the_age_cannot_be_told(
    hub: Hub, broken: Broken, operation: str, code: str, text: str
) -> None:
    broken.refuse(operation, code)
    (finding,) = answer(user.sign_in, hub())
    assert finding.state.value == "could not tell"
    assert f"the age of the password is unknown ({text.format(operation)}), never used" in finding.text


def test_the_report_is_waited_for(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(credential_report.time, "sleep", waited.append)
    stack_state = hub()
    refusals = ["ReportNotPresent", "ReportInProgress"]

    def not_yet(**_: Any) -> Any:
        if not refusals:
            return None
        error = {"Error": {"Code": refusals.pop(), "Message": "wait"}, "ResponseMetadata": {}}
        return AWSResponse("", 404, {}, None), error

    stack_state.account.client("iam").meta.events.register("before-call.iam.GetCredentialReport", not_yet)
    assert states(answer(user.sign_in, stack_state)) == ["ready"]
    assert waited == [1, 2]


def test_the_report_is_not_waited_for_without_end(
    hub: Hub, broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(credential_report.time, "sleep", waited.append)
    broken.refuse("GetCredentialReport", "ReportInProgress", "not yet")
    (finding,) = answer(user.sign_in, hub())
    assert finding.state.value == "could not tell"
    assert "(GetCredentialReport answered ReportInProgress: not yet)" in finding.text
    assert waited == list(credential_report.PAUSES)


# ---- MFA

KEY = f"arn:aws:iam::{HUB}:u2f/user/{NAME}/yubikey-ABC"
VIRTUAL = f"arn:aws:iam::{HUB}:mfa/{NAME}"

# (serial numbers, what is said)
DEVICES = [
    ([KEY], f"{NAME}: 1 MFA device (1 security key); two, kept in two places, are advised"),
    ([KEY, VIRTUAL], f"{NAME}: 2 MFA devices (1 security key, 1 virtual)"),
    ([KEY, KEY, "GAHT12345678"], f"{NAME}: 3 MFA devices (1 hardware token, 2 security key)"),
    ([f"arn:aws:iam::{HUB}:new/x", VIRTUAL], f"{NAME}: 2 MFA devices (1 other, 1 virtual)"),
]


@pytest.mark.parametrize(("serials", "text"), DEVICES)
def test_the_kinds_of_devices_are_named(hub: Hub, broken: Broken, serials: list[str], text: str) -> None:
    devices = [{"SerialNumber": serial} for serial in serials]
    broken.answer("ListMFADevices", lambda answer: answer.update(MFADevices=devices))
    (finding,) = answer(user.mfa, hub())
    assert (finding.state.value, finding.text) == ("ready", text)


@pytest.mark.parametrize("given", [{"MFADevices": []}, {}])
def test_without_a_device_nobody_can_assume_the_role(hub: Hub, given: dict[str, Any]) -> None:
    stack_state = hub()
    answers(stack_state, "ListMFADevices", given)
    (finding,) = answer(user.mfa, stack_state)
    assert finding.state.value == "not ready"
    assert f"aws iam enable-mfa-device --user-name {NAME} --serial-number {VIRTUAL}-1" in mends(finding)


def test_devices_of_further_pages_count(hub: Hub) -> None:
    stack_state = hub()
    pages = [
        {"MFADevices": [{"SerialNumber": VIRTUAL}], "IsTruncated": True, "Marker": "more"},
        {"MFADevices": [{"SerialNumber": KEY}], "IsTruncated": False},
    ]
    asked: list[Any] = []

    def page(params: dict[str, Any], **_: Any) -> Any:
        asked.append(params["body"].get("Marker"))
        return AWSResponse("", 200, {}, None), pages[len(asked) - 1]

    stack_state.account.client("iam").meta.events.register("before-call.iam.ListMFADevices", page)
    (finding,) = answer(user.mfa, stack_state)
    assert finding.text == f"{NAME}: 2 MFA devices (1 security key, 1 virtual)"
    assert asked == [None, "more"]


# ---- other credentials

# (operation, its answer, what is said, what mends it)
CREDENTIALS = [
    (
        "ListAccessKeys",
        {"AccessKeyMetadata": [{"AccessKeyId": "AKIAEXAMPLE", "Status": "Active"}]},
        f"{NAME} has the access key AKIAEXAMPLE (Active)",
        f"aws iam delete-access-key --access-key-id AKIAEXAMPLE --user-name {NAME}",
    ),
    (
        "ListAccessKeys",
        {"AccessKeyMetadata": [{"AccessKeyId": "AKIAEXAMPLE", "Status": "Inactive"}]},
        f"{NAME} has the access key AKIAEXAMPLE (Inactive)",
        f"aws iam delete-access-key --access-key-id AKIAEXAMPLE --user-name {NAME}",
    ),
    (
        "ListServiceSpecificCredentials",
        {
            "ServiceSpecificCredentials": [
                {
                    "ServiceSpecificCredentialId": "ACCA1",
                    "ServiceName": "bedrock.amazonaws.com",
                    "Status": "Active",
                }
            ]
        },
        f"{NAME} has the service-specific credential ACCA1 for bedrock.amazonaws.com (Active)",
        "aws iam delete-service-specific-credential --service-specific-credential-id ACCA1 --user-name",
    ),
    (
        "ListSSHPublicKeys",
        {"SSHPublicKeys": [{"SSHPublicKeyId": "APKA1", "Status": "Inactive"}]},
        f"{NAME} has the SSH public key APKA1 (Inactive)",
        f"aws iam delete-ssh-public-key --ssh-public-key-id APKA1 --user-name {NAME}",
    ),
    (
        "ListSigningCertificates",
        {"Certificates": [{"CertificateId": "CERT1"}]},
        f"{NAME} has the signing certificate CERT1 (status unknown)",
        f"aws iam delete-signing-certificate --certificate-id CERT1 --user-name {NAME}",
    ),
]


@pytest.mark.parametrize(("operation", "given", "text", "fix"), CREDENTIALS)
def test_a_further_credential_is_not_ready(
    hub: Hub, operation: str, given: dict[str, Any], text: str, fix: str
) -> None:
    stack_state = hub()
    answers(stack_state, operation, given)
    (finding,) = answer(user.keys, stack_state)
    assert (finding.state.value, finding.text) == ("not ready", text)
    assert fix in mends(finding)


def test_an_unreadable_kind_of_credential_does_not_hide_another(hub: Hub, broken: Broken) -> None:
    broken.refuse("ListAccessKeys", "AccessDenied")
    stack_state = hub()
    answers(stack_state, "ListSSHPublicKeys", {"SSHPublicKeys": [{"SSHPublicKeyId": "APKA1"}]})
    assert states(answer(user.keys, stack_state)) == ["could not tell", "not ready"]


# ---- permissions

# (operation, how its answer changes, what is said, what mends it)
FURTHER = [
    (
        "ListAttachedUserPolicies",
        lambda answer: answer["AttachedPolicies"].append({"PolicyName": "A", "PolicyArn": ADMIN}),
        f"{NAME} has a further policy {ADMIN}",
        f"aws iam detach-user-policy --user-name {NAME} --policy-arn {ADMIN}",
    ),
    (
        "ListUserPolicies",
        lambda answer: answer.update(PolicyNames=["backdoor"]),
        f"{NAME} has an inline policy backdoor",
        f"aws iam delete-user-policy --user-name {NAME} --policy-name backdoor",
    ),
    (
        "ListGroupsForUser",
        lambda answer: answer.update(Groups=[{"GroupName": "admins"}]),
        f"{NAME} is in group admins, whose policies apply to it",
        f"aws iam remove-user-from-group --user-name {NAME} --group-name admins",
    ),
    (
        "GetUser",
        lambda answer: answer["User"].update(PermissionsBoundary={"PermissionsBoundaryArn": ADMIN}),
        f"{NAME} has a permissions boundary {ADMIN}",
        f"aws iam delete-user-permissions-boundary --user-name {NAME}",
    ),
]


@pytest.mark.parametrize(("operation", "change", "text", "fix"), FURTHER)
def test_permissions_that_are_not_meant_are_named(
    hub: Hub, broken: Broken, operation: str, change: Any, text: str, fix: str
) -> None:
    broken.answer(operation, change)
    (finding,) = wrong(answer(user.policies, hub()))
    assert finding.state.value == "not ready"
    assert finding.text == text
    assert finding.commands == (f"{fix} --profile mgmt",)
    assert finding.fix.startswith("find out who")


def test_a_policy_that_is_not_attached_is_named(look: Look, broken: Broken) -> None:
    broken.answer("ListAttachedUserPolicies", lambda answer: answer.update(AttachedPolicies=[]))
    (stack_state,) = look("mgmt")
    found = wrong(answer(user.policies, stack_state))
    assert states(found) == ["not ready"] * 3
    assert found[0].text.startswith("attachment of BreakGlass")
    assert "pulumi up -s mgmt" in mends(found[0])


@pytest.mark.parametrize("probe", [user.policies, user.enrolment])
def test_policies_that_cannot_be_read_are_not_taken_for_ready(
    look: Look, broken: Broken, probe: Probe
) -> None:
    broken.refuse("GetPolicyVersion", "AccessDenied")
    (stack_state,) = look("mgmt")
    (finding,) = wrong(answer(probe, stack_state))
    assert finding.state.value == "could not tell"
    assert "access denied to GetPolicyVersion: `python -m drill policy` prints" in finding.text


def test_empty_answers_have_nothing_further(hub: Hub, broken: Broken) -> None:
    for operation in ("ListUserPolicies", "ListGroupsForUser", "ListSSHPublicKeys", "ListAccessKeys"):
        broken.answer(operation, lambda answer: answer.clear())
    stack_state = hub()
    assert wrong(answer(user.policies, stack_state)) == []
    assert wrong(answer(user.keys, stack_state)) == []


# ---- enrolment


def requiring(stack_state: StackState, document: object) -> list[CheckFinding]:
    """The findings where the live policy that requires MFA is this one."""
    found = {"policy": json.dumps(document)}
    return answer(user.enrolment, replace(stack_state, live={**stack_state.live, REQUIRE_MFA: found}))


def test_open_enrolment_is_not_ready(hub: Hub) -> None:
    (finding,) = answer(user.enrolment, with_users(hub(), NAME, mfa_enrolment="open"))
    assert finding.state.value == "not ready"
    first, second = finding.commands
    assert first == "AWS_PROFILE=mgmt pulumi config set -s mgmt --path breakglass:user.mfaEnrolment closed"
    assert second.startswith("AWS_PROFILE=mgmt pulumi up -s mgmt --refresh")


def test_a_policy_of_enrolment_that_is_still_attached_is_not_ready(hub: Hub, broken: Broken) -> None:
    arn = naming.policy_arn(HUB, naming.MFA_ENROLMENT_POLICY)
    attached = {"PolicyName": naming.MFA_ENROLMENT_POLICY, "PolicyArn": arn}
    broken.answer("ListAttachedUserPolicies", lambda answer: answer["AttachedPolicies"].append(attached))
    (finding,) = answer(user.enrolment, hub())
    assert (finding.state.value, finding.text) == (
        "not ready",
        f"{NAME} has the policy BreakGlassMfaEnrolment attached",
    )
    assert finding.commands == (
        f"aws iam detach-user-policy --user-name {NAME} --policy-arn {arn} --profile mgmt",
    )


def test_without_the_policy_mfa_is_not_required(hub: Hub) -> None:
    stack_state = hub()
    findings = answer(user.enrolment, replace(stack_state, live={**stack_state.live, REQUIRE_MFA: None}))
    assert states(findings) == ["not ready"]
    assert findings[0].text == "policy BreakGlassRequireMfa does not exist: MFA is not required"


CLOSED, OPEN = documents.require_mfa(enrolment_open=False), documents.require_mfa(enrolment_open=True)
(DENY,) = CLOSED["Statement"]


def denying(**more: Any) -> dict[str, Any]:
    statement = {name: value for name, value in (DENY | more).items() if value is not None}
    return CLOSED | {"Statement": [statement]}


# (document, the state, what is said)
REQUIRED = [
    (CLOSED, "ready", "closed: no device can be enrolled without MFA"),
    (OPEN, "not ready", "iam:CreateVirtualMFADevice, iam:EnableMFADevice, iam:GetMFADevice"),
    (
        denying(NotAction=["iam:EnableMFADevice"]),
        "not ready",
        "lets BreakglassUser do this without MFA: iam:Enable",
    ),
    (denying(NotAction="iam:*MFADevice"), "not ready", "iam:ResyncMFADevice"),
    (denying(NotAction=None, Action="sts:*"), "not ready", "iam:EnableMFADevice"),
    (
        denying(Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}}),
        "not ready",  # a request by an access key
        "iam:EnableMFADevice",
    ),
    (denying(Effect="Allow"), "not ready", "iam:EnableMFADevice"),
    (CLOSED | {"Statement": []}, "not ready", "iam:EnableMFADevice"),
    (
        denying(Condition=DENY["Condition"] | {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        "could not tell",
        "'NotIpAddress of aws:SourceIp' is not modelled",
    ),
    (denying(Condition=7), "could not tell", "of BreakGlassRequireMfa"),
    ({}, "could not tell", "BreakGlassRequireMfa has no Statement"),
    ("odd", "could not tell", "BreakGlassRequireMfa is 'odd' instead of a JSON object"),
]


@pytest.mark.parametrize(("document", "state", "text"), REQUIRED)
def test_the_live_policy_is_asked_about_enrolment(hub: Hub, document: object, state: str, text: str) -> None:
    (finding,) = requiring(hub(), document)
    assert finding.state.value == state, finding
    assert text in finding.text
    assert ("pulumi up -s mgmt" in mends(finding)) == (state == "not ready")
