"""The users can sign in with password and MFA only, and have the intended permissions."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from botocore import xform_name

from alertpath.iam.evaluate import Principal, Request, Verdict, evaluate
from alertpath.model import Resource
from breakglass import naming
from breakglass.documents import MFA_ENROLMENT_ACTIONS
from drill.account import CANNOT_TELL, explained, is_missing
from drill.check import live
from drill.check.compare import as_rendered, redeploy
from drill.check.finding import CheckFinding, Findings, not_ready, ready, unknown
from drill.check.probes import credential_report
from drill.check.probes.credential_report import Report, date
from drill.check.probes.further import further_policies, inline_policies
from drill.check.probes.judged import EVERYTHING, judgeable
from drill.check.stack_state import StackState

PASSWORD_AGE_AT_MOST = timedelta(days=365)
"""A stored random password does not weaken with age, but after a year staff has changed and the vault itself
is untested."""


def _each_user(
    stack_state: StackState, *parts: Callable[[StackState, str], Findings], otherwise: str = ""
) -> Findings:
    """Yield what the parts find about each user, or `otherwise` as ready if they find nothing.

    A read error for one user does not stop that user's other checks, or other users.
    """
    for name in stack_state.stack.settings.user.names:
        findings: list[CheckFinding] = []
        for part in parts:
            try:
                findings.extend(part(stack_state, name))
            except CANNOT_TELL as error:
                if is_missing(error):
                    findings.append(not_ready(f"user {name} does not exist", redeploy(stack_state)))
                    break
                findings.append(unknown(f"{name}: {explained(error)}"))
        yield from findings or [ready(f"{name}: {otherwise}")]


def sign_in(stack_state: StackState) -> Findings:
    """Check that each user has a password that works at once, and how old it is.

    The last use is shown but not judged: a user for emergencies may never have signed in.
    """
    report = credential_report.read(stack_state.account)
    yield from _each_user(stack_state, partial(_password, report))


def _password(report: Report, stack_state: StackState, name: str) -> Findings:
    iam = stack_state.account.client("iam")
    used = live.user(stack_state.account, name).get("PasswordLastUsed")
    # AWS omits it for both "never used" and "not known":
    # https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html
    last = "never used" if used is None else f"last used {stack_state.ago(used)}"
    try:
        profile = iam.get_login_profile(UserName=name)["LoginProfile"]
    except iam.exceptions.NoSuchEntityException:
        yield not_ready(
            f"{name} has no password: nobody can sign in to the console",
            f"python -m drill password {name}",
        )
        return
    if profile.get("PasswordResetRequired"):
        yield not_ready(
            f"{name} must set a new password at the next sign-in but may not: nobody could sign in",
            stack_state.aws(f"iam update-login-profile --user-name {name} --no-password-reset-required"),
        )
    yield _age(report, stack_state, name, profile.get("CreateDate"), last)


def _age(
    report: Report, stack_state: StackState, name: str, created: datetime | None, last: str
) -> CheckFinding:
    """Return how old a password is; `created` is when the user got its first one."""
    line = report.lines.get(name, {})
    if created and report.made and created > report.made:
        changed, line = created, {}  # the report is older than the password
    else:
        changed = date(line.get("password_last_changed"))
    if changed is None:
        entry = line.get("password_last_changed") or "nothing about this user"
        problem = report.problem or f"the credential report says {entry}"
        return unknown(f"{name}: the age of the password is unknown ({problem}), {last}")
    text = f"{name}: password set {stack_state.ago(changed)}, {last}"
    as_of = f" (report of {report.made.astimezone(UTC):%d %B %H:%M} UTC)" if report.made else ""
    expires = date(line.get("password_next_rotation"))
    rotate = f"python -m drill password {name}"
    if expires is not None and expires <= stack_state.now:
        return not_ready(f"{text}: it has expired under the account's password policy{as_of}", rotate)
    if (stack_state.now - changed).days > PASSWORD_AGE_AT_MOST.days:
        return not_ready(f"{text}: it may be at most {PASSWORD_AGE_AT_MOST.days} days old{as_of}", rotate)
    return ready(text)


def mfa(stack_state: StackState) -> Findings:
    """Check that each user has an MFA device: the role's trust policy requires one.

    Two devices in two places are advised; AWS allows eight
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa.html).
    """
    yield from _each_user(stack_state, _devices)


def _devices(stack_state: StackState, name: str) -> Findings:
    devices = live.iam_list(stack_state.account, "list_mfa_devices", "MFADevices", UserName=name)
    kinds = Counter(_device_kind(device.get("SerialNumber", "")) for device in devices)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    if not devices:
        device = naming.iam_arn(stack_state.account.id, f"mfa/{name}-1")
        yield not_ready(
            f"{name} has no MFA device: without one nobody can assume the role",
            stack_state.aws(
                f"iam create-virtual-mfa-device --virtual-mfa-device-name {name}-1 "
                f"--bootstrap-method QRCodePNG --outfile {name}.png"
            ),
            stack_state.aws(
                f"iam enable-mfa-device --user-name {name} --serial-number {device} "
                "--authentication-code1 CODE --authentication-code2 NEXT_CODE"
            ),
            fix="enrol a security key (docs/runbook.md, Set-up, step 5 to 8); or a virtual device",
        )
    elif len(devices) == 1:
        yield ready(f"{name}: 1 MFA device ({listed}); two, kept in two places, are advised")
    else:
        yield ready(f"{name}: {len(devices)} MFA devices ({listed})")


def _device_kind(serial: str) -> str:
    """Return the kind of a device: its ARN names it; a hardware token has a serial number instead."""
    if not serial.startswith("arn:"):
        return "hardware token"
    return {"u2f": "security key", "mfa": "virtual"}.get(serial.split(":")[-1].split("/")[0], "other")


_CREDENTIALS = (
    # What a user must not have, and the keys of the entries and of their ids in AWS's answer.
    ("access key", "AccessKeyMetadata", "AccessKeyId"),
    ("service-specific credential", "ServiceSpecificCredentials", "ServiceSpecificCredentialId"),
    ("SSH public key", "SSHPublicKeys", "SSHPublicKeyId"),
    ("signing certificate", "Certificates", "CertificateId"),
)


def keys(stack_state: StackState) -> Findings:
    """Check that the users have no credential besides password and MFA, active or not.

    An inactive one can be activated later, and works without MFA.
    """
    parts = [partial(_further, *kind) for kind in _CREDENTIALS]
    yield from _each_user(stack_state, *parts, otherwise="no " + ", ".join(noun for noun, *_ in _CREDENTIALS))


def _further(noun: str, entries: str, id_key: str, stack_state: StackState, name: str) -> Findings:
    words = re.split("[ -]", noun.lower())
    listed = live.iam_list(stack_state.account, f"list_{'_'.join(words)}s", entries, UserName=name)
    for entry in listed:
        service = f" for {entry['ServiceName']}" if "ServiceName" in entry else ""
        id, status = entry.get(id_key, "ID"), entry.get("Status", "status unknown")
        removal = f"delete-{'-'.join(words)} --{xform_name(id_key, '-')} {id}"
        yield not_ready(
            f"{name} has the {noun} {id}{service} ({status})",
            stack_state.aws(f"iam {removal} --user-name {name}"),
            fix="find out who made it",
        )


def policies(stack_state: StackState) -> Findings:
    """Compare users, their policies and attachments with the rendered ones; there must be nothing else.

    A permissions boundary is unexpected: in an emergency it could forbid what was meant to be allowed.
    """
    rendered = stack_state.of("User", "Policy", "UserPolicyAttachment")
    yield from as_rendered(stack_state, rendered, noun="users, policies and attachments")
    yield from _each_user(
        stack_state,
        _attached,
        partial(inline_policies, kind="user"),
        _groups,
        _boundary,
        otherwise="no further policy, no inline policy, no group, no boundary",
    )


def _attached(stack_state: StackState, name: str) -> Findings:
    attachments = stack_state.of("UserPolicyAttachment")
    wanted = {attachment["policyArn"] for attachment in attachments if attachment["user"] == name}
    return further_policies(stack_state, name, "user", wanted)


def _groups(stack_state: StackState, name: str) -> Findings:
    for entry in live.iam_list(stack_state.account, "list_groups_for_user", "Groups", UserName=name):
        group = entry["GroupName"]
        yield not_ready(
            f"{name} is in group {group}, whose policies apply to it",
            stack_state.aws(f"iam remove-user-from-group --user-name {name} --group-name {group}"),
            fix="find out who added it",
        )


def _boundary(stack_state: StackState, name: str) -> Findings:
    if boundary := live.user(stack_state.account, name).get("PermissionsBoundary"):
        yield not_ready(
            f"{name} has a permissions boundary {boundary.get('PermissionsBoundaryArn')}",
            stack_state.aws(f"iam delete-user-permissions-boundary --user-name {name}"),
            fix="find out who set it",
        )


def enrolment(stack_state: StackState) -> Findings:
    """Check that nobody can enrol an MFA device without MFA: anyone with the password could do it first.

    The live policy that requires MFA is evaluated for each of the actions that AWS's own policy exempts, for
    a request by an access key and for one from the console.
    """
    if stack_state.stack.settings.user.mfa_enrolment != "closed":
        yield not_ready(
            "user.mfaEnrolment is open: anyone with the password can enrol an MFA device of their own",
            stack_state.pulumi("config set", "--path breakglass:user.mfaEnrolment closed"),
            redeploy(stack_state),
        )
        return
    (policy,) = (policy for policy in stack_state.of("Policy") if policy["name"] == naming.REQUIRE_MFA_POLICY)
    yield from _each_user(
        stack_state,
        partial(_can_enrol, policy),
        _enrolment_attached,
        otherwise="closed: no device can be enrolled without MFA",
    )


def _enrolment_attached(stack_state: StackState, name: str) -> Findings:
    arn = naming.policy_arn(stack_state.account.id, naming.MFA_ENROLMENT_POLICY)
    if arn in live.attached(stack_state.account, "user", name):
        yield not_ready(
            f"{name} has the policy {naming.MFA_ENROLMENT_POLICY} attached",
            stack_state.aws(f"iam detach-user-policy --user-name {name} --policy-arn {arn}"),
        )


def _can_enrol(policy: Resource, stack_state: StackState, name: str) -> Findings:
    properties = stack_state.look(policy)
    if properties is None:
        yield not_ready(f"policy {policy['name']} does not exist: MFA is not required", redeploy(stack_state))
        return
    document = judgeable(properties["policy"])
    exempt: list[str] = []
    open_questions: dict[str, list[str]] = {}
    for action in MFA_ENROLMENT_ACTIONS:
        decisions = [
            evaluate(request, identity=[EVERYTHING, document], resource_account=stack_state.account.id)
            for request in _enrolling(stack_state, name, action)
        ]
        verdicts = {decision.verdict: decision.reason for decision in decisions}
        if Verdict.ALLOWED in verdicts:
            exempt.append(action)
        elif Verdict.UNPROVEN in verdicts:
            reason = verdicts[Verdict.UNPROVEN].replace("identity policy 1", str(policy["name"]))
            open_questions.setdefault(reason, []).append(action)
    if exempt:
        yield not_ready(
            f"{policy['name']} lets {name} do this without MFA: {', '.join(exempt)}", redeploy(stack_state)
        )
    for reason, actions in open_questions.items():
        yield unknown(f"it is unknown whether {policy['name']} denies {', '.join(actions)}: {reason}")


def _enrolling(stack_state: StackState, name: str, action: str) -> Iterator[Request]:
    user = naming.user_arn(stack_state.account.id, name)
    resource = user
    if action == "iam:ListVirtualMFADevices":  # has no resource
        resource = "*"
    elif action.endswith("VirtualMFADevice"):
        resource = naming.iam_arn(stack_state.account.id, f"mfa/{name}")
    for context in ({}, {"aws:MultiFactorAuthPresent": "false"}):
        yield Request(
            principal=Principal(arn=user),
            action=action,
            resource=resource,
            context={"aws:PrincipalArn": user, **context},
        )
